"""A given picture in a generator's space: the nearest seeds to it, and the point whose picture comes closest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.core.errors import UsageError
from ganvas.core.images import to_float
from ganvas.inference.closeness import Closeness
from ganvas.inference.generator import Generator

STEPS, TRIED, STARTS = 300, 1_000, 4
_TOGETHER_PART = 0.2  # of the steps, in which all starts go on side by side; then the best goes on alone
_RATE, _RAMP = 0.1, 0.25  # of Adam, in standard deviations; and the last part of the steps, over which it falls to 0
_SHORTLIST = 64  # of the seeds that look nearest, those that are looked at closely
_AT_ONCE = 16  # pictures
_PRIOR = 1e-3  # weight of the squared distance from where the space has its points, in standard deviations


@dataclass(frozen=True)
class Found:
    """A seed whose picture is near to a given one. label: its class's number. distance: as of a `Projection`."""

    seed: int
    label: int
    distance: float


@dataclass(frozen=True)
class Projection:
    """What came of a projection.

    point: float32 [layers, width] of the generator's space. label: the class's number, 0 without classes. picture:
    uint8 [C, H, W]. first, distance: how far the nearest seed's picture and this one are from the target, by `measure`.
    seconds: what it took.
    """

    point: Tensor
    label: int
    picture: np.ndarray
    first: float
    distance: float
    measure: str
    seconds: float


def nearest(
    generator: Generator,
    picture: np.ndarray,
    seeds: Sequence[int] = range(TRIED),
    *,
    count: int = 8,
    label: str | int | None = None,
) -> list[Found]:
    """The seeds whose pictures come nearest to a picture, the nearest first.

    picture: uint8 [C, H, W] of the generator's size and channels. seeds: those that are tried. label: the class to
    draw them of; None takes the classes in turn, as `sample` does.
    Raises UsageError for a picture of another shape, an unknown class, no seeds or a count below 1.
    """
    if count < 1 or not len(seeds):
        raise UsageError(f"The nearest {count} of {len(seeds)} pictures: try one seed or more, and ask for one or more")
    closeness = Closeness(_target(generator, picture))
    return _nearest(generator, closeness, seeds, count, label)


def project(
    generator: Generator,
    picture: np.ndarray,
    *,
    steps: int = STEPS,
    label: str | int | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Projection:
    """The point of a generator's space whose picture is closest to a given one, by descent from the nearest seeds.

    Of a StyleGAN2 a style for each layer is sought (Abdal, Qin & Wonka 2019, "Image2StyleGAN"), of others a latent. A
    weak pull keeps the point where the space has others. picture: uint8 [C, H, W] of the generator's size and
    channels. label: the class; None takes that of the nearest seeds. on_step: called with the step and the distance.
    Raises UsageError for a picture of another shape, an unknown class, or fewer than two steps.
    """
    if steps < 2:
        raise UsageError(f"{steps} steps: a projection needs 2 or more")
    began = time.monotonic()
    closeness = Closeness(_target(generator, picture))
    starts = _nearest(generator, closeness, range(TRIED), STARTS, label)
    labels = [found.label for found in starts]
    points = generator.points(generator.latents([found.seed for found in starts]), labels).to(generator.device)
    descent = _Descent(generator, closeness, on_step or _silent)
    together = max(1, int(_TOGETHER_PART * steps))
    points, distances = descent.go(points, labels, [_RATE] * together)
    best = int(distances.argmin())
    rates = [_RATE * min(1.0, left / (_RAMP * steps)) for left in range(steps - together, 0, -1)]
    point, distance = descent.go(points[best : best + 1], labels[best : best + 1], rates)
    return Projection(
        point=point[0].cpu(),
        label=labels[best],
        picture=generator.pictures_of_points(point, labels[best : best + 1])[0],
        first=starts[0].distance,
        distance=min(float(distance), float(distances[best])),
        measure=closeness.name,
        seconds=time.monotonic() - began,
    )


class _Descent:
    """Moves points of a generator's space so that their pictures come closer to a target; never farther than before."""

    def __init__(self, generator: Generator, closeness: Closeness, on_step: Callable[[int, float], None]) -> None:
        self._generator, self._closeness, self._on_step = generator, closeness, on_step
        self._steps, self._closest = 0, float("inf")

    def go(self, points: Tensor, labels: Sequence[int], rates: Sequence[float]) -> tuple[Tensor, Tensor]:
        """Points [N, layers, width] with labels -> the closest that each came by, and their distances [N]."""
        middle, spread = (found.to(points.device) for found in _where_points_lie(self._generator, labels))
        classes = self._generator.conditions(labels)
        moves = torch.zeros_like(points).requires_grad_()
        adam = torch.optim.Adam([moves], betas=(0.9, 0.99))
        best, closest = points, torch.full((len(points),), float("inf"), device=points.device)
        for rate in rates:
            now = points + moves * spread
            distances = self._closeness(self._generator.space.draw(now, classes))
            pull = ((now - middle) / spread).square().mean(dim=(1, 2))
            adam.zero_grad()
            (distances + _PRIOR * pull).sum().backward()
            distances = distances.detach()
            nearer = distances < closest
            best = torch.where(nearer[:, None, None], now.detach(), best)
            closest = torch.minimum(distances, closest)
            adam.param_groups[0]["lr"] = rate
            adam.step()
            self._tell(float(closest.min()))
        return best, closest

    def _tell(self, distance: float) -> None:
        self._steps, self._closest = self._steps + 1, min(self._closest, distance)
        self._on_step(self._steps, self._closest)


def _silent(_step: int, _distance: float) -> None:
    """Say nothing."""


def _nearest(
    generator: Generator, closeness: Closeness, seeds: Sequence[int], count: int, label: str | int | None
) -> list[Found]:
    labels = list(seeds) if label is None else [generator.class_number(label)] * len(seeds)
    kinds = [number % len(generator.classes) if generator.classes else 0 for number in labels]

    def distances(rows: list[int], measure: Callable[[Tensor], Tensor]) -> Tensor:
        found = []
        for first in range(0, len(rows), _AT_ONCE):
            some = rows[first : first + _AT_ONCE]
            latents = generator.latents([seeds[row] for row in some])
            pictures = torch.from_numpy(generator.pictures(latents, [kinds[row] for row in some]))
            found.append(measure(to_float(pictures).to(generator.device)).cpu())
        return torch.cat(found)

    with torch.no_grad():
        rough = distances(list(range(len(seeds))), closeness.rough)
        rows = rough.argsort()[: max(count, _SHORTLIST)].tolist()
        close = distances(rows, closeness)
    order = close.argsort()[:count].tolist()
    return [Found(seeds[rows[place]], kinds[rows[place]], float(close[place])) for place in order]


def _where_points_lie(generator: Generator, labels: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The middle of the space for each label [N, layers, width], and its points' standard deviation, one number."""
    seeds = range(500)
    latents = generator.latents(seeds)
    of = {label: generator.points(latents, [label] * len(seeds)) for label in set(labels)}
    middle = torch.stack([of[label].mean(dim=0) for label in labels])
    spread = torch.stack([points.std(dim=0).square().mean().sqrt() for points in of.values()]).mean()
    return middle, spread


def _target(generator: Generator, picture: np.ndarray) -> Tensor:
    wanted = (generator.channels, generator.height, generator.width)
    if picture.shape != wanted or picture.dtype != np.uint8:
        raise UsageError(
            f"The generator makes uint8 pictures {list(wanted)}, and this is {picture.dtype} {list(picture.shape)}: "
            "bring it to that size and those channels first"
        )
    return to_float(torch.from_numpy(picture.copy())).to(generator.device)
