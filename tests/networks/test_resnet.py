import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.networks.attention import SelfAttention
from ganvas.networks.conditioning import ClassCondition, ClassNorm, table_norm
from ganvas.networks.layers import SpectralConv2d, SpectralLinear, SpectralNorm, initialise_orthogonal
from ganvas.networks.resnet import (
    Residual,
    ResNetDiscriminator,
    ResNetGenerator,
    UpBlock,
    down_block,
    first_block,
    flat_block,
)

BOTH = pytest.mark.parametrize("family", [ResNetGenerator, ResNetDiscriminator])


def built(family, size=32, channels=3, classes=0, **settings):
    torch.manual_seed(0)
    return family(family.Settings(**settings), size=size, channels=channels, classes=classes)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def outputs(network, kinds):
    """(channels, side) of what each layer of these kinds gives, in the order of the forward pass."""
    shapes = []
    for layer in network.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(lambda module, given, output: shapes.append(tuple(output.shape[1:3])))
    network.eval()
    with torch.no_grad():
        if isinstance(network, ResNetGenerator):
            network(torch.zeros(1, network.latent))
        else:
            network(torch.zeros(1, network.channels, network.size, network.size))
    return shapes


def conv(before, after, kernel):
    return before * after * kernel * kernel + after


def plain_norm(channels):
    return ClassNorm(nn.BatchNorm2d(channels))


# Layers that the family brought with it


@pytest.mark.parametrize("kind", [nn.Conv2d, SpectralConv2d])
@torch.no_grad()
def test_attention_is_what_a_loop_over_positions_gives(kind):
    torch.manual_seed(0)
    layer = SelfAttention(16, kind).double()
    layer.gain.data.fill_(0.7)
    maps = torch.randn(2, 16, 4, 6, dtype=torch.float64)

    def weight(part):
        matrix = part.normalised_weight() if kind is SpectralConv2d else part.weight
        return matrix[:, :, 0, 0]

    assert [tuple(weight(part).shape) for part in (layer.queries, layer.keys, layer.values, layer.out)] == [
        (2, 16), (2, 16), (8, 16), (16, 8),
    ]  # fmt: skip
    expected = maps.clone()
    for picture in range(2):
        keys, values = [], []
        for row in range(0, 4, 2):
            for column in range(0, 6, 2):
                square = [maps[picture, :, row + i, column + j] for i in (0, 1) for j in (0, 1)]
                keys.append(torch.stack([weight(layer.keys) @ at for at in square]).amax(dim=0))
                values.append(torch.stack([weight(layer.values) @ at for at in square]).amax(dim=0))
        for row in range(4):
            for column in range(6):
                query = weight(layer.queries) @ maps[picture, :, row, column]
                heard = [math.exp(float(query @ key)) for key in keys]
                seen = sum(loud * value for loud, value in zip(heard, values, strict=True)) / sum(heard)
                expected[picture, :, row, column] += 0.7 * weight(layer.out) @ seen
    torch.testing.assert_close(layer(maps), expected)


def test_attention_has_first_and_second_derivatives():
    torch.manual_seed(0)
    layer = SelfAttention(4, nn.Conv2d).double()
    layer.gain.data.fill_(0.5)
    maps = torch.randn(1, 4, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, maps)
    assert torch.autograd.gradgradcheck(layer, maps)


def formula(maps, scale, shift):
    """Conditional batch normalisation, one number at a time over channels; scale, shift [N, C]."""
    expected = torch.empty_like(maps)
    for channel in range(maps.shape[1]):
        values = maps[:, channel]
        mean, variance = values.mean(), values.var(correction=0)
        for picture in range(len(maps)):
            normed = (maps[picture, channel] - mean) / (variance + 1e-5).sqrt()
            expected[picture, channel] = normed * (1 + scale[picture, channel]) + shift[picture, channel]
    return expected


def test_conditional_batch_normalisation_with_a_table_for_each_class():
    torch.manual_seed(0)
    layer = table_norm(nn.BatchNorm2d(3, affine=False), channels=3, classes=5).double()
    assert layer.scale.weight.abs().max() > 0
    assert layer.scale.weight.abs().max() < 0.1
    assert not layer.shift.weight.any()
    layer.shift.weight.data.normal_()
    maps, labels = torch.randn(4, 3, 2, 2, dtype=torch.float64) * 3 + 1, torch.tensor([4, 0, 0, 2])
    expected = formula(maps, layer.scale.weight[labels], layer.shift.weight[labels])
    torch.testing.assert_close(layer(maps, labels), expected)


def test_conditional_batch_normalisation_with_a_shared_embedding():
    torch.manual_seed(0)
    network = built(ResNetGenerator, classes=5, width=4, max_width=4, embedding=6).double()
    layer = network.blocks[0].norm1
    assert isinstance(network.condition, ClassCondition)
    embedded = network.condition.embedding.weight[[4, 0, 0, 2]]
    assert embedded.shape == (4, 6)
    layer.shift.bias.data.normal_()
    maps = torch.randn(4, 4, 2, 2, dtype=torch.float64) * 3 + 1
    scale = embedded @ layer.scale.weight.T + layer.scale.bias
    shift = embedded @ layer.shift.weight.T + layer.shift.bias
    torch.testing.assert_close(layer(maps, embedded), formula(maps, scale, shift))


def test_missing_labels_are_asked_for():
    with pytest.raises(UsageError, match="knows 5 classes: pass a label"):
        ClassCondition(5, None)(None)
    assert ClassCondition(0, 6)(torch.tensor([9])) is None
    assert not list(ClassCondition(0, 6).parameters())


@pytest.mark.parametrize("shape", [(3, 16), (16, 3)])
def test_orthogonal_weights_have_the_variance_of_fan_in_and_one_singular_value(shape):
    torch.manual_seed(0)
    layer = nn.Linear(*shape)
    initialise_orthogonal(layer, gain=1.5)
    values = torch.linalg.svdvals(layer.weight.detach())
    torch.testing.assert_close(values, values[0].expand_as(values))
    assert layer.weight.square().mean().item() == pytest.approx(1.5**2 / shape[0], rel=1e-4)
    assert not layer.bias.any()


@pytest.mark.parametrize("shape", [(3, 16), (16, 3)])
def test_spectral_norm_is_exact_after_orthogonal_weights(shape):
    torch.manual_seed(0)
    layer = SpectralLinear(*shape)
    initialise_orthogonal(layer, gain=3.0)
    assert torch.linalg.svdvals(layer.normalised_weight().detach())[0].item() == pytest.approx(1, abs=1e-5)


# Blocks


@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (lambda: first_block(3, 6, nn.Conv2d), (6, 4)),
        (lambda: down_block(3, 6, nn.Conv2d, nn.BatchNorm2d), (6, 4)),
        (lambda: flat_block(3, nn.Conv2d, nn.BatchNorm2d), (3, 8)),
    ],
)
def test_a_discriminators_block_halves_the_side_or_keeps_it(block, shape):
    made = block()
    assert isinstance(made, Residual)
    assert made(torch.randn(2, 3, 8, 8)).shape == (2, shape[0], shape[1], shape[1])


def test_an_up_block_doubles_the_side_and_is_the_papers():
    torch.manual_seed(0)
    block = UpBlock(5, 3, nn.Conv2d, plain_norm)
    maps = torch.randn(4, 5, 8, 8)

    def normed(values):
        return functional.batch_norm(values, None, None, training=True)

    def doubled(values):
        return values.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    branch = block.conv2(normed(block.conv1(doubled(normed(maps).relu()))).relu())
    expected = branch + block.shortcut(doubled(maps))
    assert expected.shape == (4, 3, 16, 16)
    torch.testing.assert_close(block(maps, None), expected)


def test_a_down_block_is_the_papers():
    torch.manual_seed(0)
    block = down_block(3, 5, nn.Conv2d, lambda channels: nn.Identity())
    first, second, across = (layer for layer in block.modules() if isinstance(layer, nn.Conv2d))
    maps = torch.randn(2, 3, 8, 8)
    expected = functional.avg_pool2d(second(first(maps.relu()).relu()) + across(maps), 2)
    torch.testing.assert_close(block(maps), expected)


# Networks


def test_parameters_of_sngans_generator_for_cifar10():
    norm = 2 * 256
    block = 2 * norm + 2 * conv(256, 256, 3) + conv(256, 256, 1)
    expected = (128 + 1) * 256 * 4 * 4 + 3 * block + norm + conv(256, 3, 3)
    assert expected == 4_276_739
    assert parameters(built(ResNetGenerator, width=256, max_width=256)) == expected
    # With classes each of the seven normalisations has its scales and shifts ten times.
    conditional = built(ResNetGenerator, width=256, max_width=256, classes=10)
    assert parameters(conditional) == expected + 7 * 9 * norm


def test_parameters_of_sngans_discriminator_for_cifar10():
    first = conv(3, 128, 3) + conv(128, 128, 3) + conv(3, 128, 1)
    down = 2 * conv(128, 128, 3) + conv(128, 128, 1)
    flat = 2 * conv(128, 128, 3)
    expected = first + down + 2 * flat + 128 + 1
    assert expected == 1_053_825
    assert parameters(built(ResNetDiscriminator, width=128, max_width=128)) == expected
    assert parameters(built(ResNetDiscriminator, width=128, max_width=128, classes=10)) == expected + 10 * 128


def test_maps_of_the_networks_for_imagenet():
    small = {"width": 2, "max_width": 32}  # 64 and 1024, a thirty-second of them
    generator, discriminator = (built(family, 128, **small) for family in (ResNetGenerator, ResNetDiscriminator))
    assert outputs(generator, UpBlock) == [(32, 8), (16, 16), (8, 32), (4, 64), (2, 128)]
    assert outputs(discriminator, Residual) == [(2, 64), (4, 32), (8, 16), (16, 8), (32, 4), (32, 4)]


@pytest.mark.parametrize(
    ("size", "maps"),
    [(16, [(4, 8)] * 3), (32, [(4, 16)] + [(4, 8)] * 3), (64, [(4, 32), (4, 16), (4, 8), (4, 4), (4, 4)])],
)
def test_where_the_discriminator_stops_halving(size, maps):
    assert outputs(built(ResNetDiscriminator, size, width=4, max_width=4), Residual) == maps


def test_the_discriminator_sums_over_positions():
    network = built(ResNetDiscriminator, 16, width=4, classes=3)
    images, labels = torch.randn(5, 3, 16, 16), torch.tensor([0, 2, 1, 1, 0])
    summed = network.layers(images).sum(dim=(2, 3))
    expected = network.head.linear(summed)[:, 0] + (network.head.embedding(labels) * summed).sum(dim=1)
    torch.testing.assert_close(network(images, labels), expected)


@BOTH
def test_attention_stands_at_its_side_and_changes_nothing_at_the_start(family):
    network = built(family, width=4, max_width=8, attention=16)
    channels = 8 if family is ResNetGenerator else 4
    assert outputs(network, SelfAttention) == [(channels, 16)]
    (attention,) = (layer for layer in network.modules() if isinstance(layer, SelfAttention))
    assert attention.gain.item() == 0
    given = torch.randn(3, 128) if family is ResNetGenerator else torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        before = network(given)
        attention.gain.fill_(1)
        assert not torch.equal(network(given), before)
        attention.forward = lambda maps: maps
        assert torch.equal(network(given), before)


def test_every_weight_is_normalised_where_the_norm_is_spectral():
    for network in (
        built(ResNetGenerator, width=4, classes=3, embedding=5, spectral=True, attention=8),
        built(ResNetDiscriminator, width=4, classes=3, norm="spectral", attention=8),
    ):
        layers = [layer for layer in network.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
        assert layers
        assert all(isinstance(layer, SpectralNorm) for layer in layers)


def test_layer_normalisation_stands_before_each_relu_within_the_later_blocks():
    network = built(ResNetDiscriminator, width=4, norm="layer")
    norms = [layer for layer in network.modules() if isinstance(layer, nn.GroupNorm)]
    assert [layer.num_channels for layer in norms] == [4, 8, 8, 8, 8, 8]
    maps = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(norms[0](maps), functional.layer_norm(maps, (4, 5, 5)))


@BOTH
@pytest.mark.parametrize("size", [8, 28, 48, 2048])
def test_the_sizes_it_can_are_named(family, size):
    with pytest.raises(UsageError, match=rf"16, 32, 64, 128, 256, 512, 1024 .* not {size}"):
        built(family, size)


@BOTH
def test_a_width_above_the_maximum_is_refused(family):
    with pytest.raises(UsageError, match="width 2000 is above its max_width 1024"):
        built(family, width=2000)


@pytest.mark.parametrize(
    ("family", "side", "known"),
    [(ResNetGenerator, 4, "8, 16, 32"), (ResNetGenerator, 64, "8, 16, 32"), (ResNetDiscriminator, 32, "8, 16")],
)
def test_attention_where_there_is_no_map_is_refused(family, side, known):
    with pytest.raises(UsageError, match=f"attention of {side} has no map: choose one of {known} here"):
        built(family, attention=side)
