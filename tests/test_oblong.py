"""A run of pictures that are not square, from beginning to end: trained, resumed, sampled, walked, judged."""

import dataclasses
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests_shared import chosen, survey

import ganvas as package
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.recipes import RECIPES, task_of
from ganvas.recipes.auto import plan
from ganvas.recipes.catalogue import describe
from ganvas.recipes.wishes import Wishes
from ganvas.tasks import TRANSLATES
from ganvas.tasks.data_settings import DataSettings


def silent(sentence):
    """What `say` is given here."""


SMALL = {"device": "cpu", "precision": "float32", "batch": 8, "say": silent}
PLAIN = ("training.tensorboard=off", "training.tick=8", "training.checkpoint=8")
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
    options = SMALL | {"recipe": name, "size": "24x16", "images": 32, "set": (*PLAIN, *NARROW[name])}
    whole = package.train(wide, out="whole", **options)

    def break_off(clock):
        if clock.images >= 24:
            raise KeyboardInterrupt

    with pytest.raises(package.Interrupted):
        package.train(wide, out="broken", on_round=break_off, **options)
    assert tomllib.loads(Path("broken/settings.toml").read_text())["data"]["size"] == "24x16"
    resumed = package.resume("broken", say=silent)
    assert resumed.journal[-1]["images"] == 32
    weights, again = (load_file(run.path / "generator.safetensors") for run in (whole, resumed))
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    assert json.loads((resumed.path / "card.json").read_text())["size"] == "24x16"
    pictures = resumed.load().sample(range(4))
    assert pictures.shape == (4, 3, 16, 24)
    assert np.array_equal(pictures, whole.load().sample(range(4)))
    with Image.open(max((resumed.path / "samples").glob("*.png"))) as sheet:
        assert sheet.size == (8 * 24 + 7 * 2, 8 * 16 + 7 * 2)
    assert ", 24x16 px, recipe " in (resumed.path / "summary.html").read_text()


@pytest.mark.parametrize("name", AUGMENTED)
def test_augmented_pictures_train(wide, name):
    run = package.train(
        wide,
        recipe="quick",
        size="16x24",
        images=32,
        out="run",
        set=(*PLAIN, *NARROW["quick"], *AUGMENTED[name]),
        **SMALL,
    )
    generator = run.load()
    assert (generator.size, generator.height, generator.width) == (Size(24, 16), 24, 16)
    assert generator.sample([0]).shape == (1, 3, 24, 16)


def test_a_run_is_judged_at_its_size_and_so_is_a_folder_of_its_pictures(wide, ganvas):
    narrow = (*PLAIN, *NARROW["quick"])
    run = package.train(wide, recipe="quick", size="24x16", images=16, out="run", set=narrow, **SMALL)

    def command(*arguments):
        status, printed, said = ganvas(*arguments)
        assert status == 0, said
        return printed

    command("sample", "run", "--seeds", "0-19", "--out", "drawn/")
    with Image.open("drawn/000003.png") as one:
        assert one.size == (24, 16)
    command("walk", "run", "--seeds", "1,2", "--frames", "3", "--out", "walk.gif")
    with Image.open("walk.gif") as film:
        assert film.size == (24 * 5, 16 * 5)
    command("project", "run", "drawn/000003.png", "--steps", "3", "--out", "projected")
    with Image.open("projected/projected.png") as found:
        assert found.size == (24, 16)
    judged = json.loads(
        command("eval", "run", "--metrics", "fd,kd,msssim", "--count", "60", "--out", "a.html", "--json")
    )
    protocol = judged["scores"][0]["protocol"]
    assert protocol["fit"] == "as they are"
    assert protocol["reference_part"].endswith(", at 24x16 pixels (centre parts of that shape, by Lanczos)")
    folder = json.loads(
        command("eval", "drawn", "--against", str(wide), "--metrics", "fd", "--extractor", "pixels", "--json")
    )["scores"][0]["protocol"]
    assert (folder["fit"], folder["reference_part"]) == ("as they are", protocol["reference_part"])
    paired = json.loads(
        command("eval", "drawn", "--against", "drawn", "--metrics", "ssim", "--size", "12x11", "--json")
    )["scores"][0]
    assert (paired["value"], paired["protocol"]["parameters"]["size"]) == (1.0, "12x11")
    assert run.load().height == 16


def test_a_plan_says_that_pictures_of_one_other_shape_are_cropped():
    found = dataclasses.replace(survey(64, channels=3), shape=Size(64, 128))
    reasons = plan(found, Wishes(device="cpu")).reasons
    assert ("take care", "128 x 64 px", "their centre squares are used; --size 128x64 keeps them whole") in reasons
    for other in (Wishes(device="cpu", size="128x64"), Wishes(device="cpu", size="96x64")):
        assert not any("centre squares" in reason for _, _, reason in plan(found, other).reasons)
    assert not any("centre squares" in reason for _, _, reason in plan(survey(64), Wishes(device="cpu")).reasons)


def test_auto_takes_networks_that_make_the_size():
    assert chosen(survey(64), size="96x64").recipe == "quick"
    assert chosen(survey(64), size="100x60").recipe == "mlp"
    with pytest.raises(package.UsageError, match=r"No network makes pictures of 200x100 pixels: .* 256x128"):
        chosen(survey(64), size="200x100")


@pytest.mark.parametrize("recipe", sorted(set(RECIPES) - {"conv28", "few-labels"}))  # which wants labels
def test_every_recipe_but_the_square_one_plans_other_shapes(recipe):
    task = task_of(recipe)
    found = survey(64, channels=3, classes=2 if task in ("paired", "unpaired") else 0)
    settings, turned = (chosen(found, recipe=recipe, task=task, size=size) for size in ("48x32", "32x48"))
    made, _ = settings.check_networks()
    assert settings.data.size == Size(32, 48)
    assert task in TRANSLATES or made.size == Size(32, 48)  # what makes pictures of pictures takes any
    assert dataclasses.replace(settings, data=turned.data) == turned, "a turned picture is trained by the same rules"


def test_penalties_are_in_proportion_to_the_pixels():
    settings = chosen(survey(64), recipe="quick", size="64x16")
    assert settings.loss.r1.weight == pytest.approx(chosen(survey(64), recipe="quick", size=32).loss.r1.weight)


def test_a_recipe_says_which_other_shapes_it_makes(ganvas):
    assert [describe(name).shapes for name in ("quick", "mlp", "conv28")] == ["quarters", "any", "none"]
    assert "4 to 128 px; each side by itself" in " ".join(ganvas("recipes", "mlp")[1].split())
    assert chosen(survey(64), size="128x5", recipe="mlp").recipe == "mlp"


@pytest.mark.parametrize("value", [3, "64x3", "9x", 0])
def test_a_size_that_no_setting_can_have_is_answered_by_name(value):
    with pytest.raises(package.UsageError, match=r"data\.size: .*\(got "):
        from_dict(DataSettings, {"where": "", "size": value, "channels": 3}, "data")
