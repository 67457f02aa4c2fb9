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
from ganvas.core.ahead import one_ahead
from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.data import Pairs
from ganvas.data.fit import AS_THEY_ARE, cut
from ganvas.inference.subject import Say
from ganvas.metrics.extraction import Progress
from ganvas.metrics.perceptual import LEAST, PerceptualDistance
from ganvas.metrics.protocol import Protocol, Score
from ganvas.metrics.structural import K1, K2, SCALE_WEIGHTS, SIGMA, WINDOW, ms_ssim, psnr, scales_of, ssim

PAIRED = ("psnr", "ssim", "ms-ssim", "perceptual")  # the names of these scores
_LEAST = {"psnr": 1, "ssim": WINDOW, "ms-ssim": WINDOW, "perceptual": LEAST}  # pixels a side
_EQUAL = 100.0  # dB, for equal pictures, whose ratio has no bound
_SHOWN, _SHOWN_SIZE = 12, 128  # pairs of the report, and their pixels a side at most
_NO_EXTRACTOR = dict.fromkeys(("extractor", "weights_sha256", "layer", "resize", "input"))


def paired_scores(
    what: str | Path, against: str | Path, names: Sequence[str], size: Size | None, weights: str | Path | None, say: Say
) -> tuple[list[Score], np.ndarray]:
    """Scores of `what`'s pictures against those of the same names in `against`, each the mean over pairs; some pairs.

    names: of PAIRED. size: what the centres of both sides are brought to, None for pictures as they are. weights: of
    the perceptual distance. The pairs are uint8 [2, N, C, H, W].
    Raises DataError for a picture without partner, of another size or kind than its partner, too small, not readable.
    """
    with data_room.open_pairs(what, against, say) as pairs:
        _refuse_grey_beside_colour(pairs)
        measures = measures_of(names, _scales(pairs, size, names), weights)
        say(f"{len(pairs):,} pairs of {pairs.titles[0]} and {pairs.titles[1]}")
        values, reference = _values(pairs, size, {name: measure for name, (measure, _) in measures.items()}, say)
        small = (size or Size.of(_SHOWN_SIZE)).within(_SHOWN_SIZE)
        shown = [pairs.pair(number, small) for number in range(min(_SHOWN, len(pairs)))]
        scores = []
        for name, (_, told) in measures.items():
            protocol = Protocol(
                metric=name,
                **{**_NO_EXTRACTOR, **told.get("extractor", {})},
                channels=pairs.channels,
                fit=AS_THEY_ARE if size is None else cut(size),
                count=len(pairs),
                reference=pairs.titles[1],
                reference_sha256=reference,
                reference_part="the partners, by name",
                reference_count=len(pairs),
                seeds="a folder's pictures",
                parameters={
                    "size": None if size is None else size.plain,
                    "transparency": "composited on white",
                    **told.get("parameters", {}),
                },
            )
            scores.append(mean_score(values[name], protocol))
    return scores, np.stack([np.stack(side) for side in zip(*shown, strict=True)])


def mean_score(values: Sequence[float], protocol: Protocol) -> Score:
    """The mean and the spread over pairs, under a name that no score of a whole set has."""
    equal = sum(map(math.isinf, values))  # of the signal-to-noise ratio alone
    warning = f"{equal:,} of {len(values):,} pairs are equal, and count as {_EQUAL:g} dB each"
    seen_by = ", imagenet" if protocol.extractor else ""
    held = [min(value, _EQUAL) for value in values] if equal else values
    return Score(
        name=f"{protocol.metric} (pairs{seen_by})",
        value=fmean(held),
        better="lower" if protocol.metric == "perceptual" else "higher",
        protocol=protocol,
        spread=pstdev(held),
        found={"equal_pairs": equal} if protocol.metric == "psnr" else {},
        warnings=(warning,) if equal else (),
    )


def least_side(names: Sequence[str]) -> int:
    """Pixels a side that pictures need to be compared by these scores, of PAIRED."""
    return max((_LEAST[name] for name in names), default=1)


Measure = Callable[[Tensor, Tensor], Tensor]


def measures_of(
    names: Sequence[str], scales: int, weights: str | Path | None
) -> dict[str, tuple[Measure, Mapping[str, Any]]]:
    """What compares pairs, by name, and what a protocol says of each."""
    window = f"Gaussian, {WINDOW} pixels, sigma {SIGMA}, wholly inside"
    structural = {"range": 255, "window": window, "k1": K1, "k2": K2}
    scaled = {**structural, "scales": scales, "weights": list(SCALE_WEIGHTS[:scales])}
    measures: dict[str, tuple[Measure, Mapping[str, Any]]] = {
        "psnr": (psnr, {"parameters": {"range": 255, "equal": f"{_EQUAL:g} dB"}}),
        "ssim": (ssim, {"parameters": structural}),
        "ms-ssim": (lambda a, b: ms_ssim(a, b, scales), {"parameters": scaled}),
    }
    if "perceptual" in names:
        distance = PerceptualDistance(None if weights is None else Path(weights))
        measures["perceptual"] = (distance, {"extractor": distance.protocol})
    return {name: measures[name] for name in names}


def _values(
    pairs: Pairs, size: Size | None, measures: Mapping[str, Measure], say: Say
) -> tuple[dict[str, list[float]], str]:
    """Each measure's values of all pairs, and a hash over the names and pixels of the partners."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    digest, progress = hashlib.sha256(), Progress(len(pairs), "pairs", say)
    read = (pairs.pair(number, size) for number in range(len(pairs)))
    for name, (ours, theirs) in zip(pairs.names, one_ahead(read), strict=True):
        digest.update(f"{name}\0{theirs.shape}\0".encode())
        digest.update(np.ascontiguousarray(theirs).data)
        a, b = (torch.from_numpy(picture.copy())[None] for picture in (ours, theirs))
        for measure, found in values.items():
            found.append(measures[measure](a, b).item())
        progress.add(1)
    return values, digest.hexdigest()


def _refuse_grey_beside_colour(pairs: Pairs) -> None:
    for places, looks in zip(pairs.indexes, pairs.looks, strict=True):
        if looks[0].channels != looks[1].channels:
            (a, b), sides = places, pairs.sides
            kinds = ["grey" if look.channels == 1 else "in colour" for look in looks]
            raise DataError(
                f"{sides[0].title(a)} of {sides[0].where} is {kinds[0]} and {sides[1].title(b)} of {sides[1].where} is "
                f"{kinds[1]}: they are compared channel by channel. Save both as grey pictures, or both in colour"
            )


def _scales(pairs: Pairs, size: Size | None, names: Sequence[str]) -> int:
    """As many scales for MS-SSIM as the smallest picture has. Raises DataError for one too small for a score."""
    shapes = [size.hw if size is not None else pairs.shape(number) for number in range(len(pairs))]
    least = least_side(names)
    smallest = min(range(len(shapes)), key=lambda number: min(shapes[number]))
    height, width = shapes[smallest]
    if min(height, width) < least:
        raise DataError(
            f"{pairs.names[smallest]} is {width} x {height} pixels, and {', '.join(names)} need {least} or more a "
            "side: leave small pictures out, ask for psnr alone, or give a larger --size"
        )
    return scales_of(height, width)
