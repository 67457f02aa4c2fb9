"""Hints of colour: how many, where, how large, and that they tell the truth."""

import pytest
import torch

from ganvas.core.sizes import Size
from ganvas.degrade.hints import LARGEST, MORE, MOST, SPREAD, Hints

SIZE = Size(40, 56)


def uniform(count, hints, seed=0):
    return torch.rand(count, hints.draws, generator=torch.Generator().manual_seed(seed))


def colour(count, size=SIZE, seed=0):
    return torch.rand(count, 2, *size.hw, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def number_for(count):
    """A number below 1 that asks for so many places."""
    return MORE ** (count + 0.5)


def with_count(count, rows, hints, seed=0):
    numbers = uniform(rows, hints, seed)
    numbers[:, 0] = number_for(count)
    return numbers


def boxes_of(mask):
    """Height and width of what is hinted in each picture, and its middle."""
    found = []
    for one in mask[:, 0]:
        rows, columns = one.any(dim=1).nonzero().flatten(), one.any(dim=0).nonzero().flatten()
        found.append((rows[0].item(), rows[-1].item() + 1, columns[0].item(), columns[-1].item() + 1))
    return found


def test_hinted_is_the_mean_colour_of_a_square_and_nothing_else():
    hints = Hints(size=SIZE)
    true = colour(200)
    told = hints(true, with_count(1, 200, hints))
    for one, whole, (top, bottom, left, right) in zip(told, true, boxes_of(told[:, 2:]), strict=True):
        assert bottom - top == right - left <= LARGEST
        assert one[2].sum() == (bottom - top) ** 2
        mean = whole[:, top:bottom, left:right].double().mean(dim=(1, 2))
        for channel in range(2):
            assert one[channel, top:bottom, left:right].double() == pytest.approx(mean[channel].item(), abs=1e-5)
    assert (told[:, :2][told[:, 2:].expand(-1, 2, -1, -1) == 0] == 0).all()
    assert set(told[:, 2].unique().tolist()) == {0.0, 1.0}


def test_of_a_picture_of_one_colour_every_hint_tells_that_colour():
    hints = Hints(size=SIZE)
    true = torch.tensor([0.25, -0.5]).view(1, 2, 1, 1).expand(100, 2, *SIZE.hw)
    told = hints(true, uniform(100, hints))
    there = told[:, 2:].expand(-1, 2, -1, -1) == 1
    torch.testing.assert_close(told[:, :2][there], true[there])


def test_how_many_places_there_are_is_about_geometric():
    hints = Hints(size=128)
    numbers = uniform(4_000, hints)
    numbers[:, 1::3] = 0.0  # one pixel each
    numbers[:, 2:] = torch.rand(4_000, hints.draws - 2, generator=torch.Generator().manual_seed(5))
    numbers[:, 1::3] = 0.0
    told = torch.cat([hints(torch.zeros(len(part), 2, 128, 128), part)[:, 2] for part in numbers.split(500)])
    places = told.sum(dim=(1, 2))  # two places are rarely the same pixel
    assert places.max() <= MOST
    for least in (1, 2, 4, 8, 12):
        assert (places >= least).float().mean().item() == pytest.approx(MORE**least, abs=0.035), least
    assert (places == 0).float().mean().item() == pytest.approx(1 - MORE, abs=0.02), "some get none"


@pytest.mark.parametrize("count", [0, 1, 5, MOST])
def test_a_number_asks_for_so_many_places(count):
    hints = Hints(size=Size(300, 300))
    numbers = with_count(count, 40, hints)
    numbers[:, 1::3] = 0.0
    places = hints(torch.zeros(40, 2, 300, 300), numbers)[:, 2].sum(dim=(1, 2))
    assert places.median() == count
    assert places.max() <= count


def test_squares_are_of_all_sizes_and_lie_about_the_middle():
    hints = Hints(size=Size(80, 120))
    numbers = with_count(1, 1_500, hints)
    boxes = torch.tensor(boxes_of(hints(torch.zeros(1_500, 2, 80, 120), numbers)[:, 2:])).double()
    sides = boxes[:, 1] - boxes[:, 0]
    assert {int(side): round((sides == side).double().mean().item(), 1) for side in sides.unique()} == dict.fromkeys(
        range(1, LARGEST + 1), 0.1
    )
    for first, length in ((0, 80), (2, 120)):
        middles = (boxes[:, first] + boxes[:, first + 1]) / 2 / length
        assert middles.mean().item() == pytest.approx(0.5, abs=0.02)
        inner = ((middles - 0.5).abs() < SPREAD).double().mean().item()
        assert inner == pytest.approx(0.683, abs=0.04), "a standard deviation to each side"
    assert boxes.min() == 0
    assert (boxes[:, 1].max(), boxes[:, 3].max()) == (80, 120)


@pytest.mark.parametrize("size", [Size(1, 1), Size(3, 5), Size(4, 30)])
def test_small_pictures_have_hints_within_them(size):
    hints = Hints(size=size)
    true = colour(60, size)
    told = hints(true, with_count(3, 60, hints))
    assert told.shape == (60, 3, *size.hw)
    assert (told[:, 2].sum(dim=(1, 2)) >= 1).all()
    assert told[:, :2].abs().max() <= 1


def test_they_depend_on_their_own_numbers_alone():
    hints = Hints(size=SIZE)
    true, numbers = colour(30), uniform(30, hints)
    state = torch.get_rng_state()
    whole = hints(true, numbers)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(torch.cat([hints(true[a:b], numbers[a:b]) for a, b in ((0, 1), (1, 12), (12, 30))]), whole)
    assert torch.equal(hints(true, numbers.double()), whole)
    assert hints(true.double(), numbers).dtype == torch.float64


@pytest.mark.parametrize("number", [0.0, 1 - 2**-24])
def test_the_outermost_numbers_are_taken(number):
    hints = Hints(size=SIZE)
    told = hints(colour(2), torch.full((2, hints.draws), number))
    assert told.isfinite().all()
    assert told[:, 2].any() == (number == 0)


def test_what_does_not_fit_is_refused():
    hints = Hints(size=SIZE)
    with pytest.raises(ValueError, match="should be"):
        hints(colour(2, Size(8, 8)), uniform(2, hints))
    with pytest.raises(ValueError, match="should be"):
        hints(colour(2), uniform(3, hints))
    with pytest.raises(ValueError, match="should be"):
        hints(colour(2), uniform(2, hints)[:, 1:])
