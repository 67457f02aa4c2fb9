"""What every game against a discriminator descends, whatever it judges."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganvas.losses import penalties
from ganvas.losses.adversarial import AdversarialLoss
from ganvas.training.clock import Clock
from ganvas.training.players import Terms


def gradients_asked(loss: Any, clock: Clock, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Leaves of a graph, ready for R1 and R2 where these are due. loss: settings with r1 and r2."""
    return real.requires_grad_(loss.r1.due(clock)), fake.requires_grad_(loss.r2.due(clock))


def gradient_terms(
    loss: Any, clock: Clock, real: Tensor, real_logits: Tensor, fake: Tensor, fake_logits: Tensor
) -> Terms:
    """R1 and R2 where they are due. real, fake: of `gradients_asked`, of which the logits are."""
    terms: Terms = {}
    if loss.r1.due(clock):
        terms["r1"] = loss.r1.weight_now(clock) * penalties.r1(real_logits, real)
    if loss.r2.due(clock):
        terms["r2"] = loss.r2.weight_now(clock) * penalties.r2(fake_logits, fake)
    return terms


def real_logits_beside(
    loss: AdversarialLoss, fake_logits: Tensor, judge_real: Callable[[], Tensor], known: Tensor | None = None
) -> Tensor:
    """What a generator's loss pairs with its logits: those of real pictures without a graph, zeros if it reads none.

    judge_real: computes them. known: where they are there already.
    """
    if known is not None:
        return known
    if not loss.generator_reads_real:
        return torch.zeros_like(fake_logits)
    with torch.no_grad():
        return judge_real()
