"""A trained run, or a file of weights, from which another run begins: transfer.

Wang et al. 2018, "Transferring GANs: Generating Images from Limited Data": the weights of all networks are taken, and
trained on with other pictures. Where a run keeps an average of a network's weights, that is taken. The optimizers and
the clock begin anew.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from torch import Tensor, nn

from ganvas.core import cardfile, files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.networks.transfer import Share
from ganvas.tasks.game_settings import SourceSettings
from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder


@dataclass(frozen=True)
class Source:
    """What a run can begin with; what its networks are is said by those that build on it.

    path: as it was named, absolute. file: the checkpoint, or the file of weights. images: seen in training. task,
    recipe: their names. size: in pixels, None where a file does not say. classes: their names. parts: the networks'
    settings by role, of those whose weights are there. weights: tensors by role and key. settings: all of a run's; None
    of a file, which has none.
    """

    LEADS: ClassVar[str]  # the role without whose weights there is nothing to begin with
    GROWS: ClassVar[bool]  # whether its networks are made for one size of pictures, and others grow out of them

    path: Path
    file: Path
    images: int
    task: str
    recipe: str
    size: Size | None
    channels: int
    classes: tuple[str, ...]
    parts: Mapping[str, Any]
    weights: Mapping[str, Mapping[str, Tensor]]
    settings: Any

    def mark(self) -> SourceSettings:
        """What a run that begins here has in its settings."""
        return SourceSettings(path=str(self.path), sha256=files.sha256_of_file(self.file))

    def network(self, role: str) -> nn.Module:
        """The network of a role, on the meta device."""
        raise NotImplementedError

    def grown(self, role: str, size: Size) -> Any:
        """The settings of a role's network for pictures of a size. Raises UsageError if it cannot grow to it."""
        raise NotImplementedError

    def shares(self, role: str, network: Any, classes: tuple[str, ...]) -> dict[str, Share]:
        """What a network of its family, which knows these classes, takes; nothing where the source has no weights."""
        raise NotImplementedError

    def checked(self) -> Self:
        """This. Raises DataError if its weights are not those of its networks."""
        for role, weights in self.weights.items():
            expected = {key: tensor.shape for key, tensor in self.network(role).state_dict().items()}
            if expected != {key: tensor.shape for key, tensor in weights.items()}:
                raise DataError(f"{self.file} does not hold the weights of the {role} that its settings describe")
        return self


Held = TypeVar("Held", bound=Source)


def settings_of(run: RunFolder, values: Mapping[str, Any], kind: Any) -> Any:
    """A run's settings, of a kind, from the tables of its file. Raises DataError if they cannot be."""
    try:
        return from_dict(kind, values)
    except UsageError as error:
        raise DataError(f"{run.settings} is damaged, or of another version of Ganvas: {error}") from None


@contextmanager
def reading_card(file: Path) -> Iterator[None]:
    """Within the block, a card that cannot be read, or that describes other weights, is a DataError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DataError(f"{file} has a card that Ganvas cannot read: {error}") from None


def newest_whole(run: RunFolder, sha256: str | None) -> tuple[Path, dict[str, Tensor], dict[str, Any]] | None:
    """A run's newest whole checkpoint: its file, tensors and what it tells; None where the run has no checkpoint.

    sha256: of the one that is meant, None for any. Raises DataError if that is gone, and if none is whole.
    """
    held = checkpoints.everything(run.checkpoints)
    if not held:
        return None
    if sha256 is not None:
        held = [file for file in held if files.sha256_of_file(file) == sha256]
        if not held:
            raise _changed(run.path)
    for file in reversed(held):
        if (whole := checkpoints.read(file)) is not None:
            return file, *whole
    raise DataError(f"No checkpoint in {run.checkpoints} is whole, so no run can begin from it")


def of_file_alone(run: RunFolder, file: Path, of_file: Callable[..., Held], chosen: Any, sha256: str | None) -> Held:
    """A run without a checkpoint: what its file of weights gives, with the run's settings.

    of_file: of the path as it was named, the file, its weights and its card. chosen: the settings. Raises DataError if
    there is no such file, or another is meant.
    """
    if not file.is_file():
        raise DataError(f"{run.path} has not been trained yet: it has no checkpoint and no {file.name}")
    found = of_file(run.path, file, *read_file(run.path, file, sha256))
    return replace(found, recipe=chosen.recipe, settings=chosen)


def read_file(path: Path, file: Path, sha256: str | None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights and the card of a file. path: as the source was named. Raises DataError if another is meant."""
    if sha256 not in (None, files.sha256_of_file(file)):
        raise _changed(path)
    return cardfile.read(file)


def recipe_of(card: Mapping[str, Any]) -> str:
    """The recipe that a file's card names; of an imported network that which is named like its family."""
    if "imported" not in card:
        return str(card.get("recipe", ""))
    return "colorize" if card.get("task") == "colorize" else str(card["imported"]["family"])  # pix2pix has such, too


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of the name."""
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _changed(path: Path) -> DataError:
    return DataError(
        f"The weights that this run begins from are not at {path} any more: they have been trained on, or replaced. "
        "Put them back, or train a new run"
    )
