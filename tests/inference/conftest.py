"""One tiny trained run for all tests here: digits, 8 x 8, three classes' worth of names, networks of width 8."""

from pathlib import Path

import pytest
import torch

from ganvas import api, networks
from ganvas.inference.generator import Generator
from ganvas.inference.loading import load


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 400 images in float32, with previews and ticks on the way."""
    narrow = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off"]
    often = ["training.tick=80", "training.preview=160", "training.checkpoint=160", "training.score=200"]
    folder = tmp_path_factory.mktemp("inference") / "digits & <b>run"
    api.train(
        "digits", recipe="dcgan", images=400, batch=8, precision="float32", set=[*narrow, *often], out=folder, say=print
    )
    return folder


@pytest.fixture(scope="session")
def varied(run: Path) -> Generator:
    """The run's generator with stronger weights, so that its pictures differ clearly from each other."""
    generator = load(run)
    with torch.inference_mode():
        for name, weight in generator.network.state_dict().items():
            if name.endswith("weight"):
                weight.mul_(2)
    return generator


@pytest.fixture(scope="session")
def styled() -> Generator:
    """A small StyleGAN2 generator with three classes whose weights, never trained, make various pictures."""
    family = networks.generator("stylegan2")
    chosen = family.Settings(latent=12, w_width=10, mapping_layers=2, channel_base=128, max_width=16, embedding=4)
    shape = {"size": 16, "channels": 3}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = family(chosen, **shape, classes=3)
    card = {**shape, "classes": ["a", "b", "c"], "generator": {"name": "stylegan2"}}
    return Generator(network, card, torch.device("cpu"))
