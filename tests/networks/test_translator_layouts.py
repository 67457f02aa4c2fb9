"""Each network from pictures to pictures against its paper: counts of parameters, layers, closed forms."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.networks import translator
from ganvas.networks.enlarging import enlarged
from ganvas.networks.gated import GatedConv2d
from ganvas.networks.residual_translator import ResidualBlock
from ganvas.networks.rrdb import DenseBlock, ResidualInResidual


def build(name, inputs=3, outputs=3, **chosen):
    torch.manual_seed(0)
    family = translator(name)
    return family(family.Settings(**chosen), inputs=inputs, outputs=outputs)


def parameters(network):
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("name", "chosen", "count"),
    [
        ("unet", {}, 54_413_955),
        ("resnet", {}, 11_378_179),
        ("resnet", {"blocks": 6}, 7_837_699),
        ("srresnet", {}, 1_517_571),
        ("rrdb", {}, 16_697_987),
        ("rrdb", {"scale": 2}, 16_703_171),
        ("gated", {}, 2_894_419),
    ],
)
def test_the_published_networks_have_their_parameters(name, chosen, count):
    with torch.device("meta"):
        assert parameters(build(name, 4 if name == "gated" else 3, **chosen)) == count


def test_the_unet_hands_the_maps_of_every_side_across():
    network = build("unet", width=4, max_width=8, halvings=3, norm="none").eval()
    images = torch.rand(1, 3, 8, 8)
    down, up = network.down, [layer[0] for layer in network.up]
    half = down[0](images)
    quarter = down[1](functional.leaky_relu(half, 0.2))
    inner = down[2](functional.leaky_relu(quarter, 0.2))
    assert inner.shape == (1, 8, 1, 1)
    back = torch.cat([quarter, up[0](inner.relu())], dim=1)
    back = torch.cat([half, up[1](back.relu())], dim=1)
    torch.testing.assert_close(network(images), network.last(back.relu()).tanh())


def test_normalisation_is_everywhere_but_at_the_picture_and_innermost():
    network = build("unet", width=4, max_width=8, halvings=4, norm="batch")
    assert len(network.down_norms) == 4 - 2
    assert len(network.up_norms) == 4 - 1
    with_bias = [name for name, _ in network.named_parameters() if name.endswith("bias") and "norms" not in name]
    assert with_bias == ["last.0.bias"], "batch normalisation takes the place of a bias"


@pytest.mark.parametrize("name", ["unet", "resnet"])
def test_a_resize_convolution_leaves_no_checkerboard_where_a_transposed_one_does(name):
    shape = {"unet": {"width": 8, "max_width": 16, "halvings": 3}, "resnet": {"width": 8, "blocks": 1}}[name]

    def unevenness(upsample):
        network = build(name, **shape, upsample=upsample, norm="none").eval()
        with torch.no_grad():
            made = network(torch.full((1, 3, 64, 64), 0.5))[..., 24:40, 24:40]  # far from the border
        return made.std(dim=(2, 3)).max()

    assert unevenness("resize") < 1e-6
    assert unevenness("transposed") > 1e-2


def test_a_residual_block_sees_its_maps_go_on_as_their_mirror_image():
    block = ResidualBlock(2, "none")
    maps = torch.rand(1, 2, 5, 6)
    first, second = block.first, block.second
    inner = functional.conv2d(functional.pad(maps, (1, 1, 1, 1), mode="reflect"), first.weight, first.bias).relu()
    inner = functional.conv2d(functional.pad(inner, (1, 1, 1, 1), mode="reflect"), second.weight, second.bias)
    torch.testing.assert_close(block(maps), maps + inner)


def test_encoded_maps_are_those_that_the_contrastive_loss_names():
    network = build("resnet", width=4, norm="none")
    images = torch.rand(2, 3, 16, 24)
    maps = network.encoded(images)
    assert [tuple(some.shape[1:]) for some in maps] == [(3, 16, 24), (8, 8, 12), (16, 4, 6), (16, 4, 6), (16, 4, 6)]
    assert tuple(some.shape[1] for some in maps) == network.widths
    torch.testing.assert_close(maps[3], network.blocks[0](maps[2]))
    fifth = maps[2]
    for block in network.blocks[:5]:
        fifth = block(fifth)
    torch.testing.assert_close(maps[4], fifth)
    rest = fifth
    for block in network.blocks[5:]:
        rest = block(rest)
    torch.testing.assert_close(network(images), network.last(network.up(rest)).tanh())


@pytest.mark.parametrize(
    ("name", "scale"), [*(("srresnet", s) for s in (2, 3, 4)), *(("rrdb", s) for s in (1, 2, 3, 4))]
)
@pytest.mark.parametrize(
    ("mode", "resample"), [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)]
)
def test_a_network_begins_near_the_enlargement_that_pillow_makes(name, scale, mode, resample):
    picture = torch.rand(1, 1, 8, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = Image.fromarray(picture[0, 0].numpy()).resize((12 * scale, 8 * scale), resample)
    torch.testing.assert_close(
        enlarged(picture, scale, mode)[0, 0], torch.from_numpy(np.array(expected)), atol=1e-5, rtol=0
    )
    network = build(name, 1, 1, scale=scale, width=16, blocks=4, enlargement=mode)
    with torch.no_grad():
        assert (network(picture) - enlarged(picture, scale, mode)).abs().mean() < 0.05
        network.last.weight.zero_()
        torch.testing.assert_close(network(picture), enlarged(picture, scale, mode))


@pytest.mark.parametrize("name", ["srresnet", "rrdb"])
def test_an_enlargement_to_other_channels_is_refused(name):
    with pytest.raises(UsageError, match="cannot add its 3 channels to an enlargement of 1: set enlargement=none"):
        build(name, 1, 3, enlargement="bicubic")


def test_the_dense_block_of_the_paper_by_hand():
    torch.manual_seed(0)
    block = DenseBlock(4, 2)
    maps = torch.rand(1, 4, 3, 3)
    first, second, third, fourth, fifth = block.convs
    one = functional.leaky_relu(first(maps), 0.2)
    two = functional.leaky_relu(second(torch.cat([maps, one], 1)), 0.2)
    three = functional.leaky_relu(third(torch.cat([maps, one, two], 1)), 0.2)
    four = functional.leaky_relu(fourth(torch.cat([maps, one, two, three], 1)), 0.2)
    torch.testing.assert_close(block(maps), maps + 0.2 * fifth(torch.cat([maps, one, two, three, four], 1)))
    outer = ResidualInResidual(4, 2)
    inner = maps
    for dense in outer.dense:
        inner = dense(inner)
    torch.testing.assert_close(outer(maps), maps + 0.2 * inner)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_rrdb_sees_black_as_0_and_white_as_1(scale):
    network = build("rrdb", 1, 1, scale=scale, width=4, growth=2, blocks=1)
    seen = []
    network.first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.tensor([[-1.0, 1.0] * 2] * 4)[None, None])
    assert {0.0, 1.0} == set(seen[0].unique().tolist())
    assert seen[0].shape[1] == {1: 16, 2: 4, 3: 1, 4: 1}[scale]
    with torch.no_grad():
        network.last.weight.zero_(), network.last.bias.fill_(0.25)
        assert network(torch.zeros(1, 1, 4, 4)).unique().tolist() == [-0.5]


def test_a_gate_lets_features_through():
    layer = GatedConv2d(1, 1, 1)
    layer.weight.data = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
    layer.bias.data = torch.tensor([0.0, -1.0])
    values = torch.tensor([-1.0, 0.0, 2.0])
    expected = functional.elu(values) * torch.sigmoid(2 * values - 1)
    torch.testing.assert_close(layer(values.view(1, 1, 1, 3)).flatten(), expected)


def test_dilations_are_how_far_the_gated_network_sees():
    assert [build("gated", width=2, dilations=chosen).reach for chosen in ((), (2,), (2, 4, 8, 16))] == [33, 41, 153]
