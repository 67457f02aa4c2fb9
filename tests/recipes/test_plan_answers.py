"""What cannot work, or will disappoint, is answered by the plan: sizes, batches, classes, few pictures."""

import pytest
from tests_shared import NEEDED, chosen, survey

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.data import Survey
from ganvas.recipes import RECIPES, task_of
from ganvas.recipes.auto import plan
from ganvas.recipes.wishes import Wishes
from ganvas.tasks import TRANSLATES

MAKERS = {4: {"mlp"}, 20: {"mlp", "conv28"}, 48: {"mlp", "conv28"}, 2048: set()}


@pytest.mark.parametrize("recipe", [name for name in RECIPES if task_of(name) not in TRANSLATES])
@pytest.mark.parametrize("size", MAKERS)
def test_a_size_that_a_recipe_does_not_make_is_answered_with_those_it_does(recipe, size):
    found, needed = survey(64, channels=3, classes=2), NEEDED.get(recipe, ())
    if recipe in MAKERS[size]:
        assert chosen(found, recipe=recipe, size=size).data.size == size
        return
    with pytest.raises(UsageError, match=f"makes pictures of .* pixels a side, not {size}: .*\n.*--size {size}"):
        chosen(found, recipe=recipe, size=size, assignments=needed)


def test_attention_at_a_side_that_no_block_has_is_answered_with_those_that_do():
    assert chosen(survey(16), recipe="biggan", size=16).discriminator.attention == 8
    with pytest.raises(UsageError, match="attention of 16 has no map: choose one of 8 here"):
        chosen(survey(16), recipe="biggan", size=16, assignments=("discriminator.attention=16",))


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"recipe": "dcgan"}, "--set generator.norm=none discriminator.norm=none"),
        ({"recipe": "mlp"}, "Use --batch 2 or more (64 is usual), or networks without it: --set generator.norm=none"),
        ({"recipe": "quick", "batch": 3, "procs": 2}, "a batch of 3 in 2 processes one passes alone. Use --batch 4"),
        ({"recipe": "sngan", "batch": 8, "assignments": ("training.micro_batch=1",)}, "with micro-batches of 1"),
        ({"recipe": "stylegan2"}, "Use --batch 4 or more, or judge each by itself: --set discriminator.group=1"),
        ({"recipe": "stylegan2", "batch": 2, "procs": 2}, "Use --batch 8 or more"),
    ],
)
def test_a_batch_of_which_a_picture_passes_alone_is_answered_where_networks_compare_pictures(wishes, told):
    with pytest.raises(UsageError) as caught:
        chosen(survey(16), **({"batch": 1} | wishes))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "assignments"),
    [
        ("dcgan", ("generator.norm=none", "discriminator.norm=none")),
        ("mlp", ("generator.norm=none",)),
        ("stylegan2", ("discriminator.group=1",)),
        ("r3gan", ()),
    ],
)
def test_a_single_picture_may_pass_through_networks_that_compare_none(recipe, assignments):
    assert chosen(survey(16), recipe=recipe, batch=1, assignments=assignments).training.batch == 1


def reasons(found: Survey, **wishes) -> dict[str, str]:
    made = plan(found, Wishes(device="cpu", **wishes))
    return {what: f"{choice}: {reason}" for what, choice, reason in made.reasons}


@pytest.mark.parametrize(("batch", "lanes"), [(64, 2), (8, 2), (4, 1), (12, 1), (10, 1), (2, 1)])
def test_lanes_are_such_that_the_pictures_of_a_group_pass_together(batch, lanes):
    found = survey(16)
    assert chosen(found, recipe="stylegan2", batch=batch).training.lanes == lanes
    assert ("lanes" in reasons(found, recipe="stylegan2", batch=batch)) == (lanes == 1)


def test_lanes_that_are_asked_for_are_kept():
    asked = chosen(survey(16), recipe="stylegan2", batch=4, assignments=("training.lanes=2",))
    assert asked.training.lanes == 2


def test_a_group_that_is_not_whole_is_told_with_the_batches_that_leave_none():
    alone, parted = "of 10 pictures that pass together the last 2", "of 6 pictures that pass together the last 2"
    cases = [(10, (), alone, 4), (12, ("training.lanes=2",), parted, 8)]
    for batch, assignments, left, whole in cases:
        said = reasons(survey(16), recipe="stylegan2-slim", batch=batch, assignments=assignments)["take care"]
        assert left in said
        assert f"a multiple of {whole} leaves none" in said
        settled = reasons(survey(16), recipe="stylegan2-slim", batch=2 * whole, assignments=assignments)
        assert "take care" not in settled


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "1 picture: no GAN learns"), (3, "3 pictures: no GAN learns"), (300, "by heart; what helps"), (2_000, None)],
)
def test_few_pictures_are_taken_with_a_word_on_what_to_expect_and_what_helps(count, told):
    found = survey(64, count=count, channels=3)
    said = reasons(found, recipe="quick").get("take care")
    assert (said is None) if told is None else (told in said and "--set augment.name=diffaug augment.p=1.0" in said)
    augmented = reasons(found, recipe="quick", assignments=("augment.name=diffaug", "augment.p=1.0"))
    for told in (augmented, reasons(found)):  # auto augments so few by itself
        assert ("copies" in told.get("take care", "")) == (count < 20)


@pytest.mark.parametrize(
    ("classes", "assignment", "told"),
    [
        (2, 'data.classes=["x", "y"]', "in its order (class 0, class 1), or none: --set data.classes=[]"),
        (2, 'data.classes=["class 0", "class 1", "class 2"]', "must be all 2 classes"),
        (0, 'data.classes=["x", "y"]', "the data has no classes"),
        (0, "data.held_out=300", "leaves nothing to train on: there are 300 pictures"),
    ],
)
def test_settings_that_do_not_go_with_the_data_are_answered_before_training(classes, assignment, told):
    with pytest.raises(UsageError) as caught:
        chosen(survey(64, count=300, classes=classes), assignments=(assignment,))
    assert told in str(caught.value)


def test_a_recipe_that_is_named_gets_the_smallest_size_that_it_makes_of_small_pictures():
    planned = plan(survey(8), Wishes(recipe="stylegan2-slim", device="cpu"))
    assert planned.settings.data.size == Size(16, 16)
    assert ("size", "16", "the smallest that stylegan2-slim makes of these; other: --size") in planned.reasons
    assert plan(survey(8), Wishes(recipe="quick", device="cpu")).settings.data.size == Size(8, 8)


def test_pictures_that_are_too_large_for_a_cpu_are_told_of_and_so_is_a_wished_length():
    rows = plan(survey(1024), Wishes(size=1024, images=3_000, device="cpu")).reasons
    assert [choice for what, choice, _ in rows if what == "take care"] == ["1024 px"]
    assert ("images", "3000", "as you asked") in rows
    rows = plan(survey(64), Wishes(seconds=90.0, device="cpu")).reasons
    assert [choice for what, choice, _ in rows if what == "time"] == ["1m30s"]
    assert "take care" not in [what for what, _, _ in rows]
