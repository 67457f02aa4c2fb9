"""How many pictures of each class a set gets, in which order, in which folders."""

import numpy as np
import pytest

from ganvas.core.errors import UsageError
from ganvas.inference.quotas import evening, folder_names, in_proportion, in_turn


@pytest.mark.parametrize(
    ("counts", "number", "shares"),
    [([3, 1], 8, [6, 2]), ([1, 1, 1], 4, [2, 1, 1]), ([5, 0, 5], 3, [2, 0, 1]), ([1, 999], 10, [0, 10])],
)
def test_classes_keep_their_proportions(counts, number, shares):
    assert in_proportion(counts, number).tolist() == shares


@pytest.mark.parametrize(
    ("counts", "number", "shares"),
    [([3, 5, 1], None, [2, 0, 4]), ([3, 5, 1], 3, [1, 0, 2]), ([3, 5, 1], 9, [3, 1, 5]), ([2, 2], 3, [2, 1])],
)
def test_balancing_fills_the_smallest_classes_first(counts, number, shares):
    assert evening(counts, number).tolist() == shares


@pytest.mark.parametrize("seed", range(20))
def test_balanced_classes_are_as_even_as_they_can_be(seed):
    dice = np.random.default_rng(seed)
    counts, number = dice.integers(0, 5_000, dice.integers(1, 30)), int(dice.integers(1, 20_000))
    shares = evening(counts, number)
    assert shares.sum() == number
    assert shares.min() >= 0
    assert (counts + shares)[shares > 0].max() - (counts + shares).min() <= 1


def test_classes_that_are_even_need_no_balance():
    with pytest.raises(UsageError, match="4 pictures already: leave --balance out"):
        evening([4, 4], None)


def test_classes_are_mixed_so_that_each_is_as_far_as_the_others():
    quota = np.array([40, 20, 0, 10])
    labels = in_turn(quota)
    assert np.bincount(labels, minlength=4).tolist() == quota.tolist()
    assert np.abs(np.bincount(labels[:35], minlength=4) - quota / 2).max() <= 1


def test_every_class_has_a_folder_that_any_file_system_takes():
    names = folder_names(["T-shirt/top", "a:b", "A-b", "..", "Ärmel", ".hidden", "con\n"])
    assert names == ("T-shirt-top", "a-b", "A-b-2", "class-3", "Ärmel", "hidden", "con-")
