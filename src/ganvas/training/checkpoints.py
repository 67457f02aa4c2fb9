"""Checkpoints that are whole or not there, and that know when they are damaged.

A checkpoint is one safetensors file whose name carries the start of its own SHA-256:
`000200064-9f2c….safetensors`. So every bit of it, its metadata included, is under the checksum, and one rename makes
it appear.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.core.files import flush, replacing

_NAME = re.compile(r"(\d{9,})-([0-9a-f]{24})\.safetensors")


def save(folder: Path, images: int, tensors: dict[str, Tensor], info: dict[str, Any]) -> Path:
    """Write a checkpoint of the state after `images` images.

    It is written beside, flushed, read back against its checksum and renamed.
    info: plain values, kept as JSON. Raises DataError if the disk is full or gives back other bytes than it was given.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save_tensors(contiguous, {"ganvas": json.dumps(info, sort_keys=True)})
    digest = _digest(content)
    path = folder / f"{images:09d}-{digest}.safetensors"
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
            flush(partial)
            if _digest(partial.read_bytes()) != digest:
                raise DataError(f"{partial} does not read back as it was written: the disk is failing")
    except OSError as error:
        raise DataError(
            f"The checkpoint {path} could not be written: {error.strerror}. Earlier ones are kept"
        ) from None
    return path


def newest(folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and the info of the newest checkpoint that is whole, or None where there was never one.

    A damaged one is named through `say`, set aside under a name ending in ".damaged", and the one before it is tried.
    Raises DataError if there were checkpoints and none is whole.
    """
    paths = everything(folder)
    for path in reversed(paths):
        content = path.read_bytes()
        if _is_whole(path, content):
            return load_tensors(content), _info(content)
        os.replace(path, path.with_name(path.name + ".damaged"))
        say(f"{path.name} is damaged (its checksum is wrong) and is set aside; going back to the checkpoint before it")
    if paths:
        raise DataError(f"No checkpoint in {folder} is whole, so this run cannot be continued; train again")
    return None


def newest_info(folder: Path) -> dict[str, Any] | None:
    """The info of the newest checkpoint that is whole, or None; nothing is said or set aside."""
    for path in reversed(everything(folder)):
        content = path.read_bytes()
        if _is_whole(path, content):
            return _info(content)
    return None


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and the info of a checkpoint, or None if it is damaged; it is left as it is."""
    content = path.read_bytes()
    return (load_tensors(content), _info(content)) if _is_whole(path, content) else None


def keep(folder: Path, best: int | None) -> None:
    """Remove all but the last two checkpoints and the one after `best` images."""
    for path in everything(folder)[:-2]:
        if _stamp(path)[0] != best:
            path.unlink()


def everything(folder: Path) -> list[Path]:
    """All finished checkpoints of a folder, oldest first; of equal age, the later written last."""
    paths = [path for path in folder.glob("*.safetensors") if _NAME.fullmatch(path.name)]
    return sorted(paths, key=lambda path: (_stamp(path)[0], path.stat().st_mtime_ns))


def _info(content: bytes) -> dict[str, Any]:
    """The info in a checkpoint: safetensors begins with the size of a JSON header, in eight bytes."""
    header_size = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + header_size])["__metadata__"]["ganvas"])


def _stamp(path: Path) -> tuple[int, str]:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise ValueError(path.name)
    return int(found[1]), found[2]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]


def _is_whole(path: Path, content: bytes) -> bool:
    return _digest(content) == _stamp(path)[1]
