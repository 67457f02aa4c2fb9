"""Distances between sets of features: the Fréchet distance against scipy's square root of a matrix, others' memory.

The features are normal draws with 2,048 dimensions mixed by a random matrix, of the size of Inception's. Both sides
begin with the features and end with the distance.
"""

import subprocess
import sys
import time
import warnings

import numpy as np
import torch

from benchmarks import common
from ganvas.metrics.frechet import frechet_distance, statistics

DIMENSIONS = 2_048
ROUNDS = {1_000: 3, 10_000: 3}


def frechet() -> None:
    """Writes results/frechet.json: seconds of both sides in turns, and how far their values are apart.

    Under the name of the installed scipy; what was measured with another stays.
    """
    import scipy

    rows = {}
    for count, rounds in ROUNDS.items():
        a, b = (_features(count, seed) for seed in (0, 1))
        ours, theirs = [], []
        for _ in range(rounds):
            started = time.perf_counter()
            value = frechet_distance(statistics(a), statistics(b))
            ours.append(time.perf_counter() - started)
            started = time.perf_counter()
            reference = _by_square_root(a.numpy(), b.numpy())
            theirs.append(time.perf_counter() - started)
            print(count, round(ours[-1], 2), round(theirs[-1], 2), value, reference, flush=True)
        rows[str(count)] = {
            "ours": common.summary(ours),
            "scipy": common.summary(theirs),
            "ratio": round(float(np.median(theirs) / np.median(ours)), 1),
            "relative_difference": abs(value - reference) / reference,
            "raw": {"ours": ours, "scipy": theirs},
        }
    by_scipy = common.read("frechet").get("by_scipy", {}) | {scipy.__version__: rows}
    common.write("frechet", {"what": f"seconds from features [N, {DIMENSIONS}] to the distance", "by_scipy": by_scipy})


def _features(count: int, seed: int) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    mixed = torch.randn(DIMENSIONS, DIMENSIONS, generator=torch.Generator().manual_seed(9)) / DIMENSIONS**0.5
    return torch.randn(count, DIMENSIONS, generator=dice) @ mixed + 0.05 * seed


def _by_square_root(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al. 2017, equation 6, as it is usually computed: scipy.linalg.sqrtm of the product."""
    import scipy.linalg

    means, covariances = [x.mean(0, dtype=np.float64) for x in (a, b)], [np.cov(x.astype(np.float64).T) for x in (a, b)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that the product is singular where N < D
        root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    spread = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root).real
    return float(np.square(means[0] - means[1]).sum() + spread)


_MEASURED = """
import resource, sys, torch
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.neighbours import precision_recall_density_coverage
draw = lambda seed: torch.randn({count}, {dimensions}, generator=torch.Generator().manual_seed(seed))
a, b = draw(0), draw(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{call}
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def neighbours() -> None:
    """Writes results/neighbours.json: seconds and largest memory of PRDC and KD at N = 10,000, D = 2,048."""
    rows = {}
    for name, call in {"prdc": "precision_recall_density_coverage(a, b)", "kd": "kernel_distance(a, b)"}.items():
        script = _MEASURED.format(count=10_000, dimensions=DIMENSIONS, call=call)
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        before, largest = (int(number) / 2**20 for number in done.stdout.split())
        seconds = time.perf_counter() - started
        rows[name] = {"seconds": round(seconds, 1), "gib": round(largest, 3), "gib_before": round(before, 3)}
    common.write("neighbours", {"what": "a process with features 10,000 x 2,048 on both sides", "raw": rows})
