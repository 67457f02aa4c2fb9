"""The tensors of a file of weights, read without running code, out of whatever it wraps them in."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core import cardfile, devices
from ganvas.core.errors import DataError

WRAPPERS = (  # under which programs put the generator's weights; averaged ones before others
    *("params_ema", "g_ema", "params", "state_dict", "model_state_dict", "model", "generator", "netG", "G"),
)
_PARALLEL = "module."  # that DataParallel puts before names
_DEPTH = 4  # wrappers in wrappers
_GLOBAL = re.compile(r"[Uu]nsupported (?:global: )?GLOBAL (\S+)")


def tensors_of(file: Path) -> dict[str, Tensor]:
    """The tensors of a generator by name, without prefixes of DataParallel. Raises DataError if there are none."""
    if not file.is_file():
        raise DataError(f"{file} is not there, or no file: give a file of weights (.pth, .pt, .ckpt, .safetensors)")
    found = _from_safetensors(file) if _is_safetensors(file) else _unwrapped(_unpickled(file), str(file))
    while found and all(name.startswith(_PARALLEL) for name in found):
        found = {name.removeprefix(_PARALLEL): tensor for name, tensor in found.items()}
    return found


def _is_safetensors(file: Path) -> bool:
    """By its content: eight bytes of a length, and JSON."""
    try:
        with file.open("rb") as stream:
            return stream.read(9)[8:] == b"{"
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None


def _from_safetensors(file: Path) -> dict[str, Tensor]:
    found, card = cardfile.contents(file)
    if card is not None:
        raise DataError(f"{file} is of Ganvas already: use it as it is")
    return found


def _unpickled(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a broken pickle raises has no bounds
        if devices.is_out_of_memory(error):
            raise
        raise DataError(f"{file} {_reason(file, str(error))}") from None


def _reason(file: Path, told: str) -> str:
    again = "In the program that wrote it: torch.save(network.state_dict(), FILE)"
    if named := _GLOBAL.search(told):
        return f"holds more than weights ({named[1]}), which would run code when it is opened: it is not read.\n{again}"
    if "TorchScript" in told:
        return f"is a program of TorchScript, which is not run.\n{again}"
    if "Unsupported" in told:
        return f"holds more than weights, which would run code when it is opened: it is not read.\n{again}"
    if zipfile.is_zipfile(file) or "central directory" in told:
        return "is damaged, or no file of weights. Take another copy"
    return "is no file of weights, or damaged: those are .pth of torch.save, or .safetensors"


def _unwrapped(content: Any, where: str) -> dict[str, Tensor]:
    for _ in range(_DEPTH):
        if not isinstance(content, Mapping):
            break
        inside = next((content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if inside is None:
            return _tensors(content, where)
        content = inside
    raise DataError(f"{where} holds no weights by name (a state_dict)")


def _tensors(content: Mapping[Any, Any], where: str) -> dict[str, Tensor]:
    found = {name: item for name, item in content.items() if isinstance(name, str) and isinstance(item, Tensor)}
    if not found:
        inside = [str(name) for name, item in content.items() if isinstance(item, Mapping) and item]
        which = f"It has {', '.join(inside[:8])}: save the generator's by itself" if inside else "Give another file"
        raise DataError(f"{where} holds no weights by name (a state_dict), or not where they are looked for. {which}")
    if strange := [name for name, tensor in found.items() if not _is_plain(tensor)]:
        raise DataError(f"{where} holds {strange[0]} in a form that is not read (sparse, quantised or not whole)")
    return found


def _is_plain(tensor: Tensor) -> bool:
    """Whether it is on the CPU, dense, and as large as it says: one that is expanded could ask for any memory."""
    if tensor.device.type != "cpu" or tensor.layout != torch.strided or tensor.is_quantized:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
