"""SNGAN's and BigGAN's whole networks against their papers written out, with numpy's singular values."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from ganvas.networks.layers import SpectralNorm
from ganvas.networks.resnet import ResNetDiscriminator, ResNetGenerator

LABELS = torch.tensor([2, 0, 1, 1, 0])


def trained(network):
    """In float64, with no parameter, mean or variance as it began, and the singular vectors of these weights."""
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)
    for layer in network.modules():
        if isinstance(layer, SpectralNorm):
            layer.v.zero_()
            for _ in range(400):
                layer.begin_move()
    return network


def weight(layer):
    """The weight over its largest singular value, by numpy, where its norm is spectral."""
    if not isinstance(layer, SpectralNorm):
        return layer.weight
    matrix = layer.weight.detach().flatten(1).numpy()
    return layer.weight / np.linalg.svd(matrix, compute_uv=False)[0]


def convolved(layer, maps):
    return functional.conv2d(maps, weight(layer), layer.bias, padding=layer.weight.shape[-1] // 2)


def linear(layer, rows):
    return rows @ weight(layer).T + (0 if layer.bias is None else layer.bias)


def normed(layer, maps, condition, training):
    """Batch normalisation over the batch, or by what was seen, with the class's own scale and shift."""
    if training:
        mean, variance = maps.mean(dim=(0, 2, 3)), maps.var(dim=(0, 2, 3), correction=0)
    else:
        mean, variance = layer.norm.running_mean, layer.norm.running_var
    clean = (maps - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
    if layer.scale is None:
        return clean * layer.norm.weight[:, None, None] + layer.norm.bias[:, None, None]
    if condition.is_floating_point():
        scale, shift = linear(layer.scale, condition), linear(layer.shift, condition)
    else:
        scale, shift = layer.scale.weight[condition], layer.shift.weight[condition]
    return clean * (1 + scale[:, :, None, None]) + shift[:, :, None, None]


def attended(layer, maps):
    """Every position asks, each square of four positions answers."""
    queries, keys, values = (convolved(part, maps) for part in (layer.queries, layer.keys, layer.values))
    keys, values = functional.max_pool2d(keys, 2).flatten(2), functional.max_pool2d(values, 2).flatten(2)
    loud = torch.einsum("nchw,nck->nhwk", queries, keys).exp()
    seen = torch.einsum("nhwk,nck->nchw", loud / loud.sum(dim=3, keepdim=True), values)
    return maps + layer.gain * convolved(layer.out, seen)


def doubled(maps):
    return maps.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def generated(network, latents, condition):
    """Brock et al. 2019, figure 15: what a generator makes of latents, block by block."""
    maps = linear(network.project, latents).view(len(latents), -1, 4, 4)
    for block in network.blocks:
        branch = convolved(block.conv1, doubled(normed(block.norm1, maps, condition, network.training).relu()))
        branch = convolved(block.conv2, normed(block.norm2, branch, condition, network.training).relu())
        maps = branch + convolved(block.shortcut, doubled(maps))
        if maps.shape[2] == network.attended:
            maps = attended(network.attention, maps)
    return torch.tanh(convolved(network.last, normed(network.norm, maps, condition, network.training).relu()))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("classes", "own"),
    [(0, {}), (3, {}), (3, {"embedding": 5, "spectral": True, "attention": 8})],
    ids=["sngan", "sngan of classes", "biggan"],
)
@torch.no_grad()
def test_a_generator_is_the_papers(classes, own, training):
    torch.manual_seed(0)
    settings = ResNetGenerator.Settings(latent=6, width=4, max_width=8, **own)
    network = trained(ResNetGenerator(settings, size=16, channels=3, classes=classes)).train(training)
    latents, condition = torch.randn(5, 6).double(), LABELS if classes else None
    if "embedding" in own:
        condition = network.condition.embedding.weight[LABELS]
    expected = generated(network, latents, condition)
    made = network(latents, LABELS if classes else None)
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-6)
    assert 0.2 < made.std() < 0.95


@pytest.mark.parametrize(("classes", "own"), [(0, {}), (3, {"attention": 8})], ids=["sngan", "biggan"])
@torch.no_grad()
def test_a_discriminator_is_the_papers(classes, own):
    """Miyato et al. 2018, table 3: two blocks that halve the side, two that keep it; the class by projection."""
    torch.manual_seed(0)
    settings = ResNetDiscriminator.Settings(width=4, max_width=8, **own)
    network = trained(ResNetDiscriminator(settings, size=32, channels=3, classes=classes))
    pictures = torch.randn(5, 3, 32, 32).double()
    first, *blocks, _ = network.layers
    one, two = (layer for layer in first.branch if isinstance(layer, nn.Conv2d))
    branch = functional.avg_pool2d(convolved(two, convolved(one, pictures).relu()), 2)
    maps = branch + convolved(first.shortcut[1], functional.avg_pool2d(pictures, 2))
    halvings = [True, False, False]
    for block in blocks:
        if hasattr(block, "queries"):
            assert maps.shape[2] == 8
            maps = attended(block, maps)
            continue
        one, two = (layer for layer in block.branch if isinstance(layer, nn.Conv2d))
        branch = convolved(two, convolved(one, maps.relu()).relu())
        halves = halvings.pop(0)
        maps = functional.avg_pool2d(branch + convolved(block.shortcut[1], maps), 2) if halves else branch + maps
    summed = maps.relu().sum(dim=(2, 3))
    expected = linear(network.head.linear, summed)[:, 0]
    if classes:
        expected = expected + (weight(network.head.embedding)[LABELS] * summed).sum(dim=1)
    assert not halvings
    torch.testing.assert_close(network(pictures, LABELS if classes else None), expected, rtol=1e-5, atol=1e-6)
