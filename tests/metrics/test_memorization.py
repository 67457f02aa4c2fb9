"""Memorisation: planted copies are found, honest pictures are not accused."""

import numpy as np
import pytest
import torch

from ganvas import data, metrics
from ganvas.core.errors import DataError
from ganvas.metrics.memorization import memorization


def sample(count, seed, dimensions=8):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_honest_pictures_are_flagged_one_in_a_hundred(seed):
    train, held_out, fake = sample(2_000, 3 * seed), sample(1_000, 3 * seed + 1), sample(2_000, 3 * seed + 2)
    found = memorization(fake, train, held_out)
    assert found.flagged.double().mean() < 0.025
    assert found.p_value > 1e-4
    assert abs(found.statistic) < 4


@pytest.mark.parametrize("jitter", [0.0, 0.02])
def test_planted_copies_are_found_and_named(jitter):
    train, held_out, honest = sample(1_000, 0), sample(1_000, 1), sample(450, 2)
    copies = train[100:150] + jitter * sample(50, 3)
    found = memorization(torch.cat([honest, copies]), train, held_out)
    assert found.flagged[450:].double().mean() >= 0.95
    assert found.flagged[:450].double().mean() <= 0.03
    assert found.p_value < 1e-10
    assert "may be copies" in found.verdict
    right = [(450 + number, 100 + number) for number in range(50)]
    assert len(set(found.closest(50)) & set(right)) >= 47


def test_a_generator_that_hugs_the_training_pictures_is_told_as_a_whole():
    train, held_out = sample(1_000, 0), sample(1_000, 1)
    hugging = train + 0.6 * sample(1_000, 2)
    found = memorization(hugging, train, held_out)
    assert found.statistic < -3
    assert "No sign" not in found.verdict


@pytest.fixture(scope="module")
def clothes():
    train = data.open_data("fashion-mnist/bundled", size=28).images
    test = data.open_data("fashion-mnist/bundled-test", size=28).images
    return torch.from_numpy(np.ascontiguousarray(train[:4_000])), torch.from_numpy(np.ascontiguousarray(test))


@pytest.mark.parametrize("name", ["fashion", "pixels"])
def test_copies_among_real_clothes_are_found_at_one_false_alarm_in_a_hundred(clothes, name):
    train, test = clothes
    extract = metrics.extractor(name, 1)
    noisy = train[:40].int() + torch.randint(-3, 4, train[:40].shape, generator=torch.Generator().manual_seed(0))
    judged = torch.cat([test[500:], train[40:80], noisy.clamp(0, 255).to(torch.uint8)])
    found = memorization(extract(judged), extract(train), extract(test[:500]))
    assert found.flagged[500:].double().mean() >= 0.95
    assert found.flagged[:500].double().mean() <= 0.03
    assert "may be copies" in found.verdict
    unharmed = memorization(extract(test[500:]), extract(train), extract(test[:500]))
    assert "may be copies" not in unharmed.verdict


def test_too_few_unseen_pictures_are_told():
    with pytest.raises(DataError, match="100 or more pictures, and there are 99 of the unseen"):
        memorization(sample(10, 0), sample(50, 1), sample(99, 2))


@pytest.mark.parametrize("unseen", [100, 400])
def test_an_honest_generator_is_not_accused_more_often_than_the_verdict_says(unseen):
    """The limit is drawn from the unseen pictures, and with few of them it is uncertain."""
    p_values = []
    for seed in range(40):
        dice = torch.Generator().manual_seed(seed)
        train, fake, held = (torch.randn(count, 6, generator=dice) for count in (400, 1500, unseen))
        p_values.append(memorization(fake, train, held).p_value)
    assert sum(p < 0.01 for p in p_values) <= 3
    assert min(p_values) > 1e-4
