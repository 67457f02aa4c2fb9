"""StyleGAN2's parts against references written out place by place: what the papers say, and nothing of the layers."""

import math

import pytest
import torch
from torch.nn import functional

from ganvas.networks.resampling import convolve
from ganvas.networks.stylegan2 import (
    HalvingBlock,
    StyledConv,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
    ToPictures,
)

FILTER = (1 / 8, 3 / 8, 3 / 8, 1 / 8)
SMALL = {"channel_base": 128, "max_width": 4}


def generator(classes=0, layers=3, size=16):
    torch.manual_seed(0)
    chosen = StyleGAN2Generator.Settings(**SMALL, latent=7, w_width=6, mapping_layers=layers, embedding=5)
    return StyleGAN2Generator(chosen, size=size, channels=3, classes=classes).double()


def randomised(network):
    """The network with no parameter left at the value that it began with."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    return network


def lrelu(value):
    """LeakyReLU 0.2 times the root of 2."""
    return math.sqrt(2) * (value if value >= 0 else 0.2 * value)


def of_size_one(numbers):
    """The numbers divided by the root of their mean square."""
    size = math.sqrt(sum(number**2 for number in numbers) / len(numbers) + 1e-8)
    return [number / size for number in numbers]


def mapped(mapping, latent, label):
    """One latent's w, number by number: a list. Karras et al. 2019, section 2; a rate of 0.01, He's constant."""
    values = of_size_one(latent)
    if label is not None:
        values += of_size_one(mapping.entry.embedding.weight[label].tolist())
    for layer in mapping.layers:
        constant = 0.01 / math.sqrt(len(values))
        weight, bias = layer.weight.tolist(), layer.bias.tolist()
        values = [
            lrelu(sum(constant * w * value for w, value in zip(row, values, strict=True)) + 0.01 * shift)
            for row, shift in zip(weight, bias, strict=True)
        ]
    return values


@pytest.mark.parametrize(("classes", "layers"), [(0, 1), (0, 3), (4, 2)])
@torch.no_grad()
def test_the_mapping_is_its_formula_number_by_number(classes, layers):
    mapping = randomised(generator(classes, layers).mapping)
    latents, labels = 3 * torch.randn(5, 7).double(), torch.arange(5) % classes if classes else None
    expected = [
        mapped(mapping, latent.tolist(), None if labels is None else labels[row]) for row, latent in enumerate(latents)
    ]
    ws = mapping(latents, labels)
    assert ws.shape == (5, 6, 6)
    for layer in range(6):
        torch.testing.assert_close(ws[:, layer], torch.tensor(expected, dtype=torch.float64))


@torch.no_grad()
def test_w_does_not_depend_on_how_long_a_latent_is():
    mapping, latents = generator().mapping, torch.randn(5, 7).double()
    torch.testing.assert_close(mapping(9 * latents), mapping(latents), rtol=1e-6, atol=1e-8)


def test_an_adam_step_moves_the_mapping_a_hundredth_as_far():
    """What one step of Adam, of one size for every weight, changes in the weights as they are used."""
    network = generator()
    before = {layer: layer.weight.detach() * layer.rate for layer in (network.mapping.layers[0], first_style(network))}
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.randn(8, 7).double()).square().sum().backward()
    optimizer.step()
    moved = [(layer.weight.detach() * layer.rate - weight).abs().median().item() for layer, weight in before.items()]
    assert moved == pytest.approx([0.001, 0.1], rel=1e-3)


def first_style(network):
    return network.synthesis.keeping[0].style


@torch.no_grad()
def test_a_picture_layer_is_a_modulated_1x1_convolution_without_normalisation():
    torch.manual_seed(0)
    layer = randomised(ToPictures(4, 5, 3).double())
    maps, ws = torch.randn(2, 5, 3, 4).double(), torch.randn(2, 4).double()
    expected = torch.zeros(2, 3, 3, 4, dtype=torch.float64)
    for picture in range(2):
        style = layer.style.weight @ ws[picture] / math.sqrt(4) + layer.style.bias
        for out in range(3):
            expected[picture, out] = layer.bias[out, 0, 0]
            for channel in range(5):
                weight = layer.weight[out, channel, 0, 0] / math.sqrt(5) * style[channel]
                expected[picture, out] += weight * maps[picture, channel]
    torch.testing.assert_close(layer(maps, ws), expected)
    assert ToPictures(4, 5, 3).style.bias.eq(1).all()


def upsampled(picture):
    """[C, H, W] -> [C, 2H, 2W]: each pixel spread by the filter, place by place. Figure 7b, "Up"."""
    channels, height, width = picture.shape
    wide = picture.new_zeros(channels, 2 * height + 2, 2 * width + 2)
    for row in range(height):
        for column in range(width):
            for i, down in enumerate(FILTER):
                for j, across in enumerate(FILTER):
                    wide[:, 2 * row + i, 2 * column + j] += 4 * down * across * picture[:, row, column]
    return wide[:, 1:-1, 1:-1]


@torch.no_grad()
def test_pictures_of_each_size_are_doubled_by_the_filter_and_added():
    network = randomised(generator())
    pieces = []
    for layer in network.synthesis.to_pictures:
        layer.register_forward_hook(lambda module, given, output: pieces.append(output[0]))
    made = network(torch.randn(1, 7).double())
    expected = pieces[0]
    for piece in pieces[1:]:
        expected = upsampled(expected) + piece
    torch.testing.assert_close(made[0], expected)


@torch.no_grad()
def test_which_layer_takes_which_w():
    """A size's picture layer and the next size's first convolution share theirs. Figure 2d, 7b."""
    network = generator(size=32)
    synthesis, taken = network.synthesis, {}
    for name, layer in synthesis.named_modules():
        if isinstance(layer, (StyledConv, ToPictures)):
            layer.register_forward_hook(lambda module, given, output, name=name: taken.update({name: given[1][0, 0]}))
    synthesis(torch.arange(8.0).double()[None, :, None].expand(1, 8, 6))
    assert {name: int(number) for name, number in taken.items()} == {
        "keeping.0": 0, "to_pictures.0": 1, "doubling.0": 1, "keeping.1": 2, "to_pictures.1": 3, "doubling.1": 3,
        "keeping.2": 4, "to_pictures.2": 5, "doubling.2": 5, "keeping.3": 6, "to_pictures.3": 7,
    }  # fmt: skip
    assert network.mapping.copies == 8


def filtered(maps, padding):
    """[N, C, H, W] with zeros around, by the filter, place by place."""
    maps = functional.pad(maps, [padding] * 4)
    high, wide = (side - 3 for side in maps.shape[2:])
    return sum(FILTER[i] * FILTER[j] * maps[:, :, i : i + high, j : j + wide] for i in range(4) for j in range(4))


def activated(maps):
    return math.sqrt(2) * functional.leaky_relu(maps, 0.2)


def halved(block, maps):
    """Section 4, figure 7c: with He's constant at each weight, and both ways over the root of 2."""
    channels = maps.shape[1]
    deep, across = 1 / math.sqrt(9 * channels), 1 / math.sqrt(channels)
    first = activated(functional.conv2d(maps, deep * block.first.weight, block.first.bias, padding=1))
    second = functional.conv2d(filtered(first, 2), deep * block.second.weight, block.second.bias, stride=2)
    skip = functional.conv2d(filtered(maps, 1), across * block.skip.weight, stride=2)
    return (activated(second) + skip) / math.sqrt(2)


@torch.no_grad()
def test_a_halving_block_is_its_formula():
    torch.manual_seed(0)
    block, maps = randomised(HalvingBlock(3, 5).double()), torch.randn(2, 3, 8, 6).double()
    torch.testing.assert_close(block(maps), halved(block, maps))


@pytest.mark.parametrize("classes", [0, 3])
@torch.no_grad()
def test_the_discriminator_is_its_formula_from_the_picture_to_the_logit(classes):
    torch.manual_seed(0)
    chosen = StyleGAN2Discriminator.Settings(**SMALL, group=2)
    network = randomised(StyleGAN2Discriminator(chosen, size=16, channels=3, classes=classes).double())
    pictures, labels = torch.randn(4, 3, 16, 16).double(), torch.tensor([2, 0, 1, 1]) if classes else None
    first = network.from_pictures
    maps = activated(convolve(pictures, first.weight / math.sqrt(3), first.bias))
    for block in network.blocks:
        maps = halved(block, maps)
    groups = maps.view(2, 2, 4, 4, 4)
    deviations = ((groups[:, 0] - groups[:, 1]).square() / 4 + 1e-8).sqrt().mean(dim=(1, 2, 3))  # of two numbers
    map_of_one = deviations.repeat_interleave(2)[:, None, None, None].expand(4, 1, 4, 4)
    maps = torch.cat([maps, map_of_one], dim=1)
    maps = activated(functional.conv2d(maps, network.conv.weight / math.sqrt(9 * 5), network.conv.bias, padding=1))
    features = activated(maps.flatten(1) @ network.dense.weight.T / math.sqrt(4 * 16) + network.dense.bias)
    logits = (features @ network.head.linear.weight.T / math.sqrt(4) + network.head.linear.bias)[:, 0]
    if classes:
        logits = logits + (features * network.head.embedding.weight[labels]).sum(dim=1) / math.sqrt(4)
    torch.testing.assert_close(network(pictures, labels), logits)
