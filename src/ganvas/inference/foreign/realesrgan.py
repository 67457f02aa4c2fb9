"""The generators of ESRGAN and Real-ESRGAN, in the three layouts of their files.

BasicSR and Real-ESRGAN: `conv_first`, `body.0.rdb1.conv1`, `conv_body`, `conv_up1`, `conv_hr`. ESRGAN: `RRDB_trunk`,
`trunk_conv`, `upconv1`, `HRconv`. ESRGAN before 2019, and many models of other people: `model.1.sub.0.RDB1.conv1.0`.
They read and make [0, 1], which our network does inside, so that zeros beyond the border are black there too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ganvas.core.errors import DataError
from ganvas.inference.foreign.family import Family, Plan, Weights, highest, shape_of

_FOLDED = {1: 4, 4: 2, 16: 1}  # what the channels are multiplied by before the first layer, and the scale


@dataclass(frozen=True)
class _Layout:
    """block: the pattern of a name in a block, its number first. dense: a layer of a dense block, by the numbers of the
    block, the dense block and the layer. joined: after so many blocks. up, high, last, first: as in our network.
    """

    block: re.Pattern[str]
    dense: Callable[[int, int, int], str]
    first: str
    joined: Callable[[int], str]
    up: tuple[str, str]
    high: str
    last: str


_LAYOUTS = (
    _Layout(
        re.compile(r"body\.(\d{1,3})\.rdb\d\."),
        lambda block, dense, layer: f"body.{block}.rdb{dense}.conv{layer}",
        "conv_first",
        lambda blocks: "conv_body",
        ("conv_up1", "conv_up2"),
        "conv_hr",
        "conv_last",
    ),
    _Layout(
        re.compile(r"RRDB_trunk\.(\d{1,3})\.RDB\d\."),
        lambda block, dense, layer: f"RRDB_trunk.{block}.RDB{dense}.conv{layer}",
        "conv_first",
        lambda blocks: "trunk_conv",
        ("upconv1", "upconv2"),
        "HRconv",
        "conv_last",
    ),
    _Layout(
        re.compile(r"model\.1\.sub\.(\d{1,3})\.RDB\d\."),
        lambda block, dense, layer: f"model.1.sub.{block}.RDB{dense}.conv{layer}.0",
        "model.0",
        lambda blocks: f"model.1.sub.{blocks}",
        ("model.3", "model.6"),
        "model.8",
        "model.10",
    ),
)
_OLD = _LAYOUTS[2]
_OLD_ENDS = {4: "1", 7: "2 or 3", 13: "8"}  # the number of the last layer, and how many times larger it makes


def known(weights: Weights) -> bool:
    """By the blocks."""
    return _layout(weights) is not None


def plan(weights: Weights) -> Plan:
    """Of as many blocks as are counted. Raises DataError for an enlargement that our network does not do."""
    layout = _layout(weights)
    assert layout is not None, "asked of a file that is known"
    _check_end(weights, layout)
    blocks = 1 + highest(match[1] for name in weights if (match := layout.block.match(name)))
    width, folded = shape_of(weights, f"{layout.first}.weight")[:2]
    growth = shape_of(weights, f"{layout.dense(0, 1, 1)}.weight")[0]
    channels = shape_of(weights, f"{layout.last}.weight")[0]
    scale = _FOLDED.get(folded // channels) if folded % channels == 0 else None
    if scale is None or channels not in (1, 3):
        raise DataError(
            f"reads {folded} channels and makes {channels}: colour has 3 of both at x4, and 12 or 48 to 3 at x2 or x1"
        )
    settings = {"name": "rrdb", "scale": scale, "width": width, "growth": growth, "blocks": blocks}
    card = {"mode": "restore", "task": "superres", "inputs": channels, "outputs": channels, "scale": scale}
    return Plan(settings, card, _layers(layout, blocks), weights)


def _layout(weights: Weights) -> _Layout | None:
    return next((layout for layout in _LAYOUTS if any(map(layout.block.match, weights))), None)


def _check_end(weights: Weights, layout: _Layout) -> None:
    if layout is not _OLD:
        return
    end = highest(match[1] for name in weights if (match := re.fullmatch(r"model\.(\d{1,3})\.weight", name)))
    if end in _OLD_ENDS:
        raise DataError(f"enlarges x{_OLD_ENDS[end]} in a way that is not read: of this layout that is x4 alone")


def _layers(layout: _Layout, blocks: int) -> dict[str, str]:
    found = {"first": layout.first, "joined": layout.joined(blocks), "high": layout.high, "last": layout.last}
    found |= {f"up.{number}": theirs for number, theirs in enumerate(layout.up)}
    for block in range(blocks):
        for dense in range(3):
            for layer in range(5):
                found[f"blocks.{block}.dense.{dense}.convs.{layer}"] = layout.dense(block, dense + 1, layer + 1)
    return found


REALESRGAN = Family("translator", known, plan, "RealESRGAN_x4plus.pth")
