"""A trained generator ready for use: seeds become pictures."""

import functools
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.images import to_uint8
from ganvas.core.parts import nearest
from ganvas.core.sizes import Size
from ganvas.inference.chunks import Chunks
from ganvas.inference.drawing import Drawing
from ganvas.inference.fast import fast
from ganvas.inference.space import Space, space_of
from ganvas.training.draws import latents_of_seeds

_A_BATCH, _A_BATCH_BYTES = 256, 64 * 2**20  # pictures that `batches` draws before it hands them on, at most
_NAMED = 20  # classes that a message names
PRECISIONS = ("auto", "float32", "bfloat16")


Label = str | int | Mapping[Any, float]
"""A class by name or number, or the weights of several."""


class Generator:
    """A generator ready for use: the averaged weights of a run.

    size: the side of its pictures in pixels, or a `ganvas.core.sizes.Size` with height and width where they are not
    square; height, width: those of any; channels: 1 to 4; classes: names of the classes it knows, empty if
    unconditional; card: what it is and how it came to be, as in `core.card`. network: in float32 and evaluation mode,
    on `device`, for what needs its weights or gradients of its input; in another `precision` pictures come from a copy
    that is made at the first of them. space: where its pictures are steered.
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], device: torch.device, precision: str = "auto") -> None:
        """precision: of drawing, as for `load`. Raises UsageError for one that there is not."""
        if precision not in PRECISIONS:
            raise UsageError(f"--precision {precision}: pictures are drawn in {', '.join(PRECISIONS)}")
        self.card = card
        self.height, self.width = Size.of(card["size"]).hw
        self.size: int | Size = Size(self.height, self.width).simplest
        self.channels: int = card["channels"]
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.device = device
        self.precision = str(devices.choose_precision(precision, device)).removeprefix("torch.")
        network = network.eval().requires_grad_(False).float()  # a file may hold half precision
        self.network: Any = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.space = space_of(network)

    def at(self, precision: str) -> "Generator":
        """The same generator, drawn in a precision: in float32 as its network has it. Raises UsageError as `load`."""
        return self if precision == self.precision else Generator(self.network, self.card, self.device, precision)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash over the names and values of all weights; not of how often they were trained, which ONNX lacks."""
        digest = hashlib.sha256()
        for name, tensor in self.network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            digest.update(f"{name}\0{tuple(tensor.shape)}\0".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """float32 [N, Z]: the latents that seeds mean. Raises UsageError if there is no seed."""
        if not len(seeds):
            raise UsageError("There is nothing to draw: give at least one seed")
        numbers = [int(seed) for seed in seeds]  # an element of an array means the number that it holds
        return latents_of_seeds(numbers, self.network.latent)

    def sample(self, seeds: Sequence[int], *, truncation: float = 1.0, label: Label | None = None) -> np.ndarray:
        """uint8 [N, C, H, W]: the pictures of the seeds; a seed gives the same picture in every call.

        truncation: below 1 pictures are more typical and less various. label: the class to draw, by name or number;
        weights of several classes, to draw something in between; None takes the classes in turn. Raises UsageError for
        a class that the generator does not know, and for what `pictures` cannot draw.
        """
        return self.pictures(self.latents(seeds), self.labels(seeds, label), truncation=truncation)

    def labels(self, seeds: Sequence[int], label: Label | None) -> list[int] | Tensor:
        """The labels that `pictures` takes for seeds. Raises UsageError as `sample`, and for weights that cannot be."""
        if label is None:
            return list(seeds)
        if not isinstance(label, Mapping):
            return [self.class_number(label)] * len(seeds)
        weights = torch.zeros(len(self.classes))
        for name, weight in label.items():
            weights[self.class_number(name)] += weight
        if not 0 < weights.sum() < math.inf or weights.min() < 0:
            given = ",".join(f"{name}={weight:g}" for name, weight in label.items())
            raise UsageError(f"Weights of classes are finite, none below 0 and one above it, not {given or 'nothing'}")
        return (weights / weights.sum()).expand(len(seeds), -1)

    def batches(
        self,
        seeds: Sequence[int],
        *,
        truncation: float = 1.0,
        label: Label | None = None,
        moved: Callable[[Tensor], Tensor] | None = None,
    ) -> Iterator[tuple[Sequence[int], np.ndarray]]:
        """The seeds in parts, each with its pictures as `sample` gives them, for more than memory should hold.

        moved: what is done to points of the space before they are drawn. Raises UsageError at once as `sample` does.
        """
        self.labels(seeds[:1], label)
        check_truncation(truncation)
        count = max(1, min(_A_BATCH, _A_BATCH_BYTES // (self.channels * self.height * self.width)))
        parts = (seeds[start : start + count] for start in range(0, len(seeds), count))
        if moved is None:
            return ((some, self.sample(some, truncation=truncation, label=label)) for some in parts)

        def drawn(some: Sequence[int]) -> np.ndarray:
            labels = self.labels(some, label)
            points = self.points(self.latents(some), labels, truncation=truncation)
            return self.pictures_of_points(moved(points), labels)

        return ((some, drawn(some)) for some in parts)

    def class_number(self, label: str | int) -> int:
        """The number of a class given by name or number. Raises UsageError if there is no such class."""
        if not self.classes:
            raise UsageError("This generator was trained without classes, so none can be asked for")
        if label in self.classes:
            return self.classes.index(str(label))
        if str(label).isdecimal() and int(label) < len(self.classes):
            return int(label)
        known = ", ".join(self.classes[:_NAMED]) + (", ..." if len(self.classes) > _NAMED else "")
        raise UsageError(f"There is no class {label!r}: {nearest(str(label), self.classes)} The classes: {known}")

    def pictures(self, latents: Tensor, labels: Sequence[int] | Tensor, *, truncation: float = 1.0) -> np.ndarray:
        """uint8 [N, C, H, W] of latents [N, Z].

        labels: classes, which count on beyond the last from the first again; or weights of all classes, float
        [N, classes], for something in between. Not read without classes.
        truncation: draws the latents towards the middle, or their w in networks that have one.
        Raises UsageError if it is not within 0 to 2.
        """
        check_truncation(truncation)

        return self._in_chunks(functools.partial(self._draw, truncation=truncation), latents, self.conditions(labels))

    def pictures_of_points(self, points: Tensor, labels: Sequence[int] | Tensor) -> np.ndarray:
        """uint8 [N, C, H, W] of points of its space [N, layers, width]; labels as of `pictures`."""
        return self._in_chunks(self._drawn_space.draw, points, self.conditions(labels))

    def points(self, latents: Tensor, labels: Sequence[int] | Tensor, *, truncation: float = 1.0) -> Tensor:
        """Points of its space [N, layers, width] of latents [N, Z]; labels and truncation as of `pictures`."""
        check_truncation(truncation)
        classes = self.conditions(labels)
        with torch.inference_mode():
            return self.space.truncate(self.space.points(latents.to(self.device), classes), truncation).cpu()

    def conditions(self, labels: Sequence[int] | Tensor) -> Tensor | None:
        """Labels as the network takes them; None if it knows no classes."""
        if not self.classes:
            return None
        if not isinstance(labels, Tensor):
            labels = torch.tensor([label % len(self.classes) for label in labels])
        if not labels.is_floating_point():
            labels = labels.long() % len(self.classes)
        return labels.to(self.device)

    def save(self, folder: str | Path, *, precision: str = "float32", licence: str | None = None) -> Path:
        """Write the generator as a folder that `ganvas.load` and hubs of models read; see `saving.save`."""
        from ganvas.inference.saving import save  # which needs this class

        return save(self, Path(folder), precision=precision, licence=licence)

    def push(self, name: str, *, precision: str = "float32", licence: str | None = None, private: bool = False) -> str:
        """Put the generator on the hub as "user/name" and return its address; see `hub.push`."""
        from ganvas.inference.hub import push  # which needs this class

        return push(self, name, precision=precision, licence=licence, private=private)

    @functools.cached_property
    def _drawing(self) -> Drawing:
        return Drawing(self.network) if self.precision == "float32" else fast(self.network)

    @functools.cached_property
    def _drawn_space(self) -> Space:
        return space_of(self._drawing.network)

    @functools.cached_property
    def _chunks(self) -> Chunks:
        return Chunks(self._draw, self.network.latent, len(self.classes), self.device)

    def _draw(self, latents: Tensor, classes: Tensor | None, truncation: float) -> Tensor:
        """float32 [N, C, H, W], about [-1, 1]."""
        drawn: Tensor = self._drawing(latents, truncation, classes)
        return drawn

    def _in_chunks(self, draw: Callable[..., Tensor], points: Tensor, classes: Tensor | None) -> np.ndarray:
        plan = self._chunks.plan(len(points))
        rows = torch.arange(sum(plan)).clamp(max=len(points) - 1)
        pieces = []
        with torch.inference_mode():
            for some in rows.split(plan):
                chosen = None if classes is None else classes[some]
                pieces.append(to_uint8(draw(points[some].to(self.device), chosen)).cpu())
        return torch.cat(pieces)[: len(points)].numpy()


def check_truncation(truncation: float) -> None:
    """Raise UsageError for a truncation that cannot be."""
    if not 0 <= truncation <= 2:
        raise UsageError(f"truncation {truncation} is not within 0 (all alike) to 2; 1 changes nothing")
