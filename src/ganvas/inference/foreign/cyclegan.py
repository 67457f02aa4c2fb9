"""The residual generator of pytorch-CycleGAN-and-pix2pix: `latest_net_G_A.pth`, `latest_net_G_B.pth`.

One sequence, counted with its paddings and ReLUs: 7x7, two halvings, blocks from `model.10` on, two doublings, 7x7.
"""

import re

from ganvas.core.errors import DataError
from ganvas.inference.foreign.family import Family, Plan, Weights, highest, norm_of, shape_of, translator_card

_BLOCK = re.compile(r"model\.(\d{1,3})\.conv_block\.(\d)\.")
_FIRST_BLOCK = 10
_SECOND, _AFTER_DROPOUT = 5, 6  # the second convolution of a block, without dropout and with it


def known(weights: Weights) -> bool:
    """By the blocks."""
    return any(_BLOCK.match(name) for name in weights)


def plan(weights: Weights) -> Plan:
    """Of as many blocks as are counted. Raises DataError for layers between which Ganvas has none."""
    if filters := [name for name in weights if name.endswith(".filt")]:
        raise DataError(f"blurs before it halves the sides ({filters[0]}), as of CUT, which networks here do not")
    inside = [match for name in weights if (match := _BLOCK.match(name))]
    blocks = highest(match[1] for match in inside) - _FIRST_BLOCK + 1
    numbers = {int(match[2]) for match in inside}
    if 0 in numbers:
        raise DataError("has blocks that are padded by zeros, which networks here do not do: they mirror")
    second = _SECOND if _SECOND in numbers or _AFTER_DROPOUT not in numbers else _AFTER_DROPOUT
    found = layers(blocks, second)
    width, inputs = shape_of(weights, "model.1.weight")[:2]
    outputs = shape_of(weights, f"model.{_FIRST_BLOCK + blocks + 7}.weight")[0]
    settings = {"name": "resnet", "width": width, "blocks": blocks, "norm": norm_of(weights, found.values())}
    return Plan(settings, translator_card("unpaired", inputs, outputs), found, weights)


def layers(blocks: int, second: int) -> dict[str, str]:
    """From our layers to theirs. second: where the second convolution of a block is."""
    found = _with_norm("first.0", "first.1", 1)
    for number in range(2):
        found |= _with_norm(f"down.{number}.0", f"down.{number}.1", 4 + 3 * number)
    for number in range(blocks):
        theirs = f"model.{_FIRST_BLOCK + number}.conv_block."
        for ours, position in (("first", 1), ("second", second)):
            found[f"blocks.{number}.{ours}"] = f"{theirs}{position}"
            found[f"blocks.{number}.{ours}_norm"] = f"{theirs}{position + 1}"
    after = _FIRST_BLOCK + blocks
    for number in range(2):
        found |= _with_norm(f"up.{number}.0.0", f"up.{number}.1", after + 3 * number)
    return found | {"last": f"model.{after + 7}"}


def _with_norm(layer: str, norm: str, position: int) -> dict[str, str]:
    return {layer: f"model.{position}", norm: f"model.{position + 1}"}


CYCLEGAN = Family("translator", known, plan, "latest_net_G_A.pth")
