"""Work that is done while its turn has not come."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order; while one is used, a thread makes the next. Raises what making one raises.

    The thread computes with as many threads as the one that calls this, so that sums are rounded alike.
    """
    source, end, threads = iter(items), object(), torch.get_num_threads()
    with ThreadPoolExecutor(1, "ahead", initializer=lambda: torch.set_num_threads(threads)) as pool:
        waiting = pool.submit(next, source, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, source, end)
            yield item  # type: ignore[misc]  # it is not the end
