"""Weights to test extractors with: made up for the Inception network, and a domain extractor that takes a second."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganvas.metrics import inception
from ganvas.metrics.classifier import Training
from ganvas.metrics.domain import train_domain_classifier

Noise = Callable[..., Tensor]
CONVOLUTIONS = {  # the layout of the published file: name -> outputs, inputs, height, width
    "Conv2d_1a_3x3": (32, 3, 3, 3),
    "Conv2d_2a_3x3": (32, 32, 3, 3),
    "Conv2d_2b_3x3": (64, 32, 3, 3),
    "Conv2d_3b_1x1": (80, 64, 1, 1),
    "Conv2d_4a_3x3": (192, 80, 3, 3),
    "Mixed_6a.branch3x3": (384, 288, 3, 3),
    "Mixed_6a.branch3x3dbl_1": (64, 288, 1, 1),
    "Mixed_6a.branch3x3dbl_2": (96, 64, 3, 3),
    "Mixed_6a.branch3x3dbl_3": (96, 96, 3, 3),
    "Mixed_7a.branch3x3_1": (192, 768, 1, 1),
    "Mixed_7a.branch3x3_2": (320, 192, 3, 3),
    "Mixed_7a.branch7x7x3_1": (192, 768, 1, 1),
    "Mixed_7a.branch7x7x3_2": (192, 192, 1, 7),
    "Mixed_7a.branch7x7x3_3": (192, 192, 7, 1),
    "Mixed_7a.branch7x7x3_4": (192, 192, 3, 3),
}
for _block, _inputs, _pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
    CONVOLUTIONS |= {
        f"Mixed_{_block}.branch1x1": (64, _inputs, 1, 1),
        f"Mixed_{_block}.branch5x5_1": (48, _inputs, 1, 1),
        f"Mixed_{_block}.branch5x5_2": (64, 48, 5, 5),
        f"Mixed_{_block}.branch3x3dbl_1": (64, _inputs, 1, 1),
        f"Mixed_{_block}.branch3x3dbl_2": (96, 64, 3, 3),
        f"Mixed_{_block}.branch3x3dbl_3": (96, 96, 3, 3),
        f"Mixed_{_block}.branch_pool": (_pooled, _inputs, 1, 1),
    }
for _block, _width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
    CONVOLUTIONS |= {
        f"Mixed_{_block}.branch1x1": (192, 768, 1, 1),
        f"Mixed_{_block}.branch7x7_1": (_width, 768, 1, 1),
        f"Mixed_{_block}.branch7x7_2": (_width, _width, 1, 7),
        f"Mixed_{_block}.branch7x7_3": (192, _width, 7, 1),
        f"Mixed_{_block}.branch7x7dbl_1": (_width, 768, 1, 1),
        f"Mixed_{_block}.branch7x7dbl_2": (_width, _width, 7, 1),
        f"Mixed_{_block}.branch7x7dbl_3": (_width, _width, 1, 7),
        f"Mixed_{_block}.branch7x7dbl_4": (_width, _width, 7, 1),
        f"Mixed_{_block}.branch7x7dbl_5": (192, _width, 1, 7),
        f"Mixed_{_block}.branch_pool": (192, 768, 1, 1),
    }
for _block, _inputs in (("7b", 1280), ("7c", 2048)):
    CONVOLUTIONS |= {
        f"Mixed_{_block}.branch1x1": (320, _inputs, 1, 1),
        f"Mixed_{_block}.branch3x3_1": (384, _inputs, 1, 1),
        f"Mixed_{_block}.branch3x3_2a": (384, 384, 1, 3),
        f"Mixed_{_block}.branch3x3_2b": (384, 384, 3, 1),
        f"Mixed_{_block}.branch3x3dbl_1": (448, _inputs, 1, 1),
        f"Mixed_{_block}.branch3x3dbl_2": (384, 448, 3, 3),
        f"Mixed_{_block}.branch3x3dbl_3a": (384, 384, 1, 3),
        f"Mixed_{_block}.branch3x3dbl_3b": (384, 384, 3, 1),
        f"Mixed_{_block}.branch_pool": (192, _inputs, 1, 1),
    }


@pytest.fixture
def noise() -> Noise:
    """Makes uint8 noise of a shape."""

    def make(*shape: int, seed: int = 0) -> Tensor:
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))

    return make


@pytest.fixture(scope="session")
def inception_state() -> dict[str, Tensor]:
    """Made-up tensors in the published layout, scaled so that activations keep their size."""
    dice = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in CONVOLUTIONS.items():
        state[f"{name}.conv.weight"] = (
            torch.randn(shape, generator=dice) * (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        )
        state[f"{name}.bn.weight"] = torch.rand(shape[0], generator=dice) + 0.5
        state[f"{name}.bn.bias"] = torch.randn(shape[0], generator=dice) / 10
        state[f"{name}.bn.running_mean"] = torch.randn(shape[0], generator=dice) / 10
        state[f"{name}.bn.running_var"] = torch.rand(shape[0], generator=dice) + 0.5
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(7)
    state["fc.weight"] = torch.randn(1008, 2048, generator=dice) / 45
    state["fc.bias"] = torch.randn(1008, generator=dice)
    return state


@pytest.fixture(scope="session")
def _inception_file(inception_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("weights") / "made-up.pth"
    torch.save(inception_state, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def inception_file(_inception_file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the made-up tensors, which passes for the published one."""
    path, sha256 = _inception_file
    published = replace(inception.PUBLISHED, file=replace(inception.PUBLISHED.file, sha256=sha256))
    monkeypatch.setattr(inception, "PUBLISHED", published)
    return path


@pytest.fixture(scope="session")
def quadrants() -> Callable[..., tuple[Tensor, Tensor]]:
    """Makes pictures of dark noise with one bright quadrant, which is their class."""

    def make(count: int, size: int, channels: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
        dice = torch.Generator().manual_seed(seed)
        pictures = torch.randint(0, 100, (count, channels, size, size), dtype=torch.uint8, generator=dice)
        labels = torch.randint(0, 4, (count,), generator=dice)
        half = size // 2
        for picture, label in zip(pictures, labels.tolist(), strict=True):
            picture[:, label // 2 * half :, label % 2 * half :][:, :half, :half] += 100
        return pictures, labels

    return make


@pytest.fixture(scope="session")
def domain_file(quadrants: Callable[..., tuple[Tensor, Tensor]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a domain extractor for grey pictures of 32 x 32."""
    pictures, labels = quadrants(64, 32)
    unseen, meant = quadrants(32, 32, seed=1)
    path = tmp_path_factory.mktemp("weights") / "domain.safetensors"
    training = Training(epochs=2, batch=32)
    train_domain_classifier(
        pictures, labels, held_out_pictures=unseen, held_out_labels=meant, seed=0, training=training
    ).save(path)
    return path
