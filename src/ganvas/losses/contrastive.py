"""What holds a translation to its picture without a way back. Park et al. 2020, "Contrastive Learning for Unpaired ..."

That is CUT; section 3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE = 0.07  # section 3, of all experiments


def patch_nce(made: Sequence[Tensor], given: Sequence[Tensor], temperature: float = TEMPERATURE) -> Tensor:
    """The mean of -log P(the same place), a place of what was made against all of its picture's. Eq. 3 and 4.

    made, given: for each of a network's maps vectors of length 1, [N, places, F], of the translation and of the
    picture it is of, at the same places; maps weigh the same. The others are places of the same picture. The picture's
    vectors get no gradient. log(places) where nothing is alike; a scalar in float32, or float64 if the vectors are.
    Raises ValueError if the shapes differ.
    """
    return torch.stack([_one(*pair, temperature) for pair in zip(made, given, strict=True)]).mean()


def _one(made: Tensor, given: Tensor, temperature: float) -> Tensor:
    if made.shape != given.shape:
        raise ValueError(f"features are compared place by place: {list(made.shape)} and {list(given.shape)}")
    dtype = torch.promote_types(made.dtype, torch.float32)
    with torch.autocast(made.device.type, enabled=False):
        alike = (
            made.to(dtype) @ given.detach().to(dtype).transpose(1, 2) / temperature
        )  # [N, places made, places given]
        right = torch.arange(made.shape[1], device=made.device).expand(len(made), -1)
        return functional.cross_entropy(alike.flatten(0, 1), right.flatten())
