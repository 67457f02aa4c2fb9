"""What is told of every recipe, and that it is true."""

import pytest

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict
from ganvas.recipes import RECIPES, recipe, task_of
from ganvas.recipes.catalogue import catalogue, describe, say_sizes
from ganvas.tasks import TRANSLATES
from ganvas.tasks.data_settings import DataSettings

SMALL = 16


@pytest.mark.parametrize(("name", "takes"), [("quick", "hours to days on a CPU"), ("pairs", "minutes on a CPU")])
def test_large_pictures_are_generated_on_a_cpu_in_more_than_minutes(name, takes):
    told = {size: {entry.name: entry.takes for entry in catalogue(size)}[name] for size in (64, 256)}
    assert told[256] == takes
    assert "CPU" in told[64]
    assert "hours" not in told[64]


def test_every_recipe_is_told_in_a_line_with_what_a_run_takes():
    entries = catalogue(SMALL)
    assert [entry.name for entry in entries] == list(RECIPES)
    for entry in entries:
        assert 10 < len(entry.what) < 80, entry.name
        assert entry.takes, entry.name


@pytest.mark.parametrize(("channels", "classes"), [(3, 0), (1, 5)])
def test_parameters_are_those_of_the_networks(channels, classes):
    names = tuple("abcdefgh"[:classes])
    found = {entry.name: entry for entry in catalogue(SMALL, channels, classes)}
    for name in ("dcgan", "sngan", "mlp"):
        chosen = recipe(name)(DataSettings(where="", size=SMALL, channels=channels, classes=names))
        for counted, table, part in (
            (found[name].generator, networks.generator, chosen.generator),
            (found[name].discriminator, networks.discriminator, chosen.discriminator),
        ):
            network = table(part.name)(part, size=SMALL, channels=channels, classes=classes)
            assert counted == sum(weight.numel() for weight in network.parameters())


def test_a_recipe_that_cannot_be_built_at_the_size_is_listed_with_the_reason():
    found = {entry.name: entry for entry in catalogue(20)}
    assert found.keys() == RECIPES.keys()
    assert (found["stylegan2"].generator, found["stylegan2"].discriminator) == (None, None)
    assert "16, 32" in found["stylegan2"].reason
    assert found["conv28"].reason == ""
    assert found["conv28"].generator > 0


@pytest.mark.parametrize("channels", [2, 4])
def test_what_does_not_take_transparency_is_listed_with_the_reason(channels):
    found = {entry.name: entry for entry in catalogue(channels=channels)}
    assert "data.channels" in found["superres"].reason
    assert found["quick"].reason == ""
    assert found["superres"].loss == {entry.name: entry for entry in catalogue()}["superres"].loss


def test_pictures_that_cannot_be_are_an_error():
    for wrong in ({"size": 3}, {"channels": 5}, {"classes": -1}):
        with pytest.raises(UsageError):
            catalogue(**wrong)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("r3gan", "relativistic, R1, R2, ada"),
        ("wgan", "wasserstein, clipped weights"),
        ("wgan-gp", "wasserstein, gradient penalty"),
        ("hinge", "hinge"),
    ],
)
def test_a_loss_is_told_with_its_penalties(name, loss):
    assert {entry.name: entry.loss for entry in catalogue(SMALL)}[name] == loss


TRANSLATING = [name for name in RECIPES if task_of(name) in TRANSLATES]


@pytest.mark.parametrize("name", ["quick", "stylegan2", "wgan", "vae", *TRANSLATING])
def test_the_settings_that_differ_make_the_recipe_again(name, monkeypatch):
    monkeypatch.setattr("ganvas.recipes.catalogue._LARGEST", 4)
    data = {"where": "", "size": SMALL, "channels": 3}
    own = describe(name, SMALL).settings
    made = recipe(name)(from_dict(DataSettings, data))
    assert from_dict(type(made), own | {"data": data | own.get("data", {})}) == made
    paired = {"pairs", "load"} if name.startswith(("pairs", "pix2pix")) else set()
    unpaired = {"load"} if made.task == "unpaired" else set()
    assert own.get("data", {}).keys() == paired | unpaired
    assert ("tick" in own.get("training", {})) == (name in TRANSLATING), "of the others it is the default"


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("mlp", "4 to 128"), ("conv28", "8, 12, 16, ... 64"), ("sngan", "16, 32, 64, 128, 256, 512, 1024")],
)
def test_sizes_are_those_that_the_networks_make(name, sizes):
    assert say_sizes(describe(name).sizes) == sizes


def test_what_a_recipe_is_about_names_its_paper_and_not_what_it_takes():
    about = describe("stylegan2").about
    assert "Karras et al. 2020" in about
    assert "Takes" not in about


def test_sizes_of_enlarging_recipes_are_multiples_up_to_the_largest(monkeypatch):
    monkeypatch.setattr("ganvas.recipes.catalogue._LARGEST", 200)
    assert describe("superres", SMALL).sizes == tuple(range(12, 201, 4))
    assert describe("inpaint", SMALL).sizes == tuple(range(24, 201))
