"""How far a picture is from the one it should be, pixel by pixel, and how uneven it is.

Means over all values, in float32, or float64 if the pictures are. Cycle and identity consistency (Zhu et al. 2017,
eq. 2 and section 5.2) are `l1` of pictures that went there and back, and of those that were there already.
"""

import torch
from torch import Tensor


def l1(made: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
    """mean |made - wanted|. Isola et al. 2017, eq. 3.

    made, wanted: [N, C, H, W]. weights: [N, 1, H, W], 0 or more, not all 0: the mean is then so weighted, as where
    only what is seen, or only the hole, counts. Raises ValueError if the shapes differ.
    """
    return _mean(_differences(made, wanted).abs(), weights)


def charbonnier(made: Tensor, wanted: Tensor, weights: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """mean sqrt((made - wanted)^2 + epsilon^2), smooth where both are equal. Lai et al. 2017 (LapSRN).

    As `l1`; epsilon: below it errors count by their squares.
    """
    return _mean((_differences(made, wanted).square() + epsilon**2).sqrt(), weights)


def total_variation(pictures: Tensor) -> Tensor:
    """The mean absolute difference of neighbours, across and down, added. Rudin, Osher & Fatemi 1992, anisotropic.

    [N, C, H, W]; a direction in which there is one pixel adds nothing.
    """
    pictures = _precise(pictures)
    parts = [pictures.diff(dim=dim).abs().mean() for dim in (2, 3) if pictures.shape[dim] > 1]
    return sum(parts, start=pictures.new_zeros(()))


def _differences(made: Tensor, wanted: Tensor) -> Tensor:
    if made.shape != wanted.shape:
        raise ValueError(f"pictures are compared value by value: {list(made.shape)} and {list(wanted.shape)}")
    return _precise(made) - _precise(wanted)


def _mean(errors: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return errors.mean()
    return (errors * weights).sum() / (weights.sum() * errors.shape[1])


def _precise(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
