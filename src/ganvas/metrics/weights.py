"""Published weights: found where people keep them, else fetched from their pinned source, read only by their hash."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ganvas.core.download import RemoteFile, fetch
from ganvas.core.errors import DataError
from ganvas.core.places import places_of, user_cache

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class PublishedWeights:
    """A file of weights as the field knows it. folder: its name in the places; aliases: its other file names."""

    folder: str
    file: RemoteFile
    aliases: tuple[str, ...] = ()

    def find_or_fetch(self, say: Callable[[str], None]) -> Path:
        """The path of the file, downloaded if it lies nowhere. Raises DataError, saying what to put where, if not."""
        for place in (*places_of(self.folder), Path(torch.hub.get_dir()) / "checkpoints"):
            for name in (self.file.name, *self.aliases):
                if (place / name).is_file():
                    return place / name
        folder = user_cache() / self.folder
        try:
            fetch([self.file], folder, say)
        except DataError as error:
            raise DataError(f"{error}\nIf you have the file elsewhere: --weights FILE") from None
        return folder / self.file.name


def read_checked(path: Path, sha256: str, advice: str) -> bytes:
    """The content of a file that has to have this SHA-256. Raises DataError, ending in the advice, if it has not."""
    content = read_bytes(path)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"{path} is not the file that this extractor is defined by (its SHA-256 is {found[:12]}..., "
            f"not {sha256[:12]}...): its scores would mean something else.\n{advice}"
        )
    return content


def read_bytes(path: Path) -> bytes:
    """The content of a file of weights. Raises DataError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read the weights {path}: {error.strerror or error}") from None


def read_state(path: Path, sha256: str, advice: str) -> dict[str, Tensor]:
    """The tensors by name in a .pth file with this SHA-256, read without running code.

    Raises DataError, ending in the advice, if the file is another one.
    """
    state: dict[str, Tensor] = torch.load(
        io.BytesIO(read_checked(path, sha256, advice)), map_location="cpu", weights_only=True
    )
    return state


def folded(state: Mapping[str, Tensor], eps: float) -> dict[str, Tensor]:
    """The tensors of a network whose batch normalisations are taken into the convolutions before them, in float64.

    A convolution NAME.conv without bias and its normalisation NAME.bn become NAME.conv with a bias; the rest stays.
    """
    kept = {name: tensor for name, tensor in state.items() if ".bn." not in name}
    for name in [key.removesuffix(".bn.weight") for key in state if key.endswith(".bn.weight")]:
        norm = {part: state[f"{name}.bn.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")}
        scale = norm["weight"] / (norm["running_var"] + eps).sqrt()
        kept[f"{name}.conv.weight"] = (state[f"{name}.conv.weight"].double() * scale[:, None, None, None]).float()
        kept[f"{name}.conv.bias"] = (norm["bias"] - norm["running_mean"] * scale).float()
    return kept


def filled(build: Callable[[], Network], state: Mapping[str, Tensor], source: str) -> Network:
    """A network with these tensors for its own, in float32, fixed and laid out for use; it draws no random numbers.

    Raises DataError, naming the source they are from, if they are not exactly those it has.
    """
    with torch.device("meta"):
        network = build()
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)
    except RuntimeError as error:
        what = str(error).split("\n", 1)[-1].strip().splitlines()[0][:200]
        raise DataError(f"{source} does not hold the weights of this network: {what}") from None
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its types
