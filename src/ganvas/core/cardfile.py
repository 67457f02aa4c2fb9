"""A file of weights that tells what it holds: safetensors, with a card in its metadata. Reading one runs no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganvas.core import card as cards
from ganvas.core.errors import DataError


def read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights by name, and the card, of a generator or a translator.

    Raises DataError if the file is damaged, or has no such card.
    """
    held, text = contents(file)
    return held, cards.read(text, str(file))


def contents(file: Path) -> tuple[dict[str, Tensor], str | None]:
    """The tensors by name, and the card's text, None where it has none. Raises DataError if the file is damaged."""
    try:
        with safe_open(file, framework="pt") as content:
            held = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - no mapping
            return held, (content.metadata() or {}).get(cards.KEY)
    except (SafetensorError, ValueError, OSError) as error:
        raise DataError(f"{file} is damaged or not a safetensors file: {error}") from None


def check_finite(weights: Mapping[str, Tensor], where: str) -> None:
    """Raise DataError for weights that are no numbers. where: their file."""
    if bad := [name for name, weight in weights.items() if weight.is_floating_point() and not weight.isfinite().all()]:
        raise DataError(f"{where} is damaged: {bad[0]} holds numbers that are not finite. Take another copy")


def as_bytes(weights: Mapping[str, Tensor], card: Mapping[str, Any]) -> bytes:
    """A file's content: the weights as they are, and the card, which may be of any kind."""
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    return save(held, {cards.KEY: json.dumps(card)})
