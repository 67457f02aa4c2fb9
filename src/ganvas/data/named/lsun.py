"""LSUN by name and class: found, never downloaded, because its classes have up to hundreds of gigabytes."""

import re
from dataclasses import dataclass

from ganvas.core.errors import DataError, UsageError
from ganvas.core.places import places_of, user_cache
from ganvas.data.lsun import open_lsun
from ganvas.data.named.published import NamedSet
from ganvas.data.source import Say, Source


@dataclass(frozen=True, kw_only=True)
class Lsun(NamedSet):
    """LSUN; what follows the name is the class to open."""

    def open(self, part: str, say: Say) -> Source:
        """Open the pictures of one class."""
        if not re.fullmatch(r"[\w-]+", part):
            raise UsageError("lsun needs a class: lsun/bedroom, lsun/church_outdoor, lsun/cat, ...")
        folders = [place / f"{part}{end}" for place in places_of(self.name) for end in ("", "_train_lmdb", "_lmdb")]
        found = next((folder for folder in folders if (folder / "data.mdb").is_file()), None)
        if not found:
            raise DataError(
                f"lsun/{part} is not here, and is too large to be downloaded without being asked. Get its archive\n"
                f"from http://dl.yf.io/lsun/, unpack it, and put its folder at {user_cache() / self.name / part}"
            )
        return open_lsun(found, f"{self.name}/{part}", f"{self.name}-{part}")

    def state(self) -> str:
        """The classes that are here, or that they have to be put there."""
        found = [path.parent.name for place in places_of(self.name) for path in sorted(place.glob("*/data.mdb"))]
        return f"found: {', '.join(found)}" if found else "to put there by hand"


LSUN = Lsun(
    name="lsun",
    description="rooms, buildings, animals, things: millions of colour pictures, as lsun/bedroom, lsun/cat, ...",
    licence="none stated; F. Yu et al. ask to be cited",
    megabytes=0.0,
)
