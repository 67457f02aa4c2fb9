"""What every task has that learns to make pictures of pictures: parts of pictures, the networks, what is shared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import losses
from ganvas.core import card
from ganvas.core.evenly import evenly
from ganvas.core.images import to_float, to_uint8
from ganvas.core.settings import to_dict
from ganvas.core.sizes import Size
from ganvas.data import Dataset
from ganvas.tasks import adversary
from ganvas.tasks.beginning import begin
from ganvas.tasks.data_task import DataTask
from ganvas.training.clock import Clock
from ganvas.training.players import Player, Terms

Judge = Callable[[Tensor], Tensor]
Drawn = TypeVar("Drawn")


class TranslationTask(DataTask):
    """A task that learns to make pictures of pictures. What it plays is said by those that build on it.

    translator, discriminator: the networks; others that a game has are built as they are, by `chosen.built`.
    """

    translator: Any
    discriminator: Any
    players: Sequence[Player]

    def __init__(self, chosen: Any, data: Dataset, unseen: Dataset | None = None) -> None:
        """As of `DataTask`; raises UsageError too if the networks cannot be built for such pictures."""
        super().__init__(chosen, data, unseen)
        self.translator, self.discriminator = chosen.built(self._built)
        self._loss = losses.adversarial_loss(chosen.loss.adversarial)
        self._drawn: tuple[int, slice, Any] | None = None

    def begin(self) -> list[str]:
        """Take the weights of the source that the settings name, and tell which. Raises DataError if it is gone."""
        networks = {
            role: network
            for player in self.players
            for role, network in player.networks.items()
            if role in self.chosen.roles
        }
        return begin(self.chosen.source, networks, self.data.classes)

    @property
    def averaged(self) -> Mapping[str, nn.Module]:
        """The networks whose running average is kept."""
        return {"translator": self.translator}

    def _drawn_parts(self, role: str, place: int, rows: slice, indices: np.ndarray) -> Tensor:
        """Parts of the size of those pictures, uint8 [rows, C, H, W], each somewhere in what is kept of a picture."""
        whole = self._drawn_pictures(role, place, rows, indices)
        where = self._draws.uniform(f"{role}/part", place, 2 * self.chosen.training.batch).view(2, -1)[:, rows]
        return cut_out(whole, where, self.chosen.data.size)

    def _some_of(self, data: Dataset, indices: np.ndarray, most: int) -> Tensor:
        """The middle parts of at most so many of these pictures, evenly spread: uint8 [N, C, H, W]."""
        some = indices[evenly(len(indices), most)]
        whole = torch.from_numpy(np.ascontiguousarray(data.images[some])).to(self.device)
        return cut_out(whole, torch.full((2, len(some)), 0.5), self.chosen.data.size)

    @property
    def _looked_at(self) -> tuple[Dataset, np.ndarray]:
        """Pictures for previews, scores and signs: those that training does not see, if any, else those it does."""
        return self._unseen if len(self._unseen[1]) else (self.data, self._seen)

    def _as_floats(self, pictures: Tensor) -> Tensor:
        return to_float(pictures).to(self.dtype)

    def _through(self, network: nn.Module, given: Tensor) -> Tensor:
        """What a network makes of pictures in the run's precision, in the type of the losses."""
        with self._autocast():
            made: Tensor = network(given.contiguous(memory_format=torch.channels_last))
        return made.to(self.dtype)

    def _of_round(self, clock: Clock, rows: slice, draw: Callable[[int, slice], Drawn]) -> Drawn:
        """What is drawn once a round for all its players. draw: of a place and rows; what it gives is kept so long."""
        if self._drawn is None or self._drawn[:2] != (clock.images, rows):
            self._drawn = clock.images, rows, draw(self._place(clock, 1, 0), rows)
        drawn: Drawn = self._drawn[2]
        return drawn

    def _applied(self, network: nn.Module, pictures: Tensor, apply: Callable[[Tensor], Tensor]) -> Tensor:
        """What `apply` makes of pictures with a network in evaluation mode, a few at a time, without gradients."""
        was_training = network.training
        network.eval()
        try:
            with torch.no_grad():
                return torch.cat([apply(part) for part in pictures.split(self._looked_at_once)])
        finally:  # a look may fail for want of memory, and training goes on
            network.train(was_training)

    def _fooled(self, judge: Judge, real: Tensor, fake: Tensor) -> Tensor:
        """What the translator descends of a discriminator's logits, weighed. judge: pictures -> logits."""
        fake_logits = judge(fake)
        real_logits = adversary.real_logits_beside(self._loss, fake_logits, lambda: judge(real))
        return self.chosen.loss.weight * self._loss.generator(real_logits, fake_logits)

    def _told_apart(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> Terms:
        """What a discriminator descends, with its penalties. real, fake: without a graph."""
        loss = self.chosen.loss
        real, fake = adversary.gradients_asked(loss, clock, real.detach(), fake.detach())
        real_logits, fake_logits = judge(real), judge(fake)
        terms = {"adversarial": self._loss.discriminator(real_logits, fake_logits)}
        return terms | adversary.gradient_terms(loss, clock, real, real_logits, fake, fake_logits)

    def _card(self, network: nn.Module, clock: Clock, **own: object) -> dict[str, object]:
        """The card that rebuilds a translator. own: what this task says of it beside."""
        data = self.chosen.data
        return self._about(
            card.TRANSLATOR,
            clock,
            task=self.chosen.task,
            translator=to_dict(self.chosen.translator),
            inputs=network.inputs,
            outputs=network.outputs,
            scale=network.scale,
            read={"pictures": self.data.pictures, "size": data.kept.plain, "scales": list(data.scales)},
            source_sha256=self.chosen.source.sha256,
            **own,
        )


def cut_out(pictures: Tensor, where: Tensor, size: Size) -> Tensor:
    """Parts of pictures: [N, C, H, W], [2, N] in [0, 1), down and across -> [N, C, *size]; 0.5 is the middle."""
    height, width = pictures.shape[2:]
    if (height, width) == size.hw:
        return pictures
    room = torch.tensor([[height - size.height + 1], [width - size.width + 1]])
    corners = (where * room).long().T.tolist()
    cut = [
        picture[:, top : top + size.height, left : left + size.width]
        for picture, (top, left) in zip(pictures, corners, strict=True)
    ]
    return torch.stack(cut)


def in_rows(*columns: Tensor) -> np.ndarray:
    """Pictures [N, 1 or 3, H, W] in [-1, 1] of several kinds, side by side: uint8 [N * kinds, 1 or 3, H, W]."""
    most = max(len(column[0]) for column in columns)
    shown = [to_uint8(column if column.shape[1] == most else column.expand(-1, most, -1, -1)) for column in columns]
    return torch.stack(shown, dim=1).flatten(0, 1).cpu().numpy()
