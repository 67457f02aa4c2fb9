"""From a file of weights that another program wrote to a folder that Ganvas uses like one of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganvas import networks
from ganvas.core import card as cards
from ganvas.core import cardfile, files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import from_dict, to_dict
from ganvas.core.version import VERSION
from ganvas.inference.foreign import family as family_of
from ganvas.inference.foreign.family import Plan
from ganvas.inference.foreign.matching import matched
from ganvas.inference.foreign.reading import tensors_of
from ganvas.inference.foreign.recognising import check_family
from ganvas.inference.generator import Generator
from ganvas.training.folder import RunFolder

STATISTICS = {"picture": "instance-affine", "training": "batch"}


def import_weights(
    file: str | Path, family: str, *, out: str | Path, statistics: str | None = None, backwards: bool = False
) -> Path:
    """Write the folder of a network whose weights another program trained, and return its path.

    file: of torch.save or safetensors; it is read and never run. family: whose, one of `foreign.FAMILIES`. out: a
    folder that is not there yet, or empty. statistics: of batch normalisation in a network from pictures to pictures:
    "picture", each picture's own, as those programs translate (None is this), or "training", the averages in the file.
    backwards: of pix2pix, the network makes the first of a pair of the second, which scores have to know.
    Every tensor is checked by name and shape. Raises UsageError for a family that there is not, a folder that holds
    something, and statistics or a direction that the network does not have; DataError for a file that is not of the
    family.
    """
    kind, path, folder = family_of(family).kind, Path(file), Path(out).absolute()
    _check(folder, out, statistics)
    weights = tensors_of(path)
    try:
        check_family(weights, family)
        plan = family_of(family).plan(weights)
        network, chosen = _network(kind, plan, statistics)
    except DataError as error:
        raise DataError(f"{path} {error}") from None
    card = {"format": cards.FORMAT, "kind": kind, kind: chosen, "size": None, **plan.card, "classes": []}
    card |= {"data": "imported", "recipe": "imported", "images_seen": 0}
    card["imported"] = {"family": family, "file": path.name, "sha256": files.sha256_of_file(path)}
    card |= {"licence": None, "ganvas": VERSION}
    if backwards and card.get("task") != "paired":
        raise UsageError("--backwards is of pairs, as pix2pix learns from them: leave it out")
    if card.get("task") == "paired":
        card["problem"] = {"name": "paired", "backwards": backwards}
    with _whole(folder, out) as partial:
        if kind == "generator":
            Generator(network, card, torch.device("cpu")).save(partial)
        else:
            run = RunFolder(partial)
            files.write_bytes(run.translator, cardfile.as_bytes(network.state_dict(), card))
            files.write_text(run.card, cards.write(card))
    return Path(out)


def _check(folder: Path, out: str | Path, statistics: str | None) -> None:
    if statistics is not None and statistics not in STATISTICS:
        raise UsageError(f"--statistics {statistics}: they are of the {' or of the '.join(STATISTICS)}")
    with files.written_to(out):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{out} holds something already: choose another --out")
        files.check_writable(folder / "any")


def _network(kind: str, plan: Plan, statistics: str | None) -> tuple[nn.Module, dict[str, Any]]:
    """Our network with the weights, and its settings."""
    chooses = kind == "translator" and plan.settings.get("norm") == "batch"
    if statistics is not None and not chooses:
        raise UsageError("--statistics: this network has no batch normalisation to choose them for; leave it out")
    network, settings = _built(kind, plan.settings, plan.card)
    held = matched(network, plan)
    if chooses:
        network, settings = _built(kind, settings | {"norm": STATISTICS[statistics or "picture"]}, plan.card)
    network.load_state_dict({name: held[name] for name in network.state_dict()}, assign=True)
    return network, settings


def _built(kind: str, settings: dict[str, Any], card: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """A network without weights, and all its settings."""
    family = (networks.generator if kind == "generator" else networks.translator)(settings["name"])
    names = ("size", "channels") if kind == "generator" else ("inputs", "outputs")
    shape = {name: card[name] for name in names} | ({"classes": 0} if kind == "generator" else {})
    try:
        chosen = from_dict(family.Settings, settings, kind)
        with torch.device("meta"):
            return family(chosen, **shape), to_dict(chosen)
    except UsageError as error:
        raise DataError(f"has sizes that its network cannot have here: {error}") from None


@contextmanager
def _whole(folder: Path, out: str | Path) -> Iterator[Path]:
    """A folder to write into, of the same name, that takes its place when the block ends well."""
    with files.written_to(out):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".import-") as above:
            partial = Path(above) / folder.name
            partial.mkdir()
            yield partial
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
