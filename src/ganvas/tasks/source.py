"""A trained run, or a generator's file, from whose weights another run begins: transfer.

Wang et al. 2018, "Transferring GANs: Generating Images from Limited Data": the weights of both networks are taken, and
trained on with other pictures. Of the generator they are the averaged ones, as its file has them. The optimizers and
the clock begin anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas import networks
from ganvas.core import card as cards
from ganvas.core import cardfile, files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import from_dict
from ganvas.networks import transfer
from ganvas.networks.growing import Growing
from ganvas.networks.transfer import Share
from ganvas.tasks.generate_settings import DataSettings, GenerateSettings, SourceSettings
from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder, check_not_in_training

_BUILD = {"generator": networks.generator, "discriminator": networks.discriminator}


@dataclass(frozen=True)
class Source:
    """What a run can begin with.

    path: as it was named, absolute. file: the checkpoint or generator's file. images: seen in training. recipe: its
    name. data: what was learned. parts: the networks' settings by role, the discriminator's only where its weights are
    there. weights: tensors by role and key. settings: all of a run's; None of a file, which has none.
    """

    path: Path
    file: Path
    images: int
    recipe: str
    data: DataSettings
    parts: Mapping[str, Any]
    weights: Mapping[str, Mapping[str, Tensor]]
    settings: GenerateSettings | None

    def mark(self) -> SourceSettings:
        """What a run that begins here has in its settings."""
        return SourceSettings(path=str(self.path), sha256=files.sha256_of_file(self.file))

    def network(self, role: str) -> Growing:
        """The network of a role, on the meta device."""
        part, data = self.parts[role], self.data
        with torch.device("meta"):
            made: Growing = _BUILD[role](part.name)(
                part, size=data.size, channels=data.channels, classes=len(data.classes)
            )
        return made

    def shares(self, role: str, network: Growing, classes: tuple[str, ...]) -> dict[str, Share]:
        """What a network of its family, which knows these classes, takes; nothing where the source has no weights."""
        if role not in self.parts:
            return {}
        return transfer.shares(network, self.network(role), classes, self.data.classes)


def begin(source: SourceSettings, players: Mapping[str, Growing], classes: tuple[str, ...]) -> list[str]:
    """Put a source's weights into networks by role, and say what was taken, in a sentence for each.

    Raises DataError if they are no longer there as the settings have them.
    """
    found, told = open_source(source.path or "", source.sha256), []
    for role, network in players.items():
        taken = found.shares(role, network, classes)
        transfer.take_over(network, found.weights.get(role, {}), taken)
        count, rest = transfer.in_words(network, taken)
        told.append(f"From {found.path}: {role} {count}" + (f"; {rest}" if rest and taken else ""))
    return told


def open_source(path: str | Path, sha256: str | None = None) -> Source:
    """A source as it is: of a run the newest checkpoint, where there is none the generator's file.

    sha256: of the weights that are meant, None for the newest. Raises UsageError for a run that is in training or did
    not train a GAN, DataError for what is not there, damaged, or another than is meant.
    """
    path = Path(path).absolute()
    if (path / "settings.toml").is_file():
        return _of_run(RunFolder(path), sha256)
    if not path.is_file():
        raise DataError(f"Nothing to begin from at {path}: it is neither a run nor a generator's file")
    return _of_file(path, path, sha256)


def _of_run(run: RunFolder, sha256: str | None) -> Source:
    check_not_in_training(run.path)
    values = run.read_settings()
    if values.get("task", "generate") != "generate":
        raise UsageError(
            f"{run.path} is of the task {values['task']}: a run can begin only from one that trained a GAN"
        )
    try:
        chosen = from_dict(GenerateSettings, values)
        parts = {role: getattr(chosen, role) for role in _BUILD}
    except UsageError as error:
        raise DataError(f"{run.settings} is damaged, or of another version of Ganvas: {error}") from None
    held = checkpoints.everything(run.checkpoints)
    if not held:
        if not run.generator.is_file():
            raise DataError(f"{run.path} has not been trained yet: it has no checkpoint and no generator.safetensors")
        found = _of_file(run.path, run.generator, sha256)
        return Source(run.path, found.file, found.images, chosen.recipe, found.data, found.parts, found.weights, chosen)
    if sha256 is not None:
        held = [file for file in held if files.sha256_of_file(file) == sha256]
        if not held:
            raise _changed(run.path)
    for file in reversed(held):
        if (whole := checkpoints.read(file)) is not None:
            tensors, info = whole
            weights = {
                "generator": _below("average/generator/", tensors),
                "discriminator": _below("network/discriminator/discriminator.", tensors),
            }
            images = info["clock"]["images"]
            return _checked(Source(run.path, file, images, chosen.recipe, chosen.data, parts, weights, chosen))
    raise DataError(f"No checkpoint in {run.checkpoints} is whole, so no run can begin from it")


def _of_file(path: Path, file: Path, sha256: str | None) -> Source:
    """A generator's weights and what its card tells."""
    if sha256 not in (None, files.sha256_of_file(file)):
        raise _changed(path)
    weights, card = cardfile.read(file)
    cards.check_generator(card, str(file))
    try:
        part = from_dict(networks.generator(card["generator"]["name"]).Settings, card["generator"], "generator")
        shape = {name: card[name] for name in ("size", "channels", "classes")}
        data = from_dict(DataSettings, {"where": str(card.get("data", "")), **shape}, "data")
        images, recipe = int(card.get("images_seen", 0)), str(card.get("recipe", ""))
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DataError(f"{file} has a card that Ganvas cannot read: {error}") from None
    return _checked(Source(path, file, images, recipe, data, {"generator": part}, {"generator": weights}, None))


def _checked(source: Source) -> Source:
    """The source. Raises DataError if its weights are not those of its networks."""
    for role, weights in source.weights.items():
        expected = {key: tensor.shape for key, tensor in source.network(role).state_dict().items()}
        if expected != {key: tensor.shape for key, tensor in weights.items()}:
            raise DataError(f"{source.file} does not hold the weights of the {role} that its settings describe")
    return source


def _changed(path: Path) -> DataError:
    return DataError(
        f"The weights that this run begins from are not at {path} any more: they have been trained on, or replaced. "
        "Put them back, or train a new run"
    )


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
