"""Applying a network to pictures: against the plain call of the module, and time and memory against the size.

Times are processor time of one thread, which a busy machine tells as well. Each row of memory is a process of its own.
"""

import copy
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks import common
from ganvas import networks
from ganvas.data.decode import quiet_pillow
from ganvas.inference.translator import Translator

TURNS, SIDE = 3, 512
NETWORKS = {"srresnet, 32 channels, 4 blocks": {"width": 32, "blocks": 4}, "srresnet, as published": {}}
TINY = {1: ("rrdb", {"scale": 1, "width": 4, "growth": 4, "blocks": 1}), 4: ("srresnet", {"width": 8, "blocks": 1})}
SIZES = ((1, 1_000), (1, 3_000), (1, 10_000), (4, 250), (4, 500), (4, 1_000), (4, 2_000), (4, 10_000))  # scale, side


def applying() -> None:
    """Writes results/apply.json."""
    torch.set_num_threads(1)
    speed = {name: _against_plain(chosen) for name, chosen in NETWORKS.items()}
    sizes = []
    for scale, side in SIZES:
        command = [sys.executable, "-m", "benchmarks.applying", str(scale), str(side)]
        sizes.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(sizes[-1], flush=True)
    what = (
        f"a picture of {SIDE} x {SIDE} x4 against the module's call in float32, contiguous, seconds of one thread; "
        "then a tiny network on PNG files of a side: seconds for each million pixels made, with reading and writing, "
        "and the largest resident memory of the process"
    )
    common.write("apply", {"what": what, "threads": 1, "speed": speed, "sizes": sizes})


def _against_plain(chosen: dict[str, Any]) -> dict[str, Any]:
    network = _network("srresnet", chosen)
    plain = copy.deepcopy(network)
    ours = Translator(network, {"mode": "restore"}, torch.device("cpu"))
    picture = _picture(SIDE).transpose(2, 0, 1)
    given = torch.from_numpy(picture.astype(np.float32))[None] / 127.5 - 1
    turns: dict[str, list[float]] = {"ours": [], "plain": []}
    ours(picture[:, :64, :64])
    for _ in range(TURNS):
        began = time.thread_time()
        fresh = Translator(network, ours.card, torch.device("cpu"))  # with what it measures, as on a first picture
        made = fresh(picture)
        turns["ours"].append(time.thread_time() - began)
        began = time.thread_time()
        with torch.inference_mode():
            exact = plain(given)
        turns["plain"].append(time.thread_time() - began)
    error = float((((exact[0].clamp(-1, 1) + 1) * 127.5).round().numpy() - made).__pow__(2).mean())
    row = {
        "precision": ours.precision,
        "ratio": common.summary([p / o for o, p in zip(turns["ours"], turns["plain"], strict=True)]),
        "psnr": 10 * math.log10(255**2 / error),
        "seconds": turns,
    }
    print(chosen, row, flush=True)
    return row


def _network(name: str, chosen: dict[str, Any]) -> Any:
    """With weights that are not the first ones."""
    torch.manual_seed(0)
    family = networks.translator(name)
    network: nn.Module = family(family.Settings(**chosen), inputs=3, outputs=3).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    return network


def _picture(side: int) -> np.ndarray:
    """uint8 [side, side, 3]: slopes, edges and noise."""
    noise = np.random.default_rng(0).integers(0, 24, (256, 256, 3)).astype(np.uint8)
    tiled = np.tile(noise, (side // 256 + 1, side // 256 + 1, 1))[:side, :side]
    slope = np.linspace(0, 200, side).astype(np.uint8)
    tiled += slope[:, None, None] // 2
    tiled += (
        slope[None, :, None] // 2 + (np.arange(side, dtype=np.uint32) // 40 % 2 * 20).astype(np.uint8)[None, :, None]
    )
    return tiled


def one_size(scale: int, side: int) -> dict[str, Any]:
    """One picture from file to file in this process."""
    torch.set_num_threads(1)
    name, chosen = TINY[scale]
    translator = Translator(_network(name, chosen), {"mode": "restore"}, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.png", Path(folder) / "out.png"
        subprocess.run([sys.executable, "-m", "benchmarks.applying", str(side), str(source)], check=True)
        began = time.process_time()
        with quiet_pillow():
            translator.write(source, out)
        seconds = time.process_time() - began
        size = out.stat().st_size
        pixels = (side * scale) ** 2
    return {
        "scale": scale,
        "side": side,
        "network": name,
        "seconds": seconds,
        "seconds_a_million_made": seconds / pixels * 1e6,
        "largest_resident_mb": _largest_resident() / 1024,
        "file_mb": size / 1e6,
    }


def _largest_resident() -> int:
    """kB; the figure of getrusage would begin with that of the process that started this one."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


if __name__ == "__main__":
    if sys.argv[2].isdigit():
        print(json.dumps(one_size(int(sys.argv[1]), int(sys.argv[2]))))
    else:  # in a process of its own, whose memory does not count
        Image.fromarray(_picture(int(sys.argv[1]))).save(sys.argv[2], compress_level=1)
