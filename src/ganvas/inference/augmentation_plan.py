"""What set of generated pictures is to be made, of what, and whether it can be: all that is known before the first."""

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import DataError, UsageError
from ganvas.core.places import megabytes
from ganvas.core.sizes import Size
from ganvas.core.version import VERSION
from ganvas.inference.copy_watch import extractors_of, needed
from ganvas.inference.generator import Generator
from ganvas.inference.loading import load_generator
from ganvas.inference.quotas import evening, folder_names, in_proportion
from ganvas.inference.reference import Reals, reference_of
from ganvas.inference.set_folder import SetFolder, check_out
from ganvas.inference.subject import Say, subject_of
from ganvas.metrics.extractors import Extractor

MOST = 1_000_000  # pictures of one set


@dataclass(frozen=True)
class Plan:
    """A set that is to be made.

    card: what is told of the generator. real: what training saw, and held: what it did not, as far as that is known.
    names: of the classes, () without. quota: int64 [K], pictures of each; [1] without classes. extractors: what looks
    for near-copies. mirrored: whether a mirrored copy is one.
    """

    out: Path
    maker: Generator
    card: dict[str, Any]
    real: Reals
    held: Reals
    names: tuple[str, ...]
    quota: np.ndarray
    balance: bool
    truncation: float
    first_seed: int
    extractors: list[Extractor]
    mirrored: bool

    @property
    def number(self) -> int:
        """Pictures in all."""
        return int(self.quota.sum())

    @property
    def size(self) -> Size:
        """Of the pictures."""
        return Size(self.maker.height, self.maker.width)

    @property
    def asked(self) -> dict[str, Any]:
        """What decides on the pictures, as the folder keeps it."""
        return {
            "generator": self.maker.fingerprint,
            "data": self.real.sha256,
            "held_out": [self.held.sha256, self.held.part],
            "count": self.number,
            "balance": self.balance,
            "truncation": self.truncation,
            "first_seed": self.first_seed,
            "extractors": [one.name for one in self.extractors],
            "mirrored": self.mirrored,
            "ganvas": VERSION,
        }

    def folder(self) -> SetFolder:
        """Where the set goes."""
        return SetFolder(self.out, folder_names(self.names) if self.names else (".",), self.size, self.maker.channels)


def planned(
    where: str | Path,
    generator: Generator | str | Path,
    out: Path,
    *,
    count: int | None,
    balance: bool,
    truncation: float,
    first_seed: int,
    held_out: str | Path | None,
    extractor: str,
    say: Say,
) -> Plan:
    """The plan of a set; the arguments are those of `augment_data`. Raises UsageError and DataError as it does."""
    _check(where, out, count, first_seed)
    maker = generator if isinstance(generator, Generator) else load_generator(generator)
    subject = subject_of(maker, None, 0, say)
    real, held = reference_of(subject, where, held_out, say)
    held = needed(held, where)
    names = _classes(maker, real)
    quota = _quota(maker, real, held, count, balance)
    _check_room(out, int(quota.sum()), maker)
    maker.pictures(maker.latents([first_seed]), [0], truncation=truncation)  # what it cannot draw, it says now
    extractors = extractors_of(extractor, real, say)
    if maker.card.get("data_sha256") not in (real.sha256, None):
        say(
            f"The generator was trained on {maker.card.get('data', 'other data')}, and not on just these pictures: "
            f"copies are looked for among those of {where} alone"
        )
    if "mirror" not in maker.card:
        say("The generator's card does not say whether training mirrored its pictures: mirrored copies are refused too")
    return Plan(
        out=out,
        maker=maker,
        card=subject.card,
        real=real,
        held=held,
        names=names,
        quota=quota,
        balance=balance,
        truncation=truncation,
        first_seed=first_seed,
        extractors=extractors,
        mirrored=bool(maker.card.get("mirror", True)),
    )


def _check(where: str | Path, out: Path, count: int | None, first_seed: int) -> None:
    """Raise UsageError for what can be seen to be wrong without looking at data or generator."""
    if count is not None and not 1 <= count <= MOST:
        raise UsageError(f"--count {count}: a set has 1 to {MOST:,} pictures; ask for more in parts, by --first-seed")
    if not 0 <= first_seed <= 10**15:
        raise UsageError(f"--first-seed {first_seed}: seeds are whole numbers from 0 on")
    if Path(where).is_dir() and out.absolute().resolve().is_relative_to(Path(where).resolve()):
        raise UsageError(f"{out} lies within {where}: the pictures would become a part of it. Choose another --out")
    check_out(out)


def _check_room(out: Path, number: int, maker: Generator) -> None:
    above = next(folder for folder in out.absolute().parents if folder.exists())
    each = max(4096, maker.channels * maker.height * maker.width // 4)  # files have blocks; PNG leaves a quarter
    least = number * each
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
