import pytest
import torch
from torch import nn

from ganvas.networks.layers import SpectralConv2d, SpectralLinear
from ganvas.training.averages import Averages, AverageSettings


def test_averages_follow_the_formula_for_weights_and_buffers_and_copy_counters():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    averages = Averages({"g": network}, AverageSettings(half_life=100, ramp_up=10.0))
    before = network[0].weight.detach().clone()
    with torch.no_grad():
        network[0].weight.add_(1.0)
        network[1].running_mean.fill_(4.0)
        network[1].num_batches_tracked.fill_(7)
    averages.update(images=100, batch=100)
    held = averages.networks["g"]
    torch.testing.assert_close(held[0].weight, before + 0.5)
    torch.testing.assert_close(held[1].running_mean, torch.full((2,), 2.0))
    assert held[1].num_batches_tracked.item() == 7
    assert not held.training
    assert not any(weight.requires_grad for weight in held.parameters())


def test_without_a_half_life_the_average_is_the_network():
    network = nn.Linear(3, 1)
    averages = Averages({"g": network}, AverageSettings(half_life=0))
    with torch.no_grad():
        network.weight.mul_(3.0)
    averages.update(images=64, batch=64)
    assert torch.equal(averages.networks["g"].weight, network.weight)


def test_an_averaged_spectral_norm_is_that_of_the_averaged_weight():
    torch.manual_seed(0)
    network = nn.Sequential(SpectralConv2d(3, 5, 3), SpectralLinear(4, 2))
    averages = Averages({"g": network}, AverageSettings(half_life=1_000, ramp_up=10.0))
    for round in range(60):
        with torch.no_grad():
            for layer in network:
                layer.weight.add_(0.05 * torch.randn_like(layer.weight))
                layer.begin_move()
        averages.update(images=64 * (round + 1), batch=64)
    for layer in averages.networks["g"]:
        norm = torch.linalg.svdvals(layer.normalised_weight().flatten(1))[0].item()
        assert norm == pytest.approx(1, abs=0.02)
