"""The generator of PyTorch's example of DCGAN, `netG_epoch_24.pth`, and of programs that took its layout.

One sequence: a transposed 4x4 convolution of a latent, then transposed 4x4 convolutions of stride 2, each but the last
followed by batch normalisation and ReLU. Its name is `main` there; others are taken too, and none.
"""

import re

from ganvas.core.errors import DataError
from ganvas.inference.foreign.family import Family, Plan, Weights, highest, shape_of

_KERNEL = 4
_EACH = 3  # layers of a step: convolution, normalisation, ReLU
_FIRST = re.compile(r"((?:\w+\.)?)0\.weight")


def known(weights: Weights) -> bool:
    """By a first layer of four dimensions that a normalisation follows."""
    name = _sequence(weights)
    if name is None or weights[f"{name}0.weight"].ndim != 4 or f"{name}2.weight" in weights:
        return False
    return any(f"{name}1.{part}" in weights for part in ("weight", "bias", "running_mean"))


def plan(weights: Weights) -> Plan:
    """Of the size that as many doublings make of 4 pixels."""
    name = _sequence(weights)
    assert name is not None, "asked of a file that is known"
    end = highest(match[1] for key in weights if (match := re.fullmatch(rf"{re.escape(name)}(\d{{1,3}})\.weight", key)))
    doublings = end // _EACH
    for number in range(0, end + 1, _EACH):
        _check_kernel(f"{name}{number}.weight", shape_of(weights, f"{name}{number}.weight"))
    first = weights[f"{name}0.weight"]  # [latent, widest, 4, 4]
    latent, widest = first.shape[:2]
    width, channels = shape_of(weights, f"{name}{end}.weight")[:2]
    turned = {**weights, f"{name}0.weight": first.permute(1, 2, 3, 0).flatten(0, 2)}  # of a linear map
    layers = {"project": f"{name}0"} | {f"layers.{number - 1}": f"{name}{number}" for number in range(1, end + 1)}
    settings = {"name": "dcgan", "latent": latent, "width": width, "max_width": widest}
    card = {"size": _KERNEL * 2**doublings, "channels": channels}
    return Plan(settings, card, layers, turned)


def _sequence(weights: Weights) -> str | None:
    """The name of the sequence with its dot; None if there is no first layer, or more than one."""
    found = [match[1] for name in weights if (match := _FIRST.fullmatch(name))]
    return found[0] if len(found) == 1 else None


def _check_kernel(name: str, shape: tuple[int, ...]) -> None:
    if shape[2:] != (_KERNEL, _KERNEL):
        sides = " x ".join(map(str, shape[2:]))
        raise DataError(
            f"has a kernel of {sides} in {name}: those that are read are 4 x 4, which make pictures of 16, 32, 64, 128 "
            "pixels a side (28 pixels need others)"
        )


DCGAN = Family("generator", known, plan, "netG_epoch_24.pth")
