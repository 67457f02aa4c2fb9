"""Losses and penalties by name: plain functions of tensors. Adding one is its function and one line here."""

from typing import Any

from ganvas.core.parts import load

ADVERSARIAL = {
    "minimax": "ganvas.losses.adversarial:MINIMAX",
    "logistic": "ganvas.losses.adversarial:LOGISTIC",
    "lsgan": "ganvas.losses.adversarial:LSGAN",
    "hinge": "ganvas.losses.adversarial:HINGE",
    "wasserstein": "ganvas.losses.adversarial:WASSERSTEIN",
    "relativistic": "ganvas.losses.adversarial:RELATIVISTIC",
}


def adversarial_loss(name: str) -> Any:
    """The adversarial loss of a name. Raises UsageError with the nearest names if there is none."""
    return load(ADVERSARIAL, name, "loss")
