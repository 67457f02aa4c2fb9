"""Work that is done while its turn has not come."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order; while one is used, a thread makes the next. Raises what making one raises."""
    source, end = iter(items), object()
    with ThreadPoolExecutor(1, "ahead") as pool:
        waiting = pool.submit(next, source, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, source, end)
            yield item  # type: ignore[misc]  # it is not the end
