"""A run of pictures that are not square, from beginning to end: trained, resumed, sampled, walked, judged."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.core.sizes import Size
from ganvas.recipes import RECIPES
from ganvas.recipes.auto import Wishes, plan
from ganvas.recipes.catalogue import describe
from ganvas.tasks.generate_settings import DataSettings
from tests_shared import chosen, survey

SMALL = {"device": "cpu", "precision": "float32", "batch": 8, "say": lambda sentence: None}
NARROW = {
    "quick": ("generator.width=4", "discriminator.width=4"),
    "r3gan-slim": ("generator.width=4", "discriminator.width=4", "loss.r1.every=1", "loss.r2.every=1"),
    "stylegan2-slim": ("generator.channel_base=64", "discriminator.channel_base=64", "generator.latent=8"),
    "sngan-slim": ("generator.width=4", "discriminator.width=4", "generator.max_width=8", "discriminator.max_width=8"),
    "fastgan": ("generator.width=4", "discriminator.width=4", "generator.max_width=8", "discriminator.max_width=8"),
    "vae": ("generator.width=4", "encoder.width=4"),
}
AUGMENTED = {
    "ada": ("augment.name=ada", "augment.p=0.8", 'augment.stages=["blit","geometry","colour","filter","corruption"]'),
    "diffaug": ("augment.name=diffaug", "augment.p=1.0", "loss.consistency.real=1.0", "loss.consistency.fake=1.0"),
}


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 pictures, 36 pixels wide and 24 high, dark on the left and bright on the right."""
    monkeypatch.chdir(tmp_path)
    dice, folder = np.random.default_rng(0), tmp_path / "wide"
    folder.mkdir()
    for number in range(40):
        ramp = np.linspace(20, 200, 36) + dice.normal(0, 20, (3, 24, 36)) + dice.normal(0, 20, (3, 1, 1))
        pixels = ramp.clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("name", NARROW)
def test_a_recipe_trains_and_goes_on_as_if_it_had_not_stopped(wide, name):
    options = SMALL | {"recipe": name, "size": "24x16", "set": (*NARROW[name], "training.tensorboard=off")}
    whole = ganvas.train(wide, images=32, out="whole", **options)
    begun = ganvas.train(wide, images=16, out="begun", **options)
    assert tomllib.loads((begun.path / "settings.toml").read_text())["data"]["size"] == "24x16"
    assert json.loads((begun.path / "card.json").read_text())["size"] == "24x16"
    ganvas.resume(begun.path, images=32, say=SMALL["say"])
    pictures = whole.load().sample(range(4))
    assert pictures.shape == (4, 3, 16, 24)
    if not any("decay" in key for key in ()) and name == "quick":
        assert pictures.std() > 0


@pytest.mark.parametrize("name", AUGMENTED)
def test_augmented_pictures_train(wide, name):
    run = ganvas.train(
        wide, recipe="quick", size="16x24", images=32, out="run", set=(*NARROW["quick"], *AUGMENTED[name]), **SMALL
    )
    generator = run.load()
    assert (generator.size, generator.height, generator.width) == (Size(24, 16), 24, 16)
    assert generator.sample([0]).shape == (1, 3, 24, 16)
