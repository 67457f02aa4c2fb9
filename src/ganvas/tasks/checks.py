"""What pictures cannot be learned with: answered before any work, with what would do."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ganvas.core.errors import UsageError
from ganvas.networks.layers import MinibatchDeviation
from ganvas.training.lanes import Lanes, has_batch_norm, lane_count
from ganvas.training.processes import Processes

_WIDTHS = ("width", "max_width", "channel_base", "hidden")  # settings that a network's size goes with


def check_data(chosen: Any, count: int, classes: tuple[str, ...]) -> None:
    """Raises UsageError if data of so many pictures and these classes is not what the settings speak of."""
    data = chosen.data
    data.check()
    if data.classes and not classes:
        raise UsageError(
            "data.classes: the data has no classes. Leave it out; or give two subfolders or more, each a class"
        )
    if data.classes and data.classes != classes:
        shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise UsageError(
            f"data.classes must be all {len(classes)} classes of the data, in its order ({shown}), or none: "
            "--set data.classes=[]"
        )
    if data.held_out >= count:
        raise UsageError(
            f"data.held_out={data.held_out} leaves nothing to train on: there are {count:,} pictures. Hold out fewer, "
            "or none: --set data.held_out=0"
        )


def check_batch(chosen: Any, networks: Sequence[nn.Module]) -> None:
    """Raises UsageError if a network learns from statistics of a batch, and the batch or a part of it is one picture.

    networks: as the settings' `check_networks` gives them.
    """
    training, together = chosen.training, pictures_together(chosen, networks)
    cut = f"a batch of {training.batch}" + (f" in {training.procs} processes" if training.procs > 1 else "")
    cut += f" with micro-batches of {training.micro_batch}" if training.micro_batch else ""
    normed = [role for role, network in zip(chosen.NETWORKS, networks, strict=True) if has_batch_norm([network])]
    if normed and min(together) == 1:
        without = " ".join(f"{role}.norm=none" for role in normed if "norm" in vars(getattr(chosen, role)))
        raise UsageError(
            f"BatchNorm compares the pictures that pass together, and with {cut} one passes alone. "
            f"Use --batch {2 * training.procs} or more (64 is usual)"
            + (f", or networks without it: --set {without}" if without else "")
        )
    group = group_of(networks[1])
    if group > 1 and min(together) == 1:
        raise UsageError(
            f"The discriminator compares the pictures in groups of {group}, and with {cut} one passes alone. "
            f"Use --batch {group * training.procs} or more, or judge each by itself: --set discriminator.group=1"
        )


def pictures_together(chosen: Any, networks: Sequence[nn.Module]) -> list[int]:
    """How many pictures pass through a network together, of each part into which a move's batch is cut."""
    training = chosen.training
    lanes = lane_count(training.lanes, training.batch, torch.device(training.device), networks)
    rows: list[int] = []
    for rank in range(training.procs):
        own = Lanes(lanes, training.batch, Processes(rank, training.procs))
        rows += own.map(lambda lane: lane.stop - lane.start)
    most = training.micro_batch or training.batch
    return [count for lane in rows for count in _halved(lane, most)]


def _halved(count: int, most: int) -> list[int]:
    """The rows of a lane as the trainer cuts them: halves of halves, until none has more than `most`."""
    if count <= most:
        return [count]
    return _halved(-(-count // 2), most) + _halved(count // 2, most)


def group_of(discriminator: nn.Module) -> int:
    """How many pictures a discriminator compares with each other; 1: it judges each by itself."""
    return max((part.group for part in discriminator.modules() if isinstance(part, MinibatchDeviation)), default=1)


def narrower(chosen: Any) -> str:
    """Assignments for networks of half the width, by the settings that they have: "generator.width=32 ..."."""
    halved: list[str] = []
    for role in chosen.NETWORKS:
        for name, value in dataclasses.asdict(getattr(chosen, role)).items():
            if name in _WIDTHS:
                half = [max(1, one // 2) for one in value] if isinstance(value, tuple | list) else max(1, value // 2)
                halved.append(f"{role}.{name}={half}".replace(" ", ""))
    return " ".join(halved)
