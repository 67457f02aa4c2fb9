"""The values of an LMDB database, found by reading its file: no library, and so no damage that ends the process.

Format: Chu, "MDB: A Memory-Mapped Database and Backend for OpenLDAP", 2011, version 1, 64-bit, as written on
little-endian machines. A B+tree of pages: branches hold page numbers, leaves hold keys and values, and a value too
large for its leaf lies on overflow pages.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ganvas.core.errors import DataError

_MAGIC = 0xBEEFC0DE
_PAGE_HEADER = 16
_BRANCH, _LEAF = 0x01, 0x02
_BIG, _NESTED = 0x01, 0x06  # a leaf node's flags: value on overflow pages; several values for one key
_NO_ROOT = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True)
class Values:
    """Where the values lie in the file, in the order of their keys: int64 [N] each, in bytes."""

    offsets: np.ndarray
    lengths: np.ndarray


def find_values(path: Path) -> Values:
    """Walk the tree of a data.mdb and note where its values lie. Raises DataError when the file is damaged."""
    with path.open("rb") as stream:
        tree = _Tree(path, stream, path.stat().st_size)
        found = np.fromiter((number for pair in tree.values() for number in pair), np.int64)
    return Values(found[0::2], found[1::2])


class _Tree:
    def __init__(self, path: Path, stream: BinaryIO, size: int) -> None:
        self._path = path
        self._stream = stream
        self._size = size
        (self._page_size,) = struct.unpack_from("<I", self._read(0, 4096), _PAGE_HEADER + 24)
        if not 512 <= self._page_size <= 65536 or self._page_size & (self._page_size - 1):
            raise self._damaged("its page size is impossible")
        metas = [self._meta(number) for number in (0, 1)]
        _, self._root, self._entries = max(metas)

    def values(self) -> Iterator[tuple[int, int]]:
        """Offset and length of each value, depth first from the left."""
        if self._root == _NO_ROOT:
            return
        count = 0
        seen: set[int] = set()
        waiting = [self._root]
        while waiting:
            number = waiting.pop()
            if number in seen:
                raise self._damaged("its pages form a circle")
            seen.add(number)
            offset = number * self._page_size
            page = self._read(offset, self._page_size)
            (flags,) = struct.unpack_from("<H", page, 10)
            nodes = self._nodes(page)
            if flags & _BRANCH:
                waiting += [self._child(page, node) for node in reversed(nodes)]
            elif flags & _LEAF:
                for node in nodes:
                    yield self._value(page, offset, node)
                    count += 1
            else:
                raise self._damaged(f"page {number} is neither branch nor leaf")
        if count != self._entries:
            raise self._damaged(f"it has {count:,} of {self._entries:,} values")

    def _meta(self, number: int) -> tuple[int, int, int]:
        """Transaction, root page and number of values, as one of the two meta pages has them; all 0 if it is bad."""
        page = self._read(number * self._page_size, 4096 if self._page_size >= 4096 else self._page_size)
        magic, version = struct.unpack_from("<II", page, _PAGE_HEADER)
        main = _PAGE_HEADER + 24 + 48  # after magic, version, address and map size comes the free list, then the tree
        entries, root = struct.unpack_from("<QQ", page, main + 32)
        last, transaction = struct.unpack_from("<QQ", page, main + 48)
        if magic != _MAGIC or version != 1:
            raise self._damaged("it does not begin as an LMDB database of this kind does")
        if (last + 1) * self._page_size > self._size:
            raise self._damaged("it is cut short")
        return transaction, root, entries

    def _nodes(self, page: bytes) -> list[int]:
        (lower,) = struct.unpack_from("<H", page, 12)
        count = (lower - _PAGE_HEADER) // 2
        if not 0 <= count <= (len(page) - _PAGE_HEADER) // 2:
            raise self._damaged("a page has an impossible number of entries")
        nodes = list(struct.unpack_from(f"<{count}H", page, _PAGE_HEADER))
        if any(node + 8 > len(page) for node in nodes):
            raise self._damaged("an entry lies outside its page")
        return nodes

    def _child(self, page: bytes, node: int) -> int:
        low, high, top = struct.unpack_from("<HHH", page, node)
        return int(low | high << 16 | top << 32)

    def _value(self, page: bytes, offset: int, node: int) -> tuple[int, int]:
        low, high, flags, key = struct.unpack_from("<HHHH", page, node)
        length, start = low | high << 16, node + 8 + key
        if flags & _NESTED:
            raise self._damaged("it has several values for one key, which picture databases do not")
        if not flags & _BIG:
            if start + length > len(page):
                raise self._damaged("a value lies outside its page")
            return offset + start, length
        if start + 8 > len(page):
            raise self._damaged("an entry lies outside its page")
        (number,) = struct.unpack_from("<Q", page, start)
        place = number * self._page_size + _PAGE_HEADER
        if place + length > self._size:
            raise self._damaged("a value lies outside the file")
        return place, length

    def _read(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= self._size - length:
            raise self._damaged("it is cut short" if offset < self._size * 2 else "a page lies outside the file")
        self._stream.seek(offset)
        content = self._stream.read(length)
        if len(content) < length:
            raise self._damaged("it is cut short")
        return content

    def _damaged(self, how: str) -> DataError:
        return DataError(f"{self._path} is damaged or no LMDB database: {how}. Get it again.")
