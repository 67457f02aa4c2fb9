"""What a checkpoint holds: everything that cannot be recomputed, as named tensors, and how it is put back."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from ganvas.core.errors import DataError
from ganvas.training.averages import Averages
from ganvas.training.players import Player


def named_tensors(players: Iterable[Player], averages: Averages) -> dict[str, Tensor]:
    """All tensors of a game by name: networks with their buffers, averages, and the optimizers' memories."""
    tensors = dict(_module_tensors(players, averages))
    for player in players:
        for key, parameter in player.learned.items():
            for memory, value in player.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer/{player.name}/{key}/{memory}"] = torch.as_tensor(value)
    return tensors


@torch.no_grad()
def restore(tensors: dict[str, Tensor], players: Iterable[Player], averages: Averages) -> None:
    """Put a checkpoint's tensors back. Raises DataError if they do not fit the networks that the settings describe."""
    expected = dict(_module_tensors(players, averages))
    held = {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer/")}
    misfits = [n for n in expected.keys() | held.keys() if n not in expected or n not in held]
    misfits += [n for n in expected.keys() & held.keys() if expected[n].shape != held[n].shape]
    if misfits:
        raise DataError(
            f"The checkpoint does not fit settings.toml: {min(misfits)} differs. "
            "The networks of a run cannot be changed once it has started; start a new run instead"
        )
    for name, target in expected.items():
        target.copy_(held[name])
    for player in players:
        memories: dict[int, dict[str, Tensor]] = {}
        for index, key in enumerate(player.learned):
            prefix = f"optimizer/{player.name}/{key}/"
            held = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            if held:
                memories[index] = held
        groups = player.optimizer.state_dict()["param_groups"]
        player.optimizer.load_state_dict({"state": memories, "param_groups": groups})  # knows which device each is for
        for parameter, kept in player.optimizer.state.items():
            kept.update({name: _laid_out(value, parameter) for name, value in kept.items() if name != "step"})


def _module_tensors(players: Iterable[Player], averages: Averages) -> Iterator[tuple[str, Tensor]]:
    for player in players:
        yield from _tensors_of(f"network/{player.name}", player.networks)
    for name, average in averages.networks.items():
        yield from _tensors_of(f"average/{name}", average)


def _tensors_of(prefix: str, module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for key, tensor in module.state_dict(keep_vars=True).items():
        yield f"{prefix}/{key}", tensor.detach()


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """An optimizer's memory in its parameter's memory format, in which fused optimizers read both."""
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
