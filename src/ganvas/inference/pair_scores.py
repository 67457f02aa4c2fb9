"""Scores of answers whose true one is known, beside those of a baseline: the mean and the spread over pictures."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.inference.paired import PAIRED, least_side, mean_score, measures_of
from ganvas.inference.posing import Posed
from ganvas.metrics.protocol import Protocol, Score
from ganvas.metrics.structural import scales_of


class PairScores:
    """Values of each answer of a network and of its baseline, taken up one by one."""

    def __init__(self, names: Sequence[str], sizes: Sequence[Size], weights: str | Path | None) -> None:
        """names: of PAIRED. sizes: of the answers. weights: of the perceptual distance.

        Raises DataError for pictures that are too small, and for weights that cannot be had.
        """
        smallest = min(sizes, key=lambda size: size.shorter)
        least = least_side(names)
        if smallest.shorter < least:
            raise DataError(
                f"A picture is compared at {smallest.words} pixels, and {', '.join(names)} need {least} or more a "
                "side: leave small pictures out, give a larger --size, or ask for --metrics psnr"
            )
        self._measures = measures_of(names, scales_of(*smallest.hw), weights)
        self._values: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}

    def add(self, posed: Posed) -> None:
        """Take up a picture whose true answer is known."""
        assert posed.true is not None
        sides = (posed.made, posed.baseline)
        for name, (measure, _) in self._measures.items():
            self._add(name, *(measure(side, posed.true).item() for side in sides))
        if posed.holes is not None and "psnr" in self._measures:
            measure, _ = self._measures["psnr"]
            there = _pixels(posed.true, posed.holes)
            self._add("psnr of the holes", *(measure(_pixels(side, posed.holes), there).item() for side in sides))

    def scores(self, protocol: Protocol, baseline: str) -> list[Score]:
        """What came out. protocol: what all scores share. baseline: the word for it."""
        return [self._score(name, protocol, baseline) for name in self._values]

    def _add(self, name: str, made: float, plain: float) -> None:
        ours, theirs = self._values.setdefault(name, ([], []))
        ours.append(made)
        theirs.append(plain)

    def _score(self, name: str, shared: Protocol, baseline: str) -> Score:
        metric = name if name in PAIRED else "psnr"
        _, told = self._measures[metric]
        parameters = {**shared.parameters, **told.get("parameters", {})}
        if name != metric:
            parameters["where"] = "in the holes"
        protocol = dataclasses.replace(shared, metric=metric, parameters=parameters, **told.get("extractor", {}))
        ours, theirs = (mean_score(values, protocol) for values in self._values[name])
        title = ours.name if name == metric else ours.name.replace("pairs", "holes")
        return dataclasses.replace(
            ours,
            name=title,
            baseline=theirs.value,
            baseline_spread=theirs.spread,
            baseline_name=baseline,
            warnings=(*ours.warnings, *(f"{baseline}: {warning}" for warning in theirs.warnings)),
        )


def _pixels(pictures: Tensor, where: Tensor) -> Tensor:
    """The pixels of a picture [1, C, H, W] at some places, bool [1, 1, H, W], as one row: [1, C, 1, n]."""
    return pictures[0][:, where[0, 0]][None, :, None]
