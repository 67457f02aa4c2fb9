"""Whether a file is of the family that it is said to be, and what else it looks like."""

import re
from collections.abc import Callable

from ganvas.core.errors import DataError
from ganvas.inference.foreign import FAMILIES, family
from ganvas.inference.foreign.family import Weights

_NAMED = 3  # tensors that a message names


def check_family(weights: Weights, name: str) -> None:
    """Raise DataError, the end of a sentence that begins with the file, unless it looks like one of this family."""
    if family(name).known(weights):
        return
    for other in FAMILIES:
        if family(other).known(weights):
            raise DataError(f"looks like {other}, not {name}: --as {other}")
    for what, is_one in _OTHERS.items():
        if is_one(weights):
            raise DataError(f"looks like {what}. For {name} give a file like {family(name).example}")
    some = ", ".join(list(weights)[:_NAMED])
    raise DataError(
        f"does not look like {name}, nor like {', '.join(other for other in FAMILIES if other != name)}: "
        f"its {len(weights)} tensors have other names ({some}, ...)"
    )


def _has(*names: str) -> Callable[[Weights], bool]:
    return lambda weights: all(name in weights for name in names)


def _halves_and_halves(weights: Weights) -> bool:
    """Convolutions at 0, 2 and 5 of a sequence: a LeakyReLU is after the first, a normalisation after the second."""
    sequences = {name[: -len("0.weight")] for name in weights if re.fullmatch(r"(\w+\.)*0\.weight", name)}
    return any(
        all(f"{name}{number}.weight" in weights for number in (2, 5)) and f"{name}1.weight" not in weights
        for name in sequences
    )


_OTHERS = {
    "a discriminator of pix2pix, CycleGAN or DCGAN": _halves_and_halves,
    "the discriminator of Real-ESRGAN": _has("conv0.weight", "conv9.weight"),
    "the discriminator of ESRGAN": _has("conv0_0.weight", "linear2.weight"),
    "the small network of Real-ESRGAN (SRVGGNet: realesr-general, realesr-animevideo), which Ganvas does not have": (
        _has("body.0.weight", "body.1.weight", "body.2.weight")
    ),
}
