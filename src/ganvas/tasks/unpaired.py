"""Translation between two kinds of pictures without pairs: there and back, or held to its picture by contrast.

Zhu, Park, Isola & Efros 2017 (CycleGAN): two translators, two discriminators; a picture that goes there and back is to
be the same. Park, Efros, Zhang & Zhu 2020 (CUT): one way alone; each place of a translation is to be told from others
by its picture's features. Which of them is played the weights of the terms say; both may be.
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import metrics
from ganvas.core.errors import UsageError
from ganvas.core.images import to_uint8
from ganvas.data import Dataset
from ganvas.losses import contrastive
from ganvas.losses.reconstruction import l1
from ganvas.metrics.scorer import Scorer
from ganvas.networks.patch_features import PatchFeatures
from ganvas.tasks.diagnostics import Looks
from ganvas.tasks.game_settings import BACK
from ganvas.tasks.kept import Kept
from ganvas.tasks.pictures import in_float32
from ganvas.tasks.pool import Pool
from ganvas.tasks.translation import TranslationTask, in_rows
from ganvas.tasks.unpaired_settings import UnpairedSettings
from ganvas.training.clock import Clock
from ganvas.training.players import Player, Published, Terms

_EXAMPLES = 16  # in a preview
_SCORED, _LOOKED_AT = 500, 64  # pictures in a score, and that the watch looks at
WAYS = ("there", "back")


@dataclasses.dataclass(frozen=True)
class UnpairedBatch:
    """One move's draws, by name: "there" pictures of the kind that is turned into the other, "back" the others.

    pictures: float [N, C, H, W] each. made: uint8 [N, C, H, W] each, what a discriminator sees of what was made of
    them, {} in the translators' move. places: [N, P] in [0, 1), for contrast. first: where in this process's part of
    the batch these rows begin.
    """

    pictures: Mapping[str, Tensor]
    made: Mapping[str, Tensor]
    places: Tensor | None
    first: int = 0

    def __len__(self) -> int:
        return len(self.pictures["there"])

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        return type(self)(
            {way: some[start:stop] for way, some in self.pictures.items()},
            {way: some[start:stop] for way, some in self.made.items()},
            None if self.places is None else self.places[start:stop],
            self.first + start,
        )


class Unpaired(TranslationTask):
    """The game of one or two translators against as many discriminators."""

    Settings = UnpairedSettings

    def __init__(self, chosen: UnpairedSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and players; unseen: pictures for scores, as of `DataTask`.

        Raises UsageError if the settings do not go with the data or each other, or leave no picture of a kind.
        """
        super().__init__(chosen, data, unseen)
        self._classes = {way: data.classes.index(name) for way, name in zip(WAYS, chosen.domains, strict=True)}
        for way, kind in zip(WAYS, chosen.domains, strict=True):
            if not len(self._seen_of[way]):
                raise UsageError(
                    f"unpaired: training sees no picture of {kind}, because all are held out or none could be read: "
                    "add some, or hold out fewer: --set data.held_out=0"
                )
        self._ways = WAYS if chosen.loss.cycle else WAYS[:1]
        self._translators, self._discriminators = {"there": self.translator}, {"there": self.discriminator}
        if chosen.loss.cycle:
            self._translators["back"], self._discriminators["back"] = chosen.built(
                lambda role, family, part, channels: self._built(f"{role}/back", family, part, channels)
            )
        shape = (chosen.data.channels, *chosen.data.size.hw)
        pools = {way: Pool(chosen.loss.pool, chosen.training.batch, shape).to(self.device) for way in self._ways}
        self._pools = pools
        parts: dict[str, nn.Module] = {_named("translator", way): self._translators[way] for way in self._ways}
        if chosen.contrasts:
            with self._draws.initialising("features"):
                features = PatchFeatures(self.translator.widths)
            self._features = parts["features"] = features.to(self.device, self.dtype)
        judges: dict[str, nn.Module] = {_named("discriminator", way): self._discriminators[way] for way in self._ways}
        judges |= {_named("pool", way): pool for way, pool in pools.items()}
        self.players = [
            Player("translator", parts, self._translator_terms, chosen.translator_optimizer),
            Player(
                "discriminator",
                judges,
                self._discriminator_terms,
                chosen.discriminator_optimizer,
                after_step=self._after_discriminators_step,
                after=chosen.loss.after,
            ),
        ]
        each = [(kind, f"made {other}") for kind, other in (chosen.domains, chosen.domains[::-1])][: len(self._ways)]
        self.preview_heads = sum(each * (2 // len(each)), ())
        self._kept, self._rows = Kept(0), slice(0)

    @property
    def averaged(self) -> Mapping[str, nn.Module]:
        """The translators, whose running averages are kept."""
        return {_named("translator", way): network for way, network in self._translators.items()}

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> UnpairedBatch:
        """The batch of a round, the same for all players: pictures of both kinds in endless readings of the data."""
        place, batch = self._place(clock, 1, 0), self.chosen.training.batch
        pictures, places = self._of_round(clock, rows, self._drawn_of_kinds)
        made = {}
        if player.name == "translator":
            for way, pool in self._pools.items():
                pool.begin_round(self._pool_numbers(way, place - batch))
            self._kept, self._rows = Kept(0), rows
        else:
            for way, pool in self._pools.items():
                made[way] = pool.shown(self._made(way), self._pool_numbers(way, place)[:, rows])
        return UnpairedBatch(pictures, made, places)

    def _drawn_of_kinds(self, place: int, rows: slice) -> tuple[dict[str, Tensor], Tensor | None]:
        """Pictures of both kinds at a place, and the places in them that are compared, None where none are."""
        pictures = {}
        for way in WAYS:
            indices = self._drawn_of(way, place, rows)
            pictures[way] = self._as_floats(self._drawn_parts(way, place, rows, indices))
        if not self.chosen.contrasts:
            return pictures, None
        batch, count = self.chosen.training.batch, self.chosen.loss.places
        return pictures, self._draws.uniform("places", place, batch * count).view(batch, count)[rows].to(self.device)

    def _drawn_of(self, way: str, place: int, rows: slice) -> np.ndarray:
        """Which pictures of a kind are seen at a place: int64 [rows]."""
        there = self._seen_of[way]
        return there[self._draws.order(way, place, self.chosen.training.batch, len(there))[rows].numpy()]

    @cached_property
    def _seen_of(self) -> dict[str, np.ndarray]:
        return {way: self._of_kind(self.data, self._seen, way) for way in WAYS}

    def _of_kind(self, data: Dataset, indices: np.ndarray, way: str) -> np.ndarray:
        assert data.labels is not None  # there are two classes
        return indices[data.labels[indices] == self._classes[way]]

    def _pool_numbers(self, way: str, place: int) -> Tensor:
        return self._draws.uniform(f"pool/{way}", place, 2 * self.chosen.training.batch).view(2, -1)

    def _made(self, way: str) -> Tensor:
        made = self._kept.all_of(way)
        assert made is not None  # the translators move first
        return made

    def _after_discriminators_step(self) -> None:
        for way, pool in self._pools.items():
            pool.observe(self._made(way), self._rows)

    def _judged(self, way: str, pictures: Tensor) -> Tensor:
        return self._through(self._discriminators[way], pictures)

    def _translator_terms(self, batch: UnpairedBatch, clock: Clock) -> Terms:
        loss, plays = self.chosen.loss, clock.images >= self.chosen.loss.after
        terms: Terms = {}
        made = {way: self._through(self._translators[way], batch.pictures[way]) for way in self._ways}
        self._kept.note(batch.first, **made)
        for way in self._ways:
            other = _other(way)
            if plays:
                adversarial = self._fooled(partial(self._judged, way), batch.pictures[other], made[way])
                terms[_named("adversarial", way)] = adversarial
            if loss.cycle:
                returned = self._through(self._translators[other], made[way])
                terms[_named("cycle", way)] = loss.cycle * l1(returned, batch.pictures[way])
            if loss.identity:
                same = self._through(self._translators[way], batch.pictures[other])
                terms[_named("identity", way)] = loss.identity * l1(same, batch.pictures[other])
        if loss.contrastive:
            terms["contrastive"] = loss.contrastive * self._contrast(
                batch.pictures["there"], made["there"], batch.places
            )
        if loss.contrastive_identity:
            there_already = batch.pictures["back"]
            same = self._through(self.translator, there_already)
            terms["contrastive_identity"] = loss.contrastive_identity * self._contrast(
                there_already, same, batch.places
            )
        return terms

    def _contrast(self, given: Tensor, made: Tensor, places: Tensor | None) -> Tensor:
        """The contrastive loss between places of pictures and of what was made of them."""
        with self._autocast():
            of_made = self._features(self.translator.encoded(made), places)
            with torch.no_grad():  # the picture's own features are what is to be met
                of_given = self._features(self.translator.encoded(given), places)
        return contrastive.patch_nce(of_made, of_given)

    def _discriminator_terms(self, batch: UnpairedBatch, clock: Clock) -> Terms:
        terms: Terms = {}
        for way in self._ways:
            real, fake = batch.pictures[_other(way)], self._as_floats(batch.made[way])
            own = self._told_apart(partial(self._judged, way), real, fake, clock)
            terms |= {_named(name, way): term for name, term in own.items()}
        return terms

    def _examples_of(self, way: str, most: int) -> Tensor:
        """Pictures of a kind for previews and scores, that training does not see where there are any."""
        data, indices = self._looked_at
        found = self._of_kind(data, indices, way)
        if not len(found):
            data, found = self.data, self._seen_of[way]
        return self._some_of(data, found, most)

    def _translated(self, network: nn.Module, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] -> the same, translated by a network outside of training."""
        return self._applied(network, pictures, lambda some: to_uint8(self._through(network, self._as_floats(some))))

    def diagnose(self) -> dict[str, float]:
        """How various translations are beside pictures of the kind that is made, and how much they change."""
        given = self._looked_at_equally[0]
        if len(given) < 2:
            return {}
        return self._looks([self._as_floats(self._translated(self.translator, given))])

    @cached_property
    def _looked_at_equally(self) -> tuple[Tensor, Tensor]:
        """Pictures that are translated, and as many real ones of the other kind: of fewer, neighbours lie farther."""
        given = self._examples_of("there", _LOOKED_AT)
        real = self._some_of(self.data, self._seen_of["back"], len(given))
        return given[: len(real)], real

    @cached_property
    def _looks(self) -> Looks:
        real = self._looked_at_equally[1]
        return Looks(real, real[:0], [real[:0]])

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [N, C, H, W]: pictures, and what is made of each; of both kinds where there is a way back."""
        columns = []
        for way in self._ways:
            given = self._examples_of(way, _EXAMPLES if len(self._ways) == 2 else 2 * _EXAMPLES)
            made = self._translated(averages[_named("translator", way)], given)
            columns += [self._as_floats(given), self._as_floats(made)]
        least = min(map(len, columns))
        return in_rows(*(column[:least] for column in columns))

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """The Fréchet distance of translations to pictures of the kind that is made, in features that fit them."""
        made = self._translated(averages["translator"], self._examples_of("there", _SCORED))
        return None if len(made) < 2 else (self._scorer.name, self._scorer(made.cpu().split(100)))

    @cached_property
    def _scorer(self) -> Scorer:
        data = self.chosen.data
        name = metrics.choose_for_evaluation(data.channels, data.size, self.data.name)
        real = self._some_of(self.data, self._seen_of["back"], 4 * _SCORED).cpu().numpy()
        return Scorer(metrics.extractor(name, data.channels), real, self.data.name, self.data.fingerprint)

    def protocol(self) -> dict[str, Any]:
        """The protocol of `score`."""
        count, size = len(self._examples_of("there", _SCORED)), self.chosen.data.size
        told = self._scorer.protocol(count, "pictures of the other kind, evenly spread")
        part = f"{told.reference_count:,} of {self.chosen.domains[1]}, evenly"
        return dataclasses.asdict(dataclasses.replace(told, fit=f"middle parts of {size} pixels", reference_part=part))

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The averaged translators' weights and the cards that rebuild them."""
        there, back = self.chosen.domains
        mode = "grey" if self.chosen.data.channels == 1 else "rgb"
        found: dict[str, Published] = {}
        columns = ", ".join(self.preview_heads)
        for way, domains in zip(self._ways, ([there, back], [back, there]), strict=False):
            network = averages[_named("translator", way)]
            about = self._card(network, clock, mode=mode, domains=domains, preview=columns)
            found["translator" if way == "there" else "back"] = in_float32(network), about
        return found


def _other(way: str) -> str:
    return "back" if way == "there" else "there"


def _named(name: str, way: str) -> str:
    """The name of what belongs to a way: that there has no further word."""
    return name if way == "there" else f"{name}{BACK}"
