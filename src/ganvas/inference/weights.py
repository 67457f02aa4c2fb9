"""A network's weights as its file has them, and the network that is rebuilt from them and the card."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganvas import networks
from ganvas.core import card as cards
from ganvas.core import cardfile
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size

_FACTORIES = (torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full)
_LEAST = 1_000  # numbers that a tensor counts for at least: to make one takes time as well
_SPARE = 2**24  # numbers that may be made beside a file's own


def as_bytes(weights: Mapping[str, Tensor], card: dict[str, Any], precision: torch.dtype) -> bytes:
    """A file's content: the weights, those that are no whole numbers in a precision, and the card."""
    held = {name: tensor.to(precision) if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    return cardfile.as_bytes(held, card)


def network_of(card: dict[str, Any], weights: Mapping[str, Tensor], where: str) -> Any:
    """The network that a card of either kind describes, with these weights. where: their file, for messages.

    Raises DataError if they do not belong together.
    """
    try:
        part = card[card["kind"]]
        if card["kind"] == cards.TRANSLATOR:
            family = networks.translator(part["name"])
            shape: dict[str, Any] = {"inputs": card["inputs"], "outputs": card["outputs"]}
        else:
            family = networks.generator(part["name"])
            shape = {"size": Size.of(card["size"]), "channels": card["channels"], "classes": len(card["classes"])}
        chosen = from_dict(family.Settings, part, card["kind"])
        held = sum(tensor.numel() for tensor in weights.values())
        # The meta device would save these draws, and cost a second of imports.
        with torch.random.fork_rng(devices=[]), _Bounded(4 * held + _SPARE):
            network: nn.Module = family(chosen, **shape)
        network.load_state_dict(weights, assign=True)
        if "scale" in card and card["scale"] != getattr(network, "scale", 1):
            raise RuntimeError(f"its scale is not {card['scale']}.")
    except (KeyError, TypeError, RuntimeError, UsageError) as error:
        first, *others = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        told = others[0] if others else first  # PyTorch's own list has a head
        raise DataError(
            f"{where} does not hold the weights that its card describes: {told} Take a copy that was not changed"
        ) from None
    cardfile.check_finite(weights, where)
    return network


class _Bounded(TorchFunctionMode):
    """Raises RuntimeError before more numbers are made than there may be: a small file can ask for gigabytes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _FACTORIES:
            size = (kwargs or {}).get("size", args)
            size = size if not size or isinstance(size[0], int) else size[0]
            self._left -= max(_LEAST, math.prod(size))
            if self._left < 0:
                raise RuntimeError("it asks for many more than there are")
        return func(*args, **(kwargs or {}))
