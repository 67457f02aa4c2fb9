"""Scores of pictures that belong together: each picture of a folder against the one of the same name."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import data as data_room
from ganvas.core.errors import DataError
from ganvas.data import Pairs
from ganvas.inference.subject import Say
from ganvas.metrics.perceptual import LEAST, PerceptualDistance
from ganvas.metrics.protocol import Protocol, Score
from ganvas.metrics.structural import WINDOW, ms_ssim, psnr, scales_of, ssim

PAIRED = ("psnr", "ssim", "ms-ssim", "perceptual")  # the names of these scores
_EQUAL = 100.0  # dB, for equal pictures, whose ratio has no bound
_SHOWN, _SHOWN_SIZE = 12, 128  # pairs of the report, and their pixels a side

_NO_EXTRACTOR = dict.fromkeys(("extractor", "weights_sha256", "layer", "resize", "input"))

Compare = Callable[[Tensor, Tensor], Tensor]


def paired_scores(
    what: str | Path, against: str | Path, names: Sequence[str], size: int | None, weights: str | Path | None, say: Say
) -> tuple[list[Score], np.ndarray]:
    """Scores of `what`'s pictures against those of the same names in `against`, each the mean over pairs; some pairs.

    names: of PAIRED. size: pixels to which the centre squares of both sides are brought, None for pictures as they
    are. weights: of the perceptual distance. The pairs are uint8 [2, N, C, H, W].
    Raises DataError for a picture without partner, of another size than its partner, too small, or not readable.
    """
    with data_room.open_pairs(what, against, say) as pairs:
        shapes = [(size, size) if size is not None else pairs.shape(number) for number in range(len(pairs))]
        scales = _scales(pairs, shapes, names)
        perceptual = PerceptualDistance(None if weights is None else Path(weights)) if "perceptual" in names else None
        compare: dict[str, Compare] = {"psnr": psnr, "ssim": ssim, "ms-ssim": lambda a, b: ms_ssim(a, b, scales)}
        if perceptual is not None:
            compare["perceptual"] = perceptual
        say(f"{len(pairs):,} pairs of {pairs.titles[0]} and {pairs.titles[1]}")
        values: dict[str, list[float]] = {name: [] for name in names}
        digest = hashlib.sha256()
        for number in range(len(pairs)):
            ours, theirs = pairs.pair(number, size)
            digest.update(np.ascontiguousarray(theirs).data)
            a, b = (torch.from_numpy(picture.copy())[None] for picture in (ours, theirs))
            for name in names:
                values[name].append(compare[name](a, b).item())
        shown = [pairs.pair(number, min(size or _SHOWN_SIZE, _SHOWN_SIZE)) for number in range(min(_SHOWN, len(pairs)))]
        common = {"size": "as they are" if size is None else size}
        more: dict[str, Mapping[str, Any]] = {
            "psnr": {"range": 255, "equal_pairs": sum(map(math.isinf, values.get("psnr", [])))},
            "ssim": {"range": 255, "window": WINDOW},
            "ms-ssim": {"range": 255, "window": WINDOW, "scales": scales},
        }
        scores = []
        for name in names:
            by = perceptual if name == "perceptual" else None
            protocol = Protocol(
                metric=name,
                **(by.protocol if by else _NO_EXTRACTOR),
                channels=pairs.channels,
                count=len(pairs),
                reference=pairs.titles[1],
                reference_sha256=digest.hexdigest(),
                reference_part="the partners, by name",
                reference_count=len(pairs),
                seeds="a folder's pictures",
                parameters={**common, **more.get(name, {})},
            )
            found = [min(value, _EQUAL) for value in values[name]]
            title = f"{name} ({by.name.removeprefix('perceptual-')})" if by else name
            better = "lower" if name == "perceptual" else "higher"
            scores.append(Score(title, fmean(found), better, protocol, spread=pstdev(found)))
    return scores, np.stack([np.stack(side) for side in zip(*shown, strict=True)])


def _scales(pairs: Pairs, shapes: Sequence[tuple[int, int]], names: Sequence[str]) -> int:
    """As many scales for MS-SSIM as the smallest picture has. Raises DataError for one too small for a score."""
    least = max([WINDOW] * any(name in ("ssim", "ms-ssim") for name in names) + [LEAST] * ("perceptual" in names) + [1])
    smallest = min(range(len(shapes)), key=lambda number: min(shapes[number]))
    height, width = shapes[smallest]
    if min(height, width) < least:
        raise DataError(
            f"{pairs.names[smallest]} is {width} x {height} pixels, and {', '.join(names)} need {least} or more a "
            "side: leave small pictures out, ask for psnr alone, or give a larger --size"
        )
    return scales_of(height, width)
