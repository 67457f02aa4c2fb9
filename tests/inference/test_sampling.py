"""Sampling: a seed is a picture, truncation, classes."""

import re

import numpy as np
import pytest
import torch

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.inference.generator import Generator
from ganvas.inference.loading import load


def test_a_seed_gives_the_same_picture_in_any_company_and_order(varied):
    whole = varied.sample(range(130))
    assert len({picture.tobytes() for picture in whole}) == 130, "the pictures differ"
    alone = np.concatenate([varied.sample([seed]) for seed in (0, 7, 64, 129)])
    assert np.array_equal(alone, whole[[0, 7, 64, 129]])
    assert np.array_equal(varied.sample([129, 7, 7]), whole[[129, 7, 7]])


def test_the_last_bit_too_is_the_same_alone_and_among_others():
    # Without fixed batches some pixels of this network are rounded the other way when a picture is drawn alone.
    family = networks.generator("dcgan")
    torch.manual_seed(0)
    network = family(family.Settings(width=64, norm="none"), size=32, channels=3, classes=0)
    with torch.no_grad():
        network.layers[-1].weight.mul_(3)
    generator = Generator(network, {"size": 32, "channels": 3, "classes": []}, torch.device("cpu"))
    whole = generator.sample(range(100))
    assert whole.shape == (100, 3, 32, 32)
    assert np.array_equal(np.concatenate([generator.sample([seed]) for seed in range(40)]), whole[:40])


def test_a_seed_gives_the_same_picture_in_another_session(run):
    assert np.array_equal(load(run).sample([3, 5]), load(run).sample([3, 5]))


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_seeds_may_be_any_sequence_of_whole_numbers(varied, kind):
    assert np.array_equal(varied.sample(kind([1, 5])), varied.sample(range(1, 6, 4)))


def test_no_seeds_are_refused(varied):
    with pytest.raises(UsageError, match="at least one seed"):
        varied.sample([])


def test_without_truncation_pictures_of_a_class_differ_and_at_zero_they_are_alike(varied):
    assert len({picture.tobytes() for picture in varied.sample(range(20), label=3)}) == 20
    alike = varied.sample(range(20), truncation=0, label=3)
    assert len({picture.tobytes() for picture in alike}) == 1
    assert not np.array_equal(alike[0], varied.sample([0], truncation=0, label=4)[0])


def test_truncation_draws_pictures_towards_the_middle(varied):
    middle = varied.sample(range(20), truncation=0, label=0).astype(float)
    distances = [
        np.abs(varied.sample(range(20), truncation=part, label=0) - middle).mean() for part in (0.0, 0.3, 0.7, 1.0)
    ]
    assert distances == sorted(distances)
    assert distances[1] > 0
    assert np.array_equal(varied.sample([1], truncation=1.0), varied.sample([1]))


@pytest.mark.parametrize("truncation", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_truncation_that_cannot_be_is_refused(varied, truncation):
    with pytest.raises(UsageError, match="truncation"):
        varied.sample([0], truncation=truncation)


def test_classes_follow_in_turn_or_are_asked_for_by_name_or_number(run, varied):
    by_name = varied.sample(range(10), label="7")
    assert np.array_equal(by_name, varied.sample(range(10), label=7))
    assert not np.array_equal(by_name, varied.sample(range(10), label="6"))
    assert np.array_equal(varied.sample(range(10))[7], by_name[7])
    assert np.array_equal(varied.sample([17])[0], varied.sample([17], label=7)[0])


def test_classes_count_on_from_the_first_again_however_they_are_given(varied):
    latents, expected = varied.latents(range(3)), varied.pictures(varied.latents(range(3)), [3, 0, 9])
    assert len({picture.tobytes() for picture in expected}) == 3
    for labels in ([13, 10, -1], torch.tensor([13, 10, -1]), torch.tensor([13, 10, -1], dtype=torch.int16)):
        assert np.array_equal(varied.pictures(latents, labels), expected)


def test_a_name_goes_before_a_number(run):
    generator = load(run)
    generator.classes = ("cat", "1", "0")
    assert [generator.class_number(label) for label in ("cat", "1", "0", 2, 1, "2")] == [0, 1, 2, 2, 1, 2]


def test_classes_are_mixed_by_weights(varied):
    assert np.array_equal(varied.sample([5], label={"3": 2.0}), varied.sample([5], label=3))
    mixed = varied.sample(range(8), label={3: 1, "7": 3}).astype(float)
    assert np.array_equal(mixed, varied.sample(range(8), label={"3": 0.25, "7": 0.75}))
    towards_3, towards_7 = (np.abs(mixed - varied.sample(range(8), label=label)).mean() for label in (3, 7))
    assert 0 < towards_7 < towards_3


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "nothing"),
        ({"3": 0}, "3=0"),
        ({"3": 2, "4": -1}, "3=2,4=-1"),
        ({"3": float("nan")}, "3=nan"),
        ({"3": float("inf")}, "3=inf"),
    ],
)
def test_weights_of_classes_that_cannot_be_are_refused(varied, weights, said):
    with pytest.raises(UsageError, match=f"are finite, none below 0 and one above it, not {re.escape(said)}$"):
        varied.sample([0], label=weights)


@pytest.mark.parametrize("label", ["10", 10, -1, "-1", "boot", "", "²", "1.0"])
def test_an_unknown_class_is_refused(varied, label):
    with pytest.raises(UsageError, match="There is no class"):
        varied.sample([0], label=label)


def test_an_unknown_class_is_answered_with_the_nearest(run):
    generator = load(run)
    generator.classes = ("Ankle boot", "Bag", "Coat")
    with pytest.raises(UsageError, match="did you mean Ankle boot"):
        generator.class_number("ankle boots")


def test_a_generator_without_classes_says_so(run):
    generator = load(run)
    generator.classes = ()
    with pytest.raises(UsageError, match="trained without classes"):
        generator.class_number("7")


def test_a_generator_with_a_mapping_network_is_truncated_in_its_w():
    """It normalises its latents, so scaling them would change nothing."""
    family = networks.generator("stylegan2")
    torch.manual_seed(0)
    settings = family.Settings(latent=8, w_width=8, mapping_layers=2, channel_base=256, max_width=16)
    network = family(settings, size=16, channels=1, classes=0)
    generator = Generator(network, {"size": 16, "channels": 1, "classes": []}, torch.device("cpu"))
    whole, half, none = (generator.sample(range(12), truncation=part).astype(float) for part in (1.0, 0.5, 0.0))
    assert np.abs(none - none[0]).max() == 0
    assert 0 < np.abs(half - none).mean() < np.abs(whole - none).mean()
