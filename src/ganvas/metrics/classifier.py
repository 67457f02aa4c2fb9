"""The small classifier behind the `fashion` and `domain` extractors and the classification accuracy score.

It is trained with batch normalisation, which is folded into the convolutions afterwards: as saved it is convolutions,
pooling and two linear layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganvas.core.devices import has_fast_bfloat16
from ganvas.core.errors import DataError
from ganvas.core.sizes import Size

DIMENSIONS = 128
LEAST, GREATEST = 16, 64  # sides of pictures it is built for
_AT_ONCE = 1000


@dataclass(frozen=True)
class Training:
    """How a classifier is trained: AdamW on a one-cycle schedule, shifts of a few pixels, dropout, soft labels.

    epochs: None takes ten, more of small sets (100,000 pictures in all) and fewer of large ones (1,000,000). steps: of
    the gradient, None as many as the epochs come to.
    """

    epochs: int | None = None
    steps: int | None = None
    batch: int = 256
    peak_rate: float = 4e-3
    weight_decay: float = 0.05
    dropout: float = 0.3
    shift: int = 1
    label_smoothing: float = 0.05

    def epochs_of(self, count: int) -> int:
        """How often each of so many pictures is seen."""
        return self.epochs or max(1, round(min(max(10 * count, 100_000), 1_000_000) / count))

    def steps_of(self, count: int) -> int:
        """How many steps of the gradient are made with so many pictures."""
        return self.steps or self.epochs_of(count) * (count // min(self.batch, count))


class SmallClassifier(nn.Module):
    """Float32 pictures [N, C, H, W] in [0, 1] -> features [N, 128]; `head` turns those into logits [N, K].

    channels: C. size: H and W, each 16 to 64. classes: K. About 0.45 million parameters.
    """

    def __init__(self, channels: int, size: int | Size, classes: int) -> None:
        super().__init__()
        size = Size.of(size)
        halvings = 3 if size.longer <= 32 else 4
        height, width = (-(-side // 2**halvings) for side in size.hw)
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            *([nn.MaxPool2d(2, ceil_mode=True)] if halvings == 4 else []),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 96, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(96, 128, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(128 * height * width, DIMENSIONS),
            nn.ReLU(),
        )
        self.head = nn.Linear(DIMENSIONS, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """The features; the logits are `head(features)`."""
        features: Tensor = self.body(pictures)
        return features


def train_classifier(
    pictures: Tensor, labels: Tensor, classes: int, *, seed: int, training: Training | None = None
) -> SmallClassifier:
    """A classifier of uint8 pictures [N, C, H, W], N >= 2, with labels [N] in 0..classes - 1, on their device.

    On a CPU, with the same number of threads, the same seed gives the same weights; no random state outside is touched.
    Raises DataError if pictures and labels do not fit each other.
    """
    training = training or Training()
    check_labelled(pictures, labels, classes)
    count, channels, *hw = pictures.shape
    batch = min(training.batch, count)
    steps = training.steps_of(count)
    device = pictures.device
    fast = has_fast_bfloat16(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model = SmallClassifier(channels, Size(*hw), classes)
        model.body = _with_batch_norm(model.body)
        model.to(device)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its signatures
        optimizer = torch.optim.AdamW(model.parameters(), weight_decay=training.weight_decay, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, training.peak_rate, total_steps=max(steps, 2), pct_start=0.2
        )
        model.train()
        for chosen in islice(_batches(count, batch), steps):
            rows = chosen.to(device)
            shown = _shifted(pictures[rows].float() / 255, training.shift)
            with torch.autocast(device.type, torch.bfloat16, enabled=fast):
                logits = model.head(functional.dropout(model(shown), training.dropout))
            loss = functional.cross_entropy(
                logits.float(), labels[rows].long(), label_smoothing=training.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.body = _without_batch_norm(model.body.eval())
    return model.eval().requires_grad_(False)


@torch.no_grad()
def predictions(model: SmallClassifier, pictures: Tensor) -> Tensor:
    """int64 [N]: the classes that a classifier gives uint8 pictures [N, C, H, W]."""
    return torch.cat([model.head(model(shown.float() / 255)).argmax(1) for shown in pictures.split(_AT_ONCE)])


def accuracy(model: SmallClassifier, pictures: Tensor, labels: Tensor) -> float:
    """The share of uint8 pictures [N, C, H, W] that a classifier gives their label [N]."""
    return int((predictions(model, pictures) == labels).sum()) / len(labels)


def check_labelled(pictures: Tensor, labels: Tensor, classes: int) -> None:
    """Raise DataError unless these are pictures and labels that a classifier of so many classes can learn from."""
    if pictures.dtype != torch.uint8 or pictures.ndim != 4:
        raise DataError(
            f"A classifier learns from uint8 pictures [N, C, H, W], "
            f"not {pictures.dtype} of shape {list(pictures.shape)}"
        )
    size = Size(*pictures.shape[2:])
    if not LEAST <= size.shorter <= size.longer <= GREATEST:
        raise DataError(f"A classifier is built for pictures of {LEAST} to {GREATEST} pixels, not {size}")
    if labels.shape != pictures.shape[:1] or labels.is_floating_point():
        raise DataError(
            f"Each of {len(pictures)} pictures needs one label, a whole number; "
            f"there are {labels.dtype} of shape {list(labels.shape)}"
        )
    if len(pictures) < 2 or classes < 2:
        raise DataError(
            f"A classifier needs at least 2 pictures and 2 classes; there are {len(pictures)} of {classes}. "
            "Choose another extractor for data without classes"
        )
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise DataError(f"Labels go from 0 to {classes - 1}; these go from {int(labels.min())} to {int(labels.max())}")


def _batches(count: int, batch: int) -> Iterator[Tensor]:
    """Endlessly, int64 [batch] of `count` pictures; every epoch in an order of its own, without what is left over."""
    while True:
        yield from torch.randperm(count)[: count // batch * batch].view(-1, batch)


def _shifted(pictures: Tensor, shift: int) -> Tensor:
    """The batch moved by up to `shift` pixels each way, all its pictures alike."""
    height, width = pictures.shape[2:]
    down, right = torch.randint(0, 2 * shift + 1, (2,)).tolist()
    padded = functional.pad(pictures, [shift] * 4)
    return padded[:, :, down : down + height, right : right + width].contiguous(memory_format=torch.channels_last)


def _with_batch_norm(body: nn.Sequential) -> nn.Sequential:
    """Normalisation after each convolution, for training alone."""
    layers = [
        nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)) if isinstance(layer, nn.Conv2d) else layer
        for layer in body
    ]
    return nn.Sequential(*layers)


def _without_batch_norm(body: nn.Sequential) -> nn.Sequential:
    """The same function with the normalisation folded into the convolutions' weights."""
    return nn.Sequential(*[fuse_conv_bn_eval(*layer) if isinstance(layer, nn.Sequential) else layer for layer in body])
