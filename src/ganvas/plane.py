"""A GAN's game in the plane, where all modes of the data are known: Gaussians on a ring or on a grid.

It plays with the trainer, the losses, the penalties and the optimizers of the pictures' game; the networks alone are
smaller. Which modes a generator misses, that of pictures hides, can be counted here. The ring of eight is the toy's
own; the grid of 25, and how its modes are counted, are those of Srivastava et al. 2017 (VEEGAN), section 4.1, and Lin
et al. 2018 (PacGAN), section 4.1.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.settings import to_dict
from ganvas.losses import adversarial, adversarial_loss, penalties
from ganvas.networks.layers import SpectralLinear
from ganvas.tasks import adversary
from ganvas.tasks.autoencode_settings import AutoencodeSettings
from ganvas.tasks.game_settings import PenaltySettings
from ganvas.tasks.generate_settings import GenerateSettings, LossSettings
from ganvas.tasks.kept import Kept
from ganvas.training.clock import Clock
from ganvas.training.draws import Draws, latents_of_seeds
from ganvas.training.players import OptimizerSettings, Player, Published, Terms
from ganvas.training.trainer import TrainingSettings

COUNTED = 2_500  # generated points in which modes are counted, as in both papers
LATENT = 2
_WIDTH = 128
_ADAM = OptimizerSettings(lr=1e-3, betas=(0.0, 0.99))
_LOGISTIC_R1 = LossSettings(r1=PenaltySettings(weight=0.1))


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians of one size, each as likely as any other.

    centres: float32 [M, 2]. spread: the standard deviation of each. half: a picture shows [-half, half] both ways.
    """

    name: str
    centres: Tensor
    spread: float
    half: float

    def __len__(self) -> int:
        return len(self.centres)

    def counts(self, points: Tensor) -> Tensor:
        """int64 [M]: how many of the points [N, 2] lie within three standard deviations of each Gaussian."""
        distances = torch.cdist(points, self.centres)
        nearest = distances.argmin(dim=1)[distances.amin(dim=1) < 3 * self.spread]
        return torch.bincount(nearest, minlength=len(self))

    def covered(self, points: Tensor) -> int:
        """How many Gaussians hold at least a quarter of their due of points [N, 2]."""
        return int((self.counts(points) >= len(points) / len(self) / 4).sum())

    def drawn(self, draws: Draws, role: str, position: int, count: int) -> Tensor:
        """float32 [count, 2]: points of it, a pure function of the arguments."""
        modes = (draws.uniform(f"{role}/mode", position, count) * len(self)).long()
        return self.centres[modes] + self.spread * draws.normal(f"{role}/spread", position, count, 2)


def _ring(modes: int, radius: float) -> Tensor:
    angles = torch.arange(modes) * (2 * math.pi / modes)
    return radius * torch.stack([angles.cos(), angles.sin()], dim=1)


def _grid(side: int, spacing: float) -> Tensor:
    axis = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(axis, axis)


MIXTURES = {
    "ring": Mixture("ring", _ring(8, 2.0), spread=0.1, half=3.0),
    "grid": Mixture("grid", _grid(5, 2.0), spread=0.05, half=5.0),
}


@dataclasses.dataclass(frozen=True)
class Rules:
    """What makes a game, whatever its networks. spectral: the discriminator's weights are spectrally normalised.

    Raises UsageError for a term of the loss that belongs to pictures or their networks, or that the plane has not.
    """

    loss: LossSettings = _LOGISTIC_R1
    generator_optimizer: OptimizerSettings = _ADAM
    discriminator_optimizer: OptimizerSettings = _ADAM
    discriminator_moves: int = 1
    shared_draws: bool = False
    spectral: bool = False

    def __post_init__(self) -> None:
        loss = self.loss
        _refuse(
            {
                "loss.path_length.weight": loss.path_length.weight,
                "loss.lecam.weight": loss.lecam.weight,
                "loss.consistency.real": loss.consistency.real,
                "loss.consistency.fake": loss.consistency.fake,
                "loss.classification": loss.classification,
                "loss.reconstruction": loss.reconstruction,
            }
        )

    @classmethod
    def of(cls, chosen: GenerateSettings | AutoencodeSettings) -> Self:
        """Those of a game with pictures. Spectral norm belongs to them: it is what bounds the hinge loss's slope.

        Raises UsageError that names the setting if the game has more than the plane plays.
        """
        if not isinstance(chosen, GenerateSettings):
            raise UsageError(f"task={chosen.task} is not played in the plane: it takes a generator and a discriminator")
        _refuse({"augment.name": chosen.augment.name, "style_mixing": chosen.style_mixing})
        return cls(
            chosen.loss,
            chosen.generator_optimizer,
            chosen.discriminator_optimizer,
            chosen.discriminator_moves,
            chosen.shared_draws,
            to_dict(chosen.discriminator).get("norm") == "spectral",
        )


def _refuse(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value:
            raise UsageError(f"{name}={value} is not played in the plane: leave it out")


@dataclasses.dataclass(frozen=True)
class Points:
    """A batch of real points [N, 2] and latents [N, 2]. mix: [N] in [0, 1), for a penalty on interpolates.

    first: where in this process's part of the global batch these rows begin. real_logits: [N], what the discriminator's
    move found of the same points; None where nothing is shared.
    """

    real: Tensor
    latents: Tensor
    mix: Tensor
    first: int = 0
    real_logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.real)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        return dataclasses.replace(
            self,
            real=self.real[start:stop],
            latents=self.latents[start:stop],
            mix=self.mix[start:stop],
            first=self.first + start,
            real_logits=None if self.real_logits is None else self.real_logits[start:stop],
        )


class Plane:
    """The game in the plane: a task for the trainer."""

    def __init__(
        self, chosen: TrainingSettings, mixture: Mixture = MIXTURES["ring"], rules: Rules | None = None
    ) -> None:
        """rules: None takes the toy's: the logistic loss, R1 of weight 0.1, Adam."""
        self._chosen, self.mixture, self._rules = chosen, mixture, rules or Rules()
        rules = self._rules
        self._draws = Draws(chosen.seed)
        self._loss = adversarial_loss(rules.loss.adversarial)
        self.generator = self._network("generator", nn.Linear, LATENT, 2)
        self.discriminator = self._network("discriminator", SpectralLinear if rules.spectral else nn.Linear, 2, 1)
        self.averaged: Mapping[str, nn.Module] = {"generator": self.generator}
        self.compares_rows = rules.loss.top_k.final < 1
        self.narrower = ""
        self.preview_heads: tuple[str, ...] = ()
        self.players: Sequence[Player] = [
            Player(
                "discriminator",
                {"discriminator": self.discriminator},
                self._discriminator_terms,
                rules.discriminator_optimizer,
                moves=rules.discriminator_moves,
                after_step=self._clip,
            ),
            Player("generator", {"generator": self.generator}, self._generator_terms, rules.generator_optimizer),
        ]
        self._kept = Kept(most=0)

    def _network(self, role: str, linear: type[nn.Linear], inputs: int, outputs: int) -> nn.Module:
        with self._draws.initialising(role):
            layers: list[nn.Module] = []
            for features in (inputs, _WIDTH, _WIDTH):
                layers += [linear(features, _WIDTH), nn.ReLU()]
            return nn.Sequential(*layers, linear(_WIDTH, outputs))

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> Points:
        """Fresh points and latents; with shared draws the generator gets those of the discriminator's last move.

        So it does the logits of the real ones, from before the discriminator's step.
        """
        if self._rules.shared_draws and player.name == "generator":
            discriminator = self.players[0]
            again = self._drawn(discriminator, discriminator.moves - 1, clock, rows)
            return dataclasses.replace(again, real_logits=self._kept.all_of("real"))
        self._kept = Kept(most=0)
        return self._drawn(player, move, clock, rows)

    def _drawn(self, player: Player, move: int, clock: Clock, rows: slice) -> Points:
        role, count = player.name, self._chosen.batch
        place = clock.images * player.moves + move * count
        real = self.mixture.drawn(self._draws, role, place, count)
        latents = self._draws.normal(f"{role}/latents", place, count, LATENT)
        return Points(real[rows], latents[rows], self._draws.uniform(f"{role}/mix", place, count)[rows])

    def _discriminator_terms(self, batch: Points, clock: Clock) -> Terms:
        loss = self._rules.loss
        with torch.no_grad():
            fake = self.generator(batch.latents)
        real, fake = adversary.gradients_asked(loss, clock, batch.real, fake)
        real_logits, fake_logits = self.judge(real), self.judge(fake)
        self._kept.note(batch.first, real=real_logits)
        terms = {"adversarial": self._loss.discriminator(real_logits, fake_logits)}
        terms |= adversary.gradient_terms(loss, clock, real, real_logits, fake, fake_logits)
        if loss.gradient_penalty.due(clock):
            weight = loss.gradient_penalty.weight_now(clock)
            terms["gradient_penalty"] = weight * penalties.gradient_penalty(self.judge, real, fake, batch.mix)
        return terms

    def _generator_terms(self, batch: Points, clock: Clock) -> Terms:
        fake_logits = self.judge(self.generator(batch.latents))
        real_logits = adversary.real_logits_beside(
            self._loss, fake_logits, lambda: self.judge(batch.real), batch.real_logits
        )
        if (part := self._rules.loss.top_k.at(clock.images)) < 1:
            best = adversarial.best(fake_logits, part)
            real_logits, fake_logits = real_logits[best], fake_logits[best]
        return {"adversarial": self._loss.generator(real_logits, fake_logits)}

    def _clip(self) -> None:
        if self._rules.loss.clip:
            penalties.clip_weights(self.discriminator.parameters(), self._rules.loss.clip)

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
        return "modes-missing", float(len(self.mixture) - self.mixture.covered(generated(averages["generator"])))

    def protocol(self) -> dict[str, Any]:
        """How the modes are counted."""
        return {"metric": "modes-missing", "modes": len(self.mixture), "count": COUNTED}

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged generator."""
        return {"generator": (averages["generator"].state_dict(), {"kind": "toy", "images_seen": clock.images})}


@torch.no_grad()
def generated(generator: nn.Module, count: int = COUNTED) -> Tensor:
    """float32 [count, 2]: points of the seeds 0 to count - 1."""
    points: Tensor = generator(latents_of_seeds(range(count), LATENT))
    return points


@torch.no_grad()
def draw_picture(game: Plane, generator: nn.Module, size: int = 480) -> np.ndarray:
    """uint8 [3, size, size]: D(x) from blue (fake, 0) over white (1/2) to red (real, 1); generated points in black;
    the true Gaussians as green circles."""
    mixture, half = game.mixture, game.mixture.half
    axis = torch.linspace(-half, half, size)
    plane = torch.stack(torch.meshgrid(axis, -axis, indexing="xy"), dim=-1)
    belief = torch.sigmoid(game.judge(plane.reshape(-1, 2))).reshape(size, size)
    towards = (belief - 0.5).abs() * 2
    red, blue = torch.tensor([0.80, 0.25, 0.20]), torch.tensor([0.20, 0.40, 0.75])
    hue = torch.where((belief > 0.5)[..., None], red, blue)
    picture = torch.lerp(torch.ones(size, size, 3), hue, towards[..., None])
    nearest = torch.cdist(plane.reshape(-1, 2), mixture.centres).amin(dim=1).reshape(size, size)
    picture[(nearest - 3 * mixture.spread).abs() < half / size * 1.5] = torch.tensor([0.15, 0.55, 0.25])
    dot(picture, generated(generator, 1_000), half, (0.05, 0.05, 0.05))
    return (picture * 255).round().to(torch.uint8).permute(2, 0, 1).numpy()


def dot(picture: Tensor, points: Tensor, half: float, colour: tuple[float, float, float]) -> None:
    """Put points [N, 2], 2 pixels wide, into a picture [S, S, 3] in [0, 1] of [-half, half] both ways, in place."""
    size = len(picture)
    places = ((points * torch.tensor([1.0, -1.0]) + half) / (2 * half) * size).long()
    for across, down in places[((places > 0) & (places < size - 1)).all(dim=1)].tolist():
        picture[down : down + 2, across : across + 2] = torch.tensor(colour)
