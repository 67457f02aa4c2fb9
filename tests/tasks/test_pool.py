"""The pool of pictures made before: filled, then half of what is shown is from it; the same over processes."""

import itertools

import pytest
import torch

from ganvas.tasks.pool import Pool
from ganvas.training.draws import Draws

SHAPE, BATCH = (1, 2, 2), 4


def made(round):
    """The pictures of a round: all of one value, its row counted on over the rounds."""
    values = (torch.arange(BATCH) + BATCH * round).view(-1, 1, 1, 1).expand(BATCH, *SHAPE)
    return values / 127.5 - 1


def numbers(round):
    return Draws(0).uniform("pool", round * BATCH, 2 * BATCH).view(2, -1)


def values(pictures):
    return pictures[:, 0, 0, 0].tolist()


def played(pool, rounds, rows=slice(0, BATCH)):
    """What is shown in so many rounds of these rows."""
    shown = []
    for round in range(rounds):
        pool.begin_round(numbers(round - 1))
        shown.append(values(pool.shown(made(round)[rows], numbers(round)[:, rows])))
        pool.observe(made(round)[rows], rows)
    return shown


def oracle(size, rounds):
    """The same by the paper, row by row, of which a round's pictures join after it."""
    pool, shown = [], []
    for round in range(rounds):
        row_values = [BATCH * round + row for row in range(BATCH)]
        takes, places = numbers(round)
        full = len(pool) >= size > 0
        shown.append(
            [
                pool[int(places[row] * size)] if full and takes[row] < 0.5 else value
                for row, value in enumerate(row_values)
            ]
        )
        for row, value in enumerate(row_values):
            if len(pool) < size:
                pool.append(value)
            elif size and takes[row] < 0.5:
                pool[int(places[row] * size)] = value
    return shown, pool


@pytest.mark.parametrize("size", [1, 3, 4, 10, 50])
def test_it_does_what_the_paper_says(size):
    pool = Pool(size, BATCH, SHAPE)
    shown = played(pool, 40)
    pool.begin_round(numbers(39))
    expected, held = oracle(size, 40)
    assert shown == expected
    assert values(pool.pictures) == held
    assert int(pool.held) == size


def test_until_it_is_full_all_are_shown_as_made_and_then_half_are_old():
    shown = played(Pool(10, BATCH, SHAPE), 60)
    new = [[BATCH * round + row for row in range(BATCH)] for round in range(60)]
    assert shown[:3] == new[:3], "12 were made before the fourth round"
    old = [
        value != fresh
        for row, fresh_row in zip(shown[3:], new[3:], strict=True)
        for value, fresh in zip(row, fresh_row, strict=True)
    ]
    assert 0.4 < sum(old) / len(old) < 0.6
    assert all(
        value <= fresh for row, other in zip(shown, new, strict=True) for value, fresh in zip(row, other, strict=True)
    )


def test_without_places_all_are_shown_as_made_and_nothing_is_kept():
    pool = Pool(0, BATCH, SHAPE)
    assert played(pool, 3) == [[BATCH * round + row for row in range(BATCH)] for round in range(3)]
    assert not pool.there.any()
    assert not pool.held
    assert pool.pictures.shape == (0, *SHAPE)


def test_a_round_that_begins_again_changes_nothing():
    once, twice = Pool(5, BATCH, SHAPE), Pool(5, BATCH, SHAPE)
    for pool in (once, twice):
        played(pool, 7)
        pool.begin_round(numbers(6))
    twice.begin_round(numbers(6))
    for name, held in once.named_buffers():
        assert torch.equal(held, dict(twice.named_buffers())[name]), name


@pytest.mark.parametrize("cuts", [(0, 4), (0, 2, 4), (0, 1, 3, 4)], ids=["one", "two", "three"])
def test_processes_that_average_what_is_observed_hold_the_same_pool(cuts):
    alone = Pool(5, BATCH, SHAPE)
    expected = played(alone, 30)
    parts = [slice(*ends) for ends in itertools.pairwise(cuts)]
    pools = [Pool(5, BATCH, SHAPE) for _ in parts]
    shown = []
    for round in range(30):
        row = []
        for pool, rows in zip(pools, parts, strict=True):
            pool.begin_round(numbers(round - 1))
            row += values(pool.shown(made(round)[rows], numbers(round)[:, rows]))
            pool.observe(made(round)[rows], rows)
        shown.append(row)
        for name in ("fresh", "there"):
            mean = torch.stack([getattr(pool, name) for pool in pools]).sum(dim=0) / len(pools)
            for pool in pools:
                getattr(pool, name).copy_(mean)
    assert shown == expected
    for pool in pools:
        assert torch.equal(pool.pictures, alone.pictures)
        assert torch.equal(pool.held, alone.held)


def test_all_256_values_pass_through_the_means_of_three_processes():
    pool = Pool(256, 256, (1, 1, 1))
    pool.observe(torch.arange(256).view(-1, 1, 1, 1) / 127.5 - 1, slice(0, 256))
    pool.fresh.copy_(pool.fresh / 3)
    pool.there.copy_(pool.there / 3)
    pool.begin_round(torch.zeros(2, 256))
    assert pool.pictures.flatten().tolist() == list(range(256))


def test_what_a_checkpoint_takes_is_all_of_it():
    one, other = Pool(5, BATCH, SHAPE), Pool(5, BATCH, SHAPE)
    played(one, 7)
    other.load_state_dict(one.state_dict())
    for pool in (one, other):
        pool.begin_round(numbers(6))
    assert torch.equal(one.pictures, other.pictures)
    assert torch.equal(one.shown(made(7), numbers(7)), other.shown(made(7), numbers(7)))
