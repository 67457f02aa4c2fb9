"""How strong an augmentation is: steered by how sure the discriminator is of the pictures it is trained on.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 3.1 and appendix D.
"""

import torch
from torch import Tensor, nn

_ROUNDS = 4  # from one adjustment to the next, as in the paper


class AdaptiveStrength(nn.Module):
    """p, in [0, 1], rising while r = E[sign(D(real))] is above the target and falling while it is below.

    start: the first p. target: of r, 0.6 in the paper. images: in how many p goes from 0 to 1 if it only rises, 500,000
    there. batch: images a round.
    The state is buffers without dimensions, which a checkpoint holds: p; signs and seen, the sum of the signs in this
    round and their number; total and rounds, the sum of the rounds' mean signs since p was last adjusted and their
    number. Processes that each observe their own part of a batch come to the p of one that observes all of it if they
    replace the buffers by their means at the end of a round. Nothing is brought to the host.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor
    total: Tensor
    rounds: Tensor

    def __init__(self, start: float, target: float, images: int, batch: int) -> None:
        super().__init__()
        self._target, self._worth = target, batch / images
        self.register_buffer("p", torch.tensor(start, dtype=torch.float32))
        for name in ("signs", "seen", "total", "rounds"):
            self.register_buffer(name, torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, logits: Tensor) -> None:
        """Take note of logits of real pictures, [N] or [N, 1, h, w]."""
        self.signs.add_(logits.sign().sum())
        self.seen.add_(logits.numel())

    @torch.no_grad()
    def begin_round(self) -> None:
        """Take note of the round before and, when due, move p by what the rounds are worth; again does nothing."""
        there = self.seen > 0
        self.total.add_(torch.where(there, self.signs / self.seen, 0))
        self.rounds.add_(there)
        self.signs.zero_()
        self.seen.zero_()
        due = self.rounds >= _ROUNDS
        away = torch.sign(self.total - self._target * self.rounds)
        self.p.add_(due * away * self.rounds * self._worth).clamp_(0, 1)
        self.total.mul_(~due)
        self.rounds.mul_(~due)
