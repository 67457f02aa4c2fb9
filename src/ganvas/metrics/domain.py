"""Features of the data's own kind: a small classifier trained on its labels, where ImageNet's say little."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import DataError, UsageError
from ganvas.core.files import write_bytes
from ganvas.core.sizes import Size
from ganvas.core.version import VERSION
from ganvas.metrics.classifier import (
    DIMENSIONS,
    GREATEST,
    LEAST,
    SmallClassifier,
    Training,
    accuracy,
    check_labelled,
    train_classifier,
)
from ganvas.metrics.extractors import PictureReader, Say, refuse_choice, silent
from ganvas.metrics.weights import filled, read_bytes

FORMAT = "ganvas-domain-1"


class DomainExtractor(PictureReader):
    """The last hidden layer, 128 values, of a small classifier trained by `train_domain_classifier`.

    It reads pictures of the size it was trained on; those above 64 pixels are averaged over areas to 64 x 64, or where
    they are not square to 64 pixels on the longer side.
    content: of its file, which holds the weights in half precision and `about`: classes, accuracy on
    pictures held out, the training and the hash of what it was trained on. Raises DataError for other content.
    """

    name = "domain"
    layer = "hidden"
    dimensions = DIMENSIONS

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.weights_sha256: str | None = hashlib.sha256(content).hexdigest()
        self.about = _header(content)
        super().__init__(self.about["channels"])
        size = Size.of(self.about["size"])
        seen = size.within(GREATEST)
        self.resize = "none" if seen == size else f"area-{seen.width}x{seen.height}"
        self.input = f"pixels / 255 at {size.words}"
        try:
            tensors = load(content)
        except SafetensorError as error:
            raise DataError(f"The file of this domain extractor is damaged: {error}") from None
        self._classifier = filled(
            lambda: SmallClassifier(self.channels, seen, self.about["classes"]),
            tensors,
            "The file of this domain extractor",
        )

    def logits(self, features: Tensor) -> Tensor:
        """Features [N, 128] -> logits [N, K] of the data's classes."""
        logits: Tensor = self._classifier.to(features.device).head(features)
        return logits

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all; under 1 MB for up to 200 classes."""
        write_bytes(path, self._content)

    def _check_size(self, height: int, width: int) -> None:
        size = Size.of(self.about["size"])
        if (height, width) != size.hw:
            raise DataError(
                f"This domain extractor was trained on pictures of {size.words}, not {width} x {height}: "
                "train one on these, or resize them"
            )

    def _features(self, batch: Tensor) -> Tensor:
        features: Tensor = self._classifier.to(batch.device)(reduced(batch).float() / 255)
        return features


def open_domain_extractor(
    channels: int, weights: Path | None = None, resize: str | None = None, say: Say = silent
) -> DomainExtractor:
    """The domain extractor in a file. Raises DataError if there is none, or it was trained on other channels."""
    refuse_choice("domain", None, resize)
    if weights is None:
        raise DataError("The domain extractor has to be trained on the data's own labels first, or give its file")
    try:
        extractor = DomainExtractor(read_bytes(Path(weights)))
    except DataError as error:
        raise DataError(f"{weights}: {error}") from None
    if extractor.channels != channels:
        raise DataError(f"{weights} was trained on pictures of {extractor.channels} channels, not {channels}")
    return extractor


def train_domain_classifier(
    pictures: Tensor,
    labels: Tensor,
    *,
    held_out_pictures: Tensor,
    held_out_labels: Tensor,
    seed: int,
    training: Training | None = None,
) -> DomainExtractor:
    """An extractor trained on uint8 pictures [N, C, H, W] and their labels [N], measured on others that are held out.

    Each side is 16 or more. Deterministic for a seed on a CPU. Raises DataError if they do not fit each other.
    """
    training = training or Training()
    classes = 1 + max(_greatest(labels), _greatest(held_out_labels))
    small, small_held_out = reduced(pictures), reduced(held_out_pictures)
    check_labelled(small, labels, classes)
    check_labelled(small_held_out, held_out_labels, classes)
    if pictures.shape[1:] != held_out_pictures.shape[1:]:
        raise DataError(
            f"Pictures to train on are of {list(pictures.shape[1:])} (channels, height, width) and those held out of "
            f"{list(held_out_pictures.shape[1:])}: give both alike"
        )
    classifier = train_classifier(small, labels, classes, seed=seed, training=training)
    tensors = {name: tensor.half().contiguous().cpu() for name, tensor in classifier.state_dict().items()}
    classifier.load_state_dict(tensors)  # rounded as saved, before it is measured
    about = {
        "format": FORMAT,
        "version": VERSION,
        "channels": pictures.shape[1],
        "size": Size(*pictures.shape[2:]).plain,
        "classes": classes,
        "accuracy": accuracy(classifier, small_held_out, held_out_labels),
        "pictures": len(pictures),
        "held_out_pictures": len(held_out_pictures),
        "data_sha256": _sha256(pictures, labels),
        "seed": seed,
        "training": asdict(training)
        | {
            "epochs": training.epochs_of(len(pictures)),
            "steps": training.steps_of(len(pictures)),
        },
    }
    return DomainExtractor(save(tensors, metadata={"ganvas": json.dumps(about, sort_keys=True)}))


def classification_accuracy(
    train_pictures: Tensor,
    train_labels: Tensor,
    test_pictures: Tensor,
    test_labels: Tensor,
    seed: int,
    training: Training | None = None,
) -> float:
    """The accuracy on real pictures of a classifier that was trained on generated ones alone.

    Ravuri & Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models". Pictures are uint8
    [N, C, H, W], each side at least 16, labels whole numbers [N] that mean the same in both sets. Beside it belongs the
    same with real pictures to train on. Raises DataError if they do not fit each other.
    """
    made = train_domain_classifier(
        train_pictures,
        train_labels,
        held_out_pictures=test_pictures,
        held_out_labels=test_labels,
        seed=seed,
        training=training,
    )
    return float(made.about["accuracy"])


def reduced(pictures: Tensor) -> Tensor:
    """The same pictures, or above 64 pixels their averages over areas, rounded, of 64 on the longer side."""
    if pictures.ndim != 4 or max(pictures.shape[2:]) <= GREATEST:
        return pictures
    small = Size(*pictures.shape[2:]).within(GREATEST).hw
    parts = [functional.adaptive_avg_pool2d(part.float(), small).round() for part in pictures.split(250)]
    return torch.cat(parts).to(torch.uint8)


def _greatest(labels: Tensor) -> int:
    return int(labels.max()) if labels.numel() else 0


def _sha256(pictures: Tensor, labels: Tensor) -> str:
    digest = hashlib.sha256(pictures.contiguous().cpu().numpy().data)
    digest.update(labels.to(torch.int64).contiguous().cpu().numpy().data)
    return digest.hexdigest()


def _header(content: bytes) -> dict[str, Any]:
    """What a file says about itself. Raises DataError unless it is a domain extractor of a size that can be built."""
    try:
        length = int.from_bytes(content[:8], "little")
        about: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["ganvas"])
        form = about["format"]
        size = Size.of(about["size"])
        shape = (about["channels"], about["classes"])
    except (ValueError, KeyError, TypeError, UsageError):
        raise DataError("This is not a domain extractor that ganvas saved: train one, or give another file") from None
    if form != FORMAT:
        raise DataError(
            f"This domain extractor has the format {form!r} and this version reads {FORMAT!r}: train it again"
        )
    if not all(isinstance(n, int) for n in shape) or not (
        1 <= shape[0] <= 4 and size.shorter >= LEAST and 2 <= shape[1] <= 100_000
    ):
        claimed = f"{shape[0]}, {size} and {shape[1]}"
        raise DataError(f"This domain extractor claims channels, size and classes of {claimed}: train it again")
    return about
