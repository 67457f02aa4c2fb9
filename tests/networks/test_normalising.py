"""Normalisation of single pictures: values and gradients by hand, whatever their layout."""

import pytest
import torch

from ganvas.networks.normalising import norm_of

LAYOUTS = {"rows": torch.contiguous_format, "channels last": torch.channels_last}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["instance", "instance-affine"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("back", LAYOUTS)
def test_each_picture_is_normalised_by_itself_with_the_gradient_of_that(count, name, layout, back):
    norm = norm_of(name, 4).double()
    if name == "instance-affine":
        torch.nn.init.normal_(norm.weight), torch.nn.init.normal_(norm.bias)
    maps = torch.randn(count, 4, 5, 6, dtype=torch.float64).contiguous(memory_format=LAYOUTS[layout]).requires_grad_()
    slope = torch.randn(count, 4, 5, 6, dtype=torch.float64).contiguous(memory_format=LAYOUTS[back])
    mean, variance = maps.mean((2, 3), keepdim=True), maps.var((2, 3), keepdim=True, unbiased=False)
    expected = (maps - mean) / (variance + norm.eps).sqrt()
    if name == "instance-affine":
        expected = expected * norm.weight.view(1, 4, 1, 1) + norm.bias.view(1, 4, 1, 1)
    made = norm(maps)
    torch.testing.assert_close(made, expected)
    found, right = (torch.autograd.grad(some, maps, slope)[0] for some in (made, expected))
    torch.testing.assert_close(found, right)
    with torch.no_grad():
        torch.testing.assert_close(norm(maps), expected)
