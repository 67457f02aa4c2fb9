"""How far a picture is from the one it should be, pixel by pixel.

Means over all values, in float32, or float64 if the pictures are. Cycle and identity consistency (Zhu et al. 2017,
eq. 2 and section 5.2) are `l1` of pictures that went there and back, and of those that were there already.
"""

import torch
from torch import Tensor


def l1(made: Tensor, wanted: Tensor) -> Tensor:
    """mean |made - wanted|, of [N, C, H, W] both. Isola et al. 2017, eq. 3. Raises ValueError if the shapes differ."""
    return _differences(made, wanted).abs().mean()


def charbonnier(made: Tensor, wanted: Tensor, epsilon: float = 1e-3) -> Tensor:
    """mean sqrt((made - wanted)^2 + epsilon^2), smooth where both are equal. Lai et al. 2017 (LapSRN).

    As `l1`; epsilon: below it errors count by their squares.
    """
    return (_differences(made, wanted).square() + epsilon**2).sqrt().mean()


def _differences(made: Tensor, wanted: Tensor) -> Tensor:
    if made.shape != wanted.shape:
        raise ValueError(f"pictures are compared value by value: {list(made.shape)} and {list(wanted.shape)}")
    return _precise(made) - _precise(wanted)


def _precise(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
