"""What a network from pictures to pictures makes of a held-out picture, and what the baseline of its task makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import degrade
from ganvas.core.errors import DataError
from ganvas.core.images import to_float, to_uint8
from ganvas.core.settings import from_dict, to_dict
from ganvas.core.sizes import Size
from ganvas.degrade.problems import Problem
from ganvas.inference.modes import luma
from ganvas.inference.translator import Translator
from ganvas.inference.whole import middle
from ganvas.training.draws import Draws

_PROBLEMS = {"restore": "superres", "inpaint": "inpaint", "lab-colorize": "colorize"}  # of modes, where a card has none


@dataclass(frozen=True)
class Posed:
    """A held-out picture, all uint8 [1, C, H, W] of one size: what the network was given, as a picture to look at; what
    the baseline and the network made of it; what it should be, where that is known. holes: bool [1, 1, H, W], None in
    tasks without.
    """

    given: Tensor
    baseline: Tensor
    made: Tensor
    true: Tensor | None
    holes: Tensor | None = None


class Posing:
    """The problem of a translator, posed with whole pictures of any size.

    channels: of pictures and answers. baseline: the word for it. settings: of the problem, plain. paired: whether it is
    posed with pairs; of_colours: whether colours are to be found.
    """

    def __init__(self, translator: Translator) -> None:
        """Raises DataError for a card whose problem is not known here, or is not this network's."""
        values = _problem(translator)
        self._translator = translator
        self._family = degrade.problem(values["name"])
        self._settings = from_dict(self._family.Settings, values, "problem")
        self.settings: Mapping[str, Any] = to_dict(self._settings)
        self.paired = values["name"] == "paired"
        network = translator.network
        self.channels = 3 if network.inputs != network.outputs else network.inputs
        problem = self._of(Size.of(8 * translator.scale))
        if (problem.inputs, problem.outputs) != (network.inputs, network.outputs):
            raise DataError(
                f"The card names the problem {values['name']}, of networks from {problem.inputs} channels to "
                f"{problem.outputs}, and this one is from {network.inputs} to {network.outputs}: judge the folder of "
                "what it makes, with ganvas apply and ganvas eval"
            )
        self.baseline = problem.baseline
        self.of_colours = problem.mode == "lab-colorize"

    def size(self, size: Size, name: str) -> Size:
        """What of a picture of that size is looked at: sides that are multiples of the scale.

        name: of the picture, for the DataError that is raised for one that is smaller than that.
        """
        scale = self._translator.scale
        if size.shorter < scale:
            raise DataError(f"{name} is {size.words} pixels: too small to be made {scale} times smaller; leave it out")
        return Size(size.height // scale * scale, size.width // scale * scale)

    def __call__(self, pixels: np.ndarray, name: str, dice: Draws, number: int) -> Posed:
        """pixels: uint8 [C, H, W], of pairs [2 * C, H, W]; name: of the picture; number: of its dice.

        Raises DataError for what is no number any more.
        """
        size = self.size(Size(*pixels.shape[1:]), name)
        picture = to_float(torch.from_numpy(middle(pixels, *size.hw).copy()))[None]
        problem = self._of(size)
        given, wanted = problem.pose(picture, dice.uniform("posed", number, problem.draws)[None])
        made = self._translator.drawn(given)
        if not made.isfinite().all():
            raise DataError(f"{name} comes out as no numbers (NaN): the network's weights are not sound")
        true, plain, answer = (
            problem.picture(given, part) for part in (wanted, problem.plain(given), problem.answer(given, made))
        )
        if self._translator.mode.keeps_grey and _is_grey(true):
            answer = luma(answer).expand_as(answer)  # as where it is applied
        shown, plain, answer, true = map(to_uint8, (problem.shown(given), plain, answer, true))
        return Posed(shown, plain, answer, true, holes=given[:, 3:] > 0 if problem.mode == "inpaint" else None)

    def _of(self, size: Size) -> Problem:
        problem: Problem = self._family(self._settings, size=size, channels=self.channels, scale=self._translator.scale)
        return problem


def is_posed(translator: Translator) -> bool:
    """Whether its card, or its mode, says which problem it solves; else it is judged without true answers."""
    return "problem" in translator.card or (
        translator.card.get("task") != "unpaired" and translator.card.get("mode") in _PROBLEMS
    )


def _problem(translator: Translator) -> dict[str, Any]:
    card = translator.card
    held = card.get("problem", {"name": _PROBLEMS.get(str(card.get("mode")))})
    if not isinstance(held, Mapping) or held.get("name") not in degrade.PROBLEMS:
        raise DataError(f"The card names a problem that is not known here, {held!r}: update Ganvas, or train it anew")
    if "problem" not in card and held["name"] == "superres" and translator.scale == 1:
        raise DataError(
            "This network makes pictures cleaner, and nothing says how they were spoiled: write what it makes of "
            "spoiled pictures with ganvas apply, and judge that folder against the clean ones, with ganvas eval FOLDER"
        )
    return dict(held)


def _is_grey(pictures: Tensor) -> bool:
    return pictures.shape[1] == 3 and bool((pictures == pictures[:, :1]).all())
