"""What the discriminator of K classes and fakes is asked: closed-form values and gradients."""

import math

import pytest
import torch

from ganvas.losses.adversarial import LOGISTIC
from ganvas.losses.semi_supervised import feature_matching, pseudo_label, real_logit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_being_real_is_what_a_softmax_with_a_fake_class_of_logit_0_says():
    logits = normal(5, 4)
    with_fake = torch.cat([logits, torch.zeros(5, 1, dtype=torch.float64)], dim=1).softmax(dim=1)
    torch.testing.assert_close(real_logit(logits).sigmoid(), 1 - with_fake[:, -1])
    assert real_logit(torch.zeros(1, 10)).item() == pytest.approx(math.log(10))


def test_the_logistic_loss_of_it_is_the_papers_unsupervised_one():
    real, fake = normal(6, 3), normal(6, 3, seed=1)
    sums = real.exp().sum(dim=1), fake.exp().sum(dim=1)  # Z of equation D = Z / (Z + 1)
    expected = -(sums[0] / (sums[0] + 1)).log().mean() - (1 / (sums[1] + 1)).log().mean()
    torch.testing.assert_close(LOGISTIC.discriminator(real_logit(real), real_logit(fake)), expected)


def test_matching_features_compares_means_and_nothing_else():
    real, fake = normal(8, 3), normal(4, 3, seed=1)
    assert feature_matching(real, fake).item() == pytest.approx(
        ((real.mean(dim=0) - fake.mean(dim=0)) ** 2).mean().item()
    )
    spread = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
    assert feature_matching(spread, spread / 2).item() == 0


def test_only_pictures_that_are_surely_of_a_class_teach_it():
    sure = torch.tensor([[9.0, 0.0], [0.1, 0.0], [0.0, 9.0]])
    changed = normal(3, 2).float()
    log_p = changed.log_softmax(dim=1)
    expected = -(log_p[0, 0] + log_p[2, 1]) / 3
    torch.testing.assert_close(pseudo_label(sure, changed, 0.95), expected)
    assert pseudo_label(sure, changed, 1.0).item() == 0
    half = -(log_p[0, 0] + log_p[1, 0] + log_p[2, 1]) / 3
    torch.testing.assert_close(pseudo_label(sure, changed, 0.5), half)


def test_no_gradient_flows_into_what_a_picture_is_taken_for():
    sure, changed = normal(4, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    pseudo_label(sure, changed, 0.2).backward()
    assert sure.grad is None
    assert changed.grad.abs().sum() > 0


def test_gradients_are_right():
    real, fake = normal(4, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: feature_matching(x, y), (real, fake))
    assert torch.autograd.gradcheck(real_logit, real)
    assert torch.autograd.gradcheck(lambda x: pseudo_label(real.detach() * 9, x, 0.9), fake)


@pytest.mark.parametrize(("given", "computed"), [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)])
def test_they_are_computed_in_float32_or_better(given, computed):
    one, other = normal(4, 3).to(given), normal(4, 3, seed=1).to(given)
    assert real_logit(one).dtype == computed
    assert feature_matching(one, other).dtype == computed
    assert pseudo_label(one, other, 0.5).dtype == computed
