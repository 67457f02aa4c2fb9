"""Functions that several test files use."""

import torch

from ganvas.training.state import named_tensors
from ganvas.training.trainer import Trainer


def state_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """Copies of everything a checkpoint of this trainer would hold."""
    return {name: tensor.clone() for name, tensor in named_tensors(trainer.task.players, trainer.averages).items()}
