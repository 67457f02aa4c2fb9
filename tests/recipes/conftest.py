"""Tiny real runs: the bundled 8 x 8 digits (grown to 16 for networks that begin there), width 8, batch 8.

Those from pictures to pictures are of 16 x 16 pixels, width 4.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests_folders import for_task

from ganvas import api
from ganvas.recipes import RECIPES, auto, task_of
from ganvas.recipes.choices import Machine
from ganvas.tasks import TRANSLATES
from ganvas.training import checkpoints

DCGAN = ("generator.width=8", "discriminator.width=8")
RESNET = ("data.size=16", *DCGAN, "generator.max_width=8", "discriminator.max_width=8")
NARROW = {
    "vae": ("generator.width=8", "encoder.width=8"),
    "few-labels": ("data.labels=20", "generator.width=8", "classifier.width=8"),
    "mlp": ("generator.hidden=[8, 8]", "discriminator.hidden=[8, 8]"),
    "sngan": RESNET,
    "biggan": (*RESNET, "generator.embedding=4", "generator.attention=8", "discriminator.attention=8"),
    "fastgan": (*RESNET, "generator.latent=8", "discriminator.decoder_width=4"),
    "stylegan2": (
        "data.size=16",
        "generator.latent=8",
        "generator.w_width=8",
        "generator.max_width=8",
        "generator.embedding=8",
        "discriminator.max_width=8",
    ),
}
UNET = ("translator.width=4", "translator.max_width=8", "translator.halvings=2")
RESIDUAL = ("translator.width=4", "translator.blocks=1")
PATCH = ("discriminator.width=4", "discriminator.max_width=8", "discriminator.layers=1")
NARROW |= {
    name: (*UNET, *PATCH, "loss.after=0") for name in RECIPES if name.startswith(("pairs", "pix2pix", "colorize"))
}
NARROW |= dict.fromkeys(("swap", "swap-r3", "cyclegan"), (*RESIDUAL, *PATCH, "loss.pool=10"))
NARROW |= dict.fromkeys(("cut", "contrast"), (*RESIDUAL, *PATCH, "loss.places=16"))
NARROW |= dict.fromkeys(("superres", "superres-r3", "srgan"), (*RESIDUAL, *PATCH, "loss.after=0"))
NARROW |= dict.fromkeys(("inpaint", "inpaint-r3"), ("translator.width=4", *PATCH, "loss.after=0"))
NARROW |= {"srresnet": (*RESIDUAL, "discriminator.width=4")}
NARROW |= dict.fromkeys(
    ("esrgan", "realesrgan"), (*RESIDUAL, "translator.growth=4", "discriminator.width=4", "loss.after=0")
)
NARROW |= {"stylegan2-ada": NARROW["stylegan2"], "stylegan2-slim": NARROW["stylegan2"], "sngan-slim": NARROW["sngan"]}
OFTEN = ("training.tick=16", "training.checkpoint=24", "training.preview=1000000", "training.tensorboard=off")


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it, nothing is saved after it."""


@pytest.fixture(autouse=True)
def _alone(offline: None) -> None:
    pass


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Path]:
    """Trains a recipe in a folder of tmp_path and returns it; kill_at: raise Killed after so many images.

    data: None: the digits, or a small folder for a task from pictures to pictures. start_from: a run to begin from,
    whose networks are narrow already.
    """

    def run(
        name: str,
        recipe: str,
        *assignments: str,
        data: str | Path | None = None,
        images: int = 80,
        seed: int = 0,
        kill_at: int | None = None,
        start_from: Path | None = None,
        **choices: Any,
    ) -> Path:
        def on_round(clock):
            if clock.images == kill_at:
                raise Killed

        task = task_of(recipe) if recipe in RECIPES else "generate"
        if data is None:
            data = for_task(task, tmp_path / task) if task in TRANSLATES else "digits"
        narrow = NARROW.get(recipe, DCGAN) if start_from is None else ()
        choices |= {"recipe": recipe, "images": images, "batch": 8, "seed": seed, "start_from": start_from}
        planned = api.plan(data, set=[*narrow, *OFTEN, *assignments], say=pytest.fail, **choices)
        try:
            api.start(planned, out=tmp_path / name, on_round=on_round, say=pytest.fail)
        except Killed:
            assert kill_at is not None
        else:
            assert kill_at is None
        return tmp_path / name

    return run


@pytest.fixture
def state() -> Callable[[Path], dict[str, torch.Tensor]]:
    """Reads all tensors of a run's newest checkpoint."""

    def read(run: Path) -> dict[str, torch.Tensor]:
        found = checkpoints.newest(run / "checkpoints", pytest.fail)
        assert found is not None
        return found[0]

    return read


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Machine], None]:
    """Lets plans be made as if on another machine."""

    def be(other: Machine) -> None:
        monkeypatch.setattr(auto.devices, "choose_device", lambda name: other.device)
        monkeypatch.setattr(auto.devices, "choose_precision", lambda name, device: torch.bfloat16)
        monkeypatch.setattr(auto.Machine, "with_device", lambda device: other)

    return be
