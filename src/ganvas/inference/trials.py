"""What a network from pictures to pictures is tried with: held-out pictures, its answers, the baseline's, true ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.core.ahead import one_ahead
from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.data.fit import convert
from ganvas.inference.posing import Posed, Posing
from ganvas.inference.subject import Say
from ganvas.inference.translator import Translator
from ganvas.inference.whole import HeldOut, Pictures, sides
from ganvas.training.draws import Draws


@dataclass(frozen=True)
class Trial:
    """A network's answers to some pictures, each made when its turn comes.

    name: of the data; part: which of its pictures. fit: how they come to their size. told: what else a protocol says.
    baseline: the word for it. channels, sizes: of the answers. answers: with true ones if `known`. others: pictures
    that the answers as a whole should be like, and their sizes, where these are not the true ones.
    """

    name: str
    part: str
    fit: str
    told: Mapping[str, Any]
    baseline: str
    channels: int
    sizes: Sequence[Size]
    known: bool
    answers: Callable[[], Iterator[Posed]]
    others: Callable[[], Iterator[Tensor]] | None = None
    other_sizes: Sequence[Size] = ()


def posed_trial(
    translator: Translator, posing: Posing, found: Pictures, held: HeldOut | None, count: int, seed: int, say: Say
) -> Trial:
    """Of a network that has a problem: each picture is posed, and its true answer is known.

    held: out of training, as the pictures were found. Raises DataError for pictures that cannot be used.
    """
    pictures = found
    if posing.of_colours:
        coloured = [place for place, look in enumerate(pictures.looks) if look.channels > 1]
        if len(coloured) < len(pictures):
            say(f"{len(pictures) - len(coloured):,} grey pictures are left out: they have no colours to be found")
        pictures = pictures.some(coloured)
    chosen = _some(pictures, count)
    sizes = [posing.size(chosen.shape(place), name) for place, name in enumerate(chosen.names)]
    dice = Draws(seed)

    def answers() -> Iterator[Posed]:
        read = (chosen.read(place, posing.channels) for place in range(len(chosen)))
        for name, number, pixels in zip(chosen.names, chosen.indexes, one_ahead(read), strict=True):
            yield posing(pixels, name, dice, number)

    scale = translator.scale
    return Trial(
        name=found.title,
        part=_part(pictures, chosen, held),
        fit=chosen.fit if scale == 1 else f"{chosen.fit}; cut to multiples of {scale}",
        told={"problem": posing.settings, "scale": scale, "seed": seed, **_worked_at(translator, posing)},
        baseline=posing.baseline,
        channels=posing.channels,
        sizes=sizes,
        known=True,
        answers=answers,
    )


def unpaired_trial(translator: Translator, found: Pictures, held: HeldOut | None, count: int, say: Say) -> Trial:
    """Of a network between two kinds of pictures: answers to those of one kind should be like those of the other.

    Where names pair all pictures of the two folders, what has the same name is the true answer as well.
    """
    given, wanted = sides(found, translator.card.get("domains") or ())
    say(f"{given.title} is turned into {wanted.title}")
    chosen, others = _some(given, count), _some(wanted, count)
    sizes = [chosen.shape(place).times(translator.scale) for place in range(len(chosen))]
    partners = _partners(chosen, wanted, sizes)
    channels = translator.network.outputs

    def answers() -> Iterator[Posed]:
        read = (
            (chosen.read(place, 3), None if partners is None else wanted.read(partners[place], channels))
            for place in range(len(chosen))
        )
        for name, (pixels, partner) in zip(chosen.names, one_ahead(read), strict=True):
            try:
                made = translator(np.ascontiguousarray(pixels))
            except DataError as error:
                raise DataError(f"{name}: {error}") from None
            plain = _tensor(convert(pixels, channels))
            yield Posed(plain, plain, _tensor(made), None if partner is None else _tensor(partner))

    def like() -> Iterator[Tensor]:
        return (_tensor(others.read(place, channels)) for place in range(len(others)))

    return Trial(
        name=found.title,
        part=f"{wanted.title}: {_part(wanted, others, held)}",
        fit=chosen.fit,
        told={"from": given.title, "to": wanted.title, "scale": translator.scale},
        baseline="unchanged",
        channels=channels,
        sizes=sizes,
        known=partners is not None,
        answers=answers,
        others=like,
        other_sizes=[others.shape(place) for place in range(len(others))],
    )


def _partners(chosen: Pictures, wanted: Pictures, sizes: Sequence[Size]) -> list[int] | None:
    """Where each picture's partner is, by name and of the size of the answer; None unless each has one."""
    places = {name: place for place, name in enumerate(wanted.names)}
    if any(name not in places for name in chosen.names):
        return None
    found = [places[name] for name in chosen.names]
    theirs, given = [wanted.shape(place) for place in found], [chosen.shape(place) for place in range(len(chosen))]
    return found if theirs == list(sizes) == given else None


def _some(pictures: Pictures, count: int) -> Pictures:
    if not len(pictures):
        raise DataError(
            f"{pictures.source.where} has no picture that can be judged by: give others, with --against DATA"
        )
    return pictures.spread(count)


def _part(pictures: Pictures, chosen: Pictures, held: HeldOut | None) -> str:
    whole = "all" if held is None else f"the {len(pictures):,} that training did not see"
    return whole if len(chosen) == len(pictures) else f"{len(chosen):,} of {whole}, evenly spread"


def _worked_at(translator: Translator, posing: Posing) -> dict[str, Any]:
    """Pixels of the shorter side that larger pictures have when colours are made for them; None: as many as there."""
    return {"at": translator.at} if posing.of_colours else {}


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture))[None]
