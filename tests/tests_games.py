"""Tiny games of pictures to pictures, without a plan or a run folder, that several test files play."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core.settings import from_dict, override
from ganvas.data import Dataset, Report
from ganvas.tasks.guided import Guided
from ganvas.tasks.guided_settings import GuidedSettings
from ganvas.tasks.unpaired import Unpaired
from ganvas.tasks.unpaired_settings import UnpairedSettings
from ganvas.training.clock import Clock

GUIDED = ("paired", "superres", "inpaint", "colorize")
PLAIN_UNET = {"name": "unet", "width": 4, "max_width": 8, "halvings": 2, "norm": "none"}
TRANSLATORS: dict[str, dict[str, Any]] = {
    "paired": PLAIN_UNET,
    "superres": {"name": "srresnet", "width": 4, "blocks": 1, "scale": 2},
    "inpaint": {"name": "gated", "width": 2, "dilations": [2]},
    "colorize": PLAIN_UNET,
    "unpaired": {"name": "resnet", "width": 4, "blocks": 1, "norm": "none"},
}
PATCH = {"name": "patch", "width": 4, "max_width": 8, "layers": 1, "norm": "none"}


def made_up(count: int = 12, channels: int = 3, size: int = 16, classes: tuple[str, ...] = (), **more: Any) -> Dataset:
    """Noise; the first value of each picture is its number, and labels alternate where there are classes."""
    images = np.random.default_rng(0).integers(0, 256, (count, channels, size, size), dtype=np.uint8)
    images[:, :, 0, 0] = np.arange(count)[:, None]
    labels = np.arange(count, dtype=np.int64) % len(classes) if more.pop("labelled", False) else None
    return Dataset("made-up", "made-up", images, labels, classes, Report(count), f"{count}", **more)


def guided(task: str, *assignments: str, data: Dataset | None = None, size: int = 16, unseen: Any = None) -> Guided:
    """A game with true answers, of float64 networks without normalisation, batch 4; assignments change its settings."""
    if data is None:
        data = made_up(channels=6, classes=("drawing", "photo"), size=size) if task == "paired" else made_up(size=size)
    of_a_picture = data.channels // (2 if task == "paired" else 1)
    values = {
        "task": task,
        "data": {"where": "made-up", "size": size, "channels": of_a_picture, "classes": list(data.classes)},
        "problem": {"name": task},
        "translator": TRANSLATORS[task],
        "discriminator": PATCH,
        "training": {"batch": 4, "precision": "float64"},
    }
    values["data"] |= {"pairs": task == "paired", "load": data.images.shape[2]}
    return Guided(from_dict(GuidedSettings, override(values, assignments)), data, unseen)


def unpaired(*assignments: str, data: Dataset | None = None, size: int = 16, unseen: Any = None) -> Unpaired:
    """A game of two kinds of pictures, of float64 networks without normalisation, batch 4, a pool of 6."""
    data = data or made_up(count=14, classes=("photo", "painting"), labelled=True, size=size)
    values = {
        "data": {"where": "made-up", "size": size, "channels": data.channels, "classes": list(data.classes)},
        "translator": TRANSLATORS["unpaired"],
        "discriminator": PATCH,
        "loss": {"pool": 6, "places": 5},
        "training": {"batch": 4, "precision": "float64"},
    }
    return Unpaired(from_dict(UnpairedSettings, override(values, assignments)), data, unseen)


class Half(nn.Module):
    """Stands for a translator: half of the first channels of what is given, each pixel a square."""

    def __init__(self, outputs: int, scale: int = 1, factor: float = 0.5) -> None:
        super().__init__()
        self.outputs, self.scale = outputs, scale
        self.factor = nn.Parameter(torch.tensor(factor, dtype=torch.float64))

    def forward(self, given: Tensor) -> Tensor:
        made = self.factor * given[:, : self.outputs]
        return made.repeat_interleave(self.scale, dim=2).repeat_interleave(self.scale, dim=3)


class Judge(nn.Module):
    """Stands for a discriminator: at each pixel the squares of the channels by weights 1, 2, 3 ... / 10, added."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift, dtype=torch.float64))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach())
        weights = torch.arange(1, images.shape[1] + 1, dtype=images.dtype) / 10
        return torch.einsum("nchw,c->nhw", images.square(), weights)[:, None] - self.shift


def player_of(game: Any, name: str) -> Any:
    """The player of a name."""
    return next(player for player in game.players if player.name == name)


def batch_of(game: Any, name: str, images: int = 0, rows: slice = slice(0, 4)) -> Any:
    """What a player sees after so many images; in an unpaired game the translators' move comes first."""
    return game.draw(player_of(game, name), 0, Clock(images, images // 4, 0.0), rows)


def terms_of(game: Any, name: str, batch: Any, images: int = 0) -> dict[str, float]:
    """A player's terms as numbers."""
    terms = player_of(game, name).objective(batch, Clock(images, images // 4, 0.0))
    return {name: value.item() for name, value in terms.items()}


def gradient_of(game: Any, name: str, batches: Any, images: int = 0) -> Tensor:
    """The gradient of a player's terms, in one row: of batches that are parts of one of 4."""
    player = player_of(game, name)
    for other in game.players:
        other.let_learn(other is player)
    total = torch.zeros((), dtype=torch.float64)
    for batch in batches:
        terms = player.objective(batch, Clock(images, images // 4, 0.0))
        total = total + sum(terms.values()) * len(batch) / 4
    found = torch.autograd.grad(total, player.parameters(), allow_unused=True)
    return torch.cat([some.flatten() for some in found if some is not None])


def parts_of(batch: Any, *cuts: int) -> list[Any]:
    """A batch cut before these rows."""
    return [batch.rows(*ends) for ends in itertools.pairwise([0, *cuts, len(batch)])]
