"""Which processor to use, in which arithmetic, and how much memory there is."""

import ctypes
import os
from pathlib import Path

import torch

from ganvas.core.errors import UsageError

_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def choose_device(name: str) -> torch.device:
    """The device that a name means: "auto" takes CUDA, else MPS, else the CPU.

    Of several processes on a machine each takes a GPU of its own for "auto" and "cuda", in turn by its LOCAL_RANK.
    Raises UsageError for a device this machine, or this build of PyTorch, does not have.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"--device {name}: use auto, cpu, cuda, cuda:N or mps") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise UsageError(f"--device {name}: PyTorch finds no such device here; use --device auto")
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if device.index is None and "LOCAL_RANK" in os.environ:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]) % count)
        if (device.index or 0) >= count:
            raise UsageError(f"--device {name}: PyTorch finds {count} here, cuda:0 to cuda:{count - 1}")
    return device


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 natively: CUDA from Ampere on, CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        abilities = torch.cpu.get_capabilities()
        return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
    return False


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The arithmetic of the networks: "auto" is bfloat16 where it is native and float32 elsewhere.

    float64 is for checks: in it runs agree that differ in nothing but the order of their sums.
    Raises UsageError for another name than auto, float32, bfloat16 or float64.
    """
    if name == "auto":
        return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
    if name not in _PRECISIONS:
        raise UsageError(f"--precision {name}: use auto, {', '.join(_PRECISIONS)}")
    return _PRECISIONS[name]


def available_memory() -> int:
    """Bytes of main memory that can be taken now without swapping; at least 256 MiB is assumed."""
    floor = 256 * 2**20
    limits = [floor * 16]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        limits = [int(fields["MemAvailable"].split()[0]) * 1024]
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2]
    control = Path("/sys/fs/cgroup/memory.max")
    if control.exists() and (text := control.read_text().strip()).isdigit():
        limits.append(int(text) - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    return max(floor, min(limits))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's, the CPU allocator's or an accelerator's."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        words in message for words in ("out of memory", "not enough memory", "can't allocate memory", "bad_alloc")
    )


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """The context in which networks run: bfloat16 where that is the precision, else as written.

    Weights that were cast are not kept for a second use: that store is shared by all threads, and which of a thread's
    gradients are added in bfloat16 would depend on the others' pace.
    """
    enabled = precision == torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=False)


def keep_freed_memory() -> None:
    """Let the C library keep what it frees for the next round instead of handing it back to the system.

    A round frees and takes the same blocks again; by default glibc gives the larger ones back each time, and the
    system clears every page anew. Keeping them saves about 5 % of the processor time of small networks. Where the C
    library is another one, nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option, value in ((-3, 32 * 2**20), (-1, 2**30), (-2, 64 * 2**20)):  # MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD
        mallopt(option, value)
