"""A network as a folder to share: weights, card, and a page for people.

model.safetensors   the weights, with the card inside
config.json         the card once more, for people and for hubs, which look for this name
README.md           the card as a page, with the front matter by which hubs sort models
preview.png         of a generator: the pictures of the preview's seeds
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ganvas.core import card as cards
from ganvas.core import cardfile, files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import grid
from ganvas.core.quantities import parse_seeds
from ganvas.inference import weights
from ganvas.inference.generator import Generator
from ganvas.inference.pages import CONFIG, PREVIEW, readme
from ganvas.inference.translator import Translator

MODEL, README = "model.safetensors", "README.md"
_SHEET = 2048  # pixels a side of the preview, about: of large pictures it shows fewer
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def save(
    network: Generator | Translator,
    folder: Path,
    *,
    precision: str = "float32",
    licence: str | None = None,
    name: str | None = None,
) -> Path:
    """Write the folder described above, and return it. precision: of the weights, float32 or bfloat16.

    licence: under which the network may be used, as "CC-BY-4.0"; None: as its card says. name: by which its page loads
    it; None: the folder's. A folder of an earlier save is written over. Raises UsageError for another precision or a
    folder that holds something else, DataError if it cannot be written.
    """
    dtype = weights_precision(precision)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not _is_saved(folder):
        raise UsageError(f"{folder} holds something else already: choose another --out")
    card = licensed(network.card, licence)
    sheet = _preview(network, card) if isinstance(network, Generator) else None
    with files.written_to(folder):
        files.write_bytes(folder / MODEL, weights.as_bytes(network.network.state_dict(), card, dtype))
        files.write_text(folder / CONFIG, cards.write(card))
        if sheet is not None:
            with files.replacing(folder / PREVIEW) as partial:
                sheet.save(partial, format="PNG")
        else:
            (folder / PREVIEW).unlink(missing_ok=True)  # of another network, saved here earlier
        files.write_text(folder / README, readme(card, name or folder.name))
    return folder


def _preview(generator: Generator, card: Mapping[str, Any]) -> Image.Image:
    seeds = parse_seeds(str(card.get("preview", cards.PREVIEW_SEEDS)))
    fit = max(1, _SHEET // max(generator.height, generator.width)) ** 2
    return grid(generator.sample(seeds[:fit]))


def _is_saved(folder: Path) -> bool:
    """Whether a folder is one of an earlier save, whole or broken off: other libraries have a config.json as well."""
    try:
        if (folder / CONFIG).exists():
            cards.read((folder / CONFIG).read_text(encoding="utf-8"), str(folder))
            return True
        names = {path.name for path in folder.iterdir() if not path.name.endswith(".partial")}
        if MODEL in names:
            cardfile.read(folder / MODEL)
        return names <= {MODEL}
    except (OSError, ValueError, DataError):
        return False


def weights_precision(name: str) -> torch.dtype:
    """The type in which weights are saved. Raises UsageError for another name than float32 or bfloat16."""
    if name not in _PRECISIONS:
        raise UsageError(f"--precision {name}: weights are saved as {' or '.join(_PRECISIONS)}")
    return _PRECISIONS[name]


def licensed(card: Mapping[str, Any], licence: str | None) -> dict[str, Any]:
    """The card with a licence, where one is given."""
    return {**card} if licence is None else {**card, "licence": licence}
