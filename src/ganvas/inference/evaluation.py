"""Evaluation: how good generated pictures are, as scores that carry their protocol."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import data as data_room
from ganvas import metrics as metrics_room
from ganvas.core.errors import DataError, UsageError
from ganvas.core.parts import nearest
from ganvas.core.places import user_cache
from ganvas.inference.generator import Generator, load
from ganvas.metrics import references
from ganvas.metrics.domain import DomainExtractor, train_domain_classifier
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.frechet import Statistics, statistics
from ganvas.metrics.measures import MEASURES, Evidence, features_of, memorization_of
from ganvas.metrics.protocol import Protocol, Score
from ganvas.training.draws import Draws, latents_of_seeds
from ganvas.training.folder import RunFolder

Say = Callable[[str], None]

_BY_STATISTICS = {"fd", "fd-infinity", "is", "msssim", "cas"}  # what needs no features of the reference
_AT_ONCE = 250  # pictures at a time
_EVERY = 10  # of a reference without a test part of its own, every so manieth picture is held out
_FEWEST = 50  # pictures of a reference from which some are held out
_SHOWN, _PAIRS = 64, 12  # pictures, and closest pairs, of the report
_COMPARED = 2_000  # pictures whose likeness to each other is looked at


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is judged: pictures of a generator, or of a folder.

    count: how many there are, None if as many as wanted. labels: of `count` pictures, None without classes.
    """

    name: str
    size: int
    channels: int
    classes: tuple[str, ...]
    count: int | None
    seeds: str
    card: dict[str, Any]
    pictures: Callable[[int, np.ndarray | None], Iterator[Tensor]]
    labels: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Scores of one subject against one reference, and what a report shows of them.

    pictures: uint8 [N, C, H, W], some of those that were judged. pairs: uint8 [2, N, C, H, W], the generated pictures
    nearest to training pictures and those; None where memorisation was not looked at.
    """

    what: str
    against: str
    scores: tuple[Score, ...]
    pictures: np.ndarray
    card: dict[str, Any]
    pairs: np.ndarray | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file; without the pictures."""
        scores = [score.as_dict() for score in self.scores]
        return {"what": self.what, "against": self.against, "card": self.card, "scores": scores}


def evaluate(
    what: Generator | str | Path,
    against: str | Path,
    *,
    metrics: Sequence[str] = ("fd", "kd", "prdc"),
    count: int = 10_000,
    extractor: str = "auto",
    weights: str | Path | None = None,
    resize: str | None = None,
    held_out: str | Path | None = None,
    size: int | None = None,
    seed: int = 0,
    say: Say = lambda sentence: None,
) -> Evaluation:
    """Judge a generator, or a folder of pictures, against real ones.

    what: a Generator, a run, a generator file, or a folder, zip or name of pictures. against: the real data. metrics:
    names of `metrics.MEASURES`. count: pictures that are judged, at most. extractor: auto, inception, imagenet,
    fashion, domain, pixels; weights, resize: of the extractor, where it asks for them. held_out: real pictures that
    training did not see; without it a named set's test part, else every tenth picture of `against`, for the floor
    alone. size: pixels to which both sides are brought where they differ. seed: of subsets and generated pictures.
    Raises UsageError for what cannot be meant, DataError for pictures, weights or a cache that cannot be used.
    """
    for name in metrics:
        if name not in MEASURES:
            raise UsageError(f"There is no metric {name!r}: {nearest(name, MEASURES)}")
    if count < 2:
        raise UsageError(f"count {count}: scores need 2 pictures or more")
    subject = _subject(what, size, seed, say)
    real, held = _reference(subject, against, held_out, say)
    extract = _extractor(extractor, real, held, weights, resize, say)
    number = min(count, subject.count if subject.count is not None else count)
    labels = _labels(subject, real, number)
    say(f"{number:,} pictures of {subject.name} against {len(real):,} of {real.name}, seen by {extract.name}")
    real_statistics, features = _seen(real, extract, also_features=bool(set(metrics) - _BY_STATISTICS))
    shown = torch.cat(list(subject.pictures(min(number, _COMPARED), None if labels is None else labels[:_COMPARED])))
    evidence = Evidence(
        extractor=extract,
        protocol=_protocol(subject, real, extract, number),
        fake=features_of(extract, subject.pictures(number, labels)),
        real=features,
        real_statistics=real_statistics,
        held_out=features_of(extract, held.parts()) if held is not None else None,
        unseen=held is not None and held.unseen,
        pictures=shown,
        judged=lambda: torch.cat(list(subject.pictures(number, labels))),
        real_pictures=real.whole,
        held_out_pictures=held.whole if held is not None else None,
        fake_labels=None if labels is None else torch.from_numpy(labels),
        real_labels=None if real.labels is None else torch.from_numpy(real.labels),
        held_out_labels=None if held is None or held.labels is None else torch.from_numpy(held.labels),
        classes=subject.classes,
        seed=seed,
    )
    scores = tuple(score for name in metrics for score in MEASURES[name](evidence))
    pairs = _pairs(evidence, subject, real, labels, number) if "memorization" in metrics else None
    return Evaluation(subject.name, real.name, scores, shown[:_SHOWN].numpy(), subject.card, pairs)


def trained_on(run: Path) -> str:
    """The data that a run was trained on. Raises UsageError for what is no run: then nobody can know."""
    if not (run / "settings.toml").is_file():
        raise UsageError(f"Against which data is {run} to be judged? Give --against DATA: a folder, a zip or a name")
    return str(RunFolder.open(run).read_settings()["data"]["where"])


def _extractor(
    name: str, real: "Reals", held: "Reals | None", weights: str | Path | None, resize: str | None, say: Say
) -> Extractor:
    """The extractor of a name; one of the data's own kind is trained once on its labels, and kept."""
    if name == "auto":
        name = metrics_room.choose_for_evaluation(real.channels, real.size, real.name)
    if name == "domain" and weights is None:
        weights = user_cache() / "domain" / f"{real.sha256[:24]}.safetensors"
        if not weights.exists():
            _train_domain(real, held, say).save(weights)
    return metrics_room.extractor(name, real.channels, None if weights is None else Path(weights), resize)


def _train_domain(real: "Reals", held: "Reals | None", say: Say) -> DomainExtractor:
    if real.labels is None or held is None or held.labels is None:
        raise DataError(
            f"A domain extractor is trained on the classes of {real.name}, and it has none, or too few pictures: give "
            "pictures in subfolders, a file with --weights, or another --extractor"
        )
    say(f"Training a domain extractor on the {len(real):,} pictures of {real.name}; it is kept for the next time")
    found = train_domain_classifier(
        real.whole(),
        torch.from_numpy(real.labels),
        held_out_pictures=held.whole(),
        held_out_labels=torch.from_numpy(held.labels),
        seed=0,
    )
    say(f"It classifies {found.about['accuracy']:.1%} of the held-out pictures rightly")
    return found


def _seen(real: "Reals", extract: Extractor, *, also_features: bool) -> tuple[Statistics, Tensor]:
    """The reference's statistics, kept from one evaluation to the next, and where wanted its features, else none."""
    key = {
        "extractor": extract.name,
        "weights_sha256": extract.weights_sha256,
        "layer": extract.layer,
        "resize": extract.resize,
        "reference_sha256": real.sha256,
        "reference_part": real.part,
        "reference_count": len(real),
    }
    kept = references.path_of(user_cache() / "statistics", key)
    features = torch.empty(0, extract.dimensions)
    if also_features or not kept.exists():
        features = features_of(extract, real.parts())
    if not kept.exists():
        references.write(kept, statistics(features), key)
    return references.read(kept, key), features


def _protocol(subject: Subject, real: "Reals", extract: Extractor, number: int) -> Protocol:
    return Protocol(
        metric="",
        extractor=extract.name,
        weights_sha256=extract.weights_sha256,
        layer=extract.layer,
        resize=extract.resize,
        count=number,
        reference=real.name,
        reference_sha256=real.sha256,
        reference_part=real.part,
        reference_count=len(real),
        seeds=subject.seeds,
    )


def _pairs(evidence: Evidence, subject: Subject, real: "Reals", labels: np.ndarray | None, number: int) -> np.ndarray:
    """The generated pictures that are nearest to training pictures, and those."""
    closest = memorization_of(evidence).closest(_PAIRS)
    wanted = {generated: place for place, (generated, _) in enumerate(closest)}
    found: dict[int, np.ndarray] = {}
    start = 0
    for part in subject.pictures(number, labels):
        found |= {wanted[start + row]: part[row].numpy() for row in range(len(part)) if start + row in wanted}
        start += len(part)
    theirs = [real.images[real.indices[index]] for _, index in closest]
    return np.stack([np.stack([found[place] for place in range(len(closest))]), np.stack(theirs)])


@dataclasses.dataclass(frozen=True)
class Reals:
    """Real pictures, or a part of them. unseen: whether training did not see them, as far as can be known."""

    name: str
    sha256: str
    part: str
    images: np.ndarray
    indices: np.ndarray
    labels: np.ndarray | None
    unseen: bool

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def size(self) -> int:
        """Pixels a side."""
        return int(self.images.shape[2])

    @property
    def channels(self) -> int:
        """1, 3 or 4."""
        return int(self.images.shape[1])

    def whole(self) -> Tensor:
        """All pictures at once, uint8 [N, C, H, W]."""
        return torch.cat(list(self.parts()))

    def parts(self) -> Iterator[Tensor]:
        """The pictures, uint8 [n, C, H, W] at a time; they may lie in a mapped file."""
        for start in range(0, len(self.indices), _AT_ONCE):
            yield torch.from_numpy(np.ascontiguousarray(self.images[self.indices[start : start + _AT_ONCE]]))


def _reference(
    subject: Subject, against: str | Path, held_out: str | Path | None, say: Say
) -> tuple[Reals, Reals | None]:
    """The reference and what is held out of it, as large and as colourful as what is judged."""
    seen = data_room.survey(against, say=say)
    if seen.channels != subject.channels and not subject.card:
        kinds = {1: "grey", 3: "in colour", 4: "in colour with transparency"}
        raise DataError(
            f"{subject.name} is {kinds[subject.channels]} and {against} is {kinds[seen.channels]}: they cannot be "
            "compared. Bring both to the same kind first"
        )
    whole = data_room.open_data(against, size=subject.size, channels=subject.channels, say=say)
    if len(whole) < 2:
        raise DataError(f"{against} has one picture; a reference needs 2 or more, and thousands to mean something")
    at = f"at {subject.size} pixels"
    every = np.arange(len(whole))
    test = held_out if held_out is not None else data_room.test_part(whole.where)
    if test is not None:
        other = data_room.open_data(test, size=subject.size, channels=subject.channels, say=say)
        theirs = other.labels if other.classes == whole.classes else None
        held = Reals(other.name, other.fingerprint, f"all, {at}", other.images, np.arange(len(other)), theirs, True)
        return Reals(whole.name, whole.fingerprint, f"all, {at}", whole.images, every, whole.labels, False), held
    if len(whole) < _FEWEST:
        return Reals(whole.name, whole.fingerprint, f"all, {at}", whole.images, every, whole.labels, False), None
    out = every % _EVERY == _EVERY - 1
    rest, tenth = (whole.labels[~out], whole.labels[out]) if whole.labels is not None else (None, None)
    kept = Reals(whole.name, whole.fingerprint, f"all but each tenth, {at}", whole.images, every[~out], rest, False)
    return kept, Reals(whole.name, whole.fingerprint, f"each tenth, {at}", whole.images, every[out], tenth, False)


def _subject(what: Generator | str | Path, size: int | None, seed: int, say: Say) -> Subject:
    if isinstance(what, Generator):
        return _of_generator(what, str(what.card.get("recipe", "generator")), seed)
    path = Path(what)
    if (path / "generator.safetensors").is_file() or path.suffix == ".safetensors":
        return _of_generator(load(path), path.name, seed)
    if (path / "settings.toml").is_file():
        raise DataError(f"{path} is a run without a generator yet; let it train until its first checkpoint")
    return _of_folder(what, size, say)


def _of_generator(generator: Generator, name: str, seed: int) -> Subject:
    first = seed * 1_000_000  # each seed of an evaluation has pictures of its own

    def pictures(count: int, labels: np.ndarray | None) -> Iterator[Tensor]:
        width = generator.latents([0]).shape[1]
        for start in range(0, count, _AT_ONCE):
            numbers = range(first + start, first + min(count, start + _AT_ONCE))
            chosen = labels[start : start + len(numbers)].tolist() if labels is not None else list(numbers)
            yield torch.from_numpy(generator.pictures(latents_of_seeds(numbers, width), chosen))

    return Subject(
        name=name,
        size=generator.size,
        channels=generator.channels,
        classes=generator.classes,
        count=None,
        seeds=f"{first} onwards",
        card=generator.card,
        pictures=pictures,
    )


def _of_folder(where: str | Path, size: int | None, say: Say) -> Subject:
    seen = data_room.survey(where, say=say)
    if size is None and not seen.uniform:
        raise DataError(
            f"The pictures of {where} are not all of one size, and how they are resized would be part of the score. "
            "Give --size N to bring both sides to N pixels"
        )
    held = data_room.open_data(where, size=size or seen.size, say=say)
    if len(held) < 2:
        raise DataError(f"{where} has one picture; scores need 2 or more, and thousands to mean something")

    def pictures(count: int, labels: np.ndarray | None) -> Iterator[Tensor]:
        spread = np.arange(count) * len(held) // count
        for start in range(0, count, _AT_ONCE):
            yield torch.from_numpy(np.ascontiguousarray(held.images[spread[start : start + _AT_ONCE]]))

    return Subject(
        name=held.name,
        size=held.size,
        channels=held.channels,
        classes=held.classes,
        count=len(held),
        seeds="a folder's pictures",
        card={},
        pictures=pictures,
        labels=held.labels,
    )


def _labels(subject: Subject, real: Reals, count: int) -> np.ndarray | None:
    """int64 [count]: the classes of the pictures that are judged; of a generator, each as often as in the reference."""
    if subject.labels is not None:
        return subject.labels[np.arange(count) * len(subject.labels) // count]
    if not subject.classes:
        return None
    if real.labels is None:
        return np.arange(count) % len(subject.classes)
    often = np.sort(real.labels)[np.arange(count) * len(real.labels) // count].astype(np.int64)
    return often[Draws(0).order("labels", 0, count, count).numpy()]
