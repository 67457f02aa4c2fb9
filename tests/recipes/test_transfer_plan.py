"""The plan of a run that begins from another: whose settings it has, how it tells what is taken, what it refuses."""

import sys

import pytest
from tests_shared import survey

from ganvas import api, cli
from ganvas.core.errors import UsageError
from ganvas.recipes.auto import Plan, plan
from ganvas.recipes.wishes import Wishes
from ganvas.tasks.beginning import open_source


@pytest.fixture
def source(play):
    """A short run of `quick`, 16 x 16, grey, with ten classes, of which two settings are not the recipe's."""
    return play("source", "quick", "loss.r2.weight=3.0", "training.average.half_life=700", images=16, size=16)


def planned(source, found=None, **wishes) -> Plan:
    return plan(found or survey(16), Wishes(device="cpu", source=open_source(source), **wishes))


def told(made: Plan) -> dict[str, str]:
    return {what: f"{choice}: {reason}" for what, choice, reason in made.reasons}


def test_what_the_source_set_otherwise_than_its_recipe_stays_and_the_rest_is_for_the_data(source):
    usual = plan(survey(32), Wishes(device="cpu", recipe="quick", batch=8)).settings
    made = planned(source, survey(32), size=32, images=5_000).settings
    assert (made.recipe, made.training.batch, made.generator.width, made.data.size) == ("quick", 8, 4, 32)
    assert (made.loss.r2.weight, made.training.average.half_life) == (3.0, 700)
    assert made.loss.r1.weight == usual.loss.r1.weight != planned(source).settings.loss.r1.weight
    assert {made.generator_optimizer.decay_images, made.discriminator_optimizer.decay_images} == {5_000}
    assert made.training.checkpoint == 24
    assert made.training.stop.images == 5_000


def test_an_onnx_file_is_refused_by_its_kind(tmp_path):
    (tmp_path / "g.ONNX").write_bytes(b"")
    with pytest.raises(UsageError, match=r"ONNX files are drawn and not trained on\. Begin from"):
        api.plan("digits", start_from=tmp_path / "g.ONNX")


def test_wishes_are_above_what_the_source_has(source):
    made = planned(source, batch=32, seed=5, precision="float32", assignments=("loss.r2.weight=0.5",)).settings
    assert (made.training.batch, made.training.seed, made.training.precision) == (32, 5, "float32")
    assert made.loss.r2.weight == 0.5


def test_another_recipe_of_the_family_has_its_own_settings_and_the_sources_networks(source):
    made = planned(source, recipe="hinge").settings
    assert (made.recipe, made.loss.adversarial, made.loss.r2.weight) == ("hinge", "hinge", 0.0)
    assert (made.generator.width, made.discriminator.width, made.training.batch) == (8, 8, 64)


@pytest.mark.parametrize(("count", "name"), [(300, "diffaug"), (3_000, None)])
@pytest.mark.parametrize("before", [(), ("augment.name=diffaug", "augment.p=1.0")])
def test_few_pictures_are_augmented_as_without_a_source_and_many_are_not(count, name, before, play):
    source = play("few", "quick", *before, images=8)
    assert planned(source, survey(8, count=count)).settings.augment.name == name


def test_an_augmentation_of_the_sources_own_stays(play):
    source = play("own", "quick", "augment.name=ada", "augment.p=0.2", images=8)
    assert planned(source, survey(8)).settings.augment.name == "ada"


@pytest.mark.parametrize(("data", "channels"), [(1, 3), (3, 3), (4, 4)])
def test_a_source_in_colour_goes_on_in_colour(data, channels, play):
    source = play("colour", "quick", "data.channels=3", images=8)
    assert planned(source, survey(8, channels=data)).settings.data.channels == channels


def test_the_plan_tells_in_words_what_is_taken_and_what_is_new(source):
    same = told(planned(source, survey(16)))
    assert same["from"] == f"{source}: after 16 images, 16 px"
    assert same["size"] == "16: as the source makes them; larger: --size"
    assert same["recipe"] == "quick: that of the source, with its networks and settings"
    assert same["generator"] == "13 of 13 tensors: the averaged weights; in part, where classes differ: project"
    assert same["discriminator"] == "6 of 6 tensors: its weights"
    grown = told(planned(source, survey(32, classes=3), size=32))
    assert grown["generator"] == (
        "12 of 20 tensors: the averaged weights; new: input.embedding, layers.5, layers.6, layers.8"
    )
    assert grown["discriminator"] == "4 of 9 tensors: its weights; new: layers.0, layers.2, head.embedding"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (
            {"size": 8},
            "16 pixels, and a run that begins from it as large or larger ones, not 8: use --size 16",
        ),
        ({"size": 24}, "dcgan makes pictures of 8, 16, 32"),
        ({"size": 512}, "dcgan of width 8 at 16 pixels cannot grow to 512: each doubling"),
        ({"recipe": "r3gan-slim"}, "is dcgan, not r3gan, and a run that begins from it has the same: leave --recipe"),
        ({"recipe": "vae"}, "The recipe vae is of the task autoencode, and from "),
        ({"assignments": ("discriminator.name=mlp",)}, "The discriminator of"),
        ({"assignments": ("generator.width=5",)}, "Nothing of the generator of"),
        ({"assignments": ("source.path=elsewhere",)}, "name it with --from RUN"),
        ({"assignments": ("discriminator_frozen=3",)}, "has 2 levels at 16 pixels; keep at most those, or 0"),
        ({"size": 32, "assignments": ("discriminator_frozen=1",)}, "level 1 of the discriminator is new"),
    ],
)
def test_what_does_not_go_with_the_source_is_answered_before_training(source, wishes, words):
    with pytest.raises(UsageError) as caught:
        planned(source, survey(16, classes=2), **wishes)
    assert words in str(caught.value)


def test_frozen_levels_need_a_source_that_has_trained_them(source):
    with pytest.raises(UsageError, match="begin from a run"):
        plan(survey(16), Wishes(device="cpu", assignments=("discriminator_frozen=1",)))
    with pytest.raises(UsageError, match="level 1 of the discriminator is new"):
        planned(source / "generator.safetensors", assignments=("discriminator_frozen=1",))
    made = planned(source, assignments=("discriminator_frozen=2",))
    assert told(made)["frozen"].startswith("2: levels of the discriminator")
    assert made.settings.discriminator_frozen == 2


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--from", "nowhere"], 3, "No network at nowhere: there is no such file or folder"),
        (["--from", "SOURCE", "--recipe", "fastgan"], 2, "is dcgan, not fastgan"),
        (["--frm", "SOURCE"], 2, "--from"),
    ],
)
def test_the_command_line_answers_with_its_exit_status(source, options, status, words, monkeypatch, capsys):
    options = [str(source) if option == "SOURCE" else option for option in options]
    monkeypatch.setattr(sys, "argv", ["ganvas", "train", "digits", *options, "--dry-run"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == status
    assert words in " ".join(capsys.readouterr().err.split())
