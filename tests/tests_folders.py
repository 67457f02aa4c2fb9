"""Folders of small pictures, as tasks from pictures to pictures learn from."""

from pathlib import Path

import numpy as np
from PIL import Image


def photo(seed: int, width: int = 16, height: int = 16) -> np.ndarray:
    """uint8 [H, W, 3]: a slope between two colours, a disc of a third, and a little noise."""
    dice = np.random.default_rng(seed)
    one, other, disc = dice.integers(0, 256, (3, 3))
    along = np.linspace(0, 1, width)[None, :, None]
    picture = np.repeat(one * (1 - along) + other * along, height, axis=0)
    rows, columns = np.mgrid[:height, :width]
    y, x, radius = dice.uniform(0.3, 0.7) * height, dice.uniform(0.3, 0.7) * width, 0.25 * min(height, width)
    picture[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = disc
    return (picture + dice.normal(0, 3, picture.shape)).clip(0, 255).astype(np.uint8)


def photos(
    folder: Path, count: int = 12, width: int = 16, height: int = 16, grey: bool = False, first: int = 0
) -> Path:
    """Photos 0.png, 1.png ... in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = Image.fromarray(photo(first + number, width, height))
        (image.convert("L") if grey else image).save(folder / f"{number:03}.png")
    return folder


def pairs(folder: Path, count: int = 12, width: int = 16, height: int = 16) -> Path:
    """Two folders: drawings, which are photos inverted, and the photos."""
    photos(folder / "b-photo", count, width, height)
    (folder / "a-drawing").mkdir()
    for path in (folder / "b-photo").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(path))).save(folder / "a-drawing" / path.name)
    return folder


def kinds(folder: Path, count: int = 12, width: int = 16, height: int = 16) -> Path:
    """Two folders of different photos: as they are, and dark."""
    photos(folder / "bright", count, width, height)
    photos(folder / "dark", count, width, height, first=1_000)
    for path in (folder / "dark").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 3).save(path)
    return folder


def for_task(task: str, folder: Path) -> Path:
    """A folder that a task from pictures to pictures can be trained on; made once."""
    if not folder.exists():
        {"paired": pairs, "unpaired": kinds}.get(task, photos)(folder)
    return folder
