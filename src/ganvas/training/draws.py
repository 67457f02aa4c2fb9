"""The dice: every draw is a pure function of (run seed, role, position), so no random state is ever carried.

A draw is made for the *global* batch on the CPU and each process keeps its rows; the number of processes, of loader
threads, the device and a restart therefore change nothing. This is the only place that makes a random generator.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor


def _generator(*key: object) -> torch.Generator:
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


@lru_cache(maxsize=8)
def _permutation(seed: int, role: str, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=_generator(seed, "order", role, epoch))


class Draws:
    """The dice of one run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def normal(self, role: str, position: int, count: int, width: int) -> Tensor:
        """Standard normal float32 [count, width] for a role at a position (images seen)."""
        return torch.randn(count, width, generator=_generator(self.seed, role, position))

    def uniform(self, role: str, position: int, count: int) -> Tensor:
        """Uniform float32 [count] in [0, 1) for a role at a position (images seen)."""
        return torch.rand(count, generator=_generator(self.seed, role, position))

    def order(self, role: str, start: int, length: int, count: int) -> Tensor:
        """int64 [length]: places `start` to `start + length` of an endless reading of `count` items.

        Every epoch reads each item once, in an order of its own.
        """
        pieces = []
        while length > 0:
            epoch, offset = divmod(start, count)
            taken = min(length, count - offset)
            pieces.append(_permutation(self.seed, role, epoch, count)[offset : offset + taken])
            start, length = start + taken, length - taken
        return torch.cat(pieces)

    @contextmanager
    def initialising(self, role: str) -> Iterator[None]:
        """Within the block PyTorch's own dice, which modules use to initialise weights, follow the run's seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_generator(self.seed, "init", role).initial_seed())
            yield


def latents_of_seeds(seeds: Sequence[int], width: int) -> Tensor:
    """float32 [N, width]: the latent that each picture seed means, whatever run or batch it is drawn in."""
    return torch.stack([torch.randn(width, generator=_generator("picture", seed)) for seed in seeds])
