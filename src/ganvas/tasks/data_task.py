"""What every task on a data set has: the data, those of its pictures that training does not see, precision, dice."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.core import card, devices
from ganvas.core.images import to_float
from ganvas.core.version import VERSION
from ganvas.data import Dataset, held_out_rows
from ganvas.tasks.checks import check_data, narrower
from ganvas.training.clock import Clock
from ganvas.training.draws import Draws


class DataTask:
    """A task that learns from a data set. What it plays is said by those that build on it.

    device, dtype: of weights, losses and penalties. preview_heads: of the columns of the sheet that shows a run; (): it
    is as square as it goes.
    """

    compares_rows = False
    preview_heads: tuple[str, ...] = ()

    def __init__(self, chosen: Any, data: Dataset, unseen: Dataset | None = None) -> None:
        """unseen: real pictures for the watch; without them it takes those that are held out of the data, if any are.

        Raises UsageError for classes that are not those of the data, and if all its pictures are held out.
        """
        check_data(chosen, data.pictures, data.classes)
        self.chosen, self.data = chosen, data
        self.narrower = narrower(chosen)
        self.device = devices.choose_device(chosen.training.device)
        self._precision = devices.choose_precision(chosen.training.precision, self.device)
        self.dtype = torch.float64 if self._precision == torch.float64 else torch.float32
        self._draws = Draws(chosen.training.seed)
        held_out = held_out_rows(data, chosen.data.held_out)
        self._seen = np.setdiff1d(np.arange(len(data)), held_out)
        self._unseen: tuple[Dataset, np.ndarray] = (data, held_out)
        if unseen is not None:
            self._unseen = unseen, np.arange(len(unseen))

    def begin(self) -> list[str]:
        """Take the weights that the settings say a run begins with, and tell which; here there are none."""
        return []

    def _about(self, kind: str, clock: Clock, **own: object) -> dict[str, object]:
        """The card of a network of a kind. own: what is said of such a network alone."""
        return {
            "format": card.FORMAT,
            "kind": kind,
            "size": self.chosen.data.size.plain,
            "channels": self.chosen.data.channels,
            **own,
            "data": self.data.name,
            "data_sha256": self.data.fingerprint,
            "held_out": self.chosen.data.held_out,
            "recipe": self.chosen.recipe,
            "images_seen": clock.images,
            "ganvas": VERSION,
            "licence": self.chosen.licence,
        }

    def _built(self, role: str, family: Any, part: Any, shape: Mapping[str, Any]) -> Any:
        """A network of a family, by its settings and a shape, made by the dice of a role. Raises UsageError."""
        with self._draws.initialising(role):
            network = family(part, **shape)
        return network.to(self.device, self.dtype, memory_format=torch.channels_last).train()

    def _place(self, clock: Clock, moves: int, move: int) -> int:
        """How many rows a player has seen before a move, of so many a round."""
        return clock.images * moves + move * self.chosen.training.batch

    def _drawn_indices(self, role: str, place: int, rows: slice) -> np.ndarray:
        """Which pictures of the data a role sees at a place of its own endless reading: int64 [rows]."""
        return self._seen[self._draws.order(role, place, self.chosen.training.batch, len(self._seen))[rows].numpy()]

    def _drawn_pictures(self, role: str, place: int, rows: slice, indices: np.ndarray) -> Tensor:
        """Those pictures, uint8 [rows, C, H, W], some of them mirrored where the settings say so."""
        real = torch.from_numpy(np.ascontiguousarray(self.data.images[indices]))
        if self.chosen.data.mirror:
            turned = self._draws.uniform(f"{role}/mirror", place, self.chosen.training.batch)[rows] < 0.5
            real = torch.where(turned[:, None, None, None], real.flip(-1), real)
        return real.to(self.device, non_blocking=True)

    @property
    def _looked_at_once(self) -> int:
        """Pictures that are worked on at a time outside training."""
        return self.chosen.training.micro_batch or self.chosen.training.batch

    def _laid_out(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] as the networks take them."""
        return to_float(pictures).to(self.dtype).contiguous(memory_format=torch.channels_last)

    def _autocast(self) -> torch.autocast:
        """Within it networks compute in the run's precision."""
        return devices.autocast(self.device, self._precision)
