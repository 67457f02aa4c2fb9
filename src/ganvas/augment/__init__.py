"""Augmentations of what a discriminator sees, by name. A family is one file; adding one is that and its line here."""

from typing import Any

from ganvas.core.parts import load

AUGMENTATIONS = {
    "diffaug": "ganvas.augment.diffaug:DiffAug",
    "ada": "ganvas.augment.ada:ADA",
}


def augmentation(name: str) -> Any:
    """The augmentation class of a name. Raises UsageError with the nearest names if there is none."""
    return load(AUGMENTATIONS, name, "augmentation")
