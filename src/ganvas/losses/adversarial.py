"""The adversarial losses, each a pair of functions of both players' logits.

Logits: higher is more real. r are the logits on real pictures, f on generated ones, s(x) = log(1 + e^x). Every
function takes (real, fake), [N] or [N, 1, h, w], and returns a scalar: the mean, in float32, or float64 if the logits
are. As it is a mean, equal parts of a batch, each weighted by its share, add up to the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class AdversarialLoss:
    """What the discriminator and what the generator minimise, as functions of (real, fake) logits."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    # Whether the generator's function depends on the real logits; where not, a pass over real pictures can be saved.
    generator_reads_real: bool = False


def best(logits: Tensor, part: float) -> Tensor:
    """The rows with the highest logits, so large a part of them and at least one: int64 [k]. Sinha et al. 2020, eq. 3.

    logits: [N] or [N, 1, h, w], whose mean counts. The rows are those that pass together: of a batch in parts, each
    part has its own.
    """
    with torch.no_grad():
        means = _raised(logits).flatten(1).mean(dim=1) if logits.ndim > 1 else logits
        return means.topk(max(1, round(part * len(means)))).indices.sort().values


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """s(-r) + s(f), the negative of V(D, G). Goodfellow et al. 2014, eq. 1; log 4 where D = 1/2."""
    return softplus(-_raised(real)).mean() + softplus(_raised(fake)).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-s(f) = log(1 - D(G(z))). Goodfellow et al. 2014, eq. 1; saturates where the discriminator is sure."""
    return -softplus(_raised(fake)).mean()


def logistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """s(-f) = -log D(G(z)), the non-saturating form. Goodfellow et al. 2014, section 3."""
    return softplus(-_raised(fake)).mean()


def lsgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """(r - 1)^2 / 2 + f^2 / 2. Mao et al. 2017, eq. 9."""
    return (_raised(real) - 1).square().mean() / 2 + _raised(fake).square().mean() / 2


def lsgan_generator(real: Tensor, fake: Tensor) -> Tensor:
    """(f - 1)^2 / 2. Mao et al. 2017, eq. 9."""
    return (_raised(fake) - 1).square().mean() / 2


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - r) + max(0, 1 + f). Lim & Ye 2017; Miyato et al. 2018, eq. 16."""
    return relu(1 - _raised(real)).mean() + relu(1 + _raised(fake)).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """f - r, for a critic kept Lipschitz by a penalty, clipping or spectral norm. Arjovsky et al. 2017, eq. 2."""
    return _raised(fake).mean() - _raised(real).mean()


def negated_fake_logits(real: Tensor, fake: Tensor) -> Tensor:
    """-f, the generator's part of hinge (Miyato et al. 2018, eq. 17) and wasserstein (Arjovsky et al. 2017)."""
    return -_raised(fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """s(f - r), real and fake in pairs. Jolicoeur-Martineau 2018; Huang et al. 2024 (R3GAN), eq. 2.

    Raises ValueError if the shapes differ, because pairs would then be made up by broadcasting.
    """
    return softplus(_difference(fake, real)).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """s(r - f), the discriminator's with the roles exchanged. Jolicoeur-Martineau 2018."""
    return softplus(_difference(real, fake)).mean()


def _difference(minuend: Tensor, subtrahend: Tensor) -> Tensor:
    if minuend.shape != subtrahend.shape:
        shapes = f"{tuple(minuend.shape)} and {tuple(subtrahend.shape)}"
        raise ValueError(f"the relativistic loss pairs real with fake logits, so their shapes must be equal: {shapes}")
    return _raised(minuend) - _raised(subtrahend)


def _raised(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


MINIMAX = AdversarialLoss(minimax_discriminator, minimax_generator)
LOGISTIC = AdversarialLoss(minimax_discriminator, logistic_generator)
LSGAN = AdversarialLoss(lsgan_discriminator, lsgan_generator)
HINGE = AdversarialLoss(hinge_discriminator, negated_fake_logits)
WASSERSTEIN = AdversarialLoss(wasserstein_discriminator, negated_fake_logits)
RELATIVISTIC = AdversarialLoss(relativistic_discriminator, relativistic_generator, generator_reads_real=True)
