"""A generator as a folder to share: weights, card, and a page for people with a picture.

model.safetensors   the weights, with the card inside
config.json         the card once more, for people and for hubs, which look for this name
README.md           the card as a page, with the front matter by which hubs sort models
preview.png         the pictures of the preview's seeds
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ganvas.core import card as cards
from ganvas.core import files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import grid
from ganvas.core.quantities import parse_seeds
from ganvas.inference import weights
from ganvas.inference.generator import Generator

MODEL, CONFIG, README, PREVIEW = "model.safetensors", "config.json", "README.md", "preview.png"
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_KNOWN_LICENCES = (  # those that hubs know by these names; any other is "other" with its name beside
    *("mit", "apache-2.0", "bsd-3-clause", "gpl-3.0", "unlicense", "openrail", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0"),
    *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0"),
)


def save(generator: Generator, folder: Path, *, precision: str = "float32", licence: str | None = None) -> Path:
    """Write the folder described above, and return it. precision: of the weights, float32 or bfloat16.

    licence: under which the generator may be used, as "CC-BY-4.0"; None: as its card says. A folder of an earlier save
    is written over. Raises UsageError for another precision or a folder that holds something else, DataError if it
    cannot be written.
    """
    dtype = weights_precision(precision)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not _is_saved(folder):
        raise UsageError(f"{folder} holds something else already: choose another --out")
    card = licensed(generator.card, licence)
    seeds = parse_seeds(str(card.get("preview", cards.PREVIEW_SEEDS)))
    sheet = grid(generator.sample(seeds))
    with files.written_to(folder):
        files.write_bytes(folder / MODEL, weights.as_bytes(generator.network.state_dict(), card, dtype))
        files.write_text(folder / CONFIG, cards.write(card))
        with files.replacing(folder / PREVIEW) as partial:
            sheet.save(partial, format="PNG")
        files.write_text(folder / README, readme(card, folder.name))
    return folder


def _is_saved(folder: Path) -> bool:
    """Whether a folder is one of an earlier save: other libraries have a config.json as well."""
    try:
        cards.read((folder / CONFIG).read_text(encoding="utf-8"), str(folder))
    except (OSError, ValueError, DataError):
        return False
    return True


def weights_precision(name: str) -> torch.dtype:
    """The type in which weights are saved. Raises UsageError for another name than float32 or bfloat16."""
    if name not in _PRECISIONS:
        raise UsageError(f"--precision {name}: weights are saved as {' or '.join(_PRECISIONS)}")
    return _PRECISIONS[name]


def licensed(card: Mapping[str, Any], licence: str | None) -> dict[str, Any]:
    """The card with a licence, where one is given."""
    return {**card} if licence is None else {**card, "licence": licence}


def readme(card: Mapping[str, Any], name: str) -> str:
    """The page of a card in Markdown, beginning with the front matter (YAML) that hubs read."""
    classes = card["classes"]
    colours = _COLOURS.get(card["channels"], "other colours")
    sections = [
        f"---\n{_front_matter(card)}---",
        f"# {_plain(name)}",
        f"![pictures of the seeds {_plain(card.get('preview', cards.PREVIEW_SEEDS))}]({PREVIEW})",
        f"A generator of pictures, {_plain(card['size'])} pixels, {colours}, network "
        f"{_plain(card['generator']['name'])}, {_maker(card)}.",
        f"```python\nimport ganvas\n\ngenerator = ganvas.load({str(name)!r})  # this folder, or user/name on the hub\n"
        "ganvas.grid(generator.sample(range(16))).save('pictures.png')\n```",
        f"## Trained on\n{_pictures_seen(card)}",
        f"## Classes\n{', '.join(map(_plain, classes))}" if classes else "## Classes\nNone: it is unconditional.",
        f"## Scores\n{_scores(card.get('scores') or ())}",
        f"## Licence\n{_plain(card.get('licence') or 'Unknown: ask whoever trained it, and see that of its data.')}",
    ]
    return "\n\n".join(sections) + "\n"


_COLOURS = {1: "grey", 2: "grey with transparency", 3: "colour", 4: "colour with transparency"}


def _maker(card: Mapping[str, Any]) -> str:
    """Who trained it, and how."""
    by = f"Ganvas {_plain(card.get('ganvas') or 'unknown')}"
    if imported := card.get("imported"):
        file = f"{_plain(imported['file'])}, SHA-256 `{_plain(imported['sha256'])}`"
        return f"trained by another program and imported into {by} as {_plain(imported['family'])} ({file})"
    recipe, seen = (_plain(card.get(name) or "unknown") for name in ("recipe", "images_seen"))
    return f"trained with {by}: recipe {recipe}, {seen} images seen"


def _pictures_seen(card: Mapping[str, Any]) -> str:
    if "imported" in card:
        return "Unknown: ask whoever trained it."
    data, source = _plain(card.get("data") or "unknown"), card.get("source_sha256")
    return (
        f"{data}, SHA-256 of its pictures and labels `{_plain(card.get('data_sha256', 'unknown'))}`, "
        f"{_plain(card.get('held_out', 0))} of them held out."
        + (f" It began with the weights of SHA-256 `{_plain(source)}`." if source else "")
    )


def _front_matter(card: Mapping[str, Any]) -> str:
    licence = card.get("licence")
    lines = ["library_name: ganvas", "pipeline_tag: unconditional-image-generation", "tags: [gan, ganvas]"]
    if licence is None:
        lines.append("license: unknown")
    elif str(licence).lower() in _KNOWN_LICENCES:
        lines.append(f"license: {str(licence).lower()}")
    else:
        slug = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in str(licence).lower())
        lines += ["license: other", f'license_name: "{slug}"']
    return "\n".join(lines) + "\n"


def _scores(scores: Any) -> str:
    """A table of scores, each with the protocol that makes it comparable."""
    if not scores:
        return "Not measured yet: `ganvas eval` does."
    rows = ["| score | value | better | seen by | pictures | against |", "|---|---|---|---|---|---|"]
    for score in scores:
        protocol = score.get("protocol", {})
        value = score.get("value")
        number = f"{value:.4g}" if isinstance(value, (int, float)) and math.isfinite(value) else str(value)
        against = f"{protocol.get('reference')} ({protocol.get('reference_count')})"
        cells = (
            score.get("name"),
            number,
            score.get("better"),
            protocol.get("extractor") or "–",
            protocol.get("count"),
        )
        rows.append(f"| {' | '.join(_plain(cell) for cell in (*cells, against))} |")
    return "\n".join([*rows, "", f"The whole protocol of each is in {CONFIG}."])


def _plain(value: object) -> str:
    """A word of a card in Markdown, where it may neither begin a new line nor be taken for markup."""
    text = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)
