"""Stacked digits: each mode is there equally often, shown by the digits it names, and always the same."""

import numpy as np
import pytest

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.data.named.stacked_digits import COUNT, SEED, stack

# Ten "digits" that show their own number, three of each but for one of the last.
LABELS = np.array([*range(10)] * 3)[:-1]
DIGITS = np.broadcast_to(LABELS[:, None, None, None], (29, 1, 2, 2)).astype(np.uint8)


def test_the_channels_show_the_digits_of_the_mode() -> None:
    pictures, modes = stack(DIGITS, LABELS, 500, seed=1)
    assert pictures.shape == (500, 3, 2, 2)
    shown = pictures[:, :, 0, 0].astype(int)
    assert (shown @ [100, 10, 1] == modes).all()


def test_every_mode_is_there_as_often_as_any_other() -> None:
    _, modes = stack(DIGITS, LABELS, 3_000, seed=0)
    assert np.bincount(modes, minlength=1_000).tolist() == [3] * 1_000
    assert (np.diff(modes) != 1).mean() > 0.9, "in no order"


def test_the_same_seed_gives_the_same_pictures_and_another_others() -> None:
    numbered = np.arange(29, dtype=np.uint8)[:, None, None, None]
    first, second, other = (stack(numbered, LABELS, 1_000, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, second)
    assert (first != other).any(axis=(1, 2, 3)).mean() > 0.9
    assert len(np.unique(first)) == 29, "every digit is used, not one for each number"


def test_the_named_set_stacks_the_bundled_digits_enlarged() -> None:
    found = data.open_data("stacked-digits", memory=2**30)
    assert found.images.shape == (COUNT, 3, 32, 32)
    assert found.labels is None
    digits = data.open_data("digits", size=32, channels=1, memory=2**30)
    assert digits.labels is not None
    pictures, modes = stack(digits.images, digits.labels, COUNT, SEED)
    assert np.array_equal(found.images, pictures)
    assert set(modes) == set(range(1_000))
    assert modes[:5].tolist() == [134, 981, 643, 117, 306]  # on every machine


def test_mnist_is_stacked_when_it_is_asked_for() -> None:
    with pytest.raises(DataError, match="mnist"):
        data.survey("stacked-digits/mnist")
