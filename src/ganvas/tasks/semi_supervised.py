"""Semi-supervised learning: a classifier from few labels and many pictures without, with a generator's help.

The discriminator is the classifier (Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen 2016, "Improved Techniques
for Training GANs", section 5): a picture is of one of K classes or generated. Labelled pictures teach it the classes;
pictures without a label, that they are of some class; generated ones, what is of none. The generator follows the
features by which it judges (section 3.1).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import networks
from ganvas.core import card
from ganvas.core.evenly import evenly
from ganvas.core.images import to_float
from ganvas.core.settings import to_dict
from ganvas.data import Dataset
from ganvas.losses import semi_supervised
from ganvas.losses.adversarial import LOGISTIC
from ganvas.losses.classification import class_cross_entropy
from ganvas.tasks.diagnostics import Looks, as_found, even_parts
from ganvas.tasks.labels import known_labels, labelled
from ganvas.tasks.pictures import PictureTask, in_float32
from ganvas.tasks.semi_supervised_settings import SemiSupervisedSettings
from ganvas.training.clock import Clock
from ganvas.training.players import Player, Published, Terms

_SHOWN = 64  # labelled pictures in a sheet of them
_TOLD_AT_ONCE = 250  # pictures told at a time outside training


@dataclasses.dataclass(frozen=True)
class SemiSupervisedBatch:
    """One move's draws. Changes are numbers of an augmentation, [N, draws] in [0, 1), None where it does nothing.

    latents: [N, Z]. real: uint8 [N, C, H, W], of which labels are not read. labelled: uint8 [N, C, H, W] with labels,
    int64 [N]; None in the generator's move.
    """

    latents: Tensor
    real: Tensor
    real_changes: Tensor | None
    fake_changes: Tensor | None
    labelled: Tensor | None = None
    labels: Tensor | None = None
    labelled_changes: Tensor | None = None
    strong_changes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.latents)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        parts: dict[str, Any] = {
            name: None if value is None else value[start:stop] for name, value in vars(self).items()
        }
        return type(self)(**parts)


class SemiSupervised(PictureTask):
    """The game of a classifier and, unless nothing is generated, a generator."""

    Settings = SemiSupervisedSettings

    def __init__(self, chosen: SemiSupervisedSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and players; unseen: real pictures for the score, as of `PictureTask`.

        Raises UsageError if labels are missing where they are needed, or the networks do not go with the pictures.
        """
        super().__init__(chosen, data, unseen)
        self._labels = known_labels(data, chosen.data)
        self._labelled = labelled(self._labels, self._seen, chosen.data, self._draws)
        self.generator = self._build(networks.generator, "generator", chosen.generator, classes=0)
        known = len(chosen.data.known)
        self.classifier = self._build(networks.classifier, "classifier", chosen.classifier, classes=known)
        self._changing, self._changing_much = (self._augmentation(some) for some in (chosen.augment, chosen.strong))
        classifier = Player(
            "classifier", {"classifier": self.classifier}, self._classifier_terms, chosen.classifier_optimizer
        )
        generator = Player(
            "generator", {"generator": self.generator}, self._generator_terms, chosen.generator_optimizer
        )
        self._generates = chosen.loss.adversarial > 0
        self.players = [classifier, generator] if self._generates else [classifier]
        self.compares_rows = self._generates and chosen.loss.generator == "feature-matching"
        self._looks: Looks | None = None
        self._scored: dict[str, Any] = {}

    @property
    def averaged(self) -> Mapping[str, nn.Module]:
        """The networks whose running average is kept."""
        return {"classifier": self.classifier} | ({"generator": self.generator} if self._generates else {})

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> SemiSupervisedBatch:
        """The batch of a move: pictures without and with labels, each in an endless reading of its own; latents."""
        role, place = player.name, self._place(clock, player.moves, move)
        latents = self._draws.normal(f"{role}/latents", place, self.chosen.training.batch, self.generator.latent)[rows]
        batch = SemiSupervisedBatch(
            latents.to(self.device, self.dtype),
            self._drawn_pictures(role, place, rows, self._drawn_indices(role, place, rows)),
            self._numbers(self._changing, f"{role}/real", place, rows),
            self._numbers(self._changing, f"{role}/fake", place, rows),
        )
        if role == "generator":
            return batch
        order = self._draws.order(f"{role}/labelled", place, self.chosen.training.batch, len(self._labelled))[rows]
        indices = self._labelled[order.numpy()]
        return dataclasses.replace(
            batch,
            labelled=self._drawn_pictures(f"{role}/labelled", place, rows, indices),
            labels=torch.from_numpy(self._labels[indices]).to(self.device),
            labelled_changes=self._numbers(self._changing, f"{role}/labelled", place, rows),
            strong_changes=self._numbers(self._changing_much, f"{role}/strong", place, rows),
        )

    def _classifier_terms(self, batch: SemiSupervisedBatch, clock: Clock) -> Terms:
        loss, told = self.chosen.loss, self._told(batch, clock)
        assert batch.labels is not None
        terms = {"labelled": class_cross_entropy(told["labelled"], batch.labels)}
        if self._generates:
            logits = semi_supervised.real_logit(told["real"]), semi_supervised.real_logit(told["fake"])
            terms["adversarial"] = loss.adversarial * LOGISTIC.discriminator(*logits)
        if loss.pseudo_labels:
            held = semi_supervised.pseudo_label(told["real"], told["strong"], loss.confidence)
            terms["pseudo_labels"] = loss.pseudo_labels * held
        return terms

    def _told(self, batch: SemiSupervisedBatch, clock: Clock) -> dict[str, Tensor]:
        """Class logits [N, K] by the kind of pictures, of the kinds that there are terms of; all pass at once."""
        assert batch.labelled is not None
        real = self._laid_out(batch.real)
        shown = {"labelled": self._changing(self._laid_out(batch.labelled), batch.labelled_changes, clock)}
        if self.chosen.loss.pseudo_labels:
            shown["strong"] = self._changing_much(real, batch.strong_changes, clock)
        if self._generates:
            with torch.no_grad(), self._autocast():
                fake = self.generator(batch.latents, None).to(self.dtype)
            shown["real"] = self._changing(real, batch.real_changes, clock)
            shown["fake"] = self._changing(fake, batch.fake_changes, clock)
        told = dict(zip(shown, self._tell(torch.cat([*shown.values()])).split(len(batch)), strict=True))
        if "strong" in told and "real" not in told:  # of which no gradient is taken
            with torch.no_grad():
                told["real"] = self._tell(self._changing(real, batch.real_changes, clock))
        return told

    def _generator_terms(self, batch: SemiSupervisedBatch, clock: Clock) -> Terms:
        with self._autocast():
            fake = self.generator(batch.latents, None)
        fake_features = self._features(self._changing(fake.to(self.dtype), batch.fake_changes, clock))
        if self.chosen.loss.generator == "logistic":
            fake_logits = semi_supervised.real_logit(self.classifier.logits(fake_features))
            return {"adversarial": LOGISTIC.generator(torch.zeros_like(fake_logits), fake_logits)}
        with torch.no_grad():
            features = self._features(self._changing(self._laid_out(batch.real), batch.real_changes, clock))
        return {"feature_matching": semi_supervised.feature_matching(features, fake_features)}

    def _features(self, pictures: Tensor) -> Tensor:
        with self._autocast():
            return self.classifier.features(pictures)

    def _tell(self, pictures: Tensor) -> Tensor:
        return self.classifier.logits(self._features(pictures)).to(self.dtype)

    def diagnose(self) -> dict[str, float]:
        """Signs of health of what is generated, of the same latents each time; {} where nothing is."""
        seen, unseen = self._looked_at
        if not self._generates or len(seen) < 2:
            return {}
        if self._looks is None:
            self._looks = Looks(seen.pictures, unseen.pictures, self._training_pictures())
        with torch.no_grad(), as_found(self.generator):
            return self._looks(
                [self._generate_from_seeds(p, None) for p in even_parts(len(seen), self._looked_at_once)]
            )

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [64, C, H, W]: pictures of the seeds 0 to 63; the labelled ones where nothing is generated."""
        if self._generates:
            return super().preview(averages)
        by_class = self._labelled[np.argsort(self._labels[self._labelled], kind="stable")]
        return self.data.images[by_class[evenly(len(by_class), _SHOWN)]]

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """The part of pictures, held out of training and of known class, that the averaged classifier gets wrong."""
        data, indices = self._unseen
        labels = known_labels(data, self.chosen.data)[indices]
        indices, labels = indices[labels >= 0], labels[labels >= 0]
        if not len(indices):
            return None
        wrong = 0
        for part in even_parts(len(indices), _TOLD_AT_ONCE):
            some = slice(part.start, part.stop)
            pictures = torch.from_numpy(np.ascontiguousarray(data.images[indices[some]])).to(self.device)
            with torch.inference_mode(), self._autocast():
                told = averages["classifier"](to_float(pictures).to(self.dtype)).argmax(dim=1)
            wrong += int((told.cpu().numpy() != labels[some]).sum())
        self._scored = {"data": data.name, "data_sha256": data.fingerprint, "count": len(indices)}
        return "error", wrong / len(indices)

    def protocol(self) -> dict[str, Any]:
        """The protocol of `score`, {} before the first."""
        labels = {"labels": len(self._labelled), "classes": list(self.chosen.data.known)}
        return {"metric": "error", **self._scored, **labels} if self._scored else {}

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged classifier with its card, and the generator if it plays."""
        data = self.chosen.data
        about = self._about(
            card.CLASSIFIER,
            clock,
            classifier=to_dict(self.chosen.classifier),
            classes=list(data.known),
            labels=len(self._labelled),
        )
        made = super().publish(averages, clock) if self._generates else {}
        return {"classifier": (in_float32(averages["classifier"]), about), **made}
