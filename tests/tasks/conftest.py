"""Small games of generation on made-up pictures, without a plan or a run folder."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ganvas.core.settings import from_dict, override
from ganvas.data import Dataset, Report
from ganvas.tasks.generate import Generate
from ganvas.tasks.generate_settings import GenerateSettings


def made_up(count: int = 20, channels: int = 1, classes: int = 0, size: int = 8) -> Dataset:
    """Noise whose first pixel is the number of the picture; labels are the number modulo the classes."""
    images = np.random.default_rng(0).integers(0, 256, (count, channels, size, size), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    labels = np.arange(count, dtype=np.int64) % classes if classes else None
    names = tuple(f"class {number}" for number in range(classes))
    return Dataset("made-up", "made-up", images, labels, names, Report(count), f"{count}/{classes}")


@pytest.fixture
def make_game() -> Callable[..., Generate]:
    """Makes a game with dcgan networks of width 8 without BatchNorm, batch 8; assignments change its settings."""

    def make(*assignments: str, data: Dataset | None = None) -> Generate:
        dataset = data or made_up()
        network: dict[str, Any] = {"name": "dcgan", "width": 8, "norm": "none"}
        values = {
            "data": {
                "where": "made-up",
                "size": dataset.size,
                "channels": dataset.channels,
                "classes": list(dataset.classes),
            },
            "generator": network | {"latent": 6},
            "discriminator": network,
            "training": {"batch": 8},
        }
        return Generate(from_dict(GenerateSettings, override(values, assignments)), dataset)

    return make


@pytest.fixture
def make_data() -> Callable[..., Dataset]:
    """Makes data sets: count, channels, classes, size."""
    return made_up
