"""The two parts of the evidence lower bound, against torch.distributions, by hand, and against Monte Carlo."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ganvas.losses import likelihood


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_kl_is_that_of_two_normal_distributions():
    mean, log_variance = draws(5, 7), draws(5, 7, seed=1)
    exact = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(likelihood.kl_to_standard_normal(mean, log_variance), exact.double())


def test_the_kl_is_the_mean_of_the_log_ratio_at_draws_of_the_posterior():
    mean, log_variance = torch.tensor([[1.0, -0.5]]).double(), torch.tensor([[-1.0, 0.4]]).double()
    posterior = Normal(mean, (log_variance / 2).exp())
    z = mean + (log_variance / 2).exp() * draws(200_000, 2)
    ratio = (posterior.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(dim=1)
    assert likelihood.kl_to_standard_normal(mean, log_variance).item() == pytest.approx(ratio.mean().item(), abs=0.01)


@pytest.mark.parametrize(
    ("mean", "log_variance", "value"),
    [(0.0, 0.0, 0.0), (2.0, 0.0, 2.0), (0.0, math.log(4), (3 - math.log(4)) / 2)],
)
def test_the_kl_of_one_latent_by_hand(mean, log_variance, value):
    given = torch.tensor([[mean]]), torch.tensor([[log_variance]])
    assert likelihood.kl_to_standard_normal(*given).item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("sd", [0.2, 1.0, 3.0])
def test_the_reconstruction_is_minus_the_log_density_of_a_picture(sd):
    pictures, means = draws(3, 2, 4, 4), draws(3, 2, 4, 4, seed=1)
    exact = -Normal(means, sd).log_prob(pictures).flatten(1).sum(dim=1).mean()
    log_sd = torch.tensor(math.log(sd), dtype=torch.float64)
    torch.testing.assert_close(likelihood.gaussian(pictures, means, log_sd), exact)


def test_the_best_noise_is_the_root_of_the_mean_squared_error():
    pictures, means = draws(3, 1, 4, 4), draws(3, 1, 4, 4, seed=1)
    log_sd = (pictures - means).square().mean().log().div(2).requires_grad_()
    (slope,) = torch.autograd.grad(likelihood.gaussian(pictures, means, log_sd), log_sd)
    assert slope.item() == pytest.approx(0, abs=1e-9)


def test_gradients_are_those_of_finite_differences():
    pictures, means, log_sd = draws(2, 1, 3, 3), draws(2, 1, 3, 3, seed=1), draws(1)[0]
    inputs = [tensor.requires_grad_() for tensor in (pictures, means, log_sd)]
    assert torch.autograd.gradcheck(likelihood.gaussian, inputs)
    inputs = [draws(2, 3).requires_grad_(), draws(2, 3, seed=1).requires_grad_()]
    assert torch.autograd.gradcheck(likelihood.kl_to_standard_normal, inputs)
