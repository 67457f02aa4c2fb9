"""What a machine offers for training, and what is amiss on it."""

import dataclasses
import os
import platform
import shutil
from pathlib import Path

import torch

from ganvas.core import devices
from ganvas.training.journal import has_tensorboard


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing looked at. advice: what to do if it is not well, or what follows if it is."""

    what: str
    found: str
    well: bool = True
    advice: str = ""


def examine() -> list[Finding]:
    """Look at the interpreter, PyTorch, the processors, the memory, the disk and the optional packages."""
    return [
        Finding("python", platform.python_version()),
        _torch(),
        _device(),
        _memory(),
        _disk(),
        Finding("tensorboard", "installed" if has_tensorboard() else "not installed", True, _tensorboard_advice()),
    ]


def _torch() -> Finding:
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    well = (2, 10) <= version < (2, 14)
    return Finding("torch", torch.__version__, well, "" if well else 'pip install "torch>=2.10,<2.14"')


def _device() -> Finding:
    device = devices.choose_device("auto")
    precision = str(devices.choose_precision("auto", device)).removeprefix("torch.")
    if device.type == "cuda":
        return Finding("device", f"{torch.cuda.get_device_name()}, {precision}")
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor()) if device.type == "cpu" else "Apple GPU"
    found = f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {precision}"
    if device.type == "cpu" and precision == "float32":
        return Finding("device", found, True, "without bfloat16 arithmetic training takes about twice as long")
    return Finding("device", found)


def _memory() -> Finding:
    free = devices.available_memory() / 2**30
    return Finding("memory", f"{free:.1f} GiB free", free >= 1.5, "" if free >= 1.5 else "training takes about 1.5 GiB")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    writable = os.access(Path.cwd(), os.W_OK)
    advice = "" if free >= 1 else "runs need some space: choose --out elsewhere"
    if not writable:
        advice = "this folder cannot be written: choose --out elsewhere"
    return Finding("this folder", f"{free:.1f} GiB free", free >= 1 and writable, advice)


def _tensorboard_advice() -> str:
    return "" if has_tensorboard() else 'for its curves: pip install "ganvas[tensorboard]"'
