"""A GAN small enough to see through: `python -m ganvas.toy` learns a ring of eight Gaussians in the plane.

It plays with the same trainer, players, loss and penalty as the real thing, and draws into one picture what a paper
can only describe: where the generator puts its points, and what the discriminator thinks of every place in the plane.
With the logistic loss the game has one equilibrium (Goodfellow et al. 2014, proposition 2): the generator covers all
modes and the discriminator says 1/2 everywhere. R1 is what lets the players get there (Mescheder et al. 2018).
"""

import argparse
import dataclasses
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core.errors import GanvasError
from ganvas.core.images import grid
from ganvas.losses import adversarial_loss, penalties
from ganvas.training.averages import AverageSettings
from ganvas.training.clock import Clock
from ganvas.training.draws import Draws, latents_of_seeds
from ganvas.training.folder import RunFolder
from ganvas.training.journal import Tick
from ganvas.training.players import OptimizerSettings, Player, Terms
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings

MODES = 8
COUNTED = 2_000  # generated points in which modes are counted
RADIUS = 2.0  # of the ring
SPREAD = 0.1  # standard deviation of each Gaussian
_HALF = 3.0  # the picture shows [-3, 3] x [-3, 3]


@dataclasses.dataclass(frozen=True)
class Points:
    """A batch of real points [N, 2] and latents [N, 2]."""

    real: Tensor
    latents: Tensor

    def __len__(self) -> int:
        return len(self.real)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        return dataclasses.replace(self, real=self.real[start:stop], latents=self.latents[start:stop])


class Ring:
    """The game on the ring: a task for the trainer."""

    def __init__(self, chosen: TrainingSettings, gamma: float = 0.1) -> None:
        """gamma: the weight of R1."""
        self._chosen, self._gamma = chosen, gamma
        self._draws = Draws(chosen.seed)
        self._loss = adversarial_loss("logistic")
        self.generator = self._network("generator", 2)
        self.discriminator = self._network("discriminator", 1)
        self.averaged: Mapping[str, nn.Module] = {"generator": self.generator}
        self.narrower = ""
        adam = OptimizerSettings(lr=1e-3, betas=(0.0, 0.99))
        self.players: Sequence[Player] = [
            Player("discriminator", {"discriminator": self.discriminator}, self._discriminator_terms, adam),
            Player("generator", {"generator": self.generator}, self._generator_terms, adam),
        ]

    def _network(self, role: str, outputs: int, width: int = 128) -> nn.Module:
        with self._draws.initialising(role):
            layers: list[nn.Module] = []
            for inputs in (2, width, width):
                layers += [nn.Linear(inputs, width), nn.ReLU()]
            return nn.Sequential(*layers, nn.Linear(width, outputs))

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> Points:
        """Fresh points of the ring, and fresh latents."""
        role, count = player.name, self._chosen.batch
        angles = (self._draws.uniform(f"{role}/mode", clock.images, count) * MODES).floor() * (2 * math.pi / MODES)
        centres = RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)
        real = centres + SPREAD * self._draws.normal(f"{role}/spread", clock.images, count, 2)
        return Points(real[rows], self._draws.normal(f"{role}/latents", clock.images, count, 2)[rows])

    def _discriminator_terms(self, batch: Points, clock: Clock) -> Terms:
        with torch.no_grad():
            fake = self.generator(batch.latents)
        real = batch.real.requires_grad_(True)
        real_logits, fake_logits = self.judge(real), self.judge(fake)
        return {
            "adversarial": self._loss.discriminator(real_logits, fake_logits),
            "r1": self._gamma * penalties.r1(real_logits, real),
        }

    def _generator_terms(self, batch: Points, clock: Clock) -> Terms:
        fake_logits = self.judge(self.generator(batch.latents))
        return {"adversarial": self._loss.generator(torch.zeros_like(fake_logits), fake_logits)}

    def judge(self, points: Tensor) -> Tensor:
        """Logits [N] of points [N, 2]; higher is more real."""
        logits: Tensor = self.discriminator(points)
        return logits.squeeze(1)

    def diagnose(self) -> dict[str, float]:
        """None: the picture shows it all."""
        return {}

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [1, 3, 480, 480]: the generator's points over the discriminator's field."""
        return draw_picture(self, averages["generator"])[None]

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """The modes that are missing."""
        return "modes-missing", float(MODES - covered_modes(generated(averages["generator"])))

    def protocol(self) -> dict[str, Any]:
        """How the modes are counted."""
        return {"metric": "modes-missing", "modes": MODES, "count": COUNTED}

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> tuple[dict[str, Tensor], dict[str, object]]:
        """The averaged generator."""
        return averages["generator"].state_dict(), {"kind": "toy", "images_seen": clock.images}


@torch.no_grad()
def generated(generator: nn.Module, count: int = COUNTED) -> Tensor:
    """float32 [count, 2]: points of the seeds 0 to count - 1."""
    points: Tensor = generator(latents_of_seeds(range(count), 2))
    return points


def centres() -> Tensor:
    """float32 [8, 2]: the middles of the Gaussians."""
    angles = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def covered_modes(points: Tensor) -> int:
    """How many Gaussians hold at least a quarter of their due of points [N, 2] within three standard deviations."""
    distances = torch.cdist(points, centres())
    nearest = distances.argmin(dim=1)[distances.amin(dim=1) < 3 * SPREAD]
    due = len(points) / MODES
    return int((torch.bincount(nearest, minlength=MODES) >= due / 4).sum())


@torch.no_grad()
def draw_picture(game: Ring, generator: nn.Module, size: int = 480) -> np.ndarray:
    """uint8 [3, size, size]: D(x) from blue (fake, 0) over white (1/2) to red (real, 1); generated points in black;
    the true Gaussians as green circles."""
    axis = torch.linspace(-_HALF, _HALF, size)
    plane = torch.stack(torch.meshgrid(axis, -axis, indexing="xy"), dim=-1)
    belief = torch.sigmoid(game.judge(plane.reshape(-1, 2))).reshape(size, size)
    towards = (belief - 0.5).abs() * 2
    red, blue = torch.tensor([0.80, 0.25, 0.20]), torch.tensor([0.20, 0.40, 0.75])
    hue = torch.where((belief > 0.5)[..., None], red, blue)
    picture = torch.lerp(torch.ones(size, size, 3), hue, towards[..., None])
    ring = (torch.cdist(plane.reshape(-1, 2), centres()).amin(dim=1) - 3 * SPREAD).abs().reshape(size, size)
    picture[ring < _HALF / size * 1.5] = torch.tensor([0.15, 0.55, 0.25])
    places = ((generated(generator, 1_000) * torch.tensor([1.0, -1.0]) + _HALF) / (2 * _HALF) * size).long()
    for across, down in places[((places > 0) & (places < size - 1)).all(dim=1)].tolist():
        picture[down : down + 2, across : across + 2] = 0.05
    return (picture * 255).round().to(torch.uint8).permute(2, 0, 1).numpy()


def train(run: RunFolder, *, images: int = 500_000, seed: int = 0, gamma: float = 0.1) -> Ring:
    """Play the game in a run folder and return it as it ends, its generator in the average's place."""
    chosen = TrainingSettings(
        seed=seed,
        batch=256,
        stop=StopSettings(images=images),
        average=AverageSettings(half_life=10_000),
        tick=50_000,
        preview=images,
        checkpoint=images,
        score=images,
        tensorboard="off",
    )
    game = Ring(chosen, gamma)
    trainer = Trainer(game, chosen, run, processes=Processes(), fingerprint="ring", on_tick=_print_tick)
    trainer.train()
    game.generator.load_state_dict(trainer.averages.networks["generator"].state_dict())
    return game


def _print_tick(tick: Tick) -> None:
    terms = "  ".join(f"{name} {value:.3f}" for name, value in tick["terms"].items())
    print(f"{tick['images']:>8,} points  {terms}")


@torch.no_grad()
def beliefs(game: Ring, count: int = 2_000) -> tuple[float, float]:
    """The mean of D(x) on real and on generated points; the theory's equilibrium is (1/2, 1/2)."""
    draws = Draws(12345)
    modes = centres()[torch.arange(count) % MODES]
    real = modes + SPREAD * draws.normal("held-out", 0, count, 2)
    both = [torch.sigmoid(game.judge(points)).mean().item() for points in (real, generated(game.generator, count))]
    return both[0], both[1]


def main() -> None:
    """Train, say what came of it, and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m ganvas.toy", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", default="toy.png", type=Path, help="the picture (default: toy.png)")
    parser.add_argument("--images", default=500_000, type=int, help="points seen in training")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--gamma", default=0.1, type=float, help="the weight of R1; try 0 or 10")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the networks are so small that a second thread would only be waited for
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = RunFolder.create(Path(folder) / "toy", "")
            game = train(run, images=arguments.images, seed=arguments.seed, gamma=arguments.gamma)
        except GanvasError as error:
            parser.exit(error.exit_status, f"error: {error}\n")
    on_real, on_fake = beliefs(game)
    print(f"modes covered: {covered_modes(generated(game.generator))} of {MODES}")
    print(f"D on real {on_real:.3f}, on generated {on_fake:.3f}; at the equilibrium both are 0.5")
    grid(draw_picture(game, game.generator)[None]).save(arguments.out)
    print(f"the picture: {arguments.out}")


if __name__ == "__main__":
    main()
