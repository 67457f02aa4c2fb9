"""A trained classifier, loaded from a run or from a file, without running any code that the file holds."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import networks
from ganvas.core import card as cards
from ganvas.core import cardfile, devices
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.metrics.weights import filled

FILE = "classifier.safetensors"
_AT_ONCE = 64  # pictures told at a time, always: sums are rounded otherwise in a batch of another size


class Classifier:
    """A classifier ready for use: the averaged weights of a run.

    size: of its pictures, in pixels; channels: 1 to 4; classes: the names that it tells apart; card: what it is and
    how it came to be. network: the module, on `device`: float32 [N, C, H, W] in [-1, 1] -> logits [N, K].
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], device: torch.device) -> None:
        self.card = card
        self.size = Size.of(card["size"])
        self.channels: int = card["channels"]
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.device = device
        self.network = network.to(device)

    def classify(self, pictures: np.ndarray | Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Which class each picture is of, int64 [N] into `classes`, and the probabilities of all, float32 [N, K].

        pictures: uint8 [N, C, H, W] of the classifier's size; `ganvas.open_data` brings files to it. A picture's answer
        does not depend on the others. Raises UsageError for another shape or type.
        """
        held = pictures if isinstance(pictures, Tensor) else torch.tensor(pictures)  # a copy: it may be read-only
        shape = (self.channels, *self.size.hw)
        if held.dtype != torch.uint8 or held.ndim != 4 or held.shape[1:] != shape:
            raise UsageError(
                f"This classifier takes uint8 pictures [N, {', '.join(map(str, shape))}], not {held.dtype} "
                f"{list(held.shape)}; ganvas.open_data makes them: size={self.size.plain!r}, channels={self.channels}"
            )
        rows = torch.arange(-(-len(held) // _AT_ONCE) * _AT_ONCE).clamp(max=max(0, len(held) - 1))
        pieces = [torch.empty(0, len(self.classes))]
        with torch.inference_mode():
            for some in rows.split(_AT_ONCE) if len(held) else ():
                shown = to_float(held[some].to(self.device)).contiguous(memory_format=torch.channels_last)
                pieces.append(self.network(shown).float().softmax(dim=1).cpu())
        probabilities = torch.cat(pieces)[: len(held)].numpy()
        return probabilities.argmax(axis=1).astype(np.int64), probabilities


def is_classifier(path: Path) -> bool:
    """Whether a path is a file of a classifier's weights, by its card; also one that is not there, by its name."""
    if not path.is_file() or path.suffix.lower() != ".safetensors":
        return path.name == FILE
    return cards.parsed(cardfile.contents(path)[1], str(path)).get("kind") == cards.CLASSIFIER


def load_classifier(path: str | Path, *, device: str = "auto") -> Classifier:
    """The classifier of a run folder, or of a classifier.safetensors file that came from one.

    Raises DataError if there is no such file, or if it is damaged or not a classifier of Ganvas.
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        reason = "there is no such file"
        if path.is_dir():
            reason = f"it has no {FILE}; runs of the recipe few-labels write one"
        raise DataError(f"No classifier at {path}: {reason}")
    if file.suffix.lower() == ".onnx":
        raise DataError(f"{file}: exported classifiers are for onnxruntime. Give the run, or its {FILE}")
    weights, text = cardfile.contents(file)
    card = cards.parsed(text, str(file))
    cards.refuse_newer(card, str(file))
    if card.get("kind") != cards.CLASSIFIER:
        kind = card.get("kind", "without a card")
        raise DataError(f"{file} is a safetensors file, but not a classifier of Ganvas: it is {kind}")
    try:
        part = card["classifier"]
        family = networks.classifier(part["name"])
        chosen = from_dict(family.Settings, part, "classifier")
        shape = {"size": Size.of(card["size"]), "channels": card["channels"], "classes": len(card["classes"])}
        network: nn.Module = filled(lambda: family(chosen, **shape), weights, str(file))
    except (KeyError, TypeError, UsageError) as error:
        raise DataError(f"{file} does not hold the weights that its card describes: {error}") from None
    cardfile.check_finite(weights, str(file))
    return Classifier(network, card, devices.choose_device(device))
