"""Generation: a generator against a discriminator (Goodfellow et al. 2014), with any networks, loss and penalties."""

import dataclasses
from collections.abc import Mapping
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import losses, networks
from ganvas.data import Dataset
from ganvas.losses import adversarial, penalties
from ganvas.losses.classification import class_cross_entropy
from ganvas.networks.conditioning import present_labels
from ganvas.tasks import adversary
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.batches import GenerateBatch
from ganvas.tasks.beginning import begin
from ganvas.tasks.checks import group_of
from ganvas.tasks.diagnostics import Diagnostics
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.tasks.kept import Kept
from ganvas.tasks.pictures import PictureTask
from ganvas.tasks.running import RunningMeans
from ganvas.training.clock import Clock
from ganvas.training.players import Player, Published, Terms


class Generate(PictureTask):
    """The game of generation on a data set."""

    Settings = GenerateSettings

    def __init__(self, chosen: GenerateSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and players. Raises UsageError if the settings do not go with the data or each other.

        unseen: real pictures for the watch; without them it takes those that are held out of the data, if any are.
        """
        super().__init__(chosen, data, unseen)
        loss = chosen.loss
        self._loss = losses.adversarial_loss(loss.adversarial)
        self.generator = self._build(networks.generator, "generator", chosen.generator)
        self.discriminator = self._build(networks.discriminator, "discriminator", chosen.discriminator)
        self._augmenting = self._augmentation(chosen.augment)
        consistent = AugmentSettings(name="diffaug", stages=("translation",), p=1.0)
        self._shifting = self._augmentation(
            consistent if loss.consistency.real or loss.consistency.fake else AugmentSettings()
        )
        self._anchors = RunningMeans(("real", "fake"), loss.lecam.decay).to(self.device)
        self._lengths = RunningMeans(("length",), loss.path_length.decay).to(self.device)
        self.players = [
            Player(
                "discriminator",
                {"discriminator": self.discriminator, **self._augmenting.state}
                | ({"anchors": self._anchors} if loss.lecam.weight else {}),
                self._discriminator_terms,
                chosen.discriminator_optimizer,
                moves=chosen.discriminator_moves,
                after_step=self._after_discriminators_step,
                frozen=chain.from_iterable(self.discriminator.levels()[: chosen.discriminator_frozen]),
            ),
            Player(
                "generator",
                {"generator": self.generator} | ({"lengths": self._lengths} if loss.path_length.weight else {}),
                self._generator_terms,
                chosen.generator_optimizer,
                after_step=self._after_generators_step,
            ),
        ]
        grouped = group_of(self.discriminator) > 1
        self.compares_rows = grouped or loss.top_k.final < 1 or loss.path_length.weight > 0
        self._diagnostics: Diagnostics | None = None
        self._kept, self._measured = self._nothing_kept(), self._nothing_kept()

    def begin(self) -> list[str]:
        """Take the weights of the source that the settings name, and tell which. Raises DataError if it is gone."""
        players = {"generator": self.generator, "discriminator": self.discriminator}
        return begin(self.chosen.source, players, self.chosen.data.classes)

    def _nothing_kept(self) -> Kept:
        return Kept(self.chosen.training.lanes)

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> GenerateBatch:
        """The batch of a move: reals in the player's own endless reading of the data, fresh latents.

        With shared draws the generator's move gets those of the discriminator's last move in the round.
        """
        if self.chosen.shared_draws and player.name == "generator":
            kept, discriminator = self._kept, self.players[0]
            self._measured = self._nothing_kept()
            again = self._drawn(discriminator, discriminator.moves - 1, clock, rows)
            self._kept = kept.without_graph()  # should this move be played again, the graph will be used up
            shared = dataclasses.replace(again, fakes=kept.fakes, real_logits=kept.all_of("real"))
            return self._with_directions(shared, clock, rows)
        if player.name == "discriminator" and move == 0:
            for state in (self._augmenting, self._anchors, self._lengths):
                state.begin_round()
        self._kept, self._measured = self._nothing_kept(), self._nothing_kept()
        drawn = self._drawn(player, move, clock, rows)
        return self._with_directions(drawn, clock, rows) if player.name == "generator" else drawn

    def _drawn(self, player: Player, move: int, clock: Clock, rows: slice) -> GenerateBatch:
        batch, role = self.chosen.training.batch, player.name
        place = self._place(clock, player.moves, move)
        indices = self._drawn_indices(role, place, rows)
        judges = role == "discriminator"
        real = None
        if judges or self._loss.generator_reads_real:
            real = self._drawn_pictures(role, place, rows, indices)
        latents = self._draws.normal(f"{role}/latents", place, batch, self.generator.latent)[rows]
        mix = self._draws.uniform(f"{role}/mix", place, batch)[rows]
        others, crossover = self._drawn_styles(role, place, rows)
        return GenerateBatch(
            latents.to(self.device, self.dtype),
            mix.to(self.device, self.dtype),
            real,
            self._labels_of(self.data, indices),
            real_changes=None if real is None else self._numbers(self._augmenting, f"{role}/real", place, rows),
            fake_changes=self._numbers(self._augmenting, f"{role}/fake", place, rows),
            real_shifts=self._numbers(self._shifting, f"{role}/real/shift", place, rows) if judges else None,
            fake_shifts=self._numbers(self._shifting, f"{role}/fake/shift", place, rows) if judges else None,
            others=others,
            crossover=crossover,
        )

    def _drawn_styles(self, role: str, place: int, rows: slice) -> tuple[Tensor | None, Tensor | None]:
        """Latents of other styles [rows, Z] and the layers from which they hold, int64 [rows]; past the last: never."""
        if not self.chosen.style_mixing:
            return None, None
        batch, layers = self.chosen.training.batch, self.generator.mapping.copies
        others = self._draws.normal(f"{role}/styles", place, batch, self.generator.latent)[rows]
        happens, where = self._draws.uniform(f"{role}/crossover", place, 2 * batch).view(2, batch)[:, rows]
        crossover = torch.where(happens < self.chosen.style_mixing, 1 + (where * (layers - 1)).long(), layers)
        return others.to(self.device, self.dtype), crossover.to(self.device)

    def _with_directions(self, batch: GenerateBatch, clock: Clock, rows: slice) -> GenerateBatch:
        if not self.chosen.loss.path_length.due(clock):
            return batch
        data, count = self.chosen.data, self.chosen.training.batch
        shape = (data.channels, *data.size.hw)
        flat = self._draws.normal("generator/directions", clock.images, count, np.prod(shape).item())[rows]
        return dataclasses.replace(batch, directions=flat.view(-1, *shape).to(self.device, self.dtype))

    def _discriminator_terms(self, batch: GenerateBatch, clock: Clock) -> Terms:
        loss = self.chosen.loss
        real, fake = self._reals(batch), self._fakes_to_judge(batch)
        real, fake = adversary.gradients_asked(loss, clock, real, fake)
        real_seen = self._augmenting(real, batch.real_changes, clock)
        real_logits, real_classes, error = self._judge_real(real_seen, batch.labels)
        fake_seen = self._augmenting(fake, batch.fake_changes, clock)
        fake_logits, fake_classes = self._judge_and_classify(fake_seen, batch.labels)
        self._kept.note(batch.first, real=real_logits, fake=fake_logits)
        terms = {"adversarial": self._loss.discriminator(real_logits, fake_logits)}
        if real_classes is not None and fake_classes is not None:
            terms["classification"] = real_classes + fake_classes
        if error is not None:
            terms["reconstruction"] = loss.reconstruction * error
        terms |= adversary.gradient_terms(loss, clock, real, real_logits, fake, fake_logits)
        if loss.gradient_penalty.due(clock):
            terms["gradient_penalty"] = loss.gradient_penalty.weight_now(clock) * penalties.gradient_penalty(
                lambda pictures: self._judge(self._augmenting(pictures, batch.real_changes, clock), batch.labels),
                real.detach(),
                fake.detach(),
                batch.mix,
            )
        if loss.lecam.weight:
            anchors = self._anchors.get_buffer("real"), self._anchors.get_buffer("fake")
            terms["lecam"] = loss.lecam.weight * penalties.lecam(real_logits, fake_logits, *anchors)
        if loss.consistency.real:
            shifted = self._judge(self._shifting(real_seen.detach(), batch.real_shifts, clock), batch.labels)
            terms["consistency_real"] = loss.consistency.real * penalties.consistency(real_logits, shifted)
        if loss.consistency.fake:
            shifted = self._judge(self._shifting(fake_seen.detach(), batch.fake_shifts, clock), batch.labels)
            terms["consistency_fake"] = loss.consistency.fake * penalties.consistency(fake_logits, shifted)
        return terms

    def _fakes_to_judge(self, batch: GenerateBatch) -> Tensor:
        """Generated pictures without a graph; with shared draws the graph is kept for the generator's move."""
        if not self.chosen.shared_draws:
            with torch.no_grad():
                return self._generate(batch).to(self.dtype)
        self.generator.requires_grad_(True)
        fake = self._generate(batch)
        self._kept.keep(batch.first, fake)
        return fake.detach().to(self.dtype)

    def _generate(self, batch: GenerateBatch) -> Tensor:
        with self._autocast():
            if batch.others is None:
                return self.generator(batch.latents, batch.labels)
            return self.generator.mixed(batch.latents, batch.others, batch.crossover, batch.labels)

    def _generator_terms(self, batch: GenerateBatch, clock: Clock) -> Terms:
        fake = batch.fake
        if fake is None:
            fake = self._generate(batch)
        fake_seen = self._augmenting(fake, batch.fake_changes, clock)
        fake_logits, fake_classes = self._judge_and_classify(fake_seen, batch.labels)
        real_logits = adversary.real_logits_beside(
            self._loss,
            fake_logits,
            lambda: self._judge(self._augmenting(self._reals(batch), batch.real_changes, clock), batch.labels),
            batch.real_logits,
        )
        if (part := self.chosen.loss.top_k.at(clock.images)) < 1:
            best = adversarial.best(fake_logits, part)
            real_logits, fake_logits = real_logits[best], fake_logits[best]
        terms = {"adversarial": self._loss.generator(real_logits, fake_logits)}
        if fake_classes is not None:
            terms["classification"] = fake_classes
        if batch.directions is not None:
            terms["path_length"] = self.chosen.loss.path_length.weight_now(clock) * self._path_length(batch)
        return terms

    def _path_length(self, batch: GenerateBatch) -> Tensor:
        """On the first of the rows that pass together, as many as the settings say: its second derivatives are dear."""
        some = batch.rows(0, -(-len(batch) // self.chosen.loss.path_length.shrink))
        assert some.directions is not None
        with self._autocast():
            w = self.generator.mapping.to_w(some.latents, some.labels)
            pictures = self.generator.synthesis(self.generator.mapping.for_layers(w))
        mean = self._lengths.get_buffer("length")
        penalty, lengths = penalties.path_length(pictures.to(self.dtype), w, some.directions, mean)
        self._measured.note(batch.first, length=lengths)
        return penalty

    def _reals(self, batch: GenerateBatch) -> Tensor:
        if batch.real is None:
            raise ValueError("this move was drawn without real pictures")
        return self._laid_out(batch.real)

    def _judge(self, pictures: Tensor, labels: Tensor | None) -> Tensor:
        return self._judge_and_classify(pictures, labels)[0]

    def _judge_and_classify(self, pictures: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Logits [N], and what telling the classes costs, a scalar; without loss.classification the latter is None."""
        weight = self.chosen.loss.classification
        with self._autocast():
            if not weight:
                return self.discriminator(pictures, labels).to(self.dtype), None
            logits, class_logits = self.discriminator.classify(pictures)
        labels = present_labels(labels, class_logits.shape[1])
        return logits.to(self.dtype), weight * class_cross_entropy(class_logits, labels)

    def _judge_real(self, pictures: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """As `_judge_and_classify`; and, if asked, how far off the pictures are that the discriminator decodes."""
        if not self.chosen.loss.reconstruction:
            return *self._judge_and_classify(pictures, labels), None
        with self._autocast():
            logits, error = self.discriminator.judge(pictures, labels)
        return logits.to(self.dtype), None, error.to(self.dtype)

    def _after_discriminators_step(self) -> None:
        if self.chosen.loss.clip:
            penalties.clip_weights(self.players[0].parameters(), self.chosen.loss.clip)
        if (real_logits := self._kept.all_of("real")) is not None:
            self._augmenting.observe(real_logits)
        if self.chosen.loss.lecam.weight:
            self._anchors.observe(self._kept.pieces())

    def _after_generators_step(self) -> None:
        self._lengths.observe(self._measured.pieces())

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged generator's weights and the card that rebuilds it and names whose weights it began with."""
        weights, about = super().publish(averages, clock)["generator"]
        return {"generator": (weights, {**about, "source_sha256": self.chosen.source.sha256})}

    def diagnose(self) -> dict[str, float]:
        """Signs of health, of the same pictures and latents each time; `training.health` says what they mean."""
        if self._diagnostics is None:
            self._diagnostics = Diagnostics(
                (self.generator, self.discriminator),
                self._generate_from_seeds,
                self._judge_as_found,
                self._looked_at_once,
                *self._looked_at,
                self._training_pictures(),
            )
        return self._diagnostics() | self._augmenting.signs()

    def _judge_as_found(self, pictures: Tensor, labels: Tensor | None) -> Tensor:
        return self._judge(self._laid_out(pictures) if pictures.dtype == torch.uint8 else pictures, labels)
