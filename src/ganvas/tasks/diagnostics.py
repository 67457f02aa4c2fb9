"""Signs of health of what makes pictures, on the same few pictures and latents each time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.images import to_float

_SIDE = 16  # pixels to which pictures are shrunk before they are compared
_COPY = 0.6  # a copy is this much nearer to one training picture than to the next, or more


def even_parts(count: int, batch: int) -> list[range]:
    """0 to count - 1 in parts of `batch` or a few more: none is so small that BatchNorm could not take it."""
    parts = max(1, count // batch)
    return [range(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


@dataclass(frozen=True)
class Labelled:
    """Pictures, uint8 [N, C, H, W], with their classes, int64 [N], where there are any."""

    pictures: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def joined(self, other: Self) -> Self:
        """These, and then the others; without labels if one side has none."""
        labels = None if self.labels is None or other.labels is None else torch.cat([self.labels, other.labels])
        return type(self)(torch.cat([self.pictures, other.pictures]), labels)

    def picked(self, indices: Tensor) -> Self:
        """Some of them, in this order."""
        return type(self)(self.pictures[indices], None if self.labels is None else self.labels[indices])

    def parts(self, batch: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Pictures and labels, in parts of `batch` or a few more."""
        for part in even_parts(len(self), batch):
            some = slice(part.start, part.stop)
            yield self.pictures[some], None if self.labels is None else self.labels[some]


class Looks:
    """Looks at generated pictures beside real ones: how various they are, how new, how much they change.

    seen, unseen: real pictures that training sees and does not, uint8 [N, C, H, W], the latter perhaps none. training:
    pictures it sees, in parts of uint8 [n, C, H, W].
    """

    def __init__(self, seen: Tensor, unseen: Tensor, training: Iterable[Tensor]) -> None:
        self._spread = _spacing(_small(seen))
        self._training = torch.cat([_small(part) for part in training]).unique(dim=0)  # a twin would hide a copy
        self._usual_copies = self._copies(_small(unseen)) if len(unseen) and len(self._training) > 2 else 0.0
        self._before: Tensor | None = None

    def __call__(self, fakes: Iterable[Tensor]) -> dict[str, float]:
        """Signs of the pictures of the same latents each time, in parts of [n, C, H, W] in [-1, 1]."""
        small = torch.cat([_small(part) for part in fakes])
        signs = {"diversity": _spacing(small) / max(self._spread, 1e-12)}
        if len(self._training) > 2:
            signs["copies"] = self._copies(small) - self._usual_copies
        if self._before is not None:
            apart = 2 * small.var(dim=0).sum().clamp(min=1e-12)
            signs["change"] = ((small - self._before).square().sum(dim=1).mean() / apart).sqrt().item()
        self._before = small
        return signs

    def _copies(self, small: Tensor) -> float:
        """The part that lies much nearer to one training picture than to the next."""
        nearest = torch.cdist(small, self._training).topk(2, largest=False).values
        return (nearest[:, 0] < _COPY * nearest[:, 1]).double().mean().item()


class Diagnostics:
    """Looks at a generator and a discriminator; both are left as they are found.

    networks: whose buffers are put back. generate: seeds and labels, or None -> pictures in [-1, 1]. judge: pictures,
    uint8 or in [-1, 1], and labels -> logits. batch: pictures that pass a network at once, as in training. seen,
    unseen: real pictures that training sees and does not, the latter perhaps none. training: pictures it sees, in parts
    of uint8 [n, C, H, W].
    """

    def __init__(
        self,
        networks: tuple[nn.Module, nn.Module],
        generate: Callable[[range, Tensor | None], Tensor],
        judge: Callable[[Tensor, Tensor | None], Tensor],
        batch: int,
        seen: Labelled,
        unseen: Labelled,
        training: Iterable[Tensor],
    ) -> None:
        self._networks, self._generate, self._judge, self._batch = networks, generate, judge, batch
        # Mixed, so that a discriminator with BatchNorm sees both kinds in one batch and cannot tell batches apart.
        places = torch.cat([torch.linspace(0, 1, len(seen)), torch.linspace(0, 1, len(unseen))])
        order = places.argsort()
        self._reals = seen.joined(unseen).picked(order)
        self._is_seen = order < len(seen)
        self._labels = seen.labels
        self._count = len(seen)
        self._looks = Looks(seen.pictures, unseen.pictures, training)

    def __call__(self) -> dict[str, float]:
        """The signs that `training.health` names; none of a single picture."""
        if self._count < 2:
            return {}
        with torch.no_grad(), as_found(self._networks[0]), as_found(self._networks[1]):
            parts = even_parts(self._count, self._batch)
            labels = [None if self._labels is None else self._labels[part.start : part.stop] for part in parts]
            fakes = [self._generate(part, its) for part, its in zip(parts, labels, strict=True)]
            fake = torch.cat([_of_pictures(self._judge(*pair)) for pair in zip(fakes, labels, strict=True)])
            reals = torch.cat([_of_pictures(self._judge(*part)) for part in self._reals.parts(self._batch)])
        return self._of_logits(reals[self._is_seen], reals[~self._is_seen], fake) | self._looks(fakes)

    def _of_logits(self, real: Tensor, unseen: Tensor, fake: Tensor) -> dict[str, float]:
        signs = {"logit/real": real.mean().item(), "logit/fake": fake.mean().item()}
        signs["separation"] = _ranked_above(real, fake)
        if len(unseen):
            signs["logit/held_out"] = unseen.mean().item()
            if (gap := signs["logit/real"] - signs["logit/fake"]) > 0:
                signs["overfit"] = (signs["logit/real"] - signs["logit/held_out"]) / gap
                error = (real.var(correction=0) / len(real) + unseen.var(correction=0) / len(unseen)).sqrt().item()
                signs["overfit_z"] = (signs["logit/real"] - signs["logit/held_out"]) / max(error, 1e-12)
        return signs


@contextmanager
def as_found(network: nn.Module) -> Iterator[None]:
    """Put back the buffers that a pass in training mode moves, such as BatchNorm's statistics."""
    kept = [buffer.clone() for buffer in network.buffers()]
    try:
        yield
    finally:
        for buffer, before in zip(network.buffers(), kept, strict=True):
            buffer.copy_(before)


def _of_pictures(logits: Tensor) -> Tensor:
    """One logit a picture, [N], where a discriminator gives one for each part of a picture."""
    return logits.flatten(1).mean(1).float().cpu() if logits.ndim > 1 else logits.float().cpu()


def _ranked_above(real: Tensor, fake: Tensor) -> float:
    """The probability that a real picture's logit is the higher one; ties count half."""
    above = (real[:, None] > fake).double().mean() + (real[:, None] == fake).double().mean() / 2
    return above.item()


def _small(pictures: Tensor) -> Tensor:
    """float32 [N, D] on the CPU: pictures [N, C, H, W], uint8 or in [-1, 1], shrunk to at most 16 x 16."""
    pictures = to_float(pictures) if pictures.dtype == torch.uint8 else pictures.float()
    height, width = (min(_SIDE, side) for side in pictures.shape[2:])
    return functional.adaptive_avg_pool2d(pictures, (height, width)).flatten(1).cpu()


def _spacing(features: Tensor) -> float:
    """The mean distance of each to the nearest other."""
    distances = torch.cdist(features, features).fill_diagonal_(torch.inf)
    return distances.min(dim=1).values.mean().item()
