"""`--recipe auto`: size, recipe, classes and mirror for data of many kinds, and what --set may say."""

import dataclasses
import functools

import pytest
import torch
from tests_shared import GPU, LAPTOP, NEEDED, chosen, survey

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.data import Survey, open_data
from ganvas.recipes import RECIPES, task_of
from ganvas.recipes.auto import plan
from ganvas.recipes.wishes import Wishes
from ganvas.tasks import TRANSLATES
from ganvas.tasks.generate import Generate
from ganvas.tasks.generate_settings import LossSettings
from ganvas.training.averages import Averages


@pytest.mark.parametrize(
    ("found", "size", "recipe"),
    [
        (survey(28), 32, "quick"),  # MNIST: padded to the next power of two
        (survey(32), 32, "quick"),
        (survey(8), 8, "quick"),
        (survey(7), 8, "quick"),
        (survey(23), 16, "quick"),
        (survey(64), 64, "quick"),
        (survey(100), 64, "quick"),
        (survey(4_000), 64, "quick"),  # as much as a CPU trains well
    ],
)
def test_the_size_is_a_power_of_two_that_suits_pictures_and_processor(found, size, recipe):
    settings = chosen(found)
    assert (settings.data.size, settings.recipe) == (size, recipe)


@pytest.mark.parametrize(
    ("size", "network"),
    [(48, "conv28"), (28, "conv28"), (64, "dcgan"), (128, "dcgan"), (7, "mlp"), (4, "mlp"), (50, "mlp"), (100, "mlp")],
)
def test_a_size_by_wish_is_kept_and_gets_networks_that_make_it(size, network):
    settings = chosen(survey(200), size=size)
    assert (settings.data.size, settings.generator.name, settings.discriminator.name) == (size, network, network)


@pytest.mark.parametrize("size", [4, 7, 50, 100])
def test_the_reason_for_a_recipe_is_true(size):
    reasons = {what: reason for what, _, reason in plan(survey(200), Wishes(size=size, device="cpu")).reasons}
    assert ("power of two" in reasons["recipe"]) <= (size & (size - 1) != 0)
    assert ("divisible by four" in reasons["recipe"]) <= (size % 4 != 0)


def test_pictures_below_eight_pixels_are_not_said_to_contain_eight():
    (size,) = (row for row in plan(survey(7), Wishes(device="cpu")).reasons if row[0] == "size")
    assert size[1] == "8"
    assert "within 7" not in size[2]


def test_300_mixed_colour_photos_are_mirrored_and_many_grey_ones_are_not():
    assert chosen(survey(300, count=300, channels=3)).data.mirror
    assert chosen(survey(300, count=300, channels=3)).data.channels == 3
    assert not chosen(survey(300, count=300, channels=1)).data.mirror, "grey pictures are often writing"
    assert not chosen(survey(32, count=50_000, channels=3)).data.mirror


@pytest.mark.parametrize(
    ("count", "classes", "known"),
    [(10_000, 10, 10), (10_000, 0, 0), (300, 1, 0), (300, 100, 0), (300, 2, 2), (40, 2, 2), (39, 2, 0)],
)
def test_classes_are_learned_where_there_are_at_least_two_with_enough_pictures(count, classes, known):
    found = survey(32, count=count, classes=classes)
    assert chosen(found).data.classes == found.classes[:known]


def test_each_choice_comes_with_a_reason():
    made = plan(survey(300, count=300, channels=3, classes=100), Wishes(device="cpu"))
    said = {what: (choice, reason) for what, choice, reason in made.reasons}
    assert said.keys() == {
        "data", "size", "channels", "recipe", "classes", "held out", "mirror", "augment", "device", "precision",
        "images",
        "batch", "gamma",
    }  # fmt: skip
    assert all(choice and reason for choice, reason in said.values())
    assert said["classes"][0] == "not used"


def test_wishes_win_and_are_called_so():
    made = plan(
        survey(32), Wishes(recipe="mlp", size=16, batch=24, seed=7, device="cpu", precision="float32", images=5_000)
    )
    settings = made.settings
    assert (settings.recipe, settings.data.size) == ("mlp", 16)
    assert (settings.training.batch, settings.training.seed, settings.training.precision) == (24, 7, "float32")
    assert (settings.training.stop.images, settings.training.stop.seconds) == (5_000, None)
    wished = {what for what, _, reason in made.reasons if reason == "as you asked"}
    assert wished == {"size", "recipe", "batch", "device", "precision", "images"}


@pytest.mark.parametrize(
    ("option", "assignment", "what"),
    [
        ({"size": 16}, "data.size=16", "size"),
        ({"size": "32x16"}, 'data.size="32x16"', "size"),
        ({"images": 5_000}, "training.stop.images=5000", "images"),
        ({"seconds": 60.0}, "training.stop.seconds=60", "time"),
        ({"batch": 24}, "training.batch=24", "batch"),
        ({"batch": 24}, "training.batch='24'", "batch"),
        ({"images": 5_000}, "training.stop.images=5e3", "images"),
        ({"precision": "float32"}, "training.precision=float32", "precision"),
    ],
)
def test_a_setting_that_is_named_is_planned_as_the_option_that_says_the_same(option, assignment, what):
    found = survey(64, count=300, channels=3, classes=2)
    by_option = plan(found, Wishes(device="cpu", **option))
    named = plan(found, Wishes(device="cpu", assignments=(assignment,)))
    assert (named.settings, named.reasons) == (by_option.settings, by_option.reasons)
    assert (what, "as you asked") in [(row[0], row[2]) for row in named.reasons]


@pytest.mark.parametrize(
    ("assignment", "row", "held"),
    [
        ("data.classes=[]", ("classes", "0"), {"classes": ()}),
        ("data.channels=1", ("channels", "1"), {"channels": 1}),
        ("data.mirror=false", ("mirror", "False"), {"mirror": False}),
        ("data.held_out=0", ("held out", "0"), {"held_out": 0}),
    ],
)
def test_what_is_named_of_the_data_is_planned_with_and_told_once(assignment, row, held):
    made = plan(survey(64, count=300, channels=3, classes=2), Wishes(device="cpu", assignments=(assignment,)))
    assert [one for one in made.reasons if one[0] == row[0]] == [(*row, "as you asked")]
    assert {name: getattr(made.settings.data, name) for name in held} == held


def test_a_time_alone_leaves_the_images_open_and_neither_has_a_usual_length():
    assert chosen(survey(32), seconds=60.0).training.stop.images is None
    assert chosen(survey(32), seconds=60.0).training.stop.seconds == 60
    assert chosen(survey(32)).training.stop.images > 0


def test_a_decay_takes_the_length_of_the_run():
    settings = chosen(survey(32), images=5_000)
    assert settings.generator_optimizer.decay != "constant"
    assert settings.generator_optimizer.decay_images == 5_000
    longer = chosen(survey(32), images=5_000, assignments=("training.stop.images=9000",))
    assert longer.discriminator_optimizer.decay_images == 9_000


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("generatr.width=4", "generatr is not a setting: did you mean generator"),
        ("generator.widht=4", "generator.widht is not a setting: did you mean width"),
        ("loss.r1.wieght=4", "loss.r1.wieght is not a setting: did you mean weight"),
        ("training.bach=4", "training.bach is not a setting: did you mean batch"),
        ("data.sise=4", "data.sise is not a setting: did you mean size"),
        ("loss.adversarial=hing", "did you mean hinge"),
        ("generator.name=dcgn", "did you mean dcgan"),
        ("generator.width=wide", "generator.width: "),
        ("training.batch=0", "training.batch: "),
        ("training.batch=many", "training.batch: "),
        ("training.stop.images=many", "training.stop.images: "),
        ("training.stop.seconds=inf", "training.stop.seconds: "),
        ("data.size=[64]", "data.size: "),
        ("data.channels=7", "data.channels: "),
        ("data.mirror=perhaps", "data.mirror: "),
        ("data.held_out=some", "data.held_out: "),
        ("data.classes=cats", "data.classes: "),
        ("width=4", "width is not a setting"),
        ("width", "write it as name=value"),
    ],
)
@pytest.mark.parametrize("recipe", ["auto", "quick"])
def test_what_set_cannot_mean_is_answered(assignment, told, recipe):
    with pytest.raises(UsageError) as caught:
        chosen(survey(32), recipe=recipe, assignments=(assignment,))
    assert told in str(caught.value)


@pytest.mark.parametrize("assignment", ["generator.name=mlp", "generator.name='mlp'", "generator.name = mlp"])
def test_another_network_begins_with_its_own_settings(assignment):
    settings = chosen(survey(32), assignments=(assignment, "generator.latent=12"))
    assert (settings.generator.name, settings.generator.latent) == ("mlp", 12)
    assert settings.generator.hidden == (256, 512, 1024)
    assert settings.discriminator.name == "dcgan"


def test_a_switched_network_plays():
    data = open_data("digits", size=8, memory=2**30)
    settings = chosen(
        survey(8),
        assignments=("generator.name=conv28", "generator.width=4", "discriminator.name=mlp", "data.classes=[]"),
    )
    game = Generate(settings, data)
    assert game.generator(torch.zeros(2, game.generator.latent), None).shape == (2, 1, 8, 8)


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"recipe": "dcgn"}, "There is no recipe named 'dcgn': did you mean dcgan"),
        ({"size": 3}, "data.size"),
        ({"size": 0}, "size 0: write it like 64"),
        ({"batch": 0}, "training.batch"),
        ({"seed": -1}, "training.seed"),
        ({"procs": 0}, "training.procs"),
        ({"procs": 3, "batch": 2}, "cannot be shared by 3 processes"),
        ({"precision": "float16"}, "--precision float16"),
    ],
)
def test_a_wish_that_cannot_be_is_named(wishes, told):
    with pytest.raises(UsageError) as caught:
        chosen(survey(32), **wishes)
    assert told in str(caught.value)


def test_an_accelerator_gets_larger_pictures_and_longer_runs(machine):
    on_cpu = chosen(survey(4_000))
    machine(GPU)
    on_gpu = plan(survey(4_000), Wishes()).settings
    assert on_gpu.training.device == "cuda"
    assert on_gpu.data.size.area > on_cpu.data.size.area
    assert on_gpu.training.stop.images > on_cpu.training.stop.images


@pytest.mark.parametrize(
    ("memory", "count", "size", "recipe"),
    [
        (24, 50_000, 64, "r3gan"),
        (24, 4_999, 64, "stylegan2-ada"),
        (8, 50_000, 64, "quick"),
        (24, 50_000, 8, "quick"),
        (24, 50_000, 48, "conv28"),
    ],
)
def test_a_gpu_with_memory_gets_the_published_networks_that_suit_the_count(machine, memory, count, size, recipe):
    machine(dataclasses.replace(GPU, memory=memory * 2**30))
    assert plan(survey(64, count), Wishes(size=size)).settings.recipe == recipe


@pytest.mark.parametrize(
    ("wishes", "recipe"),
    [
        ({"seconds": 600.0}, "quick"),
        ({"images": 100_000}, "quick"),
        ({"assignments": ("training.stop.seconds=600",)}, "quick"),
        ({"seconds": 86_400.0}, "r3gan"),
        ({"images": 5_000_000}, "r3gan"),
    ],
)
def test_published_networks_are_chosen_for_runs_that_are_long_enough(machine, wishes, recipe):
    machine(GPU)
    assert plan(survey(64, 50_000), Wishes(**wishes)).settings.recipe == recipe


@pytest.mark.parametrize(("count", "images"), [(4_000, 25_000_000), (300, 6_000_000), (3, 60_000)])
def test_few_pictures_are_not_shown_without_end(machine, count, images):
    machine(GPU)
    assert plan(survey(64, count), Wishes()).settings.training.stop.images == images
    named = plan(survey(64, count), Wishes(recipe="stylegan2-ada")).settings
    assert named.training.stop.images == 25_000_000, "the recipe as published, where it is named"


@pytest.mark.parametrize(
    ("other", "size", "images"),
    [
        (LAPTOP, 32, 500_000),
        (LAPTOP, 64, 250_000),
        (dataclasses.replace(LAPTOP, fast_bfloat16=False), 32, 250_000),
        (dataclasses.replace(LAPTOP, cores=1), 32, 250_000),
        (dataclasses.replace(LAPTOP, cores=64), 32, 2_000_000),
    ],
)
def test_a_cpu_trains_as_long_as_its_cores_and_arithmetic_are_worth(machine, other, size, images):
    machine(other)
    assert plan(survey(size), Wishes()).settings.training.stop.images == images
    assert plan(survey(size, count=100), Wishes()).settings.training.stop.images == min(images, 200_000)


def test_few_pictures_are_augmented_by_auto_unless_it_is_told_otherwise():
    assert chosen(survey(32, count=1_000)).augment.name is None
    few = chosen(survey(32, count=999))
    assert (few.augment.name, few.augment.p) == ("diffaug", 1.0)
    assert chosen(survey(32, count=999), recipe="quick").augment.name is None
    told = chosen(survey(32, count=999), assignments=("augment.name=ada", "augment.p=0.3"))
    assert (told.augment.name, told.augment.p) == ("ada", 0.3)


def test_the_batch_and_the_weight_of_r1_are_said_as_they_result():
    made = plan(survey(64), Wishes(size=64, device="cpu", batch=32, assignments=("loss.r1.weight=3.5",)))
    said = {what: (choice, reason) for what, choice, reason in made.reasons}
    assert said["batch"] == ("32", "as you asked")
    assert said["gamma"] == ("3.5", "as you asked")
    assert plan(survey(64), Wishes(size=64, device="cpu")).settings.loss.r1.weight == 2.0


@pytest.mark.parametrize(
    ("count", "held_out"), [(20, 0), (99, 0), (100, 10), (300, 15), (5_000, 250), (1_000_000, 1_000)]
)
def test_some_pictures_are_held_out_for_the_watch_where_there_are_enough(count, held_out):
    settings = chosen(survey(32, count=count))
    assert (settings.data.held_out, settings.data.test) == (held_out, None)


def test_a_set_with_a_test_part_is_watched_by_that_and_trained_on_whole():
    found = Survey("fashion-mnist/bundled", "fashion-mnist", 10_000, 28, 1, (), Size(28, 28))
    assert (chosen(found).data.held_out, chosen(found).data.test) == (0, "fashion-mnist/bundled-test")


def test_a_penalty_that_falls_takes_the_length_of_the_run_and_one_that_stays_takes_none():
    settings = chosen(survey(32), images=70_000, assignments=("loss.r1.final=0.01", "loss.r2.weight=1.0"))
    assert settings.loss.r1.decay_images == 70_000
    assert settings.loss.r2.decay_images is None


@pytest.mark.parametrize("wishes", [{"batch": 16}, {"assignments": ("training.batch=16",)}])
@pytest.mark.parametrize(("recipe", "own", "batch"), [("r3gan", 0.05, 512), ("stylegan2", 0.01, 64)])
def test_a_published_gamma_follows_the_batch_that_is_asked_for(recipe, own, batch, wishes):
    usual, asked = chosen(survey(32), recipe=recipe), chosen(survey(32), recipe=recipe, **wishes)
    assert (usual.training.batch, asked.training.batch) == (batch, 16)
    assert usual.loss.r1.weight == pytest.approx(own)
    assert asked.loss.r1.weight == pytest.approx(own * batch / 16)


@pytest.mark.parametrize(
    ("recipe", "own"), [("quick", 0.5), ("conv28", (32 / 28) ** 2), ("r3gan-slim", 0.5), ("stylegan2-slim", 0.3)]
)
def test_gamma_is_in_proportion_to_the_pixels(recipe, own):
    assert chosen(survey(32), recipe=recipe).loss.r1.weight == pytest.approx(own)
    assert chosen(survey(64), recipe=recipe, size=64).loss.r1.weight == pytest.approx(4 * own)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_plays_with_the_batch_that_is_asked_for_or_with_its_own(recipe):
    found, needed, task = survey(32, channels=3, classes=2), NEEDED.get(recipe, ()), task_of(recipe)
    assert chosen(found, recipe=recipe, task=task, batch=24, assignments=needed).training.batch == 24
    assert chosen(found, recipe=recipe, task=task, assignments=needed).training.batch == {
        "r3gan": 512,
        "fastgan": 16,
        "stylegan2-slim": 32,
        "r3gan-slim": 32,
        "few-labels": 32,
        "pix2pix": 1,
        "pix2pix-r3": 1,
        "cyclegan": 1,
        "cut": 1,
        "swap": 8,
        "swap-r3": 8,
        "contrast": 8,
    }.get(recipe, 16 if task in TRANSLATES else 64)
    asked = (*needed, "training.batch=48")
    assert chosen(found, recipe=recipe, task=task, batch=24, assignments=asked).training.batch == 48


def test_a_decay_without_a_length_is_said_whatever_it_is_of():
    asked = ("loss.r1.final=0.01", "loss.top_k.final=0.5")
    rows = plan(survey(32), Wishes(recipe="dcgan", device="cpu", seconds=60.0, assignments=asked)).reasons
    ((choice, said),) = ((choice, reason) for what, choice, reason in rows if what == "decay")
    assert choice == "measured"
    assert said.startswith("loss.r1, loss.top_k: ")
    rows = plan(survey(32), Wishes(recipe="dcgan", device="cpu", images=1_000, assignments=asked)).reasons
    assert "decay" not in [what for what, _, _ in rows]


def test_every_term_of_a_loss_is_said():
    default = LossSettings()
    for name, asked in {
        "r2": {"weight": 1.0}, "path_length": {"weight": 1.0}, "lecam": {"weight": 1.0}, "consistency": {"fake": 1.0},
        "top_k": {"final": 0.5}, "classification": 1.0, "reconstruction": 1.0, "clip": 0.01,
    }.items():  # fmt: skip
        assert from_dict(LossSettings, {name: asked}, "loss").say() != default.say(), name


def test_transparency_that_becomes_white_is_said_with_how_to_learn_it():
    def said(**found) -> str:
        look = dataclasses.replace(survey(32, channels=3), **found)
        return next(reason for what, _, reason in plan(look, Wishes(device="cpu")).reasons if what == "channels")

    assert "--set data.channels=4" in said(transparent=True)
    assert "--set data.channels=2" in said(transparent=True, channels=1)
    assert said() == "colour"


def test_a_size_that_no_network_makes_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"No network makes pictures of 2048 pixels: .* is 1024; .* up to 128"):
        chosen(survey(4_000), size=2_048)


def test_fewer_pictures_than_a_group_are_told():
    rows = plan(survey(32), Wishes(recipe="stylegan2-slim", device="cpu", batch=3)).reasons
    assert "3 pictures pass together and are one smaller group" in str(rows)


@pytest.mark.parametrize(
    ("size", "gamma", "batch"),
    [(32, 0.05, 512), (64, 2.0, 256), (256, 150.0, 256), (1024, 2_400.0, 256)],  # nothing is published of the last
)
def test_r3gan_has_the_settings_of_its_paper(size, gamma, batch):
    settings = chosen(survey(size, count=50_000, channels=3), recipe="r3gan", size=size)
    assert settings.loss.r1.weight == settings.loss.r2.weight == pytest.approx(gamma)
    assert settings.loss.r1.final == pytest.approx(gamma / 10)
    assert settings.loss.r1.decay_images == settings.training.stop.images == 20_000_000
    assert (settings.training.batch, settings.data.mirror) == (batch, True)
    assert settings.augment.final == (0.55 if size == 32 else 0.3)
    for optimizer in (settings.generator_optimizer, settings.discriminator_optimizer):
        assert optimizer.betas_after(0) == (0.0, 0.9)
        assert optimizer.betas_after(20_000_000) == pytest.approx((0.0, 0.99))
        assert (optimizer.rate(0), optimizer.rate(20_000_000)) == pytest.approx((2e-4, 5e-5))
    average = Averages({}, settings.training.average)
    half_life = 5_000_000 if size == 32 else 500_000
    assert average.decay(20_000_000, half_life) == pytest.approx(0.5)
    assert average.decay(10_000_000, half_life // 2) == pytest.approx(0.5), "it rises from 0"


def test_r3gan_stretches_all_that_falls_or_rises_to_the_length_of_the_run():
    short = chosen(survey(32, count=50_000, channels=3), recipe="r3gan", size=32, images=1_000_000)
    lengths = {
        short.augment.images,
        short.loss.r1.decay_images,
        short.loss.r2.decay_images,
        short.generator_optimizer.decay_images,
        short.discriminator_optimizer.decay_images,
    }
    assert lengths == {1_000_000}


@pytest.mark.parametrize(
    ("recipe", "size", "published"),
    [  # as their papers have them: see each recipe's docstring
        (
            "dcgan",
            64,
            {"generator_optimizer.lr": 2e-4, "generator_optimizer.betas": (0.5, 0.999)},
        ),
        ("wgan", 64, {"generator_optimizer.name": "rmsprop", "generator_optimizer.lr": 5e-5, "loss.clip": 0.01}),
        ("wgan", 64, {"discriminator_moves": 5, "loss.adversarial": "wasserstein"}),
        ("wgan-gp", 64, {"loss.gradient_penalty.weight": 10.0, "discriminator_moves": 5}),
        ("wgan-gp", 64, {"discriminator_optimizer.lr": 1e-4, "discriminator_optimizer.betas": (0.0, 0.9)}),
        (
            "sngan",
            32,
            {"discriminator_moves": 5, "loss.adversarial": "hinge", "discriminator_optimizer.decay": "linear"},
        ),
        ("sngan", 32, {"generator_optimizer.lr": 2e-4, "generator_optimizer.betas": (0.0, 0.9)}),
        ("biggan", 64, {"generator_optimizer.lr": 5e-5, "discriminator_optimizer.lr": 2e-4, "discriminator_moves": 2}),
        ("biggan", 64, {"training.average.half_life": 440_000, "training.average.ramp_up": 1.0}),
        ("stylegan2", 256, {"style_mixing": 0.9, "loss.r1.every": 16, "loss.path_length.every": 4}),
        ("stylegan2", 256, {"loss.path_length.weight": 1 / 7, "loss.path_length.decay": 0.99}),
        ("stylegan2", 256, {"discriminator_optimizer.lr": 2.5e-3 * 16 / 17, "generator_optimizer.lr": 2.5e-3 * 4 / 5}),
        ("stylegan2", 256, {"discriminator_optimizer.betas": (0.0, 0.99 ** (16 / 17))}),
        ("stylegan2", 32, {"loss.r1.weight": 0.01, "style_mixing": 0.0, "loss.path_length.weight": 0.0}),
        ("stylegan2-ada", 256, {"augment.name": "ada", "augment.target": 0.6}),
        ("fastgan", 64, {"augment.name": "diffaug", "augment.p": 1.0, "loss.adversarial": "hinge"}),
    ],
)
def test_a_recipe_has_the_settings_of_its_paper(recipe, size, published):
    settings = chosen(survey(size, count=50_000, channels=3), recipe=recipe, size=size)
    for name, value in published.items():
        held = functools.reduce(getattr, name.split("."), settings)
        assert held == (value if isinstance(value, str) else pytest.approx(value)), name


def test_a_recipe_for_a_gpu_on_a_cpu_is_told_and_what_there_is_for_a_cpu():
    rows = plan(survey(32), Wishes(recipe="r3gan", device="cpu")).reasons
    (told,) = (reason for what, choice, reason in rows if (what, choice) == ("take care", "r3gan"))
    assert "r3gan-slim" in told
    assert not [what for what, choice, _ in plan(survey(32), Wishes(device="cpu")).reasons if what == "take care"]


@pytest.mark.parametrize(
    ("recipe", "assignments", "told"),
    [
        ("quick", ("augment.name=ada", "augment.target=0.6"), "augment.target"),
        ("wgan-gp", ("augment.name=ada", "augment.target=0.6"), "augment.target"),
        ("hinge", ("augment.name=ada", "augment.target=0.6"), None),
        ("dcgan", ("loss.gradient_penalty.weight=10",), "discriminator.norm"),
        ("wgan-gp", (), None),
    ],
)
def test_what_papers_advise_against_is_said(recipe, assignments, told):
    rows = plan(survey(32), Wishes(recipe=recipe, device="cpu", assignments=assignments)).reasons
    assert [choice for what, choice, _ in rows if what == "take care"] == ([] if told is None else [told])
