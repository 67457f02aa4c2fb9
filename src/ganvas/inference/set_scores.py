"""Scores of answers as a whole, beside those of a baseline: distances between features of all answers and true ones.

Few large pictures are looked at in patches, all that fit beside each other without overlap: a distance between a few
dozen features says nothing, and an extractor brings what it sees to its own size. (After the patch FID of Chai et al.
2022, "Any-resolution Training for High-resolution Image Synthesis", whose patches are drawn at random.)
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganvas.core.sizes import Size
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.frechet import frechet_distance, statistics
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.protocol import Protocol, Score

SET_METRICS = ("fd", "kd")
FEWEST = 10  # pieces of pictures, below which nothing is said
_WHOLE, _ENOUGH = 256, 1_000  # pixels a side up to which pictures are looked at whole, if there are so many of them
_PATCH = 128  # pixels a side of patches; pictures up to that are looked at whole in any case
_MOST = 2_000  # patches of all pictures of a set, about
_SUBSETS, _IN_SUBSET = 100, 1_000  # of the kernel distance
_INCEPTION = {"fd": "FID", "kd": "KID"}


@dataclass(frozen=True)
class Cut:
    """How pictures become what an extractor looks at. size: of each piece. most: pieces of one picture, None if it is
    one whole.
    """

    size: Size
    most: int | None

    @property
    def words(self) -> str:
        """For a protocol."""
        if self.most is None:
            return "whole pictures"
        each = f"{self.most} of each picture at most, evenly spread"
        return f"patches of {self.size.words} pixels that do not overlap, {each}"

    def count(self, size: Size) -> int:
        """How many pieces a picture of that size has."""
        fitting = (size.height // self.size.height) * (size.width // self.size.width)
        return fitting if self.most is None else min(fitting, self.most)

    def __call__(self, pictures: Tensor) -> Tensor:
        """[1, C, H, W] -> [n, C, h, w], from the middle of the picture."""
        high, wide = self.size.hw
        (down, top), (across, left) = (
            (side // piece, side % piece // 2) for side, piece in zip(pictures.shape[2:], (high, wide), strict=True)
        )
        there = down * across
        count = there if self.most is None else min(there, self.most)
        corners = [divmod(place * there // count, across) for place in range(count)]
        pieces = [
            pictures[0, :, top + row * high : top + (row + 1) * high, left + column * wide : left + (column + 1) * wide]
            for row, column in corners
        ]
        return torch.stack(pieces) if pieces else pictures.new_zeros(0, pictures.shape[1], high, wide)


def cut_for(sizes: Sequence[Size], others: Sequence[Size] = ()) -> Cut:
    """How answers of these sizes are looked at, and others that they should be like; without others, as many as they.

    What is said of two sets is as sure as the smaller of them allows.
    """
    every, counts = {*sizes, *others}, (len(sizes), len(others) or len(sizes))
    if len(every) == 1 and sizes[0].longer <= (_PATCH if min(counts) < _ENOUGH else _WHOLE):
        return Cut(sizes[0], None)
    side = min(_PATCH, *(size.shorter for size in every))
    return Cut(Size.of(side), max(1, _MOST // max(counts)))


@dataclass
class PieceFeatures:
    """What an extractor sees of pictures that come one by one, in pieces; looked at when there are enough of those."""

    extract: Extractor
    cut: Cut
    _waiting: list[Tensor] = field(default_factory=list)
    _features: list[Tensor] = field(default_factory=list)

    def add(self, pictures: Tensor) -> None:
        """Take up a picture, uint8 [1, C, H, W]."""
        self._waiting.append(self.cut(pictures))
        if sum(map(len, self._waiting)) >= self.extract.at_once:
            self._look()

    def features(self) -> Tensor:
        """float32 [N, D] of all pieces."""
        self._look()
        return torch.cat(self._features)

    def _look(self) -> None:
        pieces = torch.cat(self._waiting) if self._waiting else torch.empty(0)
        self._waiting.clear()
        if len(pieces):
            self._features.append(self.extract(pieces))


def set_scores(
    names: Sequence[str],
    made: PieceFeatures,
    plain: PieceFeatures,
    true: PieceFeatures,
    protocol: Protocol,
    baseline: str,
    seed: int,
) -> list[Score]:
    """Scores of the answers of a network and of its baseline against true ones. names: of SET_METRICS."""
    ours, theirs, wanted = made.features(), plain.features(), true.features()
    extract, cut = made.extract, made.cut
    fewest = min(len(ours), len(wanted))
    shared = dataclasses.replace(
        protocol,
        **extract.protocol,
        parameters={**protocol.parameters, "looked at": cut.words, "pieces": len(ours), "true pieces": len(wanted)},
    )
    scores = []
    if "fd" in names:
        there = statistics(wanted)
        values = [frechet_distance(statistics(features), there) for features in (ours, theirs)]
        few = () if fewest >= ours.shape[1] else (_few(fewest, ours.shape[1]),)
        scores.append(_score("fd", cut, shared, values, [None, None], baseline, few))
    if "kd" in names:
        subset = min(_IN_SUBSET, fewest // 2)
        found = [
            kernel_distance(features, wanted, subsets=_SUBSETS, subset_size=subset, seed=seed)
            for features in (ours, theirs)
        ]
        drawn = {"subsets": _SUBSETS, "subset_size": subset, "seed": seed}
        told = dataclasses.replace(shared, parameters={**shared.parameters, **drawn})
        scores.append(_score("kd", cut, told, [d.mean for d in found], [d.spread for d in found], baseline, ()))
    return scores


def _score(
    metric: str,
    cut: Cut,
    protocol: Protocol,
    values: Sequence[float],
    spreads: Sequence[float | None],
    baseline: str,
    warnings: tuple[str, ...],
) -> Score:
    """FID and KID are those of whole pictures in the 2015-12-05 Inception network alone."""
    name = f"{metric} ({'patches, ' if cut.most is not None else ''}{protocol.extractor})"
    if protocol.extractor == "inception" and cut.most is None:
        name = _INCEPTION[metric]
    return Score(
        name,
        values[0],
        "lower",
        dataclasses.replace(protocol, metric=metric),
        spread=spreads[0],
        warnings=warnings,
        baseline=values[1],
        baseline_spread=spreads[1],
        baseline_name=baseline,
    )


def _few(count: int, dimensions: int) -> str:
    return (
        f"{count:,} pieces of pictures are fewer than the {dimensions:,} features, so that fd is too large by an "
        "unknown amount, for both alike; kd is not"
    )
