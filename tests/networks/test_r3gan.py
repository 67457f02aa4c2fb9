"""R3GAN against small references that are written out, and the paper's figures."""

import math

import pytest
import torch
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.networks.r3gan import SLOPE, Block, Double, Halve, R3GANDiscriminator, R3GANGenerator

FILTER = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)


def millions(network):
    return round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 3)


@pytest.mark.parametrize(
    ("size", "classes", "width", "group", "generator", "discriminator"),
    [
        (32, 0, 768, 16, 20.732, 20.684),  # CIFAR-10
        (32, 10, 768, 16, 20.782, 21.281),
        (64, 0, 768, 16, 22.430, 22.381),  # FFHQ
        (256, 0, 768, 16, 23.058, 23.010),
        (32, 1000, 1536, 32, 82.914, 86.549),  # ImageNet
    ],
)
def test_parameters_are_as_many_as_published(size, classes, width, group, generator, discriminator):
    with torch.device("meta"):
        networks = [
            kind(kind.Settings(width=width, group=group), size=size, channels=3, classes=classes)
            for kind in (R3GANGenerator, R3GANDiscriminator)
        ]
    assert [millions(network) for network in networks] == [generator, discriminator]


def filtered(signal, axis, gain):
    """[1, 2, 1] along an axis by a loop over places, edges repeated."""
    signal = signal.movedim(axis, -1)
    padded = torch.cat([signal[..., :1], signal, signal[..., -1:]], dim=-1)
    out = sum(FILTER[tap] * gain * padded[..., tap : tap + signal.shape[-1]] for tap in range(3))
    return out.movedim(-1, axis)


def test_halving_is_the_filter_and_every_other_pixel():
    maps = torch.randn(2, 3, 8, 12, dtype=torch.float64)
    expected = filtered(filtered(maps, 2, 1 / 4), 3, 1 / 4)[:, :, ::2, ::2]
    torch.testing.assert_close(Halve(3, 3).double()(maps), expected)


def test_doubling_is_zeros_between_the_pixels_and_the_filter():
    maps = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    # One more row and column of the edge, so that the zeros inserted behind the last pixel have a neighbour.
    edged = functional.pad(maps, (0, 1, 0, 1), mode="replicate")
    spread = torch.zeros(2, 3, 12, 16, dtype=torch.float64)
    spread[:, :, ::2, ::2] = edged
    expected = filtered(filtered(spread, 2, 1 / 2), 3, 1 / 2)
    # The first row and column have zeros before them, where `filtered` repeats the edge.
    out = Double(3, 3).double()(maps)
    torch.testing.assert_close(out[:, :, 1:, 1:], expected[:, :, 1:10, 1:14])
    torch.testing.assert_close(out[:, :, ::2, ::2], maps)


def test_constant_maps_stay_constant():
    maps = torch.full((1, 2, 8, 8), 0.7)
    for layer in (Halve(2, 2), Double(2, 2)):
        assert torch.allclose(layer(maps), torch.tensor(0.7))


def test_a_change_of_width_commutes_with_the_filter():
    maps, layer = torch.randn(2, 3, 6, 6, dtype=torch.float64), Double(3, 5).double()
    plain = Double(3, 3).double()(maps)
    torch.testing.assert_close(layer(maps), functional.conv2d(plain, layer.change.weight))


def test_a_block_begins_as_the_identity_and_is_its_formula_written_out():
    block = Block(4, 2, 2, blocks=8).double()
    maps = torch.randn(3, 4, 5, 5, dtype=torch.float64)
    assert torch.equal(block(maps), maps)
    torch.nn.init.normal_(block.narrow.weight)
    wide = functional.leaky_relu(torch.einsum("oi,nihw->nohw", block.widen.weight[:, :, 0, 0], maps), SLOPE)
    padded, mixed = functional.pad(wide, (1, 1, 1, 1)), torch.zeros_like(wide)
    for out in range(8):
        first = out // 2 * 2  # the group of two that this channel sees
        for row in range(3):
            for column in range(3):
                seen = padded[:, first : first + 2, row : row + 5, column : column + 5]
                mixed[:, out] += (seen * block.mix.weight[out, :, row, column, None, None]).sum(1)
    narrow = torch.einsum("oi,nihw->nohw", block.narrow.weight[:, :, 0, 0], functional.leaky_relu(mixed, SLOPE))
    torch.testing.assert_close(block(maps), maps + narrow)


def test_first_weights_shrink_with_the_number_of_blocks():
    few, many = Block(64, 2, 16, blocks=1), Block(64, 2, 16, blocks=16)
    gain = math.sqrt(2 / (1 + SLOPE**2))
    assert few.widen.weight.std().item() == pytest.approx(gain / math.sqrt(64), rel=0.05)
    assert many.mix.weight.std().item() == pytest.approx(gain / 2 / math.sqrt(16 * 9), rel=0.05)


def test_all_channels_in_one_group_is_an_ordinary_convolution():
    assert Block(6, 2, 0, blocks=1).mix.groups == 1


def test_a_width_that_groups_do_not_divide_is_refused():
    with pytest.raises(UsageError, match="24 channels inside a block are not divided by groups of 16"):
        R3GANGenerator(R3GANGenerator.Settings(width=12), size=16, channels=3, classes=0)


@pytest.mark.parametrize(("wide", "inside"), [(32, [64, 64, 64, 64, 32, 16]), (8, [64, 64, 32, 16, 8, 4])])
def test_the_side_of_a_map_says_its_width(wide, inside):
    settings = R3GANGenerator.Settings(width=32, wide=wide, group=0, blocks=1)
    network = R3GANGenerator(settings, size=128, channels=3, classes=0)
    assert [layer.mix.in_channels for layer in network.stages if isinstance(layer, Block)] == inside


def test_first_pictures_and_logits_are_neither_flat_nor_wild():
    torch.manual_seed(0)
    generator = R3GANGenerator(R3GANGenerator.Settings(width=64), size=32, channels=3, classes=0)
    judge = R3GANDiscriminator(R3GANDiscriminator.Settings(width=64), size=32, channels=3, classes=0)
    with torch.no_grad():
        assert 0.5 < generator(torch.randn(16, 64)).std() < 1.5
        assert 0.02 < judge(torch.rand(32, 3, 32, 32) * 2 - 1).std() < 2
