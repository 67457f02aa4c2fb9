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
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganvas.core.devices import has_fast_bfloat16
from ganvas.core.files import replacing, sha256_of_file
from ganvas.metrics.fashion import WEIGHTS, FashionClassifier

EPOCHS, BATCH, PEAK_RATE, WEIGHT_DECAY, DROPOUT, SHIFT = 10, 256, 4e-3, 0.05, 0.3, 1
FAST = has_fast_bfloat16(torch.device("cpu"))


def read_idx(path: Path) -> Tensor:
    content = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(content[3])]
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape).copy())


def shifted(pictures: Tensor) -> Tensor:
    """The batch moved by up to SHIFT pixels each way, all its pictures alike."""
    down, right = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    padded = functional.pad(pictures, [SHIFT] * 4)
    return padded[:, :, down : down + 28, right : right + 28].contiguous(memory_format=torch.channels_last)


def with_batch_norm(body: nn.Sequential) -> nn.Sequential:
    """Normalisation after each convolution, for training alone."""
    layers = [
        nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)) if isinstance(layer, nn.Conv2d) else layer
        for layer in body
    ]
    return nn.Sequential(*layers)


def without_batch_norm(body: nn.Sequential) -> nn.Sequential:
    """The same function with the normalisation folded into the convolutions' weights."""
    return nn.Sequential(*[fuse_conv_bn_eval(*layer) if isinstance(layer, nn.Sequential) else layer for layer in body])


@torch.no_grad()
def accuracy(model: FashionClassifier, pictures: Tensor, labels: Tensor) -> float:
    right = sum(
        (model.head(model(x)).argmax(1) == y).sum()
        for x, y in zip(pictures.split(1000), labels.split(1000), strict=True)
    )
    return int(right) / len(labels)


def main(folder: Path, out: Path) -> None:
    torch.manual_seed(0)
    pictures = {part: read_idx(folder / f"{part}-images-idx3-ubyte.gz")[:, None] / 255 for part in ("train", "t10k")}
    labels = {part: read_idx(folder / f"{part}-labels-idx1-ubyte.gz").long() for part in ("train", "t10k")}
    model = FashionClassifier()
    model.body = with_batch_norm(model.body)
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY, fused=True)
    steps = EPOCHS * (len(labels["train"]) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.2)
    start = time.monotonic()
    for epoch in range(EPOCHS):
        model.train()
        order = torch.randperm(len(labels["train"]))
        for chosen in order[: len(order) // BATCH * BATCH].view(-1, BATCH):
            x, y = shifted(pictures["train"][chosen]), labels["train"][chosen]
            with torch.autocast("cpu", torch.bfloat16, enabled=FAST):
                logits = model.head(functional.dropout(model(x), DROPOUT))
            loss = functional.cross_entropy(logits.float(), y, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        seen = accuracy(model, pictures["t10k"], labels["t10k"])
        print(f"epoch {epoch + 1}: test accuracy {seen:.4f}, {time.monotonic() - start:.0f} s", flush=True)
    model.body = without_batch_norm(model.body.eval())
    weights = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(out) as partial:
        save_file(weights, partial)
    model.load_state_dict(weights)
    print(f"train accuracy {accuracy(model, pictures['train'], labels['train']):.4f}")
    print(f"test accuracy as saved {accuracy(model, pictures['t10k'], labels['t10k']):.4f}")
    print(f"{out}: {out.stat().st_size} bytes, SHA-256 {sha256_of_file(out)}")


if __name__ == "__main__":
    shipped = Path(__file__).parents[1] / "src/ganvas/metrics/weights" / WEIGHTS
    given = [Path(argument) for argument in sys.argv[1:3]]
    main(given[0] if given else Path(".data/fashion-mnist"), given[1] if len(given) > 1 else shipped)
