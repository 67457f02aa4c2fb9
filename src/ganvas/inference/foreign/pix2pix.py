"""The U-Net generator of pytorch-CycleGAN-and-pix2pix: `latest_net_G.pth` of its model pix2pix.

Each side is a sequence that holds the next as one of its parts, so names nest: `model.model.1.model.3.model.1.weight`.
Its skips are made by the LeakyReLU before they are handed across, which the ReLU after them takes no notice of.
"""

import re

from ganvas.inference.foreign.family import Family, Plan, Weights, norm_of, shape_of, translator_card

_OUTER = "model.model."
_FIRST = "model.model.1.model."  # the side below the picture
_DEEPER = "3.model."  # from a side to the next
_NESTED = re.compile(rf"{re.escape(_FIRST)}((?:3\.model\.){{0,20}})\d")


def known(weights: Weights) -> bool:
    """By the nesting."""
    return any(_NESTED.match(name) for name in weights)


def plan(weights: Weights) -> Plan:
    """Of as many halvings as the names are deep."""
    halvings = 2 + max(len(match[1]) // len(_DEEPER) for name in weights if (match := _NESTED.match(name)))
    found = layers(halvings)
    width, inputs = shape_of(weights, f"{_OUTER}0.weight")[:2]
    most = shape_of(weights, f"{_side(halvings - 1)}1.weight")[0]
    outputs = shape_of(weights, f"{_OUTER}3.weight")[1]
    settings = {"name": "unet", "width": width, "max_width": most, "halvings": halvings}
    settings["norm"] = norm_of(weights, found.values())
    return Plan(settings, translator_card("paired", inputs, outputs), found, weights)


def layers(halvings: int) -> dict[str, str]:
    """From our layers to theirs, which are counted from the picture inwards."""
    innermost = halvings - 1
    found = {"down.0": f"{_OUTER}0", "last.0": f"{_OUTER}3"}
    for depth in range(1, innermost):
        found |= {f"down.{depth}": f"{_side(depth)}1", f"down_norms.{depth - 1}": f"{_side(depth)}2"}
        up = innermost - depth
        found |= {f"up.{up}.0": f"{_side(depth)}5", f"up_norms.{up}": f"{_side(depth)}6"}
    side = _side(innermost)
    return found | {f"down.{innermost}": f"{side}1", "up.0.0": f"{side}3", "up_norms.0": f"{side}4"}


def _side(depth: int) -> str:
    return _FIRST + _DEEPER * (depth - 1)


PIX2PIX = Family("translator", known, plan, "latest_net_G.pth")
