"""Every test here works in an empty folder of its own, with its own cache, and may not download."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _alone(here: None) -> None:
    pass


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two classes: 6 colour and 4 grey pictures of several sizes and formats."""
    root = tmp_path / "photos"
    dice = np.random.default_rng(0)
    endings = ["png", "jpg", "webp", "tiff", "gif"]
    for number in range(10):
        kind = "cats" if number < 6 else "dogs"
        (root / kind).mkdir(parents=True, exist_ok=True)
        height, width = dice.integers(20, 70, 2)
        shape = (height, width, 3) if kind == "cats" else (height, width)
        picture = Image.fromarray(dice.integers(0, 256, shape, dtype=np.uint8))
        picture.save(root / kind / f"picture {number}.{endings[number % 5]}")
    return root
