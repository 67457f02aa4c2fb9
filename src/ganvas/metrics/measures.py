"""What `ganvas eval` can measure: each measure turns features of pictures into scores with their protocol.

MEASURES is the table; adding a measure is one function and one line.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.core.evenly import in_shares
from ganvas.metrics.domain import classification_accuracy
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.extrapolation import frechet_at_infinity
from ganvas.metrics.frechet import Statistics, frechet_distance, statistics
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.memorization import FALSE_ALARMS, FEWEST_UNSEEN, Memorization, memorization
from ganvas.metrics.neighbours import precision_recall_density_coverage
from ganvas.metrics.protocol import Protocol, Score
from ganvas.metrics.structural import diversity

_STRAIGHT = 0.5  # r squared of a line that is worth extrapolating
_FEWEST_FOR_A_LINE = 50


@dataclass(frozen=True)
class Evidence:
    """All that measures look at. Features are [N, D] of one extractor; labels int64 [N] into `classes`.

    fake: of the pictures that are judged. real: of the reference. held_out: of real pictures that are no part of the
    reference, None where there are none. unseen: whether training did not see those either. pictures: uint8
    [N, C, H, W], the first of those that are judged. real_statistics: of the reference. judged, real_pictures,
    held_out_pictures: all pictures of a kind, uint8 [N, C, H, W], when they are asked for.
    """

    extractor: Extractor
    protocol: Protocol
    fake: Tensor
    real: Tensor
    real_statistics: Statistics
    held_out: Tensor | None
    unseen: bool
    pictures: Tensor
    judged: Callable[[], Tensor]
    real_pictures: Callable[[], Tensor]
    held_out_pictures: Callable[[], Tensor] | None = None
    fake_labels: Tensor | None = None
    real_labels: Tensor | None = None
    held_out_labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    seed: int = 0

    @cached_property
    def memorization(self) -> Memorization:
        """Raises DataError where fewer than 100 real pictures are known that training did not see."""
        held_out = self.held_out if self.unseen else None
        _check_unseen(None if held_out is None else len(held_out))
        return memorization(self.fake, self.real, held_out)  # type: ignore[arg-type]  # checked

    def score(self, name: str, value: float, better: str, **more: Any) -> Score:
        """A score under this evidence's protocol. more: fields of Score, and `parameters` of the metric."""
        parameters = more.pop("parameters", {})
        protocol = replace(self.protocol, metric=name, parameters=parameters)
        return Score(self.title(name), value, better, protocol, **more)

    def title(self, name: str) -> str:
        """What the field calls a score: FID, KID and IS are those of the 2015-12-05 Inception network alone."""
        inception = {"fd": "FID", "fd-infinity": "FID at infinity", "kd": "KID", "is": "IS"}
        if self.extractor.name == "inception":
            return inception.get(name, name)
        return f"{name} ({self.extractor.name})"


def fd(evidence: Evidence) -> list[Score]:
    """The Fréchet distance (Heusel et al. 2017)."""
    distance = _distance_to(evidence.real_statistics)
    floor = _floor(distance, evidence.fake, evidence.held_out)
    return [evidence.score("fd", distance(evidence.fake), "lower", warnings=_few(evidence), **floor)]


def _distance_to(real: Statistics) -> Callable[[Tensor], float]:
    return lambda features: frechet_distance(statistics(features), real)


def fd_infinity(evidence: Evidence) -> list[Score]:
    """The Fréchet distance of infinitely many pictures (Chong & Forsyth 2020)."""
    real, held = evidence.real_statistics, evidence.held_out
    line = frechet_at_infinity(evidence.fake, real, seed=evidence.seed)
    warnings = _few(evidence)
    if line.r_squared < _STRAIGHT:
        warnings += (
            f"the distances of subsets lie on no line (r² {line.r_squared:.2f}), so that fd-infinity says no more "
            "than fd; take more pictures",
        )
    floor: dict[str, Any] = {}
    if held is not None and len(held) >= max(_FEWEST_FOR_A_LINE, 2 * held.shape[1]):
        at_infinity = frechet_at_infinity(held, real, seed=evidence.seed).value
        floor = {"floor": at_infinity, "floor_count": len(held)}
    parameters, found = {"counts": list(line.counts), "seed": evidence.seed}, {"r_squared": line.r_squared}
    return [
        evidence.score(
            "fd-infinity", line.value, "lower", parameters=parameters, found=found, warnings=warnings, **floor
        )
    ]


def kd(evidence: Evidence) -> list[Score]:
    """The kernel distance, unbiased (Bińkowski et al. 2018)."""
    size = min(1000, len(evidence.fake), len(evidence.real))
    found = kernel_distance(evidence.fake, evidence.real, subset_size=size, seed=evidence.seed)
    floor: dict[str, Any] = {}  # of all that are held out: being unbiased, it does not depend on their number
    if evidence.held_out is not None and (count := len(evidence.held_out)) > 1:
        held = kernel_distance(evidence.held_out, evidence.real, subset_size=min(size, count), seed=evidence.seed)
        floor = {"floor": held.mean, "floor_count": count}
    parameters = {"subsets": found.subsets, "subset_size": found.subset_size, "seed": evidence.seed}
    return [evidence.score("kd", found.mean, "lower", spread=found.spread, parameters=parameters, **floor)]


def prdc(evidence: Evidence, k: int = 5) -> list[Score]:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020)."""
    count = min(len(evidence.fake), len(evidence.real))
    found = _neighbourly(evidence.fake, evidence.real, count, k)
    floors: Mapping[str, float] = {}
    equal = 0 if evidence.held_out is None else min(count, len(evidence.held_out))
    if evidence.held_out is not None and equal > k:
        floors, fewer = (_neighbourly(x, evidence.real, equal, k) for x in (evidence.held_out, evidence.fake))
    return [
        evidence.score(
            name,
            found[name],
            "higher",
            floor=floors.get(name),
            floor_count=equal if floors else None,
            at_floor_count=fewer[name] if floors and equal < count else None,
            parameters={"k": k, "count": count},
        )
        for name in ("precision", "recall", "density", "coverage")
    ]


def _neighbourly(fake: Tensor, real: Tensor, count: int, k: int) -> Mapping[str, float]:
    """The four scores of as many pictures on both sides: neighbourhoods shrink where pictures are more."""
    return vars(precision_recall_density_coverage(_spread(fake, count), _spread(real, count), k=k))


def _floor(measure: Callable[[Tensor], float], fake: Tensor, held_out: Tensor | None) -> dict[str, Any]:
    """What a score says of its floor: of as many held-out pictures as were judged, or of all with as many judged ones.

    measure: the score of features, which depends on their number.
    """
    if held_out is None or len(held_out) < 2:
        return {}
    equal = min(len(fake), len(held_out))
    beside = measure(_spread(fake, equal)) if equal < len(fake) else None
    return {"floor": measure(_spread(held_out, equal)), "floor_count": equal, "at_floor_count": beside}


def _spread(features: Tensor, count: int) -> Tensor:
    """So many of them, evenly spread."""
    return features[torch.from_numpy(in_shares(count, len(features)))]


def inception(evidence: Evidence) -> list[Score]:
    """The Inception score (Salimans et al. 2016), of whichever classifier the extractor is."""
    logits = evidence.extractor.logits(evidence.fake)
    if logits is None:
        raise _no_classifier(evidence.extractor)
    splits = min(10, len(logits))
    found = inception_score(logits, splits=splits)
    held = None if evidence.held_out is None else evidence.extractor.logits(evidence.held_out)
    floor = _floor(lambda part: inception_score(part, splits=min(splits, len(part))).mean, logits, held)
    return [evidence.score("is", found.mean, "higher", spread=found.spread, parameters={"splits": splits}, **floor)]


def msssim(evidence: Evidence, pairs: int = 1_000) -> list[Score]:
    """How alike generated pictures are to each other: mean MS-SSIM over random pairs (Odena et al. 2017)."""
    value = diversity(evidence.pictures, pairs=pairs, seed=evidence.seed)
    score = evidence.score("msssim", value, "lower", parameters={"pairs": pairs, "seed": evidence.seed})
    if evidence.held_out_pictures is not None and len(held := evidence.held_out_pictures()) > 1:
        score = replace(score, floor=diversity(held, pairs=pairs, seed=evidence.seed), floor_count=len(held))
    return [_without_extractor(score, "msssim (diversity)")]


def per_class_fd(evidence: Evidence) -> list[Score]:
    """The Fréchet distance within each class, where both sides have labels."""
    if evidence.fake_labels is None or evidence.real_labels is None:
        raise DataError(
            "A score per class needs classes on both sides: subfolders of pictures, or a generator's classes"
        )
    scores = []
    for number, name in enumerate(evidence.classes):
        fake, real = evidence.fake[evidence.fake_labels == number], evidence.real[evidence.real_labels == number]
        if min(len(fake), len(real)) < 2:
            raise DataError(
                f"A score per class needs 2 pictures of {name} on both sides, not {len(fake)} and {len(real)}"
            )
        distance, held = _distance_to(statistics(real)), None
        if evidence.held_out is not None and evidence.held_out_labels is not None:
            held = evidence.held_out[evidence.held_out_labels == number]
        parameters = {"class": name, "count": len(fake), "reference_count": len(real)}
        score = evidence.score(
            "fd-per-class", distance(fake), "lower", parameters=parameters, **_floor(distance, fake, held)
        )
        warnings = _too_few(min(len(fake), len(real)), evidence.fake.shape[1])
        scores.append(replace(score, name=f"{score.name}: {name}", warnings=warnings))
    return scores


def memorized(evidence: Evidence) -> list[Score]:
    """Whether generated pictures are nearer to training pictures than unseen real ones are (Meehan et al. 2020)."""
    judged = evidence.memorization
    share = judged.flagged.double().mean().item()
    found = {"statistic": judged.statistic, "p_value": judged.p_value, "verdict": judged.verdict}
    count = None if evidence.held_out is None else len(evidence.held_out)
    return [evidence.score("memorization", share, "lower", found=found, floor=FALSE_ALARMS, floor_count=count)]


def cas(evidence: Evidence) -> list[Score]:
    """The accuracy on held-out real pictures of a classifier trained on generated ones (Ravuri & Vinyals 2019)."""
    held, labels, fake_labels = evidence.held_out_pictures, evidence.held_out_labels, evidence.fake_labels
    if held is None or labels is None or fake_labels is None or evidence.real_labels is None:
        raise DataError(
            "The classification accuracy score needs classes on both sides, and held-out real pictures of the same "
            "classes: a named set with a test part, or pictures in subfolders"
        )
    test, fake = held(), evidence.judged()

    def accuracy(pictures: Tensor, meant: Tensor, count: int) -> float:
        return classification_accuracy(_spread(pictures, count), _spread(meant, count), test, labels, evidence.seed)

    count = min(len(fake_labels), len(evidence.real_labels))
    floor = {
        "floor": accuracy(evidence.real_pictures(), evidence.real_labels, count),
        "floor_count": count,
        "at_floor_count": accuracy(fake, fake_labels, count) if count < len(fake) else None,
    }
    parameters = {"seed": evidence.seed, "test_pictures": len(test)}
    score = evidence.score("cas", accuracy(fake, fake_labels, len(fake)), "higher", parameters=parameters, **floor)
    return [_without_extractor(score, "cas")]


MEASURES: dict[str, Callable[[Evidence], list[Score]]] = {
    "fd": fd,
    "fd-infinity": fd_infinity,
    "kd": kd,
    "prdc": prdc,
    "is": inception,
    "msssim": msssim,
    "fd-per-class": per_class_fd,
    "memorization": memorized,
    "cas": cas,
}


def check(metrics: Iterable[str], extractor: Extractor, *, labelled: bool, unseen: int | None) -> None:
    """Raises DataError, before any picture is looked at, for a score that cannot be given.

    labelled: whether both sides have classes. unseen: real pictures that training did not see, None if nobody knows.
    """
    if "is" in metrics and extractor.logits(torch.zeros(1, extractor.dimensions)) is None:
        raise _no_classifier(extractor)
    for name in {"cas", "fd-per-class"} & set(metrics):
        if not labelled:
            raise DataError(
                f"{name} needs classes on both sides: subfolders of pictures, or a generator's classes. Leave it out "
                "otherwise"
            )
    if "memorization" in metrics:
        _check_unseen(unseen)


def _check_unseen(count: int | None) -> None:
    if count is None:
        raise DataError(
            "Memorisation can be judged only against real pictures that training did not see: give them with "
            "--held-out DATA, let a run keep some of the same data out of training (data.held_out), or leave "
            "`memorization` out"
        )
    if count < FEWEST_UNSEEN:
        raise DataError(
            f"Memorisation is judged against {FEWEST_UNSEEN} or more real pictures that training did not see, and "
            f"there are {count}: give more with --held-out DATA, or leave `memorization` out"
        )


def _no_classifier(extractor: Extractor) -> DataError:
    return DataError(
        f"The {extractor.name} extractor does not classify, so it gives no Inception-style score; leave `is` out, or "
        "take --extractor imagenet"
    )


def _without_extractor(score: Score, name: str) -> Score:
    """The same of a measure that looks at pixels, under its own name."""
    protocol = replace(score.protocol, extractor=None, weights_sha256=None, layer=None, resize=None, input=None)
    return replace(score, name=name, protocol=protocol)


def _few(evidence: Evidence) -> tuple[str, ...]:
    return _too_few(min(len(evidence.fake), evidence.real_statistics.count), evidence.fake.shape[1])


def _too_few(count: int, dimensions: int) -> tuple[str, ...]:
    if count >= dimensions:
        return ()
    return (
        f"{count:,} pictures are fewer than the {dimensions:,} features: the covariance is not of full rank and the "
        "distance is too large by an unknown amount. Take more pictures",
    )
