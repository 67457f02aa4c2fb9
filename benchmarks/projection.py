"""How long a projection takes and how close it comes: pictures that a generator has not seen, at 64 x 64.

The generators are trained first, for MINUTES each, on nine tenths of the emoji; they are kept beside the results of
other long runs, so that a second call measures at once.
"""

import time
from pathlib import Path

import numpy as np

import ganvas
from benchmarks import common
from ganvas.data import held_out_indices
from ganvas.inference.projection import project

MINUTES = 2
PICTURES = 12
RECIPES = ("quick", "stylegan2-slim")
_DATA, _RUNS = ".data/emoji", Path(__file__).parent / "runs" / "projection"


def projection() -> None:
    """Writes results/projection.json and results/projection.png: each picture above its projections."""
    found, sheets = {}, []
    for recipe in RECIPES:
        generator = ganvas.load(_trained(recipe), device="cpu")
        real = ganvas.open_data(_DATA, size=64, channels=generator.channels, say=print).images
        unseen = held_out_indices(len(real), generator.card["held_out"])
        pictures = real[unseen[np.linspace(0, len(unseen) - 1, PICTURES).astype(int)]]
        rows, made = [], []
        for picture in pictures:
            began = time.perf_counter()
            result = project(generator, picture)
            rows.append(
                {
                    "seconds": round(time.perf_counter() - began, 2),
                    "nearest_seed": round(result.first, 4),
                    "distance": round(result.distance, 4),
                }
            )
            made.append(result.picture)
        found[recipe] = {
            "measure": result.measure,
            "parameters": sum(weight.numel() for weight in generator.network.parameters()),
            **{name: common.summary([row[name] for row in rows]) for name in rows[0]},
            "raw": rows,
        }
        sheets += [pictures, np.stack(made)] if not sheets else [np.stack(made)]
    common.RESULTS.mkdir(exist_ok=True)
    ganvas.grid(np.concatenate(sheets), PICTURES).save(common.RESULTS / "projection.png", optimize=True)
    common.write("projection", {"what": "projection of one 64x64 picture, 2 cores, float32", **found})


def _trained(recipe: str) -> Path:
    run = _RUNS / f"{recipe}-{MINUTES}m"
    if not (run / "settings.toml").exists():
        settings = ["data.held_out=700", "data.classes=[]"]
        ganvas.train(_DATA, recipe=recipe, size=64, time=f"{MINUTES}m", set=settings, device="cpu", out=run, say=print)
    else:
        ganvas.resume(run, say=print)
    return run
