"""A generator's file of weights: a safetensors file with the card inside, from which the network is rebuilt."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ganvas import networks
from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size

_USUAL_WIDTHS = 4_000  # the sum of a usual network's layers and latents


def read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights by name, and the card. Raises DataError if the file is damaged, or not one of a generator."""
    try:
        with safe_open(file, framework="pt") as content:
            card = cards.read((content.metadata() or {}).get(cards.KEY), str(file))
            return {name: content.get_tensor(name) for name in content.keys()}, card  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError, OSError) as error:
        raise DataError(f"{file} is damaged or not a safetensors file: {error}") from None


def as_bytes(weights: Mapping[str, Tensor], card: dict[str, Any], precision: torch.dtype) -> bytes:
    """A file's content: the weights, those that are no whole numbers in a precision, and the card."""
    held = {
        name: (tensor.to(precision) if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in weights.items()
    }
    return save(held, {cards.KEY: json.dumps(card)})


def network_of(card: dict[str, Any], weights: Mapping[str, Tensor], where: str) -> nn.Module:
    """The network that a card describes, with these weights. where: the file they are from, for messages.

    Raises DataError if they do not belong together.
    """
    try:
        part = card["generator"]
        family = networks.generator(part["name"])
        chosen = from_dict(family.Settings, part, "generator")
        shape = {"size": Size.of(card["size"]), "channels": card["channels"], "classes": len(card["classes"])}
        if sum(_widths(part)) > _USUAL_WIDTHS:  # it may be a small file that asks for gigabytes
            with torch.device("meta"):
                expected = {name: tensor.shape for name, tensor in family(chosen, **shape).state_dict().items()}
            if expected != {name: tensor.shape for name, tensor in weights.items()}:
                raise KeyError("other shapes")
        with torch.random.fork_rng(devices=[]):  # the meta device would save these draws and cost a second of imports
            network: nn.Module = family(chosen, **shape)
        network.load_state_dict(weights, assign=True)
    except (KeyError, TypeError, RuntimeError, UsageError) as error:
        raise DataError(f"{where} does not hold the weights that its card describes: {error}") from None
    return network


def _widths(part: Any) -> Iterator[int]:
    """Every whole number in a network's settings."""
    values = part.values() if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ()
    for value in values:
        if isinstance(value, int):
            yield value
        else:
            yield from _widths(value)
