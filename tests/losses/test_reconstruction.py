"""Pixel losses by hand, and against finite differences."""

import pytest
import torch

from ganvas.losses.reconstruction import charbonnier, l1


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_l1_is_the_mean_absolute_difference():
    assert l1(torch.tensor([[[[1.0, -1.0]]]]), torch.tensor([[[[0.5, 1.0]]]])).item() == 1.25
    assert l1(draws(2, 3, 4, 4), draws(2, 3, 4, 4)).item() == 0


def test_charbonnier_is_epsilon_where_nothing_differs_and_l1_far_from_it():
    same = draws(1, 2, 3, 3)
    assert charbonnier(same, same).item() == pytest.approx(1e-3)
    assert charbonnier(same, same + 3).item() == pytest.approx(3, abs=1e-6)
    assert charbonnier(same, same + 0.3, epsilon=0.4).item() == pytest.approx(0.5)


@pytest.mark.parametrize("loss", [l1, charbonnier])
def test_pictures_of_other_shapes_are_refused(loss):
    with pytest.raises(ValueError, match="compared value by value"):
        loss(draws(2, 3, 4, 4), draws(2, 1, 4, 4))


@pytest.mark.parametrize("loss", [l1, charbonnier])
def test_gradients_are_those_of_finite_differences_and_bfloat16_is_raised(loss):
    made, wanted = draws(1, 2, 3, 3), draws(1, 2, 3, 3, seed=1)
    assert torch.autograd.gradcheck(loss, [made.requires_grad_(), wanted])
    assert loss(made.bfloat16(), wanted.bfloat16()).dtype == torch.float32
    assert loss(made, wanted).dtype == torch.float64
