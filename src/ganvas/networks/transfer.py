"""Which of a trained network's tensors another network of its family can begin with, and how they are put there.

A tensor is taken where the source has one of the same shape at the same place: the maps of the sides that both have.
Two kinds are taken in part where the classes are others: of a table with a row a class the rows of those whose names
both know, and of the layer that reads the latent and the class's embedding beside it the part for the latent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.networks.conditioning import ClassedLatent
from ganvas.networks.equalised import EqualLinear
from ganvas.networks.growing import Growing
from ganvas.networks.layers import SpectralNorm

_SHOWN = 4  # layers that are told by name


@dataclass(frozen=True)
class Share:
    """What a tensor takes of one of the source's.

    key: that one's. rows: pairs (row here, row there), None for all. inputs: the first so many columns, None for all.
    scale: what is taken is multiplied by it.
    """

    key: str
    rows: tuple[tuple[int, int], ...] | None = None
    inputs: int | None = None
    scale: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether all of the tensor is taken."""
        return self.rows is None and self.inputs is None


def shares(network: Growing, source: Growing, classes: Sequence[str], known: Sequence[str]) -> dict[str, Share]:
    """What the tensors of a network take of a source's, by key; those that begin anew are left out.

    classes, known: the names of the network's classes and of the source's. Both networks may be on the meta device.
    """
    there = {source.place(key): key for key in source.state_dict()}
    its = source.state_dict()
    rows = tuple((row, known.index(name)) for row, name in enumerate(classes) if name in known)
    all_rows = list(classes) == list(known)
    latent = _latent_columns(network, source)
    found: dict[str, Share] = {}
    for key, tensor in network.state_dict().items():
        if (its_key := there.get(network.place(key))) is None:
            continue
        held, layer = its[its_key], network.get_submodule(key.rpartition(".")[0])
        if isinstance(layer, nn.Embedding) and not all_rows:
            if rows and key.endswith(".weight") and held.shape[1:] == tensor.shape[1:]:
                found[key] = Share(its_key, rows=rows)
        elif held.shape == tensor.shape:
            found[key] = Share(its_key)
        elif latent and tensor.shape[:1] == held.shape[:1] and (tensor.shape[1:], held.shape[1:]) == latent.widths:
            ratio = tensor.shape[1] / held.shape[1]  # of the scales that it is used with
            scale = math.sqrt(ratio) if isinstance(layer, EqualLinear) else 1.0
            found[key] = Share(its_key, inputs=latent.numbers, scale=scale)
    return {key: share for key, share in found.items() if _goes_with_its_weight(key, network, found)}


@torch.no_grad()
def take_over(network: nn.Module, tensors: Mapping[str, Tensor], taken: Mapping[str, Share]) -> None:
    """Put a source's tensors, by their keys there, into a network as its shares say."""
    for key, target in network.state_dict().items():
        if (share := taken.get(key)) is None:
            continue
        held = tensors[share.key].to(target.dtype)
        if share.rows is not None:
            for row, its in share.rows:
                target[row] = held[its]
        elif share.inputs is not None:
            target[:, : share.inputs] = held[:, : share.inputs] * share.scale
        else:
            target.copy_(held)
    for name, layer in network.named_modules():
        if isinstance(layer, SpectralNorm) and f"{name}.u" not in taken:
            layer.settle()


def in_words(network: nn.Module, taken: Mapping[str, Share]) -> tuple[str, str]:
    """How many tensors are taken, "41 of 43 tensors", and which are not, or in part; "" if all are."""
    keys = list(network.state_dict())
    parts = [key for key in keys if key in taken and not taken[key].whole]
    new = [key for key in keys if key not in taken]
    told = []
    if parts:
        told.append(f"in part, where classes differ: {_layers(parts)}")
    if new:
        told.append(f"new: {_layers(new)}")
    return f"{len(taken)} of {len(keys)} tensors", "; ".join(told)


def new_levels(network: Growing, taken: Mapping[str, Share]) -> list[int]:
    """The numbers of a discriminator's levels, from 1 at the picture, that hold a weight which is not taken whole."""
    whole = {id(tensor) for key, tensor in network.named_parameters() if key in taken and taken[key].whole}
    return [
        number
        for number, level in enumerate(network.levels(), start=1)  # type: ignore[operator]  # discriminators have it
        if any(id(weight) not in whole for layer in level for weight in layer.parameters())
    ]


def _layers(keys: Sequence[str]) -> str:
    """The layers that tensors belong to: "project, layers.8 and 3 more"."""
    names = list(dict.fromkeys(key.rpartition(".")[0] or key for key in keys))
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _goes_with_its_weight(key: str, network: nn.Module, found: Mapping[str, Share]) -> bool:
    """Whether the weight of a tensor's layer is taken as well, and whole where the tensor belongs to its values."""
    above, _, name = key.rpartition(".")
    layer = network.get_submodule(above)
    if getattr(layer, "weight", None) is None:
        return True
    weight = found.get(f"{above}.weight")
    return weight is not None and (weight.whole or not (isinstance(layer, SpectralNorm) and name in ("u", "v")))


@dataclass(frozen=True)
class _Latent:
    """The columns of the weight that reads a latent and a class: widths, here and in the source; the latent's own."""

    widths: tuple[tuple[int], tuple[int]]
    numbers: int


def _latent_columns(network: nn.Module, source: nn.Module) -> _Latent | None:
    """What of that weight can be taken where the embedding of a class is not the same; None where there is nothing."""
    entries = [part for whole in (network, source) for part in whole.modules() if isinstance(part, ClassedLatent)]
    if len(entries) != 2:
        return None
    here, there = entries
    numbers = [one.features - (one.embedding.embedding_dim if one.embedding is not None else 0) for one in entries]
    return _Latent(((here.features,), (there.features,)), numbers[0]) if numbers[0] == numbers[1] else None
