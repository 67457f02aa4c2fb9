"""Foreign tensors laid into one of our networks, each by its name and its shape."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ganvas.core.errors import DataError
from ganvas.inference.foreign.family import Plan, say_shape

_NAMED = 4  # tensors that a message names
_OF_A_NORM = ("running_mean", "running_var", "num_batches_tracked")


def matched(network: nn.Module, plan: Plan) -> dict[str, Tensor]:
    """The network's tensors, taken from the file. network: only its shapes are read.

    Raises DataError, the end of a sentence that begins with the file, that names what is missing, what has another
    shape, what there is no place for, or what is not finite.
    """
    places = {ours: _theirs(ours, plan) for ours in network.state_dict()}
    faults = [*_misnamed(places, plan), *_misshapen(network, places, plan)]
    if faults:
        raise DataError("; it ".join(faults))
    found: dict[str, Tensor] = {}
    for ours, expected in network.state_dict().items():
        name = places[ours]
        if name not in plan.weights:  # a count of batches, which files of PyTorch before 0.4.1 lack
            found[ours] = torch.zeros(expected.shape, dtype=expected.dtype)
            continue
        tensor = plan.weights[name]
        found[ours] = _sound(name, tensor).to(expected.dtype).contiguous()
    return found


def _theirs(ours: str, plan: Plan) -> str:
    layer, _, part = ours.rpartition(".")
    return f"{plan.layers[layer]}.{part}"


def _misnamed(places: dict[str, str], plan: Plan) -> Iterator[str]:
    """What is missing, and what there is no place for."""
    missing = [name for name in places.values() if name not in plan.weights and not name.endswith(_OF_A_NORM[-1])]
    if missing:
        yield f"lacks {_say(missing)}"
    spare = {f"{layer}.{part}" for layer in plan.layers.values() for part in _OF_A_NORM}  # that nothing reads
    others = [name for name in plan.weights if name not in {*places.values(), *spare}]
    if others:
        yield f"has more than its network here: {_say(others)}"


def _misshapen(network: nn.Module, places: dict[str, str], plan: Plan) -> Iterator[str]:
    """What has another shape than its place."""
    shapes = [
        (name, say_shape(plan.weights[name].shape), say_shape(held.shape))
        for ours, held in network.state_dict().items()
        if (name := places[ours]) in plan.weights and plan.weights[name].shape != held.shape
    ]
    wrong = [f"{name} in the shape {found}, where the rest of it asks for {wanted}" for name, found, wanted in shapes]
    if wrong:
        more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        yield f"has {'; '.join(wrong[:_NAMED])}{more}"


def _say(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{'the tensor' if len(names) == 1 else f'{len(names)} tensors:'} {', '.join(names[:_NAMED])}{more}"


def _sound(name: str, tensor: Tensor) -> Tensor:
    if tensor.is_complex() or (tensor.is_floating_point() and not tensor.isfinite().all()):
        raise DataError(f"is damaged: {name} holds numbers that are not finite. Take another copy")
    return tensor
