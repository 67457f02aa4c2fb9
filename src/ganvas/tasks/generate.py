"""Generation: a generator against a discriminator (Goodfellow et al. 2014), with any networks, loss and penalties."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import losses, metrics, networks
from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.images import to_float, to_uint8
from ganvas.core.settings import to_dict
from ganvas.core.version import VERSION
from ganvas.data import Dataset, held_out_indices
from ganvas.losses import penalties
from ganvas.metrics.scorer import Scorer
from ganvas.tasks.augmenting import Augmenting
from ganvas.tasks.diagnostics import Diagnostics, Labelled
from ganvas.tasks.generate_settings import GenerateSettings, PenaltySettings
from ganvas.training.clock import Clock
from ganvas.training.draws import Draws, latents_of_seeds
from ganvas.training.players import Player, Terms

_PREVIEWS = 64  # pictures in a sample grid, the seeds 0 to 63
_SCORED = 5_000  # generated pictures in a score during training
_LOOKED_AT, _LOOKED_AT_BYTES = 128, 2**26  # pictures of each kind that the watch looks at, fewer where they are large
_COMPARED, _COMPARED_BYTES = 10_000, 2**28  # and training pictures among which it looks for copies
_AT_ONCE = 250  # pictures generated at a time outside training


@dataclasses.dataclass(frozen=True)
class GenerateBatch:
    """One move's draws.

    latents: [N, Z]. mix: [N] in [0, 1), for penalties on interpolates. real: uint8 [N, C, H, W], None where the move
    needs none. labels: int64 [N], None without classes. first: where in this process's part of the global batch these
    rows begin. real_changes, fake_changes: [N, draws] in [0, 1), what the augmentation makes of either, None where it
    does nothing. fake, real_logits: what the discriminator's move has computed from the same draws, None where nothing
    is shared.
    """

    latents: Tensor
    mix: Tensor
    real: Tensor | None
    labels: Tensor | None
    first: int = 0
    real_changes: Tensor | None = None
    fake_changes: Tensor | None = None
    fake: Tensor | None = None
    real_logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.latents)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""

        def cut(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor[start:stop]

        whole = start == 0 and stop >= len(self)
        return dataclasses.replace(
            self,
            latents=self.latents[start:stop],
            mix=self.mix[start:stop],
            real=cut(self.real),
            labels=cut(self.labels),
            first=self.first + start,
            real_changes=cut(self.real_changes),
            fake_changes=cut(self.fake_changes),
            fake=self.fake if whole else None,  # its graph can be gone through only once
            real_logits=cut(self.real_logits),
        )


class Generate:
    """The game of generation on a data set."""

    Settings = GenerateSettings

    def __init__(self, chosen: GenerateSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and players. Raises UsageError if the networks cannot make pictures of that size.

        unseen: real pictures for the watch; without them it takes those that are held out of the data, if any are.
        """
        self.chosen, self.data = chosen, data
        self.device = devices.choose_device(chosen.training.device)
        self._precision = devices.choose_precision(chosen.training.precision, self.device)
        self._dtype = (
            torch.float64 if self._precision == torch.float64 else torch.float32
        )  # of weights, losses and penalties
        self._draws = Draws(chosen.training.seed)
        self._loss = losses.adversarial_loss(chosen.loss.adversarial)
        self.generator = self._build(networks.generator, "generator", chosen.generator)
        self.discriminator = self._build(networks.discriminator, "discriminator", chosen.discriminator)
        self._augmenting = Augmenting(
            chosen.augment, size=chosen.data.size, channels=chosen.data.channels, batch=chosen.training.batch
        ).to(self.device, self._dtype)
        self.averaged: Mapping[str, nn.Module] = {"generator": self.generator}
        self.players = [
            Player(
                "discriminator",
                {"discriminator": self.discriminator, **self._augmenting.state},
                self._discriminator_terms,
                chosen.discriminator_optimizer,
                moves=chosen.discriminator_moves,
                after_step=self._after_discriminators_step,
            ),
            Player("generator", {"generator": self.generator}, self._generator_terms, chosen.generator_optimizer),
        ]
        held_out = held_out_indices(len(data), chosen.data.held_out)
        self._seen = np.setdiff1d(np.arange(len(data)), held_out)
        self._unseen: tuple[Dataset, np.ndarray] = (data, held_out)
        if unseen is not None:
            self._unseen = unseen, np.arange(len(unseen))
        self._diagnostics: Diagnostics | None = None
        self._scorer: Scorer | None = None
        self._sampled_at_once = min(_AT_ONCE, chosen.training.micro_batch or _AT_ONCE)
        self._kept = _Kept()
        if chosen.data.classes and chosen.data.classes != data.classes:
            raise UsageError(
                f"data.classes must be all {len(data.classes)} classes of the data, in its order, or none: "
                f"{', '.join(data.classes[:5])}{' ...' if len(data.classes) > 5 else ''}"
            )

    def _build(self, table: Any, role: str, part: Any) -> Any:
        data = self.chosen.data
        with self._draws.initialising(role):
            network = table(part.name)(part, size=data.size, channels=data.channels, classes=len(data.classes))
        return network.to(self.device, self._dtype, memory_format=torch.channels_last).train()

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> GenerateBatch:
        """The batch of a move: reals in the player's own endless reading of the data, fresh latents.

        With shared draws the generator's move gets those of the discriminator's last move in the round.
        """
        if self.chosen.shared_draws and player.name == "generator":
            kept, discriminator = self._kept, self.players[0]
            again = self._drawn(discriminator, discriminator.moves - 1, clock, rows)
            self._kept = _Kept(kept.real_logits)  # should this move be played again, the graph will be used up
            return dataclasses.replace(again, fake=kept.fake_of(len(again)), real_logits=kept.all_real_logits())
        if player.name == "discriminator" and move == 0:
            self._augmenting.begin_round()
        self._kept = _Kept()
        return self._drawn(player, move, clock, rows)

    def _drawn(self, player: Player, move: int, clock: Clock, rows: slice) -> GenerateBatch:
        batch, role = self.chosen.training.batch, player.name
        place = clock.images * player.moves + move * batch
        indices = self._seen[self._draws.order(role, place, batch, len(self._seen))[rows].numpy()]
        real = labels = None
        if player.name == "discriminator" or self._loss.generator_reads_real:
            real = torch.from_numpy(np.ascontiguousarray(self.data.images[indices]))
            if self.chosen.data.mirror:
                turned = self._draws.uniform(f"{role}/mirror", place, batch)[rows] < 0.5
                real = torch.where(turned[:, None, None, None], real.flip(-1), real)
            real = real.to(self.device, non_blocking=True)
        if self.chosen.data.classes and self.data.labels is not None:
            labels = torch.from_numpy(self.data.labels[indices]).to(self.device)
        latents = self._draws.normal(f"{role}/latents", place, batch, self.generator.latent)[rows]
        mix = self._draws.uniform(f"{role}/mix", place, batch)[rows]
        return GenerateBatch(
            latents.to(self.device, self._dtype),
            mix.to(self.device, self._dtype),
            real,
            labels,
            real_changes=None if real is None else self._changes(f"{role}/real", place, rows),
            fake_changes=self._changes(f"{role}/fake", place, rows),
        )

    def _changes(self, role: str, place: int, rows: slice) -> Tensor | None:
        numbers = self._augmenting.numbers(self._draws, role, place, rows)
        return None if numbers is None else numbers.to(self.device, non_blocking=True)

    def _discriminator_terms(self, batch: GenerateBatch, clock: Clock) -> Terms:
        loss = self.chosen.loss
        real, fake = self._reals(batch), self._fakes_to_judge(batch)
        r1_due, r2_due = _due(loss.r1, clock), _due(loss.r2, clock)
        real_seen = self._augmenting(real.requires_grad_(r1_due), batch.real_changes, clock)
        real_logits, error = self._judge_real(real_seen, batch.labels)
        self._kept.real_logits[batch.first] = real_logits.detach()
        fake_seen = self._augmenting(fake.requires_grad_(r2_due), batch.fake_changes, clock)
        fake_logits = self._judge(fake_seen, batch.labels)
        terms = {"adversarial": self._loss.discriminator(real_logits, fake_logits)}
        if error is not None:
            terms["reconstruction"] = loss.reconstruction * error
        if r1_due:
            terms["r1"] = _weight(loss.r1, clock) * penalties.r1(real_logits, real)
        if r2_due:
            terms["r2"] = _weight(loss.r2, clock) * penalties.r2(fake_logits, fake)
        if _due(loss.gradient_penalty, clock):
            terms["gradient_penalty"] = _weight(loss.gradient_penalty, clock) * penalties.gradient_penalty(
                lambda pictures: self._judge(self._augmenting(pictures, batch.real_changes, clock), batch.labels),
                real.detach(),
                fake.detach(),
                batch.mix,
            )
        return terms

    def _fakes_to_judge(self, batch: GenerateBatch) -> Tensor:
        """Generated pictures without a graph; with shared draws the graph is kept for the generator's move."""
        if not self.chosen.shared_draws:
            with torch.no_grad(), self._autocast():
                return self.generator(batch.latents, batch.labels).to(self._dtype)
        self.generator.requires_grad_(True)
        with self._autocast():
            fake = self.generator(batch.latents, batch.labels)
        self._kept.fake = fake
        return fake.detach().to(self._dtype)

    def _generator_terms(self, batch: GenerateBatch, clock: Clock) -> Terms:
        fake = batch.fake
        if fake is None:
            with self._autocast():
                fake = self.generator(batch.latents, batch.labels)
        fake_logits = self._judge(self._augmenting(fake, batch.fake_changes, clock), batch.labels)
        real_logits = batch.real_logits
        if real_logits is None and self._loss.generator_reads_real:
            with torch.no_grad():
                real_seen = self._augmenting(self._reals(batch), batch.real_changes, clock)
                real_logits = self._judge(real_seen, batch.labels)
        if real_logits is None:
            real_logits = torch.zeros_like(fake_logits)
        return {"adversarial": self._loss.generator(real_logits, fake_logits)}

    def _reals(self, batch: GenerateBatch) -> Tensor:
        if batch.real is None:
            raise ValueError("this move was drawn without real pictures")
        return self._laid_out(batch.real)

    def _laid_out(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] as the networks take them."""
        return to_float(pictures).to(self._dtype).contiguous(memory_format=torch.channels_last)

    def _judge(self, pictures: Tensor, labels: Tensor | None) -> Tensor:
        with self._autocast():
            return self.discriminator(pictures, labels).to(self._dtype)

    def _judge_real(self, pictures: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Logits and, where it is asked for, how far the pictures are off that the discriminator decodes."""
        if not self.chosen.loss.reconstruction:
            return self._judge(pictures, labels), None
        with self._autocast():
            logits, error = self.discriminator.judge(pictures, labels)
        return logits.to(self._dtype), error.to(self._dtype)

    def _autocast(self) -> torch.autocast:
        return devices.autocast(self.device, self._precision)

    def _after_discriminators_step(self) -> None:
        if self.chosen.loss.clip:
            penalties.clip_weights(self.discriminator, self.chosen.loss.clip)
        if (real_logits := self._kept.all_real_logits()) is not None:
            self._augmenting.observe(real_logits)

    def diagnose(self) -> dict[str, float]:
        """Signs of health, of the same pictures and latents each time; `training.health` says what they mean."""
        if self._diagnostics is None:
            self._diagnostics = Diagnostics(
                (self.generator, self.discriminator),
                self._generate_from_seeds,
                self._judge_as_found,
                self.chosen.training.micro_batch or self.chosen.training.batch,
                self._some(self.data, self._seen, _LOOKED_AT, _LOOKED_AT_BYTES),
                self._some(*self._unseen, _LOOKED_AT, _LOOKED_AT_BYTES),
                self._training_pictures(),
            )
        return self._diagnostics() | self._augmenting.signs()

    def _generate_from_seeds(self, seeds: range, labels: Tensor | None) -> Tensor:
        latents = latents_of_seeds(seeds, self.generator.latent).to(self.device, self._dtype)
        with self._autocast():
            return self.generator(latents, labels)

    def _judge_as_found(self, pictures: Tensor, labels: Tensor | None) -> Tensor:
        return self._judge(self._laid_out(pictures) if pictures.dtype == torch.uint8 else pictures, labels)

    def _some(self, data: Dataset, indices: np.ndarray, most: int, most_bytes: int) -> Labelled:
        """At most so many of these pictures, evenly spread; with labels if the networks know classes."""
        most = min(most, max(2, most_bytes // data.images[0].nbytes))
        spread = indices[np.linspace(0, len(indices) - 1, min(most, len(indices))).astype(np.int64)]
        pictures = torch.from_numpy(np.ascontiguousarray(data.images[spread])).to(self.device)
        if not self.chosen.data.classes or data.labels is None:
            return Labelled(pictures)
        return Labelled(pictures, torch.from_numpy(data.labels[spread]).to(self.device))

    def _training_pictures(self) -> Iterator[Tensor]:
        """Training pictures among which copies would be found, mirrored as well where training mirrors."""
        for part, _ in self._some(self.data, self._seen, _COMPARED, _COMPARED_BYTES).parts(_AT_ONCE):
            yield part
            if self.chosen.data.mirror:
                yield part.flip(-1)

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [64, C, H, W]: the pictures of the seeds 0 to 63."""
        classes = len(self.chosen.data.classes)
        labels = torch.arange(_PREVIEWS) % classes if classes else None
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
            latents = latents_of_seeds(range(start, stop), self.generator.latent).to(self.device, self._dtype)
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

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> tuple[dict[str, Tensor], dict[str, object]]:
        """The averaged generator's weights and the card that rebuilds it."""
        card = {
            "kind": "generator",
            "generator": to_dict(self.chosen.generator),
            "size": self.chosen.data.size,
            "channels": self.chosen.data.channels,
            "classes": list(self.chosen.data.classes),
            "data": self.data.name,
            "data_sha256": self.data.fingerprint,
            "held_out": self.chosen.data.held_out,
            "recipe": self.chosen.recipe,
            "images_seen": clock.images,
            "ganvas": VERSION,
        }
        weights = averages["generator"].state_dict()
        return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}, card


class _Kept:
    """What the discriminator's move leaves for the generator's move in the same round, to be spared computing again.

    It spares work and no more: without it the generator's move computes the same pictures. The logits alone are those
    of before the discriminator's step, which a relativistic loss pairs with logits of after it.

    fake: the pictures with their graph, of the last micro-batch, good for a batch that was worked on whole.
    real_logits: the logits of real pictures, of each micro-batch by its first row.
    """

    def __init__(self, real_logits: Mapping[int, Tensor] | None = None) -> None:
        self.fake: Tensor | None = None
        self.real_logits = dict(real_logits or {})

    def fake_of(self, count: int) -> Tensor | None:
        """The pictures with their graph, if they are those of all `count` rows."""
        return self.fake if self.fake is not None and len(self.fake) == count else None

    def all_real_logits(self) -> Tensor | None:
        """The logits of all rows, in their order; None if the discriminator has not moved yet."""
        pieces = [self.real_logits[first] for first in sorted(self.real_logits)]
        return torch.cat(pieces) if pieces else None


def _due(penalty: PenaltySettings, clock: Clock) -> bool:
    return penalty.weight > 0 and clock.rounds % penalty.every == 0


def _weight(penalty: PenaltySettings, clock: Clock) -> float:
    """The weight that keeps the mean over all rounds, those without the penalty included."""
    return penalty.at(clock.images) * penalty.every
