"""Make the data that the package brings along, byte for byte the same each time.

    python benchmarks/make_bundled_data.py FASHION_MNIST_FOLDER

FASHION_MNIST_FOLDER holds the four published .gz files. The digits come from scikit-learn.
"""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np

BUNDLED = Path(__file__).parents[1] / "src" / "ganvas" / "data" / "bundled"
TRAIN, TEST = 10_000, 1_000


def read_idx(path: Path) -> np.ndarray:
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def write_idx(path: Path, values: np.ndarray) -> None:
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    # no file name and no time in the gzip header: the same bytes each time
    path.write_bytes(gzip.compress(head + values.tobytes(), 9, mtime=0))
    print(f"{path.stat().st_size:>9,} bytes  {path}")


def fashion_mnist(published: Path) -> None:
    for prefix, count in (("train", TRAIN), ("t10k", TEST)):
        images = read_idx(published / f"{prefix}-images-idx3-ubyte.gz")[:count]
        labels = read_idx(published / f"{prefix}-labels-idx1-ubyte.gz")[:count]
        print(prefix, "pictures by class:", np.bincount(labels).tolist())
        write_idx(BUNDLED / "fashion-mnist" / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(BUNDLED / "fashion-mnist" / f"{prefix}-labels-idx1-ubyte.gz", labels)


def digits() -> None:
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.rint(data.images * (255 / 16)).astype(np.uint8)  # counts of 0..16 pixels -> 0..255
    write_idx(BUNDLED / "digits" / "digits-images-idx3-ubyte.gz", images)
    write_idx(BUNDLED / "digits" / "digits-labels-idx1-ubyte.gz", data.target.astype(np.uint8))


if __name__ == "__main__":
    fashion_mnist(Path(sys.argv[1]))
    digits()
