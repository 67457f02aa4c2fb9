"""A trained generator, loaded from a run or from a file, without running any code that the file holds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganvas import networks
from ganvas.core import devices
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_uint8
from ganvas.core.parts import nearest
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.networks.stylegan2 import StyleGAN2Generator
from ganvas.training.draws import latents_of_seeds

_USUAL_WIDTHS = 4_000  # the sum of a usual network's layers and latents
_AT_ONCE = 16  # pictures made at a time, always: sums are rounded otherwise in a batch of another size


class Generator:
    """A generator ready for use: the averaged weights of a run.

    size: the side of its pictures in pixels, or a `ganvas.core.sizes.Size` with height and width where they are not
    square; height, width: those of any; channels: 1, 3 or 4; classes: names of the classes it knows, empty if
    unconditional; card: what it is and how it came to be.
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], device: torch.device) -> None:
        self.card = card
        self.height, self.width = Size.of(card["size"]).hw
        self.size: int | Size = Size(self.height, self.width).simplest
        self.channels: int = card["channels"]
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self._device = device
        network = network.eval().requires_grad_(False).float()  # a file may hold half precision
        self._network: Any = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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
        rows = torch.arange(-(-len(latents) // _AT_ONCE) * _AT_ONCE).clamp(max=len(latents) - 1)
        pieces = []
        with torch.inference_mode():
            for some in rows.split(_AT_ONCE):
                classes = numbers[some].to(self._device) if numbers is not None else None
                pieces.append(to_uint8(self._draw(latents[some].to(self._device), classes, truncation)).cpu())
        return torch.cat(pieces)[: len(latents)].numpy()

    def _draw(self, latents: Tensor, classes: Tensor | None, truncation: float) -> Tensor:
        """float32 [N, C, H, W], about [-1, 1]."""
        network = self._network
        if isinstance(network, StyleGAN2Generator):
            pictures: Tensor = network.synthesis(
                network.mapping.truncate(network.mapping(latents, classes), truncation)
            )
        else:
            pictures = network(latents * truncation, classes)
        return pictures


def load(path: str | Path, *, device: str = "auto") -> Generator:
    """The generator of a run folder, or of a generator.safetensors file that came from one.

    Raises DataError if there is no such file, or if it is damaged or not a generator of Ganvas.
    """
    path = Path(path)
    file = path / "generator.safetensors" if path.is_dir() else path
    if not file.is_file():
        reason = "it has no generator.safetensors yet" if path.is_dir() else "there is no such file"
        raise DataError(f"No generator at {path}: {reason}. Give a run folder or a generator.safetensors file")
    try:
        with safe_open(file, framework="pt") as content:
            card = json.loads((content.metadata() or {}).get("ganvas", "{}"))
            weights = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError, OSError) as error:
        raise DataError(f"{file} is damaged or not a safetensors file: {error}") from None
    if not isinstance(card, dict) or card.get("kind") != "generator":
        raise DataError(f"{file} is a safetensors file, but not a generator of Ganvas: its card is missing")
    try:
        part = card["generator"]
        family = networks.generator(part["name"])
        chosen = from_dict(family.Settings, part, "generator")
        shape = {"size": Size.of(card["size"]), "channels": card["channels"], "classes": len(card["classes"])}
        if sum(_widths(part)) > _USUAL_WIDTHS:  # it may be a small file that asks for gigabytes
            with torch.device("meta"):
                expected = {name: tensor.shape for name, tensor in family(chosen, **shape).state_dict().items()}
            if expected != {name: tensor.shape for name, tensor in weights.items()}:
                raise KeyError("other shapes")
        with torch.random.fork_rng(devices=[]):  # the meta device would save these draws and cost a second of imports
            network = family(chosen, **shape)
        network.load_state_dict(weights, assign=True)
    except (KeyError, TypeError, RuntimeError, UsageError) as error:
        raise DataError(f"{file} does not hold the weights that its card describes: {error}") from None
    return Generator(network, card, devices.choose_device(device))


def sample(
    path: str | Path, seeds: Sequence[int], *, truncation: float = 1.0, label: str | int | None = None
) -> np.ndarray:
    """uint8 [N, C, H, W]: pictures of a run or of a generator file; `load` once for more than one call.

    Arguments and errors are those of `load` and of `Generator.sample`.
    """
    return load(path).sample(seeds, truncation=truncation, label=label)


def _widths(part: Any) -> Iterator[int]:
    """Every whole number in a network's settings."""
    values = part.values() if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ()
    for value in values:
        if isinstance(value, int):
            yield value
        else:
            yield from _widths(value)
