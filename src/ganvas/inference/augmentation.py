"""More data from a generator: a labelled set of its pictures, without near-copies, and what it is worth.

Refusing near-copies is no promise of privacy: a picture may tell of a training picture without being near to it.
"""

import math
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.errors import DataError, UsageError
from ganvas.core.places import megabytes
from ganvas.core.sizes import Size
from ganvas.core.version import VERSION
from ganvas.data.decode import decode
from ganvas.inference.copy_watch import CopyWatch, extractors_of, mirrors, needed
from ganvas.inference.generator import Generator
from ganvas.inference.loading import load
from ganvas.inference.quotas import evening, folder_names, in_proportion, in_turn
from ganvas.inference.reference import Reals, reference_of
from ganvas.inference.set_folder import SetFolder, Tally, check_out
from ganvas.inference.subject import Say, subject_of
from ganvas.inference.usefulness import Labelled, Usefulness, usefulness
from ganvas.metrics.classifier import GREATEST, LEAST
from ganvas.metrics.domain import reduced
from ganvas.metrics.extraction import Progress

MOST = 1_000_000  # pictures of one set
_AT_ONCE = 256
_SURE = 20  # pictures drawn, of a class or of all, from which more than half refused is no accident
_SHOWN, _ROWS, _PAIRS = 10, 20, 12  # pictures of a class, classes, and refused pictures in the report
_MOST_BYTES = 2**28  # of the pictures of one kind that a classifier is trained on


@dataclass(frozen=True)
class Augmentation:
    """What was made, from what, and what it is worth.

    summary: plain values, as in augment.json. usefulness: None where it could not be measured, and why_not says why.
    pictures: uint8 [N, C, H, W], some of the set, class by class, `columns` a row. refused: uint8 [2, N, C, H, W], the
    nearest of what was refused and the training pictures that they are near to; None where nothing was.
    """

    out: Path
    summary: dict[str, Any]
    usefulness: Usefulness | None
    why_not: str
    pictures: np.ndarray
    columns: int
    refused: np.ndarray | None


def augment_data(
    where: str | Path,
    generator: Generator | str | Path,
    out: str | Path,
    *,
    count: int | None = None,
    balance: bool = False,
    truncation: float = 1.0,
    first_seed: int = 0,
    held_out: str | Path | None = None,
    extractor: str = "auto",
    trials: int = 3,
    steps: int | None = None,
    say: Say = lambda sentence: None,
) -> Augmentation:
    """Write a labelled set of generated pictures, one subfolder a class, and measure what it is worth.

    where: the real data. generator: a Generator, a run or a generator file. out: a new folder, or an unfinished set of
    the same. count: pictures; None as many as there are real ones, or with `balance` as many as make the classes even.
    balance: make classes more even together with the real ones; else their proportions are kept. first_seed: of
    consecutive ones. held_out: real pictures that training did not see; without it those of the run, or the test part,
    or each tenth. extractor: whose features are looked at for near-copies, beside the pixels. trials, steps: seeds, and
    steps of the gradient, of the classifiers that are compared; None are as many steps as the real pictures need.
    Raises UsageError for what cannot be meant; DataError for data that cannot be used, and if more than half of the
    pictures are near-copies.
    """
    out = Path(out)
    _check(where, out, count, first_seed, trials, steps)
    maker = generator if isinstance(generator, Generator) else load(generator)
    subject = subject_of(maker, None, 0, say)
    real, held = reference_of(subject, where, held_out, say)
    held = needed(held, where)
    names = _classes(maker, real)
    quota = _quota(maker, real, held, count, balance)
    number = int(quota.sum())
    _check_room(out, number, maker)
    maker.pictures(maker.latents([first_seed]), [0], truncation=truncation)  # what it cannot draw, it says now
    extractors = extractors_of(extractor, real, say)
    if maker.card.get("data_sha256") not in (real.sha256, None):
        say(
            f"The generator was trained on {maker.card.get('data', 'other data')}, and not on just these pictures: "
            f"copies are looked for among those of {where} alone"
        )
    asked = {
        "generator": maker.fingerprint,
        "data": real.sha256,
        "held_out": [held.sha256, held.part],
        "count": number,
        "balance": balance,
        "truncation": truncation,
        "first_seed": first_seed,
        "extractors": [one.name for one in extractors],
        "ganvas": VERSION,
    }
    folder = SetFolder(out, folder_names(names) if names else (".",))
    with folder.begun(asked):
        tally = Tally(in_turn(quota).tolist(), first_seed)
        folder.take_up(tally)
        if tally.written:
            say(f"Going on with {out}, which has {len(tally.written):,} of {number:,} pictures")
        mirrored = not isinstance(generator, Generator) and mirrors(generator)
        watch = CopyWatch(extractors, real, held, mirrored, say)
        _draw(maker, folder, tally, watch, names, truncation, say)
        why_not = _why_not(maker, real, held)
        found = None
        if trials and not why_not:
            found = _compared(folder, tally, maker, real, held, names, trials, steps, say)
        summary = {
            "asked": asked,
            "data": {"name": real.name, "sha256": real.sha256, "part": real.part, "pictures": len(real)},
            "held_out": {
                "what": _whose(real, held, held_out),
                "sha256": held.sha256,
                "pictures": len(held),
                "unseen": held.unseen,
            },
            "generator": subject.card,
            "near_copies": {"limits": watch.limits, "mirrored": mirrored},
            **_told(folder, tally, names, first_seed),
            "classifier": _protocol(found, real) | found.as_dict()
            if found
            else {"not_compared": why_not or "not asked for"},
        }
        folder.keep({"finished": True, **summary})
    pictures, columns = _some(folder, tally, maker, len(quota))
    return Augmentation(
        out=out,
        summary=summary,
        usefulness=found,
        why_not=why_not,
        pictures=pictures,
        columns=columns,
        refused=_refused(tally, maker, watch, truncation),
    )


def _check(where: str | Path, out: Path, count: int | None, first_seed: int, trials: int, steps: int | None) -> None:
    """Raise UsageError for what can be seen to be wrong without looking at data or generator."""
    if count is not None and not 1 <= count <= MOST:
        raise UsageError(f"--count {count}: a set has 1 to {MOST:,} pictures; ask for more in parts, by --first-seed")
    if not 0 <= first_seed <= 10**15:
        raise UsageError(f"--first-seed {first_seed}: seeds are whole numbers from 0 on")
    if trials < 0 or (steps is not None and steps < 2):
        raise UsageError(f"{trials} trials of {steps} steps: give 0 or more trials, and 2 or more steps")
    if Path(where).is_dir() and out.absolute().resolve().is_relative_to(Path(where).resolve()):
        raise UsageError(f"{out} lies within {where}: the pictures would become a part of it. Choose another --out")
    check_out(out)


def _check_room(out: Path, number: int, maker: Generator) -> None:
    above = next(folder for folder in out.absolute().parents if folder.exists())
    least = number * max(
        4096, maker.channels * maker.height * maker.width // 4
    )  # PNG leaves a quarter at best, and files have blocks
    if (free := shutil.disk_usage(above).free) < least:
        raise DataError(
            f"{number:,} pictures take {megabytes(least)} or more, and {above} has {megabytes(free)} left: "
            "ask for fewer, or choose another --out"
        )


def _classes(maker: Generator, real: Reals) -> tuple[str, ...]:
    """The classes of the set. Raises UsageError if the generator knows others than the data has."""
    if maker.classes and real.classes and set(maker.classes) != set(real.classes):
        other = sorted(set(maker.classes) ^ set(real.classes))
        raise UsageError(
            f"The generator's classes are not those of {real.name}; only one of them has: {', '.join(other[:5])}"
            f"{', ...' if len(other) > 5 else ''}. Give the data that it was trained on, or a generator of these"
        )
    return maker.classes


def _quota(maker: Generator, real: Reals, held: Reals, count: int | None, balance: bool) -> np.ndarray:
    """int64 [K]: pictures of each of the generator's classes; [1] if it knows none."""
    whole = len(real) + (len(held) if held.sha256 == real.sha256 else 0)
    if not maker.classes or real.labels is None:
        if balance:
            raise UsageError("--balance needs classes, of the data and of the generator: leave it out")
        return in_proportion([1] * max(1, len(maker.classes)), count or whole)
    have = Counter(real.labels.tolist())
    if held.sha256 == real.sha256 and held.labels is not None:
        have.update(held.labels.tolist())
    counts = [have[real.classes.index(name)] for name in maker.classes]
    quota = evening(counts, count) if balance else in_proportion(counts, count or whole)
    if quota.sum() > MOST:
        raise UsageError(
            f"{quota.sum():,} pictures would make the classes even, and {MOST:,} are the most: add --count"
        )
    return quota


def _draw(
    maker: Generator,
    folder: SetFolder,
    tally: Tally,
    watch: CopyWatch,
    names: Sequence[str],
    truncation: float,
    say: Say,
) -> None:
    """Draw until every picture that is wanted is there. Raises DataError if more than half are near-copies."""
    progress = Progress(len(tally), "pictures", say)
    _check_memorised(tally, names)
    while len(tally):
        labels = tally.batch(_AT_ONCE)
        seeds = range(tally.next_seed, tally.next_seed + len(labels))
        pictures = maker.pictures(maker.latents(seeds), labels, truncation=truncation)
        refused = watch.refused(pictures, seeds.start, labels)
        folder.add(pictures, tally, labels, refused)
        _check_memorised(tally, names)
        if len(refused) < len(labels):
            progress.add(len(labels) - len(refused))


def _check_memorised(tally: Tally, names: Sequence[str]) -> None:
    """Raise DataError if more than half of what was drawn, in all or of a class, was refused."""
    lost = Counter(one.label for one in tally.refused)
    shares = [("", tally.drawn.total(), lost.total())]
    shares += [(f" of {names[label]}", drawn, lost[label]) for label, drawn in tally.drawn.items() if names]
    for whose, drawn, refused in shares:
        if drawn >= _SURE and refused > drawn / 2:
            raise DataError(
                f"The generator has memorised its training pictures{whose}: {refused:,} of {drawn:,} drawn are "
                "near-copies. Train it on more pictures, with augmentation, or for a shorter time"
            )


def _why_not(maker: Generator, real: Reals, held: Reals) -> str:
    """Why no classifier can be compared; "" if one can."""
    if not maker.classes:
        return "the generator was trained without classes, so its pictures have no labels"
    if real.labels is None:
        return f"{real.name} has no classes"
    if held.labels is None:
        return f"the held-out pictures of {held.name} have not the classes of {real.name}"
    if (seen := Size(maker.height, maker.width).within(GREATEST)).shorter < LEAST:
        return f"the classifier sees pictures of {LEAST} pixels or more, and these would be {seen} to it"
    return ""


def _compared(
    folder: SetFolder,
    tally: Tally,
    maker: Generator,
    real: Reals,
    held: Reals,
    names: Sequence[str],
    trials: int,
    steps: int | None,
    say: Say,
) -> Usefulness:
    """What the set is worth to a classifier of the data's classes."""
    numbers = np.array([real.classes.index(name) for name in names])
    most = _MOST_BYTES // (maker.channels * math.prod(Size(maker.height, maker.width).within(GREATEST).hw))
    if max(len(real), len(tally.written)) > most:
        say(f"The classifiers see {most:,} pictures of a kind, evenly spread, which is what memory is spent on")
    seeds = [tally.written[row] for row in _spread(len(tally.written), most)]
    parts = [
        reduced(torch.from_numpy(_read(folder, seeds[start : start + _AT_ONCE], maker)))
        for start in range(0, len(seeds), _AT_ONCE)
    ]
    made = Labelled(torch.cat(parts), torch.from_numpy(numbers[[label for _, label in seeds]]))
    return usefulness(
        _labelled(real, most), made, _labelled(held, most), len(real.classes), trials=trials, steps=steps, say=say
    )


def _labelled(reals: Reals, most: int) -> Labelled:
    """At most so many real pictures, evenly spread, as a classifier takes them."""
    rows = _spread(len(reals), most)
    parts = [
        reduced(torch.from_numpy(np.ascontiguousarray(reals.images[reals.indices[rows[start : start + _AT_ONCE]]])))
        for start in range(0, len(rows), _AT_ONCE)
    ]
    labels = reals.labels if reals.labels is not None else np.zeros(len(reals), np.int64)
    return Labelled(torch.cat(parts), torch.from_numpy(labels[rows]))


def _spread(count: int, most: int) -> np.ndarray:
    return np.arange(min(count, most)) * count // max(1, min(count, most))


def _read(folder: SetFolder, written: Sequence[tuple[int, int]], maker: Generator) -> np.ndarray:
    """uint8 [N, C, H, W]: pictures of the set, from its files."""
    return np.stack(
        [
            decode(folder.picture(seed, label).read_bytes(), Size(maker.height, maker.width), maker.channels, 1)
            for seed, label in written
        ]
    )


def _told(folder: SetFolder, tally: Tally, names: Sequence[str], first_seed: int) -> dict[str, Any]:
    """What was drawn, written and refused."""
    written, lost = (Counter(label for _, label in tally.written), Counter(one.label for one in tally.refused))
    return {
        "pictures": len(tally.written),
        "seeds": [first_seed, tally.next_seed - 1],
        "classes": [
            {"name": name, "folder": folder.folders[label], "pictures": written[label], "refused": lost[label]}
            for label, name in enumerate(names)
        ],
        "refused": {
            "pictures": len(tally.refused),
            "seen_by": Counter(one.seen_by for one in tally.refused),
            "seeds": [one.seed for one in tally.refused],
        },
    }


def _whose(real: Reals, held: Reals, given: str | Path | None) -> str:
    """Which real pictures were held out, for people."""
    if held.sha256 == real.sha256:
        return f"{held.part} of {real.name}"
    return f"{given}" if given is not None else f"the test part of {real.name}"


def _protocol(found: Usefulness, real: Reals) -> dict[str, Any]:
    return {
        "classes": list(real.classes),
        "network": "SmallClassifier (ganvas.metrics.classifier)",
        "steps": found.steps,
        "batch": found.batch,
        "seeds": list(range(len(found.accuracies["real"]))),
        "test_pictures": found.test_pictures,
    }


def _some(folder: SetFolder, tally: Tally, maker: Generator, classes: int) -> tuple[np.ndarray, int]:
    """Some pictures of the set for the report, a row a class, and how many stand in a row."""
    if classes == 1:
        return _read(folder, tally.written[: _SHOWN**2], maker), _SHOWN
    rows: list[np.ndarray] = []
    for label in range(classes):
        own = [one for one in tally.written if one[1] == label][:_SHOWN]
        if own and len(rows) < _ROWS:
            row = np.full((_SHOWN, maker.channels, maker.height, maker.width), 255, np.uint8)
            row[: len(own)] = _read(folder, own, maker)
            rows.append(row)
    return np.concatenate(rows), _SHOWN


def _refused(tally: Tally, maker: Generator, watch: CopyWatch, truncation: float) -> np.ndarray | None:
    """The nearest of the refused pictures, drawn again, and the training pictures that they are near to."""
    worst = sorted(tally.refused, key=lambda one: one.ratio)[:_PAIRS]
    if not worst:
        return None
    latents, labels = maker.latents([one.seed for one in worst]), [one.label for one in worst]
    theirs = np.stack([watch.training_picture(one.nearest) for one in worst])
    return np.stack([maker.pictures(latents, labels, truncation=truncation), theirs])
