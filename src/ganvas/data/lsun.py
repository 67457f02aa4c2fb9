"""LSUN: one class of pictures in an LMDB database.

Yu et al., "LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in the Loop", 2015.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from ganvas.data.lmdbfile import Values, find_values
from ganvas.data.source import EncodedSource, Entry, signature_of


class LsunFormat:
    """A folder with data.mdb, as LSUN's archives unpack to."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the folder, or the file itself, is a database."""
        return _database(path).is_file() and _database(path).suffix == ".mdb"

    @staticmethod
    def open(path: Path) -> EncodedSource:
        """List the database's values."""
        return open_lsun(path, str(path), path.name.removesuffix("_lmdb"))


def open_lsun(folder: Path, where: str, name: str) -> EncodedSource:
    """The encoded pictures in an LMDB database. Raises DataError when the file is damaged."""
    path = _database(folder)

    def read(entry: Entry) -> io.BytesIO:
        with path.open("rb") as stream:
            stream.seek(entry.key)
            return io.BytesIO(stream.read(entry.bytes))

    status = path.stat()
    return EncodedSource(
        where=where,
        name=name,
        kind="LSUN",
        signature=signature_of([status.st_size, status.st_mtime_ns]),
        entries=_Entries(find_values(path)),
        open=read,
    )


def _database(path: Path) -> Path:
    return path / "data.mdb" if path.is_dir() else path


class _Entries(Sequence[Entry]):
    """Entries made as they are asked for: LSUN has millions, and two numbers are enough to find each."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values.offsets)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        offset, length = int(self._values.offsets[index]), int(self._values.lengths[index])
        return Entry(f"picture {index}", length, 0, offset)
