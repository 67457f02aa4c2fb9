"""Functions that several test files use."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file

from ganvas.core.sizes import Size
from ganvas.data import Survey
from ganvas.recipes.auto import plan
from ganvas.recipes.choices import Machine
from ganvas.recipes.wishes import Wishes
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.tasks.source import below
from ganvas.training import checkpoints
from ganvas.training.state import named_tensors
from ganvas.training.trainer import Trainer

GPU, LAPTOP = Machine(torch.device("cuda"), 16, True, 24 * 2**30), Machine(torch.device("cpu"), 2, True)

# Of a run that takes no time: arguments of `ganvas train`.
SMALL_RUN = ["--recipe", "dcgan", "--batch", "8", "--set", "generator.width=8", "--set", "discriminator.width=8"]
SMALL_RUN += ["--set", "training.tensorboard=off"]

NEEDED = {"few-labels": ("data.labels=100",)}  # what a recipe has to be told of data on which others need nothing


def state_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """Copies of everything a checkpoint of this trainer would hold."""
    return {name: tensor.clone() for name, tensor in named_tensors(trainer.task.players, trainer.averages).items()}


def assert_same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> None:
    """Both have the same tensors, to the bit."""
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def first_of(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's oldest checkpoint."""
    return load_file(checkpoints.everything(run / "checkpoints")[0])


def assert_begun(begun: Mapping[str, torch.Tensor], held: Mapping[str, torch.Tensor], role: str) -> None:
    """A first checkpoint has the averages of a role and the discriminator of another run, and no optimizer's state."""
    average, judge = below(f"average/{role}/", held), "network/discriminator/discriminator."
    assert_same(below(f"network/{role}/{role}.", begun), average)
    assert_same(below(f"average/{role}/", begun), average)
    assert_same(below(judge, begun), below(judge, held))
    assert not [name for name in begun if name.startswith("optimizer/")]


def survey(size: int, count: int = 10_000, channels: int = 1, classes: int = 0) -> Survey:
    """What a look at pictures of that size would find."""
    names = tuple(f"class {number}" for number in range(classes))
    return Survey("pictures", "pictures", count, size, channels, names, Size(size, size))


def chosen(found: Survey, **wishes) -> GenerateSettings:
    """The settings of a plan on a CPU."""
    return plan(found, Wishes(device="cpu", **wishes)).settings


def files_below(folder="."):
    """All that there is below a folder, in order."""
    return sorted(str(path) for path in Path(folder).rglob("*"))
