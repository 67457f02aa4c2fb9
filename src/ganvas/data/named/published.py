"""What named data sets have in common: they are found in a few places, or fetched, or have to be put there by hand."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from ganvas.core.download import RemoteFile, fetch
from ganvas.core.errors import UsageError
from ganvas.core.parts import nearest
from ganvas.core.places import places_of, user_cache
from ganvas.data.source import Say, Source


@dataclass(frozen=True)
class Listing:
    """A named data set in a list. state: "bundled", "found at ...", "to download, ... MB" or "to put there by hand"."""

    name: str
    description: str
    state: str
    megabytes: float
    licence: str


@dataclass(frozen=True, kw_only=True)
class NamedSet(ABC):
    """A data set with a name. licence: what its source says, for people. parts: what may follow the name and a "/"."""

    name: str
    description: str
    licence: str
    megabytes: float
    parts: tuple[str, ...] = ()

    @abstractmethod
    def open(self, part: str, say: Say) -> Source:
        """Open it, or a part of it ("" when none was named). Raises UsageError for an unknown part, and DataError."""

    @abstractmethod
    def state(self) -> str:
        """Whether it is here, for a list; nothing is downloaded."""

    def listing(self) -> Listing:
        """Its line in a list of data sets."""
        return Listing(self.name, self.description, self.state(), self.megabytes, self.licence)

    def check_part(self, part: str) -> None:
        """Raise UsageError, naming the parts, for one that there is not."""
        if part and part not in self.parts:
            raise UsageError(f"{self.name} has no part {part!r}: {nearest(part, self.parts)}")


@dataclass(frozen=True, kw_only=True)
class PublishedSet(NamedSet):
    """A data set that can be downloaded."""

    @abstractmethod
    def files(self, part: str) -> tuple[RemoteFile, ...]:
        """The files that hold a part."""

    @abstractmethod
    def inside(self, place: Path, part: str) -> Path | None:
        """What to open of a part in a folder, if it is there, as published or unpacked."""

    def find(self, part: str) -> Path | None:
        """What to open of a part, in the first of the usual places that has it."""
        return next((path for place in places_of(self.name) if (path := self.inside(place, part))), None)

    def find_or_fetch(self, part: str, say: Say) -> Path:
        """What to open of a part, downloaded if need be. Raises DataError when it cannot be."""
        if found := self.find(part):
            return found
        folder = user_cache() / self.name
        fetch(self.files(part), folder, say)
        return self.inside(folder, part) or folder

    def state(self) -> str:
        """Whether the training part is here."""
        found = self.find("")
        return (
            f"found at {found if found.is_dir() else found.parent}"
            if found
            else f"to download, {self.megabytes:,.0f} MB"
        )
