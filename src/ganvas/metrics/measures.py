"""What `ganvas eval` can measure: each measure turns features of pictures into scores with their protocol.

MEASURES is the table; adding a measure is one function and one line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.domain import classification_accuracy
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.extrapolation import frechet_at_infinity
from ganvas.metrics.frechet import Statistics, frechet_distance, statistics
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.memorization import Memorization, memorization
from ganvas.metrics.neighbours import precision_recall_density_coverage
from ganvas.metrics.protocol import Protocol, Score
from ganvas.metrics.structural import diversity


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
    fake, real = statistics(evidence.fake), evidence.real_statistics
    floor = None
    if evidence.held_out is not None and len(evidence.held_out) > 1:
        floor = frechet_distance(statistics(evidence.held_out), real)
    return [
        evidence.score(
            "fd",
            frechet_distance(fake, real),
            "lower",
            floor=floor,
            floor_count=None if floor is None else len(evidence.held_out),  # type: ignore[arg-type]  # floor says so
            warnings=_few(evidence),
        )
    ]


def fd_infinity(evidence: Evidence) -> list[Score]:
    """The Fréchet distance of infinitely many pictures (Chong & Forsyth 2020)."""
    found = frechet_at_infinity(evidence.fake, evidence.real_statistics, seed=evidence.seed)
    parameters = {"counts": list(found.counts), "r_squared": found.r_squared}
    return [evidence.score("fd-infinity", found.value, "lower", parameters=parameters, warnings=_few(evidence))]


def kd(evidence: Evidence) -> list[Score]:
    """The kernel distance, unbiased (Bińkowski et al. 2018)."""
    size = min(1000, len(evidence.fake), len(evidence.real))
    found = kernel_distance(evidence.fake, evidence.real, subset_size=size, seed=evidence.seed)
    floor = None
    if evidence.held_out is not None and len(evidence.held_out) >= size:
        floor = kernel_distance(evidence.held_out, evidence.real, subset_size=size, seed=evidence.seed).mean
    parameters = {"subsets": found.subsets, "subset_size": found.subset_size, "seed": evidence.seed}
    return [
        evidence.score(
            "kd",
            found.mean,
            "lower",
            spread=found.spread,
            floor=floor,
            floor_count=None if floor is None else len(evidence.held_out),  # type: ignore[arg-type]  # floor says so
            parameters=parameters,
        )
    ]


def prdc(evidence: Evidence, k: int = 5) -> list[Score]:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020)."""
    count = min(len(evidence.fake), len(evidence.real))
    real = evidence.real[:: max(1, len(evidence.real) // count)][:count]
    found = precision_recall_density_coverage(evidence.fake[:count], real, k=k)
    floors: Mapping[str, float] = {}
    if evidence.held_out is not None and len(evidence.held_out) > k:
        held = evidence.held_out[:count]  # against as many real ones: neighbourhoods shrink where pictures are more
        floors = vars(precision_recall_density_coverage(held, real[:: max(1, count // len(held))][: len(held)], k=k))
    return [
        evidence.score(
            name,
            getattr(found, name),
            "higher",
            floor=floors.get(name),
            floor_count=min(count, len(evidence.held_out)) if floors and evidence.held_out is not None else None,
            parameters={"k": k, "count": count},
        )
        for name in ("precision", "recall", "density", "coverage")
    ]


def inception(evidence: Evidence) -> list[Score]:
    """The Inception score (Salimans et al. 2016), of whichever classifier the extractor is."""
    logits = evidence.extractor.logits(evidence.fake)
    if logits is None:
        raise DataError(
            f"The {evidence.extractor.name} extractor does not classify, so it gives no Inception-style score; "
            "leave `is` out, or take --extractor imagenet"
        )
    splits = min(10, len(logits))
    found = inception_score(logits, splits=splits)
    floor = None
    if evidence.held_out is not None and (held := evidence.extractor.logits(evidence.held_out)) is not None:
        floor = inception_score(held, splits=min(splits, len(held))).mean
    return [
        evidence.score(
            "is",
            found.mean,
            "higher",
            spread=found.spread,
            floor=floor,
            floor_count=None if floor is None else len(evidence.held_out),  # type: ignore[arg-type]  # floor says so
            parameters={"splits": splits},
        )
    ]


def msssim(evidence: Evidence, pairs: int = 1_000) -> list[Score]:
    """How alike generated pictures are to each other: mean MS-SSIM over random pairs (Odena et al. 2017)."""
    value = diversity(evidence.pictures, pairs=pairs, seed=evidence.seed)
    score = evidence.score("msssim", value, "lower", parameters={"pairs": pairs, "seed": evidence.seed})
    protocol = replace(score.protocol, extractor=None, weights_sha256=None, layer=None, resize=None)
    return [replace(score, name="msssim", protocol=protocol)]


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
        value = frechet_distance(statistics(fake), statistics(real))
        parameters = {"class": name, "count": len(fake), "reference_count": len(real)}
        score = evidence.score("fd-per-class", value, "lower", parameters=parameters)
        warnings = _too_few(min(len(fake), len(real)), evidence.fake.shape[1])
        scores.append(replace(score, name=f"{score.name}: {name}", warnings=warnings))
    return scores


def memorized(evidence: Evidence) -> list[Score]:
    """Whether generated pictures are nearer to training pictures than unseen real ones are (Meehan et al. 2020)."""
    found = memorization_of(evidence)
    share = found.flagged.double().mean().item()
    parameters = {"statistic": found.statistic, "p_value": found.p_value, "verdict": found.verdict}
    return [evidence.score("memorization", share, "lower", parameters=parameters)]


def memorization_of(evidence: Evidence) -> Memorization:
    """Raises DataError where no real pictures are known that training did not see."""
    if evidence.held_out is None or not evidence.unseen:
        raise DataError(
            "Memorisation can be judged only against real pictures that training did not see: give them with "
            "--held-out DATA, or leave `memorization` out"
        )
    return memorization(evidence.fake, evidence.real, evidence.held_out)


def cas(evidence: Evidence) -> list[Score]:
    """The accuracy on held-out real pictures of a classifier trained on generated ones (Ravuri & Vinyals 2019)."""
    held, labels, fake_labels = evidence.held_out_pictures, evidence.held_out_labels, evidence.fake_labels
    if held is None or labels is None or fake_labels is None or evidence.real_labels is None:
        raise DataError(
            "The classification accuracy score needs classes on both sides, and held-out real pictures of the same "
            "classes: a named set with a test part, or pictures in subfolders"
        )
    test = held()
    value = classification_accuracy(evidence.judged(), fake_labels, test, labels, evidence.seed)
    count = min(len(fake_labels), len(evidence.real_labels))
    spread = torch.arange(count) * len(evidence.real_labels) // count
    floor = classification_accuracy(
        evidence.real_pictures()[spread], evidence.real_labels[spread], test, labels, evidence.seed
    )
    parameters = {"seed": evidence.seed, "test_pictures": len(test)}
    score = evidence.score("cas", value, "higher", floor=floor, parameters=parameters)
    protocol = replace(score.protocol, extractor=None, weights_sha256=None, layer=None, resize=None)
    return [replace(score, name="cas", protocol=protocol, floor_count=count)]


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


def _few(evidence: Evidence) -> tuple[str, ...]:
    return _too_few(min(len(evidence.fake), evidence.real_statistics.count), evidence.fake.shape[1])


def _too_few(count: int, dimensions: int) -> tuple[str, ...]:
    if count >= dimensions:
        return ()
    return (
        f"{count:,} pictures are fewer than the {dimensions:,} features: the covariance is not of full rank and the "
        "distance is too large by an unknown amount. Take more pictures",
    )


def features_of(extractor: Extractor, parts: Any) -> Tensor:
    """float32 [N, D] of pictures that come in parts of uint8 [n, C, H, W]."""
    with torch.inference_mode():
        return torch.cat([extractor(part) for part in parts])
