"""How strong an augmentation is: steered by how sure the discriminator is of the pictures it is trained on.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 3.1 and appendix D.
"""

import torch
from torch import Tensor, nn


class AdaptiveStrength(nn.Module):
    """p, in [0, 1], rising while r = E[sign(D(real))] is above the target and falling while it is below.

    start: the first p. target: of r, 0.6 in the paper. images: in how many p goes from 0 to 1 if it only rises, 500,000
    there. The state is buffers, float32 without dimensions, which a checkpoint holds: p; signs and seen, the sum of the
    signs and their number since p was last adjusted. Nothing is brought to the host.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor

    def __init__(self, start: float, target: float, images: int) -> None:
        super().__init__()
        self._target, self._images = target, images
        self.register_buffer("p", torch.tensor(start, dtype=torch.float32))
        self.register_buffer("signs", torch.tensor(0.0))
        self.register_buffer("seen", torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, mean_sign: Tensor, count: int) -> None:
        """Take note of the mean sign of the logits of `count` real pictures; mean_sign has no dimensions."""
        self.signs.add_(mean_sign.float() * count)
        self.seen.add_(count)

    @torch.no_grad()
    def adjust(self) -> None:
        """Move p by what the pictures observed since the last time are worth; without any it stays."""
        away = torch.sign(self.signs - self._target * self.seen)
        self.p.add_(away * self.seen / self._images).clamp_(0, 1)
        self.signs.zero_()
        self.seen.zero_()


def mean_sign(logits: Tensor) -> Tensor:
    """E[sign(D(real))]: [N] or [N, 1, h, w] -> no dimensions, in [-1, 1], without a graph."""
    return logits.detach().sign().mean()
