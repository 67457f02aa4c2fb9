"""What a network is to learn: what it is given, what it should make, what is known, what there is to surpass."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas import degrade
from ganvas.core.errors import UsageError
from ganvas.core.lab import rgb_to_lab
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.degrade.problems import Colorize

EVERY = {  # settings, scale
    "paired": ({}, 1),
    "superres": ({}, 2),
    "inpaint": ({}, 1),
    "colorize": ({}, 1),
    "hinted": ({"hints": True}, 1),
    "real": ({"degradation": {"name": "real"}}, 4),
}
NAMES = {"hinted": "colorize", "real": "superres"}
every_problem = pytest.mark.parametrize("name", EVERY)


def build(name, size=24, channels=3, **own):
    kind = degrade.problem(NAMES.get(name, name))
    chosen, scale = EVERY[name]
    return kind(from_dict(kind.Settings, chosen | own), size=size, channels=channels, scale=scale)


def pictures(problem, count=4, size=24, seed=0):
    """8-bit pictures, [count, C, *size]."""
    dice = np.random.default_rng(seed)
    values = dice.integers(0, 256, (count, problem.pictures, *Size.of(size).hw), dtype=np.uint8)
    return torch.from_numpy(values).float() / 127.5 - 1


def uniform(problem, count=4, seed=0):
    return torch.rand(count, problem.draws, generator=torch.Generator().manual_seed(seed))


@every_problem
@pytest.mark.parametrize("size", [24, 32, Size(20, 36)])
def test_shapes_are_what_is_said(name, size):
    problem = build(name, size)
    size = Size.of(size)
    given, wanted = problem.pose(pictures(problem, size=size), uniform(problem))
    assert given.shape == (4, problem.inputs, size.height // problem.scale, size.width // problem.scale)
    assert wanted.shape == (4, problem.outputs, *size.hw)
    made = wanted.flip(0)
    answer = problem.answer(given, made)
    assert answer.shape == problem.plain(given).shape == wanted.shape
    assert problem.seen(given, answer).shape == (4, problem.judged, *size.hw)
    assert problem.picture(given, answer).shape == problem.shown(given).shape == (4, 3, *size.hw)
    for some in (given, wanted, problem.plain(given), problem.picture(given, answer), problem.shown(given)):
        assert some.abs().max() <= 1
        assert some.dtype == torch.float32


@pytest.mark.parametrize("name", ["paired", "inpaint", "colorize", "hinted"])
@pytest.mark.parametrize("size", [Size(9, 13), Size(5, 7)])
def test_odd_sizes_are_posed_where_nothing_is_made_smaller(name, size):
    problem = build(name, size)
    given, wanted = problem.pose(pictures(problem, size=size), uniform(problem))
    assert given.shape[2:] == wanted.shape[2:] == problem.plain(given).shape[2:] == size.hw


@every_problem
def test_a_problem_depends_on_its_own_numbers_and_picture_alone(name):
    problem = build(name)
    some, numbers = pictures(problem), uniform(problem)
    state = torch.get_rng_state()
    given, wanted = problem.pose(some, numbers)
    assert torch.equal(torch.get_rng_state(), state)
    for row in range(4):
        alone = problem.pose(some[row : row + 1], numbers[row : row + 1])
        assert torch.equal(alone[0][0], given[row])
        assert torch.equal(alone[1][0], wanted[row])
    assert len(list(problem.parameters())) == 0


@pytest.mark.parametrize("name", ["inpaint", "hinted", "real"])
def test_other_numbers_pose_it_otherwise(name):
    problem = build(name)
    some = pictures(problem)
    one, other = (problem.pose(some, uniform(problem, seed=seed)) for seed in (0, 1))
    assert all(not torch.equal(*pair) for pair in zip(one[0], other[0], strict=True))
    assert torch.equal(one[1], other[1])


@every_problem
def test_in_float64_it_is_the_same(name):
    problem = build(name)
    some = pictures(problem)
    single = problem.pose(some, uniform(problem))
    double = problem.pose(some.double(), uniform(problem))
    for one, other in zip(single, double, strict=True):
        assert other.dtype == torch.float64
        torch.testing.assert_close(one.double(), other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_pair_each_is_made_of_the_other(channels):
    problem, back = (build("paired", channels=channels, backwards=way) for way in (False, True))
    assert problem.mode == ("grey" if channels == 1 else "rgb")
    both = pictures(problem)
    given, wanted = problem.pose(both, uniform(problem))
    assert torch.equal(torch.cat([given, wanted], dim=1), both)
    assert torch.equal(torch.cat(back.pose(both, uniform(problem))[::-1], dim=1), both)
    assert torch.equal(problem.plain(given), given), "unchanged"
    answer = torch.randn_like(wanted)
    assert torch.equal(problem.seen(given, answer), torch.cat([given, answer], dim=1))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_small_picture_and_the_baseline_are_pillows_bicubic(scale, channels):
    kind = degrade.problem("superres")
    problem = kind(kind.Settings(), size=Size(24, 36), channels=channels, scale=scale)
    slopes = np.add.outer(np.arange(24) * 5, np.arange(36) * 3)
    noise = np.random.default_rng(0).integers(0, 30, (channels, 24, 36))
    values = (slopes + noise).clip(0, 255).astype(np.uint8)
    given, wanted = problem.pose(torch.from_numpy(values)[None].float() / 127.5 - 1, torch.empty(1, 0))
    small = np.stack(
        [np.asarray(Image.fromarray(one).resize((36 // scale, 24 // scale), Image.BICUBIC)) for one in values]
    )
    assert np.abs((given[0].numpy() + 1) * 127.5 - small).max() <= 1.001
    in_8_bits = ((given[0].numpy() + 1) * 127.5).round().astype(np.uint8)
    large = np.stack([np.asarray(Image.fromarray(one).resize((36, 24), Image.BICUBIC)) for one in in_8_bits])
    assert np.abs(((problem.plain(given)[0].numpy() + 1) * 127.5).round() - large).max() <= 1
    assert problem.plain(given).abs().max() <= 1
    assert torch.equal(wanted, torch.from_numpy(values)[None].float() / 127.5 - 1)
    shown = problem.shown(given)
    assert torch.equal(shown[:, :, ::scale, ::scale], given)
    assert torch.equal(shown[:, :, scale - 1 :: scale, scale - 1 :: scale], given)


def test_a_size_that_is_no_multiple_of_the_scale_is_refused_with_the_nearest():
    kind = degrade.problem("superres")
    with pytest.raises(UsageError, match=r"size 128.*multiples of 3.*--size 126"):
        kind(kind.Settings(), size=128, channels=3, scale=3)
    with pytest.raises(UsageError, match=r"--size 4$"):
        kind(kind.Settings(), size=5, channels=3, scale=4)


def test_what_is_known_of_a_picture_is_kept_to_the_bit_and_nothing_else_is_told():
    problem = build("inpaint")
    some = pictures(problem)
    given, wanted = problem.pose(some, uniform(problem))
    known, mask = given[:, :3], given[:, 3:]
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    hole = mask.expand(-1, 3, -1, -1) == 1
    assert (known[hole] == 0).all()
    assert torch.equal(known[~hole], some[~hole])
    made = torch.randn_like(wanted)
    answer = problem.answer(given, made)
    assert torch.equal(answer[~hole], some[~hole])
    assert torch.equal(answer[hole], made[hole])
    assert torch.equal(problem.seen(given, answer), torch.cat([answer, mask], dim=1))
    assert torch.equal(problem.shown(given), known)
    slopes = torch.autograd.grad(problem.answer(given, made.requires_grad_()).sum(), made)[0]
    assert torch.equal(slopes, hole.float()), "the network learns of the holes alone"


def test_masks_are_of_the_kinds_that_are_asked_for():
    whole = build("inpaint", masks={"kinds": ["boxes"]})
    given, _ = whole.pose(pictures(whole, 60), uniform(whole, 60))
    assert given[:, 3].mean() < 0.5
    outline = build("inpaint", masks={"kinds": ["outline"]})
    given, _ = outline.pose(pictures(outline, 60), uniform(outline, 60))
    assert given[:, 3].flatten(1).mean(dim=1).min() > 0.3


def test_holes_are_filled_with_the_mean_of_what_is_known():
    problem = build("inpaint")
    given, _ = problem.pose(pictures(problem), uniform(problem))
    plain = problem.plain(given)
    for one, known, mask in zip(plain, given[:, :3], given[:, 3], strict=True):
        for channel in range(3):
            mean = known[channel][mask == 0].double().mean()
            assert one[channel][mask == 1].double() == pytest.approx(mean.item(), abs=1e-5)
            assert torch.equal(one[channel][mask == 0], known[channel][mask == 0])
    nothing = torch.cat([torch.zeros(1, 3, 24, 24), torch.ones(1, 1, 24, 24)], dim=1)
    assert (problem.plain(nothing) == 0).all()


@pytest.mark.parametrize("name", ["colorize", "hinted"])
def test_lightness_is_given_and_colour_wanted(name):
    problem = build(name)
    some = pictures(problem)
    given, wanted = problem.pose(some, uniform(problem))
    lab = rgb_to_lab(some)
    torch.testing.assert_close((given[:, :1] + 1) * 50, lab[:, :1], rtol=0, atol=1e-3)
    torch.testing.assert_close(wanted * 110, lab[:, 1:], rtol=0, atol=1e-3)
    torch.testing.assert_close(problem.picture(given, wanted), some, rtol=0, atol=2e-3)
    assert torch.equal(problem.seen(given, wanted), torch.cat([given[:, :1], wanted], dim=1))
    grey = problem.picture(given, problem.plain(given))
    assert grey.std(dim=1).max() < 1e-3
    torch.testing.assert_close(rgb_to_lab(grey)[:, 0], lab[:, 0], rtol=0, atol=0.05)
    assert torch.equal(problem.shown(given), grey) == (name == "colorize")
    wild = problem.picture(given, torch.full_like(wanted, 7.0))
    assert wild.isfinite().all()
    assert wild.abs().max() <= 1


def test_hints_stand_behind_the_lightness_and_tell_nothing_where_there_are_none():
    problem, without = build("hinted"), build("colorize")
    assert (problem.inputs, without.inputs, without.draws) == (4, 1, 0)
    given, wanted = problem.pose(pictures(problem, 50), uniform(problem, 50))
    where = given[:, 3:].expand(-1, 2, -1, -1) == 1
    assert where.any()
    assert (given[:, 1:3][~where] == 0).all()
    assert not torch.equal(given[:, 1:3], wanted)


@every_problem
def test_each_says_how_it_is_applied_and_what_is_to_be_surpassed(name):
    from ganvas.inference.modes import mode

    problem = build(name)
    assert mode(problem.mode, problem.inputs, problem.outputs)
    words = {"paired": "unchanged", "superres": "bicubic", "inpaint": "mean fill", "colorize": "grey"}
    assert problem.baseline == words[NAMES.get(name, name)]


def test_hints_are_shown_in_their_colours_and_all_else_in_grey():
    problem = Colorize(Colorize.Settings(hints=True), size=16, channels=3)
    given = torch.zeros(1, 4, 16, 16)
    given[0, 1:3, 4, 5], given[0, 3, 4, 5] = torch.tensor([0.4, -0.3]), 1.0
    shown = problem.shown(given)
    colourless = shown.amax(dim=1) - shown.amin(dim=1) < 1e-3
    assert colourless.sum() == 16 * 16 - 1
    assert not colourless[0, 4, 5]
