"""Sampling: what `load` draws against the plain call of the module in float32, and one picture against onnxruntime's.

Every family at its recipe's slim or usual size, with weights as after training: running means are of a few batches.
Both sides take turns in one process on all cores, so that a machine that is slow for a while is slow for both.
"""

import copy
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from benchmarks import common
from ganvas import api, networks
from ganvas.core import card as cards
from ganvas.core.settings import to_dict
from ganvas.inference.export import as_onnx
from ganvas.inference.generator import Generator

Now = Callable[[], float]
BATCH, TURNS, SECONDS = 64, 9, 1.0
RECIPES = {  # the generator of each family as a recipe plans it, and the picture's side
    "quick": 32,
    "dcgan": 64,
    "conv28": 28,
    "mlp": 32,
    "sngan-slim": 32,
    "biggan": 32,
    "r3gan-slim": 32,
    "stylegan2-slim": 32,
    "fastgan": 64,
    "vae": 32,
}


def on_all_cores() -> None:
    """Writes results/speed-sampling.json: seconds that pass, on all cores; only an idle machine tells them."""
    _sampling("speed-sampling", time.perf_counter)


def of_one_thread() -> None:
    """Writes results/speed-sampling-thread.json: processor time of one thread, which a busy machine tells as well."""
    torch.set_num_threads(1)
    _sampling("speed-sampling-thread", time.thread_time)


def _sampling(name: str, now: Now) -> None:
    rows = {recipe: _measured(recipe, size, now) for recipe, size in RECIPES.items()}
    what = (
        f"pictures/s of Generator at batch {BATCH} against the module's call in float32, contiguous, with the same "
        "latents and classes; ms for one picture against onnxruntime's and the module's"
    )
    common.write(name, {"what": what, "threads": torch.get_num_threads(), "rows": rows})
    print("| generator | pixels | parameters | plain, pictures/s | ours | times | PSNR, dB | one: ours, ORT, plain |")
    print("|---|---|---|---|---|---|---|---|")
    for recipe, row in rows.items():
        one = ", ".join(f"{row['one'][side]['median']:.2f}" for side in ("ours", "onnxruntime", "plain"))
        print(
            f"| {recipe} | {row['size']} | {row['parameters'] / 1e6:.1f}M | {row['plain']['median']:,.0f} | "
            f"{row['ours']['median']:,.0f} | {row['ratio']['median']:.2f}x | {row['psnr']:.1f} | {one} |"
        )


def _measured(recipe: str, size: int, now: Now) -> dict[str, Any]:
    network, card = _trained(recipe, size)
    ours = Generator(network, card, torch.device("cpu"))
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # as PyTorch lays it out by itself
    latents, labels = ours.latents(range(BATCH)), torch.arange(BATCH) % 10
    with torch.inference_mode():
        session, name_of = _session(as_onnx(ours, card)), ("latents", "truncation", "labels")
        given = dict(zip(name_of, (latents[:1].numpy(), np.array(1, np.float32), labels[:1].numpy()), strict=True))
        exact = ours.at("float32").pictures(latents, labels.tolist())
        drawn = ours.pictures(latents, labels.tolist())
        many = {
            "ours": lambda: ours._draw(latents, labels, 1.0),
            "plain": lambda: plain(latents, labels),
        }
        one = {
            "ours": lambda: ours._draw(latents[:1], labels[:1], 1.0),
            "onnxruntime": lambda: session.run(None, given),
            "plain": lambda: plain(latents[:1], labels[:1]),
        }
        turns, single = _in_turns(many, now), _in_turns(one, now)
    error = float(((exact.astype(float) - drawn) ** 2).mean())
    row = {
        "size": size,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "precision": ours.precision,
        "ratio": common.summary([p / o for o, p in zip(turns["ours"], turns["plain"], strict=True)]),
        "psnr": 10 * math.log10(255**2 / error) if error else math.inf,
        "largest_difference": int(np.abs(exact.astype(int) - drawn).max()),
        **{side: common.summary([BATCH / seconds for seconds in turns[side]]) for side in many},
        "one": {side: common.summary([1e3 * seconds for seconds in single[side]]) for side in one},
        "raw_seconds": {"batch": turns, "one": single},
    }
    print(recipe, {name: row[name] for name in ("ratio", "psnr")}, flush=True)
    return row


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(content, options)


def _trained(recipe: str, size: int) -> tuple[nn.Module, dict[str, Any]]:
    """A recipe's generator with running means and w averages that are not the first ones, and its card."""
    chosen = api.plan("fashion-mnist", recipe=recipe, size=size, say=lambda sentence: None).settings
    torch.manual_seed(0)
    network = networks.generator(chosen.generator.name)(chosen.generator, size=size, channels=1, classes=10)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
        for _ in range(10):
            for module in network.modules():
                getattr(module, "begin_move", int)()
            network(torch.randn(32, network.latent), torch.randint(10, (32,)))
    about = {"format": cards.FORMAT, "kind": cards.GENERATOR, "generator": to_dict(chosen.generator), "size": size}
    return network, about | {"channels": 1, "classes": list(chosen.data.classes)}


def _in_turns(sides: dict[str, Callable[[], Tensor]], now: Now) -> dict[str, list[float]]:
    """Seconds of a call, the median of a turn, in each of TURNS turns; those of a side last SECONDS together."""
    calls = {name: max(1, round(SECONDS / TURNS / _once(draw, now))) for name, draw in sides.items()}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(TURNS):
        for name, draw in sides.items():
            found[name].append(statistics.median(_once(draw, now) for _ in range(calls[name])))
    return found


def _once(draw: Callable[[], Tensor], now: Now) -> float:
    began = now()
    draw()
    return now() - began
