"""More data from a generator: a labelled set of its pictures, without near-copies, and what it is worth.

Refusing near-copies is no promise of privacy: a picture may tell of a training picture without being near to it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import DataError, UsageError
from ganvas.inference import set_worth
from ganvas.inference.augmentation_plan import Plan, planned
from ganvas.inference.copy_watch import CopyWatch
from ganvas.inference.generator import Generator
from ganvas.inference.quotas import in_turn
from ganvas.inference.reference import Reals
from ganvas.inference.set_folder import SetFolder, Tally
from ganvas.inference.subject import Say
from ganvas.inference.usefulness import Usefulness
from ganvas.metrics.extraction import Progress

_AT_ONCE = 256
_SURE = 20  # pictures drawn, of a class or of all, from which more than half refused is no accident
_SHOWN, _ROWS, _PAIRS = 10, 20, 12  # pictures of a class, classes, and refused pictures in the report


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
    if trials < 0 or (steps is not None and steps < 2):
        raise UsageError(f"{trials} trials of {steps} steps: give 0 or more trials, and 2 or more steps")
    plan = planned(
        where,
        generator,
        Path(out),
        count=count,
        balance=balance,
        truncation=truncation,
        first_seed=first_seed,
        held_out=held_out,
        extractor=extractor,
        say=say,
    )
    folder, tally = plan.folder(), Tally(in_turn(plan.quota).tolist(), first_seed)
    with folder.begun(plan.asked):
        folder.take_up(tally)
        if tally.written:
            say(f"Going on with {out}, which has {len(tally.written):,} of {plan.number:,} pictures")
        watch = CopyWatch(plan.extractors, plan.real, plan.held, plan.mirrored, say)
        _draw(plan, folder, tally, watch, say)
        why_not = set_worth.why_not(plan)
        found = None
        if trials and not why_not:
            found = set_worth.compared(plan, folder, tally, trials, steps, say)
        summary = {
            "asked": plan.asked,
            **_data(plan, held_out),
            "generator": plan.card,
            "near_copies": {"limits": watch.limits, "mirrored": plan.mirrored},
            **_told(plan, folder, tally),
            "classifier": set_worth.protocol(found, plan.real) | found.as_dict()
            if found
            else {"not_compared": why_not or "not asked for"},
        }
        folder.keep({"finished": True, **summary})
    pictures, columns = _some(plan, folder, tally)
    return Augmentation(
        out=plan.out,
        summary=summary,
        usefulness=found,
        why_not=why_not,
        pictures=pictures,
        columns=columns,
        refused=_refused(plan, tally, watch),
    )


def _draw(plan: Plan, folder: SetFolder, tally: Tally, watch: CopyWatch, say: Say) -> None:
    """Draw until every picture that is wanted is there. Raises DataError if more than half are near-copies."""
    progress = Progress(len(tally), "pictures", say)
    _check_memorised(tally, plan.names)
    while len(tally):
        labels = tally.batch(_AT_ONCE)
        seeds = range(tally.next_seed, tally.next_seed + len(labels))
        pictures = plan.maker.pictures(plan.maker.latents(seeds), labels, truncation=plan.truncation)
        refused = watch.refused(pictures, seeds.start, labels)
        folder.add(pictures, tally, labels, refused)
        _check_memorised(tally, plan.names)
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


def _data(plan: Plan, held_out: str | Path | None) -> dict[str, Any]:
    """The real pictures: those that training saw, and those that it did not."""
    real, held = plan.real, plan.held
    return {
        "data": {"name": real.name, "sha256": real.sha256, "part": real.part, "pictures": len(real)},
        "held_out": {
            "what": _whose(real, held, held_out),
            "sha256": held.sha256,
            "pictures": len(held),
            "unseen": held.unseen,
        },
    }


def _whose(real: Reals, held: Reals, given: str | Path | None) -> str:
    """Which real pictures were held out, for people."""
    if held.sha256 == real.sha256:
        return f"{held.part} of {real.name}"
    return f"{given}" if given is not None else f"the test part of {real.name}"


def _told(plan: Plan, folder: SetFolder, tally: Tally) -> dict[str, Any]:
    """What was drawn, written and refused."""
    written, lost = (Counter(label for _, label in tally.written), Counter(one.label for one in tally.refused))
    return {
        "pictures": len(tally.written),
        "seeds": [plan.first_seed, tally.next_seed - 1],
        "classes": [
            {"name": name, "folder": folder.folders[label], "pictures": written[label], "refused": lost[label]}
            for label, name in enumerate(plan.names)
        ],
        "refused": {
            "pictures": len(tally.refused),
            "seen_by": Counter(one.seen_by for one in tally.refused),
            "seeds": [one.seed for one in tally.refused],
        },
    }


def _some(plan: Plan, folder: SetFolder, tally: Tally) -> tuple[np.ndarray, int]:
    """Some pictures of the set for the report, a row a class, and how many stand in a row."""
    if len(plan.quota) == 1:
        return folder.read(tally.written[: _SHOWN**2]), _SHOWN
    rows: list[np.ndarray] = []
    for label in range(len(plan.quota)):
        own = [one for one in tally.written if one[1] == label][:_SHOWN]
        if own and len(rows) < _ROWS:
            row = np.full((_SHOWN, plan.maker.channels, *plan.size.hw), 255, np.uint8)
            row[: len(own)] = folder.read(own)
            rows.append(row)
    return np.concatenate(rows), _SHOWN


def _refused(plan: Plan, tally: Tally, watch: CopyWatch) -> np.ndarray | None:
    """The nearest of the refused pictures, drawn again, and the training pictures that they are near to."""
    worst = sorted(tally.refused, key=lambda one: one.ratio)[:_PAIRS]
    if not worst:
        return None
    latents, labels = plan.maker.latents([one.seed for one in worst]), [one.label for one in worst]
    theirs = np.stack([watch.training_picture(one.nearest) for one in worst])
    return np.stack([plan.maker.pictures(latents, labels, truncation=plan.truncation), theirs])
