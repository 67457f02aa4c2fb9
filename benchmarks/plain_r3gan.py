"""The other side of `speed-r3gan`: R3GAN as its paper describes it, on plain modules. float32, contiguous, Adam."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.images import to_uint8

SIDES = (4, 8, 16, 32)


class PlainR3GAN:
    """Two stacks of grouped residual blocks for grey 32x32 pictures; relativistic loss, R1 and R2 in every round.

    Huang et al. 2024. width: channels of all maps. blocks: at each side. gamma: weight of either penalty. lr: of both.
    """

    def __init__(self, width: int, blocks: int, gamma: float, lr: float) -> None:
        torch.manual_seed(0)
        self._gamma = gamma
        count = blocks * len(SIDES)
        up, down = nn.Sequential(Basis(width)), nn.Sequential(nn.Conv2d(1, width, 1, bias=False))
        for side in SIDES:
            up.extend([*([Double()] if side > SIDES[0] else []), *(Block(width, count) for _ in range(blocks))])
            down.extend([*(Block(width, count) for _ in range(blocks)), *([Halve()] if side > SIDES[0] else [])])
        up.append(nn.Conv2d(width, 1, 1, bias=False))
        last = nn.Conv2d(width, width, 4, groups=width, bias=False)
        down.extend([last, nn.Flatten(), nn.Linear(width, 1, bias=False), nn.Flatten(0)])
        self.networks = self._generator, self._discriminator = up, down
        self._adam_g = torch.optim.Adam(up.parameters(), lr, betas=(0.0, 0.95))
        self._adam_d = torch.optim.Adam(down.parameters(), lr, betas=(0.0, 0.95))

    def step(self, real: Tensor) -> None:
        """One step of either player; real: float32 [N, 1, 32, 32] in [-1, 1]."""
        real.requires_grad_()
        with torch.no_grad():
            fake = self._generator(torch.randn(len(real), 64))
        fake.requires_grad_()
        real_logits, fake_logits = self._discriminator(real), self._discriminator(fake)
        loss = functional.softplus(fake_logits - real_logits).mean()
        for logits, pictures in ((real_logits, real), (fake_logits, fake)):
            (gradients,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
            loss = loss + self._gamma / 2 * gradients.square().sum(dim=(1, 2, 3)).mean()
        self._adam_d.zero_grad()
        loss.backward()
        self._adam_d.step()
        self._adam_g.zero_grad()
        self._discriminator.requires_grad_(False)
        fake_logits = self._discriminator(self._generator(torch.randn(len(real), 64)))
        functional.softplus(real_logits.detach() - fake_logits).mean().backward()
        self._discriminator.requires_grad_(True)
        self._adam_g.step()

    @torch.no_grad()
    def sample(self, count: int) -> list[Tensor]:
        """uint8 [n, 1, 32, 32], part by part."""
        latents = torch.randn(count, 64, generator=torch.Generator().manual_seed(0))
        return [to_uint8(self._generator(part)) for part in latents.split(250)]


class Basis(nn.Module):
    """A learned 4x4 map scaled by a linear map of the latent: [N, 64] -> [N, width, 4, 4]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(width, 4, 4))
        self.scale = nn.Linear(64, width, bias=False)

    def forward(self, latents: Tensor) -> Tensor:
        """The scaled map."""
        scaled: Tensor = self.maps * self.scale(latents)[:, :, None, None]
        return scaled


class Block(nn.Module):
    """x + 1x1(lrelu(3x3 in groups of 16(lrelu(1x1(x))))), twice as wide inside."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inside = 2 * width
        self.layers = nn.Sequential(
            nn.Conv2d(width, inside, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inside, inside, 3, padding=1, groups=inside // 16),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inside, width, 1, bias=False),
        )
        for layer in (self.layers[0], self.layers[2]):
            nn.init.normal_(layer.weight, std=blocks**-0.25 * math.sqrt(2 / 1.04 / layer.weight[0].numel()))
        nn.init.zeros_(self.layers[4].weight)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, H, W] -> the same shape."""
        added: Tensor = maps + self.layers(maps)
        return added


class Double(nn.Module):
    """Twice the side, filtered by [1, 2, 1]."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, 2H, 2W]."""
        grown = functional.interpolate(maps, scale_factor=2)
        return functional.avg_pool2d(functional.pad(grown, (0, 1, 0, 1), mode="replicate"), 2, stride=1)


class Halve(nn.Module):
    """Half the side, filtered by [1, 2, 1]."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, 2H, 2W] -> [N, C, H, W]."""
        blurred = functional.avg_pool2d(functional.pad(maps, (1, 0, 1, 0), mode="replicate"), 2, stride=1)
        return functional.avg_pool2d(blurred, 2)
