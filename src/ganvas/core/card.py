"""The card of a network: what it is, what it was trained on, how good it is, and who may use it.

A card is JSON: in a run beside the generator as card.json, in a saved folder as config.json, and inside every file of
weights and every ONNX file, so that a file alone is enough. Its keys:

    format           the version of this layout; a card of a newer one is refused
    kind             "generator"; "classifier"; or "translator", of a network from pictures to pictures
    generator        the network's settings, from which it is rebuilt; size, channels, classes: its pictures
    translator       the same of a translator; inputs, outputs: its channels; scale: how many times larger what it makes
                     is; mode: one of `inference.modes`, how pictures become what it reads and back; size: of the
                     pictures of training, or None; channels: of those, where Ganvas trained it
    task             of a translator: paired, unpaired, superres, inpaint or colorize
    domains          of a translator: what it turns into what, as ["A", "B"]; [] where that has no names
    data             the name of what it was trained on; data_sha256: the fingerprint of those pictures and labels
    held_out         how many of them training did not see
    read             of a translator: how many pictures training could read, those held out among them; the size of
                     what was kept of each, and the scales of pieces: what tells later which were held out
    mirror           whether training showed them mirrored as well; a card that lacks it does not know
    recipe, images_seen, ganvas   how it was trained, and by which version
    imported         of weights that another program trained: family, the file's name and its sha256
    source_sha256    of the weights that training began with; None: it began from nothing
    scores           a list of {name, value, better, protocol ...}, the newest of each name
    preview          the seeds of the preview's pictures, as "0-63"; of a translator what stands in its columns
    licence          under which it may be used; None: unknown
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ganvas.core.errors import DataError, UsageError
from ganvas.core.version import VERSION

FORMAT = 1
GENERATOR, CLASSIFIER, TRANSLATOR = "generator", "classifier", "translator"  # the kinds
KEY = "ganvas"  # under which files hold their card in their metadata
PREVIEW_SEEDS = "0-63"


def read(text: str | None, where: str) -> dict[str, Any]:
    """The card that a file holds, of a generator or a translator. where: the file, for messages; text: None without.

    Raises DataError if that is no such card, or one of a newer format.
    """
    card = parsed(text, where)
    refuse_newer(card, where)
    if card.get("kind") == CLASSIFIER:
        what = "its run, or its .safetensors file" if where.lower().endswith(".onnx") else "it"
        raise DataError(f"{where} is a classifier, not a generator: ganvas classify takes {what}")
    if card.get("kind") not in (GENERATOR, TRANSLATOR):
        raise DataError(
            f"{where} is not a network of Ganvas: its card is missing. Give a run, or what `ganvas export` wrote"
        )
    return card


def parsed(text: str | None, where: str) -> dict[str, Any]:
    """A card of any kind as it is written; {} where there is none. Raises DataError if it is damaged."""
    try:
        card = json.loads(text or "{}")
    except ValueError as error:
        raise DataError(f"{where} is damaged: its card is not JSON ({error})") from None
    return card if isinstance(card, dict) else {}


def check_generator(card: Mapping[str, Any], where: str) -> None:
    """Raise UsageError for a translator. where: as the user named it, for what to do with it."""
    if card["kind"] == TRANSLATOR:
        raise UsageError(f"{where} turns pictures into pictures: ganvas apply {where} photo.jpg --out DIR")


def check_translator(card: Mapping[str, Any], where: str) -> None:
    """Raise UsageError for a generator. where: as the user named it, for what to do with it."""
    if card["kind"] == GENERATOR:
        raise UsageError(f"{where} makes pictures of nothing and takes none: ganvas sample {where} --out grid.png")


def refuse_newer(card: Mapping[str, Any], where: str) -> None:
    """Raise DataError for a card, of any kind, that a newer version wrote. where: the file, for the message."""
    written = card.get("format", FORMAT)  # the first cards did not say
    if not isinstance(written, int) or written > FORMAT:
        raise DataError(
            f"{where} was written by a newer Ganvas. Update with: pip install --upgrade ganvas (its card has format "
            f"{written}, and {VERSION} reads up to {FORMAT})"
        )


def write(card: dict[str, Any]) -> str:
    """The card as people read it."""
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


@contextmanager
def named(where: str) -> Iterator[None]:
    """Let a DataError on what a card says name the file that it is from."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def identity(card: dict[str, Any]) -> dict[str, Any]:
    """The card without what may be said of the same network at another time."""
    return {key: value for key, value in card.items() if key not in ("scores", "licence", "preview", "format")}
