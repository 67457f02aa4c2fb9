"""A trained generator ready for use: seeds become pictures."""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.images import to_uint8
from ganvas.core.parts import nearest
from ganvas.core.sizes import Size
from ganvas.inference.space import space_of
from ganvas.training.draws import latents_of_seeds

_AT_ONCE = 16  # pictures made at a time, always: sums are rounded otherwise in a batch of another size


Label = str | int | Mapping[Any, float]
"""A class by name or number, or the weights of several."""


class Generator:
    """A generator ready for use: the averaged weights of a run.

    size: the side of its pictures in pixels, or a `ganvas.core.sizes.Size` with height and width where they are not
    square; height, width: those of any; channels: 1, 3 or 4; classes: names of the classes it knows, empty if
    unconditional; card: what it is and how it came to be, as in `core.card`. network: in float32 and evaluation mode,
    on `device`, for what needs its weights or gradients of its input. space: where its pictures are steered.
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], device: torch.device) -> None:
        self.card = card
        self.height, self.width = Size.of(card["size"]).hw
        self.size: int | Size = Size(self.height, self.width).simplest
        self.channels: int = card["channels"]
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.device = device
        network = network.eval().requires_grad_(False).float()  # a file may hold half precision
        self.network: Any = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.space = space_of(network)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash over the names and values of all weights."""
        digest = hashlib.sha256()
        for name, tensor in self.network.state_dict().items():
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
        if not weights.sum() > 0 or weights.min() < 0:
            raise UsageError(f"Weights of classes are positive numbers, not {dict(label)}")
        return (weights / weights.sum()).expand(len(seeds), -1)

    def class_number(self, label: str | int) -> int:
        """The number of a class given by name or number. Raises UsageError if there is no such class."""
        if not self.classes:
            raise UsageError("This generator was trained without classes, so none can be asked for")
        if label in self.classes:
            return self.classes.index(str(label))
        if str(label).isdecimal() and int(label) < len(self.classes):
            return int(label)
        raise UsageError(f"There is no class {label!r}: {nearest(str(label), self.classes)}")

    def pictures(self, latents: Tensor, labels: Sequence[int] | Tensor, *, truncation: float = 1.0) -> np.ndarray:
        """uint8 [N, C, H, W] of latents [N, Z].

        labels: classes, which count on beyond the last from the first again; or weights of all classes, float
        [N, classes], for something in between. Not read without classes.
        truncation: draws the latents towards the middle, or their w in networks that have one.
        Raises UsageError if it is not within 0 to 2.
        """
        check_truncation(truncation)

        return self._in_parts(functools.partial(self._draw, truncation=truncation), latents, self.conditions(labels))

    def pictures_of_points(self, points: Tensor, labels: Sequence[int] | Tensor) -> np.ndarray:
        """uint8 [N, C, H, W] of points of its space [N, layers, width]; labels as of `pictures`."""
        return self._in_parts(self.space.draw, points, self.conditions(labels))

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
        return labels.to(self.device)

    def save(self, folder: str | Path, *, precision: str = "float32", licence: str | None = None) -> Path:
        """Write the generator as a folder that `ganvas.load` and hubs of models read; see `saving.save`."""
        from ganvas.inference.saving import save  # which needs this class

        return save(self, Path(folder), precision=precision, licence=licence)

    def _draw(self, latents: Tensor, classes: Tensor | None, truncation: float) -> Tensor:
        """float32 [N, C, H, W], about [-1, 1]."""
        return self.space.draw(self.space.truncate(self.space.points(latents, classes), truncation), classes)

    def _in_parts(self, draw: Callable[..., Tensor], points: Tensor, classes: Tensor | None) -> np.ndarray:
        rows = torch.arange(-(-len(points) // _AT_ONCE) * _AT_ONCE).clamp(max=len(points) - 1)
        pieces = []
        with torch.inference_mode():
            for some in rows.split(_AT_ONCE):
                chosen = None if classes is None else classes[some]
                pieces.append(to_uint8(draw(points[some].to(self.device), chosen)).cpu())
        return torch.cat(pieces)[: len(points)].numpy()


def check_truncation(truncation: float) -> None:
    """Raise UsageError for a truncation that cannot be."""
    if not 0 <= truncation <= 2:
        raise UsageError(f"truncation {truncation} is not within 0 (all alike) to 2; 1 changes nothing")
