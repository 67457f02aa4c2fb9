"""What became of the files of a data set: how many were read, which were set aside and why, what else lay there."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST = 120  # letters of a path in a text for people
KINDS = 10  # of other files
SHOWN = 12  # set-aside files named one by one on the screen; a check, a run's notes and the dictionary have them all


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that is left out of the data, and the reason."""

    path: str
    reason: str

    @property
    def short_path(self) -> str:
        """The path, or the end of it where it is long."""
        return self.path if len(self.path) <= LONGEST else f"...{self.path[-LONGEST:]}"

    def __str__(self) -> str:
        return f"{self.short_path}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """The account of one reading: pictures read, files set aside, and files that are no pictures, by their ending."""

    read: int
    set_aside: tuple[SetAside, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The account for people: one line of counts, then a line for each file set aside."""
        found = f", {listed(self.others)} beside them" if self.others else ""
        counts = f"{counted(self.read, 'picture')} read, {len(self.set_aside):,} set aside{found}"
        return [counts, *(f"  {one}" for one in self.set_aside)]

    def __str__(self) -> str:
        """The account for a screen, which the first few files do not flood."""
        lines = self.lines()
        if len(self.set_aside) > SHOWN:
            more = len(self.set_aside) - SHOWN
            lines[SHOWN + 1 :] = [f"  and {more:,} more; `ganvas data check` and a run's notes.log name all"]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The account as plain values for JSON."""
        aside = [{"path": one.path, "reason": one.reason} for one in self.set_aside]
        return {"read": self.read, "set_aside": aside, "others": dict(self.others)}


def counted(number: int, thing: str) -> str:
    """A number with its noun: "1 picture", "1,200 pictures"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def listed(counts: Mapping[str, int]) -> str:
    """Counts by kind, the largest first and of many kinds the first few: "12 .txt, 1 .zip"."""
    shown = [f"{number:,} {kind}" for kind, number in Counter(counts).most_common(KINDS)]
    return ", ".join([*shown, "..."] if len(counts) > KINDS else shown)


def reasons(aside: Iterable[SetAside]) -> str:
    """The first few set-aside files in half a sentence, for an error or a remark."""
    aside = list(aside)
    shown = "; ".join(f"{one.short_path} ({one.reason})" for one in aside[:3])
    return shown + (f"; and {len(aside) - 3:,} more" if len(aside) > 3 else "")
