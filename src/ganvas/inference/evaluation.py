"""Evaluation: how good generated pictures, or translated ones, are, as scores that carry their protocol."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import metrics as metrics_room
from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.core.parts import nearest
from ganvas.core.places import user_cache
from ganvas.core.sizes import Size
from ganvas.inference.generator import Generator
from ganvas.inference.loading import is_network, load
from ganvas.inference.paired import PAIRED, paired_scores
from ganvas.inference.reference import Reals, reference_of
from ganvas.inference.sheet import Sheet
from ganvas.inference.subject import Say, Subject, labels_of, subject_of
from ganvas.inference.translation_scores import Asked, check_metrics, held_out_data, translation_scores
from ganvas.inference.translator import Translator
from ganvas.metrics import references
from ganvas.metrics.domain import DomainExtractor, train_domain_classifier
from ganvas.metrics.extraction import features_of
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.frechet import Statistics, from_moments, statistics
from ganvas.metrics.measures import MEASURES, Evidence, check
from ganvas.metrics.protocol import Protocol, Score
from ganvas.training.folder import RunFolder

_BY_STATISTICS = {"fd", "fd-infinity", "is", "msssim", "cas"}  # what needs no features of the reference
_USUAL = ("fd", "kd", "prdc")
_SHOWN, _PAIRS = 64, 12  # pictures, and closest pairs, of the report
_COMPARED = 2_000  # pictures whose likeness to each other is looked at


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Scores of one subject against one reference, and what a report shows of them.

    pictures: uint8 [N, C, H, W], some of those that were judged. pairs: uint8 [2, N, C, H, W], the generated pictures
    nearest to training pictures and those; None where memorisation was not looked at. partners: uint8 [2, N, C, H, W],
    pictures and those of the same names that they were compared with; None where no pairs were. sheet: of a network
    from pictures to pictures, what it was given and what became of it.
    """

    what: str
    against: str
    scores: tuple[Score, ...]
    pictures: np.ndarray
    card: dict[str, Any]
    pairs: np.ndarray | None = None
    partners: np.ndarray | None = None
    sheet: Sheet | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file; without the pictures."""
        scores = [score.as_dict() for score in self.scores]
        return {"what": self.what, "against": self.against, "card": self.card, "scores": scores}


def evaluate(
    what: Generator | Translator | str | Path,
    against: str | Path | None = None,
    *,
    metrics: Sequence[str] | None = None,
    count: int = 10_000,
    extractor: str = "auto",
    weights: str | Path | None = None,
    resize: str | None = None,
    held_out: str | Path | None = None,
    size: int | str | Size | None = None,
    seed: int = 0,
    say: Say = lambda sentence: None,
) -> Evaluation:
    """Judge a generator, a network from pictures to pictures, or a folder of pictures, against real ones.

    what: a Generator, a Translator, a run, a file of one, or a folder, zip or name of pictures. against: the real data;
    None is what a run was trained on, and for a translator what its run held out of that. metrics: names of
    `metrics.measures.MEASURES`, and of `paired.PAIRED` for folders whose pictures pair by name; of
    `translation_scores.METRICS` for translators; None for the usual ones: fd, kd, prdc, or as far as they can be had
    psnr, ssim, perceptual, fd, kd. count: pictures that are judged, at most. extractor: auto, inception, imagenet,
    fashion, domain, pixels; weights, resize: of the extractor, where it asks for them. held_out: real pictures that
    training did not see; without it what the run kept out of training, or a named set's test part, else every tenth
    picture of `against`, for the floor alone. size: to which both sides are brought where they differ, 64 or "96x64".
    seed: of subsets and generated pictures, and of what is done to pictures that a translator is to mend.
    Raises UsageError for what cannot be meant, DataError for pictures, weights or a cache that cannot be used.
    """
    wanted = None if size is None else Size.of(size)
    if count < 2:
        raise UsageError(f"count {count}: scores need 2 pictures or more")
    asked = Asked(None if metrics is None else tuple(metrics), count, extractor, weights, resize, wanted, seed)
    if (translator := _translator(what)) is not None:
        if held_out is not None:
            raise UsageError("--held-out: a network from pictures to pictures is judged by --against DATA alone")
        place = Path(what) if isinstance(what, str | Path) else None
        return _translated(translator, place, against, asked, say)
    assert not isinstance(what, Translator)
    against = trained_on(what) if against is None else against
    of_sets, of_pairs = _parted(_USUAL if asked.metrics is None else asked.metrics, what)
    if not of_sets:
        _refuse_idle(of_pairs, asked, held_out)
    evaluation = Evaluation(str(what), str(against), (), np.empty(0), {})
    if of_sets:
        evaluation = _of_sets(what, against, held_out, of_sets, asked, say)
    if of_pairs and not isinstance(what, Generator):
        own = weights if not of_sets or extractor == "imagenet" else None
        scores, partners = paired_scores(what, against, of_pairs, wanted, own, say)
        pictures = evaluation.pictures if of_sets else partners[0]
        every = (*evaluation.scores, *scores)
        evaluation = dataclasses.replace(evaluation, scores=every, pictures=pictures, partners=partners)
    return evaluation


def _parted(metrics: Sequence[str], what: Generator | str | Path) -> tuple[list[str], list[str]]:
    """The metrics of sets of pictures, and those of pairs. Raises UsageError for what there is not, and for none."""
    for name in metrics:
        if name not in (*MEASURES, *PAIRED):
            raise UsageError(f"There is no metric {name!r}: {nearest(name, (*MEASURES, *PAIRED))}")
    if not metrics:
        raise UsageError(f"Which metrics? There are: {', '.join((*MEASURES, *PAIRED))}")
    of_pairs = [name for name in metrics if name in PAIRED]
    if of_pairs and is_network(what):
        raise UsageError(
            f"{', '.join(of_pairs)} compare pictures of the same name: give a folder, not a generator; networks from "
            "pictures to pictures have these scores as well"
        )
    return [name for name in metrics if name not in PAIRED], of_pairs


def _of_sets(
    what: Generator | str | Path,
    against: str | Path,
    held_out: str | Path | None,
    metrics: Sequence[str],
    asked: Asked,
    say: Say,
) -> Evaluation:
    """The scores of pictures as a whole, against real ones."""
    subject = subject_of(what, asked.size, asked.seed, say)
    real, held = reference_of(subject, against, held_out, say)
    extract = _extractor(asked.extractor, real, held, asked.weights, asked.resize, say)
    if subject.classes != real.classes:  # a number would mean one class here and another there
        real = dataclasses.replace(real, labels=None)
    labelled = bool(subject.classes) and real.labels is not None
    check(metrics, extract, labelled=labelled, unseen=len(held) if held is not None and held.unseen else None)
    number = min(asked.count, subject.count if subject.count is not None else asked.count)
    return _judged(subject, real, held, extract, metrics, number, asked.seed, say)


def _translator(what: Generator | Translator | str | Path) -> Translator | None:
    """The network from pictures to pictures that is meant, in float32; None for anything else."""
    held: Any = what
    if not isinstance(what, Generator | Translator) and is_network(what):
        held = load(what)
    if not isinstance(held, Translator):
        return None
    return held.in_float32()


def _translated(
    translator: Translator, where: Path | None, against: str | Path | None, asked: Asked, say: Say
) -> Evaluation:
    """The scores of a network from pictures to pictures. where: it lies; None for one in memory."""
    check_metrics(asked.metrics)
    run = where if where is None or where.is_dir() else where.parent  # a run's file belongs to it
    data, held = held_out_data(run, translator.card) if against is None else (against, None)
    scores, sheet, title = translation_scores(translator, data, held, asked, say)
    name = where.name if where is not None else str(translator.card.get("recipe", "translator"))
    return Evaluation(name, title, tuple(scores), np.empty(0), cards.identity(translator.card), sheet=sheet)


def _refuse_idle(paired: Sequence[str], asked: Asked, held_out: str | Path | None) -> None:
    """Raise UsageError for what says nothing to scores of pairs, where no other scores are asked for."""
    idle = {
        "--extractor": asked.extractor != "auto",
        "--resize": asked.resize is not None,
        "--held-out": held_out is not None,
        "--weights": asked.weights is not None and "perceptual" not in paired,
    }
    if names := [name for name, given in idle.items() if given]:
        raise UsageError(f"{', '.join(names)} say nothing to {', '.join(paired)}, which compare pairs: leave that out")


def _judged(
    subject: Subject,
    real: Reals,
    held: Reals | None,
    extract: Extractor,
    metrics: Sequence[str],
    number: int,
    seed: int,
    say: Say,
) -> Evaluation:
    """The scores of so many pictures of a subject as a whole."""
    labels = labels_of(subject, real.labels, number)
    say(f"{number:,} pictures of {subject.name} against {len(real):,} of {real.name}, seen by {extract.name}")
    real_statistics, features = _seen(real, extract, also_features=bool(set(metrics) - _BY_STATISTICS), say=say)
    shown = torch.cat(list(subject.pictures(min(number, _COMPARED), None if labels is None else labels[:_COMPARED])))
    evidence = Evidence(
        extractor=extract,
        protocol=_protocol(subject, real, extract, number),
        fake=features_of(extract, subject.pictures(number, labels), number, say),
        real=features,
        real_statistics=real_statistics,
        held_out=features_of(extract, held.parts(), len(held), say) if held is not None else None,
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
    scores: list[Score] = []
    for name in metrics:
        say(f"  {name}")
        try:
            scores += MEASURES[name](evidence)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    pairs = _pairs(evidence, subject, real, labels, number) if "memorization" in metrics else None
    return Evaluation(subject.name, real.name, tuple(scores), shown[:_SHOWN].numpy(), subject.card, pairs)


def trained_on(what: Generator | str | Path) -> str:
    """The data that a run was trained on. Raises UsageError for what is no run: then nobody can know."""
    named = "this generator" if isinstance(what, Generator) else what
    if isinstance(what, Generator) or not RunFolder(what).settings.is_file():
        raise UsageError(f"Against which data is {named} to be judged? Give --against DATA: a folder, a zip or a name")
    return str(RunFolder.open(what).read_settings()["data"]["where"])


def _extractor(
    name: str, real: Reals, held: Reals | None, weights: str | Path | None, resize: str | None, say: Say
) -> Extractor:
    """The extractor of a name; one of the data's own kind is trained once on its labels, and kept."""
    if name == "auto":
        name = metrics_room.choose_for_evaluation(real.channels, real.size, real.name)
    if name == "domain" and weights is None:
        part = hashlib.sha256(real.part.encode()).hexdigest()[:8]
        weights = user_cache() / "domain" / f"{real.sha256[:24]}-{part}.safetensors"
        if not weights.exists():
            _keep_domain(_train_domain(real, held, say), weights)
    return metrics_room.extractor(name, real.channels, None if weights is None else Path(weights), resize, say)


def _keep_domain(extractor: DomainExtractor, path: Path) -> None:
    try:
        extractor.save(path)
    except OSError as error:
        raise DataError(
            f"The domain extractor cannot be kept in {path.parent} ({error.strerror or error}): set XDG_CACHE_HOME"
        ) from None


def _train_domain(real: Reals, held: Reals | None, say: Say) -> DomainExtractor:
    if real.labels is None or held is None or held.labels is None:
        raise DataError(
            f"A domain extractor is trained on the classes of {real.name}, and it has none, or too few pictures: give "
            "pictures in subfolders, a file with --weights, or another --extractor"
        )
    say(f"Training a domain extractor on the {len(real):,} pictures of {real.name} takes minutes; it is kept")
    found = train_domain_classifier(
        real.whole(),
        torch.from_numpy(real.labels),
        held_out_pictures=held.whole(),
        held_out_labels=torch.from_numpy(held.labels),
        seed=0,
    )
    say(f"It classifies {found.about['accuracy']:.1%} of the held-out pictures rightly")
    return found


def _seen(real: Reals, extract: Extractor, *, also_features: bool, say: Say) -> tuple[Statistics, Tensor]:
    """The reference's statistics, kept from one evaluation to the next, and where wanted its features, else none."""
    key = {
        **extract.protocol,
        "reference_sha256": real.sha256,
        "reference_part": real.part,
        "reference_count": len(real),
    }
    kept = references.path_of(user_cache() / "statistics", key)
    features = torch.empty(0, extract.dimensions)
    if also_features or not kept.exists():
        features = features_of(extract, real.parts(), len(real), say)
    if kept.exists():
        return references.read(kept, key), features
    found = statistics(features)
    try:
        references.write(kept, found, key)
    except OSError as error:
        say(f"The reference's statistics could not be kept in {kept.parent} ({error.strerror or error}); going on")
    return from_moments(found.mean, found.covariance, found.count), features  # as they are when read again


def _protocol(subject: Subject, real: Reals, extract: Extractor, number: int) -> Protocol:
    return Protocol(
        metric="",
        **extract.protocol,
        fit=subject.fit,
        count=number,
        reference=real.name,
        reference_sha256=real.sha256,
        reference_part=real.part,
        reference_count=len(real),
        seeds=subject.seeds,
    )


def _pairs(evidence: Evidence, subject: Subject, real: Reals, labels: np.ndarray | None, number: int) -> np.ndarray:
    """The generated pictures that are nearest to training pictures, and those."""
    closest = evidence.memorization.closest(_PAIRS)
    wanted = {generated: place for place, (generated, _) in enumerate(closest)}
    found: dict[int, np.ndarray] = {}
    start = 0
    for part in subject.pictures(number, labels):
        found |= {wanted[start + row]: part[row].numpy() for row in range(len(part)) if start + row in wanted}
        start += len(part)
    theirs = [real.images[real.indices[index]] for _, index in closest]
    return np.stack([np.stack([found[place] for place in range(len(closest))]), np.stack(theirs)])
