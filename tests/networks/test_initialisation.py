import dataclasses

import pytest
import torch
from torch import nn

from ganvas.networks import DISCRIMINATORS, GENERATORS, discriminator, generator
from ganvas.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from ganvas.networks.layers import to_pictures

SIZES = {"mlp": 28, "dcgan": 64, "conv28": 28}


def with_a_choice_of_norm(table, find):
    return sorted(name for name in table if "norm" in {field.name for field in dataclasses.fields(find(name).Settings)})


def test_dcgan_with_batch_norm_starts_as_in_the_paper():
    torch.manual_seed(0)
    for network in (
        DCGANGenerator(DCGANGenerator.Settings(), size=32, channels=3, classes=0),
        DCGANDiscriminator(DCGANDiscriminator.Settings(), size=32, channels=3, classes=0),
    ):
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert layer.weight.mean().item() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("name", with_a_choice_of_norm(GENERATORS, generator))
def test_a_generator_without_normalisation_starts_with_a_picture_that_is_neither_flat_nor_saturated(name):
    torch.manual_seed(0)
    family = generator(name)
    network = family(family.Settings(norm="none"), size=SIZES.get(name, 32), channels=3, classes=0)
    with torch.no_grad():
        images = network(torch.randn(8, network.latent))
    assert 0.3 < images.std() < 0.9


@pytest.mark.parametrize("name", with_a_choice_of_norm(DISCRIMINATORS, discriminator))
def test_a_discriminator_without_normalisation_starts_with_logits_that_tell_pictures_apart(name):
    torch.manual_seed(0)
    family = discriminator(name)
    network = family(family.Settings(norm="none"), size=SIZES.get(name, 32), channels=3, classes=0)
    with torch.no_grad():
        logits = network(torch.rand(32, 3, network.size, network.size) * 2 - 1)
    assert 0.05 < logits.std() < 2
    assert logits.abs().mean() < 2


def test_pictures_leave_in_float32_and_float64_stays():
    features = torch.linspace(-3, 3, 7)
    assert to_pictures(features.bfloat16()).dtype == torch.float32
    assert to_pictures(features.double()).dtype == torch.float64
    torch.testing.assert_close(to_pictures(features), torch.tanh(features))
