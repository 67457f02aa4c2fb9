"""R3GAN's ends and first weights against references written out: from the latent to the logit."""

import math

import pytest
import torch
from torch.nn import functional

from ganvas.networks.r3gan import Block, Double, Halve, R3GANDiscriminator, R3GANGenerator

SMALL = {"width": 8, "wide": 4, "blocks": 2, "group": 4}
SLOPE = 0.2


def built(family, size=8, classes=0, seed=0, **settings):
    torch.manual_seed(seed)
    return family(family.Settings(**settings), size=size, channels=3, classes=classes)


def filtered(maps, gain):
    """By [1, 2, 1] and a gain along both sides, place by place; nothing is beyond the border."""
    high, wide = (side - 2 for side in maps.shape[2:])
    terms = [
        gain**2 * down * across * maps[:, :, i : i + high, j : j + wide]
        for i, down in enumerate((1, 2, 1))
        for j, across in enumerate((1, 2, 1))
    ]
    return sum(terms)


def doubled(maps):
    """Zeros between the pixels, then the filter; the last row and column once more behind the border."""
    edged = functional.pad(maps, (0, 1, 0, 1), mode="replicate")
    spread = maps.new_zeros(*maps.shape[:2], *(2 * side for side in edged.shape[2:]))
    spread[:, :, ::2, ::2] = edged
    return filtered(functional.pad(spread, (1, 0, 1, 0)), 1 / 2)[:, :, : 2 * maps.shape[2], : 2 * maps.shape[3]]


def halved(maps):
    """The filter, then every other pixel; edges repeated."""
    return filtered(functional.pad(maps, (1, 1, 1, 1), mode="replicate"), 1 / 4)[:, :, ::2, ::2]


def pointwise(layer, maps):
    return torch.einsum("oi,nihw->nohw", layer.weight[:, :, 0, 0], maps)


@pytest.mark.parametrize("classes", [0, 3])
@torch.no_grad()
def test_a_picture_begins_with_the_basis_scaled_by_a_linear_map_of_latent_and_class(classes):
    """The blocks begin as the identity: what is left is the ends and the doubling, whose 1x1 halves the width."""
    network = built(R3GANGenerator, classes=classes, latent=5, embedding=2, **SMALL).double()
    latents, labels = torch.randn(4, 5).double(), torch.tensor([0, 2, 1, 2]) if classes else None
    given = torch.cat([latents, network.input.embedding.weight[labels]], dim=1) if classes else latents
    maps = torch.empty(4, 8, 4, 4, dtype=torch.float64)
    for picture in range(4):
        for channel in range(8):
            scale = sum(network.project.weight[channel] * given[picture])
            maps[picture, channel] = scale * network.basis[channel]
    (doubling,) = (layer for layer in network.stages if isinstance(layer, Double))
    expected = pointwise(network.to_picture, doubled(pointwise(doubling.change, maps)))
    made = network(latents, labels)
    torch.testing.assert_close(made, expected)
    assert made.abs().max() > 1, "no tanh"


@pytest.mark.parametrize("classes", [0, 3])
@torch.no_grad()
def test_a_logit_is_a_depthwise_convolution_a_linear_map_and_an_inner_product_with_the_class(classes):
    network = built(R3GANDiscriminator, classes=classes, **SMALL).double()
    pictures, labels = torch.randn(4, 3, 8, 8).double(), torch.tensor([0, 2, 1, 2]) if classes else None
    (halving,) = (layer for layer in network.stages if isinstance(layer, Halve))
    maps = pointwise(halving.change, halved(pointwise(network.from_picture, pictures)))
    ends = functional.conv2d(maps, network.basis[:, None], groups=8)
    assert ends.shape == (4, 8, 1, 1)
    features = ends[:, :, 0, 0] @ network.linear.weight.T
    expected = features[:, 0]
    if classes:
        table = network.embedding.weight
        expected = torch.stack([sum(table[label] * row) for label, row in zip(labels, features, strict=True)]) / 8**0.5
    torch.testing.assert_close(network(pictures, labels), expected)


@pytest.mark.parametrize("family", [R3GANGenerator, R3GANDiscriminator])
def test_blocks_of_a_whole_network_know_how_many_they_are(family):
    """Gain sqrt(2 / 1.04) L^(-1/4), L the blocks of all sides; the last 1x1 of each is 0, and so are all biases."""
    network = built(family, 32, width=64, wide=32, blocks=3, group=16)
    blocks = [layer for layer in network.stages if isinstance(layer, Block)]
    gain = math.sqrt(2 / (1 + SLOPE**2)) * 12**-0.25
    assert len(blocks) == 12
    for block in blocks:
        assert block.widen.weight.std().item() * math.sqrt(64) == pytest.approx(gain, rel=0.05)
        assert block.mix.weight.std().item() * math.sqrt(16 * 9) == pytest.approx(gain, rel=0.05)
        assert not block.narrow.weight.any()
        assert not block.widen.bias.any()
        assert not block.mix.bias.any()
        assert block.narrow.bias is None


def test_first_weights_outside_of_blocks_keep_the_size_of_a_signal():
    """Where no LeakyReLU follows: N(0, 1 / fan_in); the generator's basis, that meets nothing before it, N(0, 1)."""
    width = {"width": 256, "wide": 4, "blocks": 1, "group": 0, "expansion": 1}
    generator = built(R3GANGenerator, classes=10, latent=64, embedding=32, **width)
    judge = built(R3GANDiscriminator, classes=10, **width)
    assert generator.basis.std().item() == pytest.approx(1, rel=0.05)
    assert judge.basis.std().item() == pytest.approx(1 / math.sqrt(16), rel=0.05)
    assert generator.input.embedding.weight.std().item() == pytest.approx(1, rel=0.1)
    assert judge.embedding.weight.std().item() == pytest.approx(1, rel=0.05)
    (doubling,) = (layer for layer in generator.stages if isinstance(layer, Double))
    (halving,) = (layer for layer in judge.stages if isinstance(layer, Halve))
    for layer, fan_in in (
        (generator.project, 64 + 32),
        (doubling.change, 256),
        (generator.to_picture, 128),
        (judge.from_picture, 3),
        (halving.change, 128),
        (judge.linear, 256),
    ):
        assert layer.weight.std().item() * math.sqrt(fan_in) == pytest.approx(1, rel=0.1)
        assert layer.bias is None
