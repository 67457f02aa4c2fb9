"""What every task that makes pictures from latents has: pictures that are watched, shown, scored, shared."""

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import metrics
from ganvas.core import card, devices
from ganvas.core.evenly import evenly
from ganvas.core.images import to_uint8
from ganvas.core.settings import to_dict
from ganvas.data import Dataset
from ganvas.metrics.scorer import Scorer
from ganvas.tasks.augmenting import Augmenting, AugmentSettings
from ganvas.tasks.data_task import DataTask
from ganvas.tasks.diagnostics import Labelled
from ganvas.training.clock import Clock
from ganvas.training.draws import latents_of_seeds
from ganvas.training.players import Published

_PREVIEWS = 64  # pictures in a sample grid, the seeds 0 to 63
_SCORED = 5_000  # generated pictures in a score during training
_AT_ONCE = 250  # pictures generated at a time outside training
_LOOKED_AT, _LOOKED_AT_BYTES = 128, 2**26  # pictures of each kind that the watch looks at, fewer where they are large
_COMPARED, _COMPARED_BYTES = 10_000, 2**28  # and training pictures among which it looks for copies
_COMPARED_AT_ONCE = 250


class PictureTask(DataTask):
    """A task that learns to make pictures of a data set from latents. What it plays is said by those that build on it.

    generator: the network that makes them, which each of those sets.
    """

    generator: Any

    def __init__(self, chosen: Any, data: Dataset, unseen: Dataset | None = None) -> None:
        """As of `DataTask`."""
        super().__init__(chosen, data, unseen)
        self._scorer: Scorer | None = None
        self._sampled_at_once = min(_AT_ONCE, chosen.training.micro_batch or _AT_ONCE)

    @property
    def averaged(self) -> Mapping[str, nn.Module]:
        """The networks whose running average is kept."""
        return {"generator": self.generator}

    def _augmentation(self, chosen: AugmentSettings) -> Augmenting:
        """What settings say is done to these pictures before they are judged."""
        data = self.chosen.data
        made = Augmenting(chosen, size=data.size, channels=data.channels, batch=self.chosen.training.batch)
        return made.to(self.device, self.dtype)

    def _numbers(self, augmenting: Augmenting, role: str, place: int, rows: slice) -> Tensor | None:
        """The numbers that an augmentation reads for a role's rows, as of `Augmenting.numbers`, on the device."""
        numbers = augmenting.numbers(self._draws, role, place, rows)
        return None if numbers is None else numbers.to(self.device, non_blocking=True)

    def _build(self, table: Any, role: str, part: Any, **own: int) -> Any:
        """The network of a table that settings name. Raises UsageError if it cannot make or take such pictures.

        own: what this kind of network is told beside the shape of the pictures, or in place of it.
        """
        data = self.chosen.data
        shape = {"size": data.size, "channels": data.channels, "classes": len(data.classes)} | own
        return self._built(role, table(part.name), part, shape)

    def _labels_of(self, data: Dataset, indices: np.ndarray) -> Tensor | None:
        """The labels of some of a data set's pictures, int64 [N], if the networks know classes."""
        if not self.chosen.data.conditional or data.labels is None:
            return None
        return torch.from_numpy(data.labels[indices]).to(self.device)

    @cached_property
    def _looked_at(self) -> tuple[Labelled, Labelled]:
        """The real pictures that the watch looks at: some that training sees, and some that it does not."""
        seen = self._some(self.data, self._seen, _LOOKED_AT, _LOOKED_AT_BYTES)
        return seen, self._some(*self._unseen, _LOOKED_AT, _LOOKED_AT_BYTES)

    def _some(self, data: Dataset, indices: np.ndarray, most: int, most_bytes: int) -> Labelled:
        """At most so many of these pictures, evenly spread; with labels if the networks know classes."""
        most = min(most, max(2, most_bytes // data.images[0].nbytes))
        spread = indices[evenly(len(indices), most)]
        pictures = torch.from_numpy(np.ascontiguousarray(data.images[spread])).to(self.device)
        return Labelled(pictures, self._labels_of(data, spread))

    def _training_pictures(self) -> Iterator[Tensor]:
        """Training pictures among which copies would be found, mirrored as well where training mirrors."""
        for part, _ in self._some(self.data, self._seen, _COMPARED, _COMPARED_BYTES).parts(_COMPARED_AT_ONCE):
            yield part
            if self.chosen.data.mirror:
                yield part.flip(-1)

    def _generate_from_seeds(self, seeds: range, labels: Tensor | None) -> Tensor:
        latents = latents_of_seeds(seeds, self.generator.latent).to(self.device, self.dtype)
        with self._autocast():
            return self.generator(latents, labels)

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [64, C, H, W]: the pictures of the seeds 0 to 63."""
        data = self.chosen.data
        labels = torch.arange(_PREVIEWS) % len(data.classes) if data.conditional else None
        return torch.cat(list(self.sample(averages["generator"], _PREVIEWS, labels))).numpy()

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """The Fréchet distance between generated pictures and the data, in the features that fit the data."""
        if len(self.data) < 2:
            return None
        if self._scorer is None:
            name = metrics.choose(self.chosen.data.channels, self.chosen.data.size, self.data.name)
            extract = metrics.extractor(name, self.chosen.data.channels)
            self._scorer = Scorer(extract, self.data.images, self.data.name, self.data.fingerprint)
        labels = None
        if self.chosen.data.classes and self.data.labels is not None:  # each class as often as in the data
            labels = torch.from_numpy(np.sort(self.data.labels)[np.arange(_SCORED) * len(self.data) // _SCORED])
        return self._scorer.name, self._scorer(self.sample(averages["generator"], _SCORED, labels))

    def protocol(self) -> dict[str, Any]:
        """The protocol of `score`, {} before the first."""
        if self._scorer is None:
            return {}
        return dataclasses.asdict(self._scorer.protocol(_SCORED, f"0 to {_SCORED - 1}"))

    def sample(self, generator: nn.Module, count: int, labels: Tensor | None) -> Iterator[Tensor]:
        """uint8 [n, C, H, W], part by part: the pictures of an averaged generator of the seeds 0 to count - 1."""
        start = 0
        while start < count:
            stop = min(count, start + self._sampled_at_once)
            latents = latents_of_seeds(range(start, stop), self.generator.latent).to(self.device, self.dtype)
            part = None if labels is None else labels[start:stop].to(self.device)
            try:
                with torch.inference_mode(), self._autocast():
                    pictures = to_uint8(generator(latents, part)).cpu()
            except (RuntimeError, MemoryError) as error:
                if self._sampled_at_once == 1 or not devices.is_out_of_memory(error):
                    raise
                self._sampled_at_once //= 2
                continue
            yield pictures
            start = stop

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged generator's weights and the card that rebuilds it."""
        data = self.chosen.data
        about = self._about(
            card.GENERATOR,
            clock,
            generator=to_dict(self.chosen.generator),
            classes=list(data.classes) if data.conditional else [],
            mirror=data.mirror,
            preview=card.PREVIEW_SEEDS,
        )
        return {"generator": (in_float32(averages["generator"]), about)}


def in_float32(network: nn.Module) -> dict[str, Tensor]:
    """A network's weights and buffers by name, those in floating point in float32."""
    weights = network.state_dict()
    return {name: held.float() if held.is_floating_point() else held for name, held in weights.items()}
