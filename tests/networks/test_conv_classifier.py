"""Classifiers: pictures in, logits out, each picture by itself."""

import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.networks import CLASSIFIERS, classifier

each_classifier = pytest.mark.parametrize("name", CLASSIFIERS)


def build(name, size=16, channels=1, classes=3, **settings):
    torch.manual_seed(0)
    family = classifier(name)
    return family(family.Settings(**settings), size=size, channels=channels, classes=classes)


def pictures(count=5, size=16, channels=1):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@each_classifier
@pytest.mark.parametrize(("size", "channels", "classes"), [(4, 1, 2), (8, 3, 10), (28, 1, 5), (32, 4, 7)])
def test_any_pictures_become_features_and_logits(name, size, channels, classes):
    network = build(name, size, channels, classes, width=8)
    shown = pictures(3, size, channels)
    assert network(shown).shape == (3, classes)
    features = network.features(shown)
    torch.testing.assert_close(network.logits(features), network(shown))
    assert features.ndim == 2


@each_classifier
def test_a_picture_is_told_by_itself_in_training_and_after_it(name):
    network, shown = build(name, width=8), pictures()
    whole = network.train()(shown)
    torch.testing.assert_close(network(shown[1:3]), whole[1:3])
    torch.testing.assert_close(network.eval()(shown), whole)


@each_classifier
def test_all_weights_get_a_gradient_and_logits_begin_of_modest_size(name):
    network = build(name, 32)
    logits = network(pictures(8, 32))
    logits.square().mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in network.parameters())
    assert logits.abs().max() < 20


@each_classifier
def test_logits_are_not_rounded_to_bfloat16_under_autocast(name):
    with torch.autocast("cpu", torch.bfloat16):
        assert build(name, width=8)(pictures()).dtype == torch.float32


def test_a_map_that_is_the_same_everywhere_is_not_normalised_away():
    network = build("conv", width=8)
    flat = torch.stack([torch.full((1, 16, 16), value) for value in (-0.9, 0.1, 0.9)])
    assert network(flat).std(dim=0).min() > 0.01


def test_widths_that_groups_do_not_divide_are_built_as_well():
    assert build("conv", width=6, max_width=10)(pictures()).isfinite().all()
    plain = build("conv", width=8, norm="none")
    assert not [layer for layer in plain.modules() if isinstance(layer, torch.nn.GroupNorm)]


@each_classifier
@pytest.mark.parametrize("wrong", [{"size": 3}, {"size": 2000}, {"channels": 5}, {"classes": 1}, {"classes": 0}])
def test_what_cannot_be_told_is_refused(name, wrong):
    with pytest.raises(UsageError):
        build(name, **wrong)
