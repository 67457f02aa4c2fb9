"""Where named data and weights are looked for, and where Ganvas keeps what it downloads or decodes."""

import os
from pathlib import Path

from ganvas.core.errors import DataError


def user_cache() -> Path:
    """The folder for downloads and decoded pictures: $XDG_CACHE_HOME/ganvas, else ~/.cache/ganvas."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "ganvas"
    try:
        return Path.home() / ".cache" / "ganvas"
    except RuntimeError:
        raise DataError("There is no home folder to keep data in: set XDG_CACHE_HOME to a folder.") from None


def places_of(name: str) -> list[Path]:
    """The folders in which a named data set, or set of weights, is looked for, the first one first."""
    own = os.environ.get("GANVAS_DATA")
    places = [Path(own).expanduser().absolute() / name] if own else []
    return [*places, Path.cwd() / ".data" / name, user_cache() / name, Path("/usr/share/datasets") / name]


def is_offline() -> bool:
    """Whether the user forbade downloads, by setting GANVAS_OFFLINE to anything but 0."""
    return os.environ.get("GANVAS_OFFLINE", "0") not in ("", "0")


def megabytes(size: int) -> str:
    """A size for people: "30 MB"; below 10 MB with one digit."""
    return f"{size / 1e6:,.0f} MB" if size >= 10e6 else f"{size / 1e6:.1f} MB"
