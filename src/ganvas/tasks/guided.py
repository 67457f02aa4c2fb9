"""Pictures of pictures, where the true answer is known: pairs, larger pictures, filled holes, colours.

A translator against a discriminator that sees answers, made or true (Isola et al. 2017, section 3), beside a distance
to the true answer in pixels and in features (Ledig et al. 2017, section 2.2). What is given of a picture and what
should be made of it is the problem's matter (`degrade.problems`).
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core.images import to_uint8
from ganvas.core.settings import to_dict
from ganvas.data import Dataset
from ganvas.losses import reconstruction
from ganvas.metrics.imagenet import find_weights
from ganvas.metrics.perceptual import LEAST, PerceptualDistance
from ganvas.metrics.structural import WINDOW, ssim
from ganvas.tasks.guided_settings import GuidedSettings
from ganvas.tasks.kept import Kept, piece
from ganvas.tasks.pictures import in_float32
from ganvas.tasks.translation import TranslationTask, in_rows
from ganvas.training.clock import Clock
from ganvas.training.players import Player, Published, Terms

_EXAMPLES, _COLUMNS = 16, 2  # in a preview, and how many stand side by side
_SCORED, _LOOKED_AT = 64, 32  # parts of pictures in a score, and that the watch looks at


@dataclasses.dataclass(frozen=True)
class GuidedBatch:
    """One move's draws. given: [N, inputs, h, w]. wanted: [N, outputs, H, W]. first: where in this process's part of
    the batch these rows begin. kept: what the discriminator's move made of them, with graphs, by first row.
    """

    given: Tensor
    wanted: Tensor
    first: int = 0
    kept: Mapping[int, Tensor] = dataclasses.field(default_factory=dict)

    @property
    def made(self) -> Tensor | None:
        """What was made of exactly these rows, with a graph that is good for once; None if it was not kept."""
        return piece(self.kept, self.first, len(self))

    def __len__(self) -> int:
        return len(self.given)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        parts = {"given": self.given[start:stop], "wanted": self.wanted[start:stop]}
        return dataclasses.replace(self, first=self.first + start, **parts)  # type: ignore[arg-type]


class Guided(TranslationTask):
    """The game of a translator and, unless the adversarial term has no weight, a discriminator."""

    Settings = GuidedSettings
    preview_heads = ("given", "made", "true") * _COLUMNS

    def __init__(self, chosen: GuidedSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and players; unseen: pictures for scores, as of `DataTask`.

        Raises UsageError if the settings do not go with the data or each other, DataError if the weights that a
        perceptual term needs are not here.
        """
        super().__init__(chosen, data, unseen)
        self.problem = chosen.posed(chosen.data.size)
        self._perceptual = PerceptualDistance() if chosen.loss.perceptual else None
        translator = Player(
            "translator", {"translator": self.translator}, self._translator_terms, chosen.translator_optimizer
        )
        discriminator = Player(
            "discriminator",
            {"discriminator": self.discriminator},
            self._discriminator_terms,
            chosen.discriminator_optimizer,
            after=chosen.loss.after,
        )
        self.players = [discriminator, translator] if chosen.loss.weight else [translator]
        self._kept = Kept(chosen.training.lanes)
        self._score_name = "perceptual" if find_weights() and chosen.data.size.shorter >= LEAST else "dssim"
        if self._score_name == "dssim" and chosen.data.size.shorter < WINDOW:
            self._score_name = "l1"

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> GuidedBatch:
        """The batch of a round, the same for both players: parts of pictures in an endless reading of the data."""
        kept = self._kept.fakes if player.name == "translator" else {}
        self._kept = Kept(self.chosen.training.lanes)
        given, wanted = self._of_round(clock, rows, self._drawn_and_posed)
        return GuidedBatch(given, wanted, kept=kept)

    def _drawn_and_posed(self, place: int, rows: slice) -> tuple[Tensor, Tensor]:
        """Given and wanted of these rows of the global batch at a place."""
        indices = self._drawn_indices("pictures", place, rows)
        parts = self._as_floats(self._drawn_parts("pictures", place, rows, indices))
        batch = self.chosen.training.batch
        uniform = self._draws.uniform("pictures/problem", place, batch * self.problem.draws).view(batch, -1)[rows]
        return self.problem.pose(parts, uniform.to(self.device))

    def _discriminator_terms(self, batch: GuidedBatch, clock: Clock) -> Terms:
        given = batch.given
        self.translator.requires_grad_(True)  # what is made now is what the translator's move goes on with
        made = self._through(self.translator, given)
        self._kept.keep(batch.first, made)
        fake = self.problem.answer(given, made.detach())
        return self._told_apart(partial(self._judged, given), batch.wanted, fake, clock)

    def _judged(self, given: Tensor, answer: Tensor) -> Tensor:
        return self._through(self.discriminator, self.problem.seen(given, answer))

    def _translator_terms(self, batch: GuidedBatch, clock: Clock) -> Terms:
        loss, given, wanted = self.chosen.loss, batch.given, batch.wanted
        made = batch.made
        if made is None:
            made = self._through(self.translator, given)
        terms: Terms = {}
        if loss.reconstruction:
            distance = getattr(reconstruction, loss.distance)
            terms["reconstruction"] = loss.reconstruction * distance(made, wanted)
        answer = self.problem.answer(given, made)
        if self._perceptual is not None:
            terms["perceptual"] = loss.perceptual * self._far_in_features(given, answer, wanted)
        if loss.weight and clock.images >= loss.after:
            terms["adversarial"] = self._fooled(partial(self._judged, given), wanted, answer)
        return terms

    def _far_in_features(self, given: Tensor, answer: Tensor, wanted: Tensor) -> Tensor:
        """The mean perceptual distance of answers to the true ones."""
        assert self._perceptual is not None
        with torch.no_grad(), self._autocast():
            true = self._perceptual.features(self._in_colour(given, wanted))
        with self._autocast():
            made = self._perceptual.features(self._in_colour(given, answer))
        return self._perceptual.between(
            [some.to(self.dtype) for some in made], [some.to(self.dtype) for some in true]
        ).mean()

    def _in_colour(self, given: Tensor, answer: Tensor) -> Tensor:
        """Answers as RGB pictures in 0..255, in float32, as the features' weights are."""
        return (self.problem.picture(given, answer).float().expand(-1, 3, -1, -1) + 1) * 127.5

    @cached_property
    def _examples(self) -> tuple[Tensor, Tensor]:
        """Given and wanted of the pictures that are looked at: as many as a score takes."""
        return self._always_posed(self._some_of(*self._looked_at, _SCORED))

    @cached_property
    def _seen_examples(self) -> tuple[Tensor, Tensor]:
        """Given and wanted of some that training sees."""
        return self._always_posed(self._some_of(self.data, self._seen, _LOOKED_AT))

    def _always_posed(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Given and wanted of uint8 pictures [N, C, H, W], each time the same."""
        uniform = self._draws.uniform("examples/problem", 0, len(pictures) * self.problem.draws)
        return self.problem.pose(self._as_floats(pictures), uniform.view(len(pictures), -1).to(self.device))

    def _answers(self, network: nn.Module, given: Tensor) -> Tensor:
        """What a network makes of pictures outside of training."""
        return self._applied(network, given, lambda some: self.problem.answer(some, self._through(network, some)))

    def diagnose(self) -> dict[str, float]:
        """The signal-to-noise ratio in dB of answers to pictures that are seen in training, and that are not."""
        given, wanted = (some[:_LOOKED_AT] for some in self._examples)
        signs = {"psnr/held_out" if len(self._unseen[1]) else "psnr/seen": self._ratio(given, wanted)}
        if len(self._unseen[1]):
            given, wanted = self._seen_examples
            signs["psnr/seen"] = self._ratio(given, wanted)
        return signs

    def _ratio(self, given: Tensor, wanted: Tensor) -> float:
        made, true = self._pictures(given, self._answers(self.translator, given)), self._pictures(given, wanted)
        error = (made.double() - true.double()).square().mean().clamp(min=1e-3).item()
        return float(10 * np.log10(255**2 / error))

    def _pictures(self, given: Tensor, answer: Tensor) -> Tensor:
        return to_uint8(self.problem.picture(given, answer))

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [3 * N, C, H, W]: of N pictures what was given, what is made of it, and what should be made."""
        given, wanted = (some[:: max(1, len(some) // _EXAMPLES)][:_EXAMPLES] for some in self._examples)
        answer = self._answers(averages["translator"], given)
        problem = self.problem
        return in_rows(problem.shown(given), problem.picture(given, answer), problem.picture(given, wanted))

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """How far answers are from the true ones, lower is better.

        The perceptual distance where the weights for it are here, else (1 - SSIM) / 2; of tiny pictures the mean
        absolute difference.
        """
        given, wanted = self._examples
        made, true = self._pictures(given, self._answers(averages["translator"], given)), self._pictures(given, wanted)
        if self._score_name == "perceptual":
            return "perceptual", self._scoring(made, true).mean().item()
        if self._score_name == "dssim":
            return "dssim", ((1 - ssim(made, true)) / 2).mean().item()
        return "l1", (made.double() - true.double()).abs().mean().item() / 255

    @cached_property
    def _scoring(self) -> PerceptualDistance:
        return self._perceptual or PerceptualDistance()

    def protocol(self) -> dict[str, Any]:
        """The protocol of `score`."""
        held_out = bool(len(self._unseen[1]))
        about = self._scoring.protocol if self._score_name == "perceptual" else {}
        return {
            **about,
            "metric": self._score_name,
            "count": len(self._examples[0]),
            "size": self.chosen.data.size.plain,
            "pictures": "middle parts of "
            + ("pictures that training does not see" if held_out else "training pictures"),
            "problem": to_dict(self.chosen.problem),
            "scale": self.chosen.scale,
            "seed": self.chosen.training.seed,
            "reference": self._looked_at[0].name,
            "reference_sha256": self._looked_at[0].fingerprint,
        }

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged translator's weights and the card that rebuilds it."""
        network = averages["translator"]
        domains = list(self.data.classes) if self.chosen.task == "paired" else []
        if domains and self.chosen.problem.backwards:
            domains.reverse()
        own = {"mode": self.problem.mode, "problem": to_dict(self.chosen.problem), "domains": domains}
        own["preview"] = ", ".join(self.preview_heads)
        return {"translator": (in_float32(network), self._card(network, clock, **own))}
