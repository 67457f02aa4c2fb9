"""The other side of every comparison: the DCGAN loop as tutorials write it. float32, contiguous, Adam, nothing else."""

import torch
from torch import Tensor, nn


class Textbook:
    """DCGAN 32x32 (Radford et al. 2016) with BatchNorm, binary cross-entropy and Adam 2e-4 (0.5, 0.999), batch 64."""

    batch = 64

    def __init__(self, seed: int, channels: int = 1) -> None:
        torch.manual_seed(seed)
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(True),
            nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(True),
            nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(True),
            nn.ConvTranspose2d(64, channels, 4, 2, 1, bias=False),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(channels, 64, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(64, 128, 4, 2, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(128, 256, 4, 2, 1, bias=False),
            nn.BatchNorm2d(256),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(256, 1, 4, 1, 0, bias=False),
            nn.Flatten(0),
        )
        for network in (self.generator, self.discriminator):
            network.apply(_initialise)
        self._loss = nn.BCEWithLogitsLoss()
        self._adam_g = torch.optim.Adam(self.generator.parameters(), 2e-4, betas=(0.5, 0.999))
        self._adam_d = torch.optim.Adam(self.discriminator.parameters(), 2e-4, betas=(0.5, 0.999))

    def step(self, real: Tensor) -> None:
        """One step of the discriminator and one of the generator; real: float32 [64, C, 32, 32] in [-1, 1]."""
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        fake = self.generator(torch.randn(len(real), 100, 1, 1))
        self._adam_d.zero_grad()
        loss = self._loss(self.discriminator(real), ones) + self._loss(self.discriminator(fake.detach()), zeros)
        loss.backward()
        self._adam_d.step()
        self._adam_g.zero_grad()
        self._loss(self.discriminator(fake), ones).backward()
        self._adam_g.step()

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """float32 [count, C, 32, 32] in [-1, 1], from the generator in evaluation mode."""
        dice = torch.Generator().manual_seed(0)
        latents = torch.randn(count, 100, 1, 1, generator=dice)
        self.generator.eval()
        pictures = torch.cat([self.generator(part) for part in latents.split(250)])
        self.generator.train()
        return pictures


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
