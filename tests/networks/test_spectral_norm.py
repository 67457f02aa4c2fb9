import copy

import pytest
import torch
from torch.nn import functional

from ganvas.networks.layers import SpectralConv2d, SpectralEmbedding, SpectralLinear, SpectralNorm

LAYERS = {
    "linear": (lambda: SpectralLinear(48, 32), lambda: torch.randn(4, 48)),
    "one logit": (lambda: SpectralLinear(48, 1), lambda: torch.randn(4, 48)),
    "conv": (lambda: SpectralConv2d(3, 16, 4, stride=2, padding=1), lambda: torch.randn(4, 3, 8, 8)),
    "embedding": (lambda: SpectralEmbedding(10, 24), lambda: torch.tensor([0, 9, 3])),
}


@pytest.fixture(params=LAYERS)
def layer_and_input(request):
    torch.manual_seed(0)
    build, draw = LAYERS[request.param]
    return build(), draw()


def largest_singular_value(weight):
    return torch.linalg.svdvals(weight.detach().flatten(1))[0].item()


def test_sigma_is_nearly_right_from_the_start(layer_and_input):
    layer, _ = layer_and_input
    assert largest_singular_value(layer.normalised_weight()) == pytest.approx(1, rel=0.03)


def test_sigma_is_right_after_many_moves(layer_and_input):
    layer, _ = layer_and_input
    for _ in range(300):
        layer.begin_move()
    assert largest_singular_value(layer.normalised_weight()) == pytest.approx(1, rel=1e-4)


def test_sigma_follows_a_weight_that_changed(layer_and_input):
    layer, _ = layer_and_input
    with torch.no_grad():
        layer.weight.mul_(5).add_(torch.randn_like(layer.weight))
    for _ in range(300):
        layer.begin_move()
    assert largest_singular_value(layer.normalised_weight()) == pytest.approx(1, rel=1e-4)


def test_forward_uses_the_normalised_weight_and_leaves_the_vectors(layer_and_input):
    layer, images = layer_and_input
    u, v = layer.u.clone(), layer.v.clone()
    weight = layer.normalised_weight()
    expected = {
        SpectralLinear: lambda: functional.linear(images, weight, layer.bias),
        SpectralConv2d: lambda: functional.conv2d(images, weight, layer.bias, stride=2, padding=1),
        SpectralEmbedding: lambda: weight[images],
    }[type(layer)]()
    assert layer.training
    torch.testing.assert_close(layer(images), expected)
    assert torch.equal(layer.u, u)
    assert torch.equal(layer.v, v)


def test_begin_move_is_one_power_iteration(layer_and_input):
    layer, _ = layer_and_input
    with torch.no_grad():
        layer.weight.add_(torch.randn_like(layer.weight))
    matrix = layer.weight.detach().flatten(1)
    v = matrix.T @ layer.u
    v = v / v.norm()
    u = matrix @ v
    layer.begin_move()
    torch.testing.assert_close(layer.v, v)
    torch.testing.assert_close(layer.u, u / u.norm())


def test_gradient_reaches_the_weight_through_sigma():
    torch.manual_seed(0)
    layer = SpectralLinear(4, 3).double()
    images = torch.randn(2, 4, dtype=torch.float64)

    def output(weight):
        return torch.func.functional_call(layer, {"weight": weight}, (images,))

    assert torch.autograd.gradcheck(output, (layer.weight,))
    assert torch.autograd.gradgradcheck(output, (layer.weight,))


def test_scale_of_the_weight_does_not_matter(layer_and_input):
    layer, images = layer_and_input
    scaled = copy.deepcopy(layer)
    with torch.no_grad():
        scaled.weight.mul_(7)
    torch.testing.assert_close(scaled(images), layer(images))


def test_sigma_stays_float32_under_autocast(layer_and_input):
    layer, _ = layer_and_input
    exact = layer.normalised_weight()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.normalised_weight(), exact)


def test_vectors_are_saved_under_plain_names():
    layer = SpectralConv2d(1, 2, 3)
    assert set(layer.state_dict()) == {"weight", "bias", "u", "v"}
    assert isinstance(layer, SpectralNorm)
