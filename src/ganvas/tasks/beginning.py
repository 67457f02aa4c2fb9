"""How a run begins with the weights of another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.networks import transfer
from ganvas.tasks import TRANSLATES, gan_source, translator_source
from ganvas.tasks.game_settings import SourceSettings
from ganvas.tasks.source import Source, read_file
from ganvas.training.folder import RunFolder, check_not_in_training


def begin(source: SourceSettings, networks: Mapping[str, Any], classes: tuple[str, ...]) -> list[str]:
    """Put a source's weights into networks by role, and say what was taken, in a sentence for each.

    Raises DataError if they are no longer there as the settings have them.
    """
    if source.path is None:
        return []
    found, told = open_source(source.path, source.sha256), []
    for role, network in networks.items():
        taken = found.shares(role, network, classes)
        transfer.take_over(network, found.weights.get(role, {}), taken)
        count, rest = transfer.in_words(network, taken)
        told.append(f"From {found.path}: {role} {count}" + (f"; {rest}" if rest and taken else ""))
    return told


def open_source(path: str | Path, sha256: str | None = None) -> Source:
    """A source as it is: of a run the newest checkpoint, where there is none the file of its generator or translator.

    sha256: of the weights that are meant, None for the newest. Raises UsageError for a run that is in training or of a
    task that no run begins from, DataError for what is not there, damaged, or another than is meant.
    """
    path = Path(path).absolute()
    if (path / "settings.toml").is_file():
        return _of_run(RunFolder(path), sha256)
    if not path.is_file():
        raise DataError(f"Nothing to begin from at {path}: it is neither a run nor a file of weights")
    weights, card = read_file(path, path, sha256)
    of_file = translator_source.of_file if card["kind"] == cards.TRANSLATOR else gan_source.of_file
    return of_file(path, path, weights, card)


def _of_run(run: RunFolder, sha256: str | None) -> Source:
    check_not_in_training(run.path)
    try:
        values = run.read_settings()
    except UsageError as error:
        raise DataError(str(error)) from None
    task = values.get("task", "generate")
    if task == "generate":
        return gan_source.of_run(run, values, sha256)
    if task in TRANSLATES:
        return translator_source.of_run(run, values, sha256)
    raise UsageError(
        f"{run.path} is a run of the task {task}: a run can begin only from one that trained a GAN, or a translator of "
        "pictures"
    )
