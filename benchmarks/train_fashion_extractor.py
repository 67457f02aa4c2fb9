"""Train the small Fashion-MNIST classifier behind the `fashion` feature extractor and write its weights.

    python benchmarks/train_fashion_extractor.py [FOLDER with the four IDX .gz files] [OUT.safetensors]

Takes a few minutes on two CPU cores. Prints the test accuracy and the SHA-256 to put into ganvas/metrics/fashion.py.
Xiao et al. 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (the data).
"""

import gzip
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ganvas.core.files import replacing, sha256_of_file
from ganvas.metrics.classifier import accuracy, train_classifier
from ganvas.metrics.fashion import CLASSES, WEIGHTS


def read_idx(path: Path) -> Tensor:
    content = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(content[3])]
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape).copy())


def main(folder: Path, out: Path) -> None:
    pictures = {part: read_idx(folder / f"{part}-images-idx3-ubyte.gz")[:, None] for part in ("train", "t10k")}
    labels = {part: read_idx(folder / f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k")}
    start = time.monotonic()
    model = train_classifier(pictures["train"], labels["train"], CLASSES, seed=0)
    print(f"trained in {time.monotonic() - start:.0f} s")
    weights = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(out) as partial:
        save_file(weights, partial)
    model.load_state_dict(weights)
    for part in pictures:
        print(f"{part} accuracy as saved {accuracy(model, pictures[part], labels[part]):.4f}")
    print(f"{out}: {out.stat().st_size} bytes, SHA-256 {sha256_of_file(out)}")


if __name__ == "__main__":
    shipped = Path(__file__).parents[1] / "src/ganvas/metrics/weights" / WEIGHTS
    given = [Path(argument) for argument in sys.argv[1:3]]
    main(given[0] if given else Path(".data/fashion-mnist"), given[1] if len(given) > 1 else shipped)
