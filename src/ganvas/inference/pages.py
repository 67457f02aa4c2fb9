"""The page of a network for people: its card in Markdown, with the front matter (YAML) that hubs read."""

import math
from collections.abc import Mapping
from typing import Any

from ganvas.core import card as cards

PREVIEW, CONFIG = "preview.png", "config.json"
_KNOWN_LICENCES = (  # those that hubs know by these names; any other is "other" with its name beside
    *("mit", "apache-2.0", "bsd-3-clause", "gpl-3.0", "unlicense", "openrail", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0"),
    *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0"),
)


def readme(card: Mapping[str, Any], name: str) -> str:
    """The page of a generator's or a translator's card. name: of the folder, or on the hub."""
    return _of_translator(card, name) if card.get("kind") == cards.TRANSLATOR else _of_generator(card, name)


def _of_generator(card: Mapping[str, Any], name: str) -> str:
    classes = card["classes"]
    colours = _COLOURS.get(card["channels"], "other colours")
    sections = [
        f"---\n{_front_matter(card, 'unconditional-image-generation')}---",
        f"# {_plain(name)}",
        f"![pictures of the seeds {_plain(card.get('preview', cards.PREVIEW_SEEDS))}]({PREVIEW})",
        f"A generator of pictures, {_plain(card['size'])} pixels, {colours}, network "
        f"{_plain(card['generator']['name'])}, {_maker(card)}.",
        f"```python\nimport ganvas\n\ngenerator = ganvas.load({str(name)!r})  # this folder, or user/name on the hub\n"
        "ganvas.grid(generator.sample(range(16))).save('pictures.png')\n```",
        f"## Trained on\n{_pictures_seen(card)}",
        f"## Classes\n{', '.join(map(_plain, classes))}" if classes else "## Classes\nNone: it is unconditional.",
        f"## Scores\n{_scores(card.get('scores') or ())}",
        f"## Licence\n{_plain(card.get('licence') or _UNLICENSED)}",
    ]
    return "\n\n".join(sections) + "\n"


def _of_translator(card: Mapping[str, Any], name: str) -> str:
    domains = [_plain(domain) for domain in card.get("domains") or ()]
    turned = f" It turns {domains[0]} into {domains[1]}." if len(domains) == 2 else ""
    scale = card.get("scale", 1)
    larger = f", {_plain(scale)} times larger on each side" if scale != 1 else ""
    size = f" of {_plain(card['size'])} pixels" if card.get("size") else ""
    extra, beside = _BESIDE.get((card["mode"], card["inputs"]), ("", ""))
    sections = [
        f"---\n{_front_matter(card, 'image-to-image')}---",
        f"# {_plain(name)}",
        f"Pictures in, pictures out, of any size{larger}: task {_plain(card.get('task') or 'unknown')}, network "
        f"{_plain(card['translator']['name'])}, {_maker(card)}{size}.{turned}",
        f"```python\nimport ganvas\n\ntranslator = ganvas.load({name!r})  # this folder, or user/name on the hub\n"
        f'before = "photo.jpg"\nafter = translator(before{beside})\nafter.save("after.png")\n```',
        f"Of many files, and of large ones in tiles:\n\n    ganvas apply {_plain(name)} photos/ --out after/{extra}",
        f"Mode `{_plain(card['mode'])}`: {_MODES.get(str(card['mode']), 'see the documentation of Ganvas')}.",
        f"## Trained on\n{_pictures_seen(card)}",
        f"## Scores\n{_scores(card.get('scores') or ())}",
        f"## Licence\n{_plain(card.get('licence') or _UNLICENSED)}",
    ]
    return "\n\n".join(sections) + "\n"


_BESIDE = {  # what is given beside a picture by mode and inputs, in a command and in Python
    ("inpaint", 4): (" --masks masks/", ', "mask.png"'),
    ("lab-colorize", 4): (" --hints hints/", ', hints="hints.png"'),
}
_MODES = {
    "rgb": "something else of a picture, in colour",
    "grey": "something else of a picture, in grey",
    "restore": "the same picture, larger or cleaner",
    "lab-colorize": "colours for a grey picture; a hint is a picture that is transparent but where it says a colour",
    "inpaint": "what is missing of a picture; a mask is white where that is",
}
_UNLICENSED = "Unknown: ask whoever trained it, and see that of its data."
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


def _front_matter(card: Mapping[str, Any], pipeline: str) -> str:
    licence = card.get("licence")
    lines = ["library_name: ganvas", f"pipeline_tag: {pipeline}", "tags: [gan, ganvas]"]
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
