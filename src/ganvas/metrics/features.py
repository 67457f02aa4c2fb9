"""What all distances between sets of features ask of them."""

import torch
from torch import Tensor

from ganvas.core.errors import DataError


def checked(features: Tensor, what: str, least: int = 2) -> Tensor:
    """Features [N, D] in float64. Raises DataError for another shape, fewer than `least`, NaN or infinity.

    what: whose features they are, for the message.
    """
    if features.ndim != 2 or not features.shape[1]:
        raise DataError(f"Scores need features [N, D], and those of {what} have the shape {list(features.shape)}")
    if len(features) < least:
        raise DataError(f"This score needs {least} or more pictures, and there are {len(features)} of {what}")
    if not torch.isfinite(features).all():
        raise DataError(
            f"Some features of {what} are NaN or infinite. Look at the pictures: the generator may have diverged"
        )
    return features.detach().cpu().double()


def alike(fake: Tensor, real: Tensor) -> None:
    """Raises DataError if two sets are not of one extractor."""
    if fake.shape[1] != real.shape[1]:
        raise DataError(
            f"Scores compare features of one extractor; these have {fake.shape[1]} and {real.shape[1]} dimensions"
        )
