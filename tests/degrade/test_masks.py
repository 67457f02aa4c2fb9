"""Masks: what is unknown, how much of it, and that they are a function of their numbers."""

import math
import tomllib

import pytest
import torch

from ganvas.core.dice import Dice
from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_toml
from ganvas.core.sizes import Size
from ganvas.degrade.masks import BOXES, BRUSH, DRAWN, DRAWS, Masks, outline, strokes

KINDS = list(DRAWN)
each_kind = pytest.mark.parametrize("kind", KINDS)


def build(*kinds, size=24):
    return Masks(Masks.Settings(kinds=kinds or tuple(KINDS)), size=size)


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@each_kind
@pytest.mark.parametrize("size", [8, 24, Size(9, 40), Size(64, 16)])
def test_something_is_unknown_and_something_known(kind, size):
    module = build(kind, size=size)
    masks = module(uniform(200, module.draws))
    assert masks.shape == (200, 1, *Size.of(size).hw)
    assert masks.dtype == torch.float32
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    parts = masks.mean(dim=(1, 2, 3))
    assert parts.min() > 0
    assert parts.max() < 1
    assert parts.std() > 0.02, "they differ"
    assert (0.35 if kind == "outline" else 0.08) < parts.mean() < (0.75 if kind == "outline" else 0.4)


@each_kind
def test_small_pictures_have_masks_too(kind):
    for size in (2, Size(2, 9), Size(7, 3)):
        module = build(kind, size=size)
        assert (module(uniform(50, module.draws)).sum(dim=(1, 2, 3)) >= 1).all()
    assert build(kind, size=1)(uniform(3, build(kind, size=1).draws)).shape == (3, 1, 1, 1)


def test_a_mask_depends_on_its_own_numbers_alone():
    module = build()
    numbers = uniform(30, module.draws)
    state = torch.get_rng_state()
    whole = module(numbers)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(torch.cat([module(numbers[a:b]) for a, b in ((0, 1), (1, 12), (12, 30))]), whole)
    assert torch.equal(module(numbers.flip(0)).flip(0), whole)
    assert torch.equal(module(numbers.double()), whole)
    assert len(whole.flatten(1).unique(dim=0)) == 30


def test_kinds_come_equally_often_and_only_those_that_are_asked_for():
    module = build("boxes", "outline")
    numbers = uniform(400, module.draws)
    masks = module(numbers)
    first = numbers[:, 0] < 0.5
    alone = build("boxes")
    assert torch.equal(masks[first], alone(numbers[first][:, : alone.draws]))
    rest = Dice(numbers[~first][:, 1:], torch.float32)
    assert torch.equal(masks[~first][:, 0].bool(), outline(rest, module.size))
    assert 150 < first.sum() < 250


@each_kind
def test_each_kind_reads_as_many_numbers_as_it_says(kind):
    numbers = uniform(2, DRAWS[kind] + 1)
    dice = Dice(numbers, torch.float32)
    DRAWN[kind](dice, Size(16, 16))
    assert torch.equal(dice.take(1), numbers[:, -1:])


@pytest.mark.parametrize("extreme", [0.0, 1 - 2**-24])
def test_the_extremes_of_the_numbers_are_masks(extreme):
    for kind in KINDS:
        mask = build(kind)(torch.full((1, build(kind).draws), extreme))
        assert 0 < mask.mean() < 1


def test_a_box_by_hand():
    # One box of 1/4 + (1/2 - 1/8) * u of the sides, in the middle of what is left.
    numbers = [0.0] + [1 / 3, 0.5, 1.0, 0.0] * BOXES
    mask = DRAWN["boxes"](Dice(torch.tensor([numbers]), torch.float32), Size(32, 16))[0]
    expected = torch.zeros(32, 16, dtype=torch.bool)
    expected[12:20, 0:8] = True
    assert torch.equal(mask, expected)


def test_strokes_are_as_wide_as_their_brush_and_round_at_their_ends():
    # One stroke of no length from the middle: a disc.
    numbers = torch.zeros(1, DRAWS["strokes"])
    numbers[0, 1:6] = torch.tensor([0.0, 1.0, 0.0, 0.5, 0.5])
    mask = strokes(Dice(numbers, torch.float32), Size(90, 90))[0]
    radius = BRUSH[1] * 90 / 2
    assert mask.sum().item() == pytest.approx(math.pi * radius**2, rel=0.05)
    assert mask[45, 45]
    assert not mask[:, : 45 - math.ceil(radius)].any()


def test_half_of_the_outlines_know_one_end_of_each_side():
    module = build("outline")
    known = 1 - module(uniform(600, module.draws))[:, 0]
    for dim in (1, 2):
        ends = known.amax(dim=3 - dim)
        at_an_end = (ends[:, 0] + ends[:, -1]).clamp(max=1).mean()
        assert 0.4 < at_an_end < 0.65


def test_other_numbers_and_kinds_are_refused():
    module = build()
    with pytest.raises(ValueError, match="should be"):
        module(uniform(2, module.draws + 1))
    for wrong in ([], ["dots"]):
        with pytest.raises(UsageError, match=r"mask\.kinds"):
            from_dict(Masks.Settings, {"kinds": wrong}, "mask")
    chosen = Masks.Settings(kinds=("strokes",))
    assert from_dict(Masks.Settings, tomllib.loads(to_toml(chosen))) == chosen
