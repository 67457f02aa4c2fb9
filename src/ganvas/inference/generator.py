"""A trained generator ready for use: seeds become pictures."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.images import to_uint8
from ganvas.core.parts import nearest
from ganvas.inference.chunks import Chunks
from ganvas.inference.drawing import Drawing
from ganvas.inference.fast import fast
from ganvas.training.draws import latents_of_seeds

_A_BATCH = 256  # pictures that `batches` draws before it hands them on
PRECISIONS = ("auto", "float32", "bfloat16")


class Generator:
    """A generator ready for use: the averaged weights of a run.

    size: pixels of its pictures; channels: 1, 3 or 4; classes: names of the classes it knows, empty if unconditional;
    card: what it is and how it came to be, as in `core.card`.
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], device: torch.device, precision: str = "auto") -> None:
        """precision: of drawing, as for `load`. Raises UsageError for one that there is not."""
        if precision not in PRECISIONS:
            raise UsageError(f"--precision {precision}: pictures are drawn in {', '.join(PRECISIONS)}")
        self.card = card
        self.size = card["size"]
        self.channels: int = card["channels"]
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.device = device
        self.precision = str(devices.choose_precision(precision, device)).removeprefix("torch.")
        network = network.eval().requires_grad_(False).float()  # a file may hold half precision
        self._network: Any = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def network(self) -> Any:
        """The network itself, in float32 and evaluation mode, for what needs its weights or gradients of its input.

        In another precision pictures come from a copy that is made at the first of them.
        """
        return self._network

    def at(self, precision: str) -> "Generator":
        """The same generator, drawn in a precision: in float32 as its network has it. Raises UsageError as `load`."""
        return self if precision == self.precision else Generator(self._network, self.card, self.device, precision)

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """float32 [N, Z]: the latents that seeds mean. Raises UsageError if there is no seed."""
        if not len(seeds):
            raise UsageError("There is nothing to draw: give at least one seed")
        numbers = [int(seed) for seed in seeds]  # an element of an array means the number that it holds
        return latents_of_seeds(numbers, self._network.latent)

    def sample(self, seeds: Sequence[int], *, truncation: float = 1.0, label: str | int | None = None) -> np.ndarray:
        """uint8 [N, C, H, W]: the pictures of the seeds; a seed gives the same picture in every call.

        truncation: below 1 pictures are more typical and less various. label: the class to draw, by name or number;
        None takes the classes in turn. Raises UsageError for a class that the generator does not know, and for what
        `pictures` cannot draw.
        """
        labels = list(seeds) if label is None else [self.class_number(label)] * len(seeds)
        return self.pictures(self.latents(seeds), labels, truncation=truncation)

    def batches(
        self, seeds: Sequence[int], *, truncation: float = 1.0, label: str | int | None = None
    ) -> Iterator[tuple[Sequence[int], np.ndarray]]:
        """The seeds in parts, each with its pictures as `sample` gives them, for more than memory should hold."""
        number = None if label is None else self.class_number(label)
        for start in range(0, len(seeds), _A_BATCH):
            some = seeds[start : start + _A_BATCH]
            yield some, self.sample(some, truncation=truncation, label=number)

    def class_number(self, label: str | int) -> int:
        """The number of a class given by name or number. Raises UsageError if there is no such class."""
        if not self.classes:
            raise UsageError("This generator was trained without classes, so none can be asked for")
        if label in self.classes:
            return self.classes.index(str(label))
        if str(label).isdecimal() and int(label) < len(self.classes):
            return int(label)
        raise UsageError(f"There is no class {label!r}: {nearest(str(label), self.classes)}")

    def pictures(self, latents: Tensor, labels: Sequence[int], *, truncation: float = 1.0) -> np.ndarray:
        """uint8 [N, C, H, W] of latents [N, Z]; labels count on beyond the last class from the first again.

        truncation: draws the latents towards the middle, or their w in networks that have one.
        Raises UsageError if it is not within 0 to 2.
        """
        if not 0 <= truncation <= 2:
            raise UsageError(f"truncation {truncation} is not within 0 (all alike) to 2; 1 changes nothing")
        numbers = torch.tensor([n % len(self.classes) for n in labels]) if self.classes else None
        plan = self._chunks.plan(len(latents))
        rows = torch.arange(sum(plan)).clamp(max=len(latents) - 1)
        pieces = []
        with torch.inference_mode():
            for some in rows.split(plan):
                classes = numbers[some].to(self.device) if numbers is not None else None
                pieces.append(to_uint8(self._draw(latents[some].to(self.device), classes, truncation)).cpu())
        return torch.cat(pieces)[: len(latents)].numpy()

    def save(self, folder: str | Path, *, precision: str = "float32", licence: str | None = None) -> Path:
        """Write the generator as a folder that `ganvas.load` and hubs of models read; see `saving.save`."""
        from ganvas.inference.saving import save  # which needs this class

        return save(self, Path(folder), precision=precision, licence=licence)

    def push(self, name: str, *, precision: str = "float32", licence: str | None = None, private: bool = False) -> str:
        """Put the generator on the hub as "user/name" and return its address; see `hub.push`."""
        from ganvas.inference.hub import push  # which needs this class

        return push(self, name, precision=precision, licence=licence, private=private)

    @cached_property
    def _drawing(self) -> Drawing:
        return Drawing(self._network) if self.precision == "float32" else fast(self._network)

    @cached_property
    def _chunks(self) -> Chunks:
        return Chunks(self._draw, self._network.latent, len(self.classes), self.device)

    def _draw(self, latents: Tensor, classes: Tensor | None, truncation: float) -> Tensor:
        """float32 [N, C, H, W], about [-1, 1]."""
        drawn: Tensor = self._drawing(latents, truncation, classes)
        return drawn
