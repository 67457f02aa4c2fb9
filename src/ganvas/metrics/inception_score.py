"""The Inception-style score: are single pictures clear and all together various?

Salimans et al. 2016, "Improved Techniques for Training GANs", section 4: exp(E_x KL(p(y|x) || p(y))).
"""

from dataclasses import dataclass

from torch import Tensor

from ganvas.metrics.features import checked


@dataclass(frozen=True)
class InceptionScore:
    """mean, spread: over the splits (their standard deviation); 1 is the worst, the number of classes the best."""

    mean: float
    spread: float
    splits: int


def inception_score(logits: Tensor, *, splits: int = 10) -> InceptionScore:
    """The score of logits [N, K].

    splits: equal parts, in the order the pictures come, each with its own p(y), as the paper's code did; what is left
    over of N / splits is not looked at. Raises DataError for fewer pictures than splits.
    """
    log_p = checked(logits, "the judged pictures", max(2, splits)).log_softmax(dim=1)
    size = len(log_p) // splits
    parts = log_p[: size * splits].unflatten(0, (splits, size))
    log_marginal = parts.exp().mean(dim=1, keepdim=True).clamp(min=1e-300).log()
    scores = (parts.exp() * (parts - log_marginal)).sum(dim=2).mean(dim=1).exp()
    return InceptionScore(scores.mean().item(), scores.std(correction=0).item(), splits)
