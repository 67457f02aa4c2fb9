import math

import pytest
import torch
from torch.nn.functional import softplus

from ganvas.core.errors import UsageError
from ganvas.losses import ADVERSARIAL, adversarial_loss

LOSSES = sorted(ADVERSARIAL)


def values(name, real, fake):
    loss = adversarial_loss(name)
    real, fake = torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)
    return loss.discriminator(real, fake).item(), loss.generator(real, fake).item()


def test_a_misspelt_loss_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="logistic"):
        adversarial_loss("logistc")


def test_minimax_is_log_4_where_the_discriminator_cannot_tell():
    discriminator, generator = values("minimax", [0.0, 0.0], [0.0, 0.0])
    assert discriminator == pytest.approx(math.log(4))
    assert generator == pytest.approx(-math.log(2))


def test_minimax_is_the_negative_value_of_the_game():
    r, f = 0.7, -1.3
    d_real, d_fake = 1 / (1 + math.exp(-r)), 1 / (1 + math.exp(-f))
    discriminator, generator = values("minimax", [r], [f])
    assert discriminator == pytest.approx(-(math.log(d_real) + math.log(1 - d_fake)))
    assert generator == pytest.approx(math.log(1 - d_fake))


def test_with_the_optimal_discriminator_minimax_is_log_4_less_twice_the_jensen_shannon_divergence():
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    middle = (p + q) / 2
    divergence = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    logits = (p / q).log()  # of D* = p / (p + q)
    loss = adversarial_loss("minimax").discriminator
    # The expectations over p and q, as means over samples in those proportions (tenths).
    real = logits.repeat_interleave((p * 10).round().long())
    fake = logits.repeat_interleave((q * 10).round().long())
    assert loss(real, fake).item() == pytest.approx(math.log(4) - 2 * divergence.item())


def test_logistic_shares_the_minimax_discriminator_and_does_not_saturate():
    r, f = 0.7, -1.3
    assert values("logistic", [r], [f])[0] == pytest.approx(values("minimax", [r], [f])[0])
    assert values("logistic", [r], [f])[1] == pytest.approx(-math.log(1 / (1 + math.exp(-f))))
    slopes = {}
    for name in ("minimax", "logistic"):
        sure = torch.tensor([-20.0], requires_grad=True)
        adversarial_loss(name).generator(torch.zeros(1), sure).backward()
        slopes[name] = sure.grad.item()
    assert slopes["minimax"] == pytest.approx(0, abs=1e-8)
    assert slopes["logistic"] == pytest.approx(-1)


def test_lsgan_is_half_the_squared_distance_to_the_targets():
    assert values("lsgan", [1.0, 1.0], [0.0, 0.0])[0] == 0
    assert values("lsgan", [3.0], [-2.0]) == (pytest.approx(2 + 2), pytest.approx(4.5))
    assert values("lsgan", [0.0], [1.0])[1] == 0


def test_hinge_is_flat_beyond_the_margins_and_linear_within():
    assert values("hinge", [1.0, 5.0], [-1.0, -7.0])[0] == 0
    assert values("hinge", [0.25], [0.5])[0] == pytest.approx(0.75 + 1.5)
    assert values("hinge", [0.0], [3.0, 5.0])[1] == -4


def test_wasserstein_is_the_difference_of_the_means():
    assert values("wasserstein", [1.0, 3.0], [10.0, 20.0]) == (13, -15)


def test_relativistic_sees_pairs_and_is_its_own_mirror():
    loss = adversarial_loss("relativistic")
    real, fake = torch.randn(2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert loss.discriminator(real, fake).item() == pytest.approx(softplus(fake - real).mean().item())
    assert loss.discriminator(real, fake) == loss.generator(fake, real)
    assert loss.discriminator(real, fake).item() == pytest.approx(loss.discriminator(real + 9, fake + 9).item())
    assert values("relativistic", [4.0], [4.0]) == (pytest.approx(math.log(2)), pytest.approx(math.log(2)))


def test_relativistic_refuses_logits_that_only_broadcast():
    loss = adversarial_loss("relativistic")
    for function in (loss.discriminator, loss.generator):
        with pytest.raises(ValueError, match=r"\(1,\)"):
            function(torch.zeros(4), torch.zeros(1))


@pytest.mark.parametrize("name", LOSSES)
def test_only_a_loss_that_says_so_reads_the_real_logits_for_the_generator(name):
    loss = adversarial_loss(name)
    fake = torch.tensor([0.3, -0.8])
    reads = loss.generator(torch.zeros(2), fake) != loss.generator(torch.ones(2), fake)
    assert bool(reads) == loss.generator_reads_real


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(6,), (2, 1, 3, 3)])
def test_gradients_agree_with_differences(name, shape):
    draws = torch.Generator().manual_seed(1)
    real = torch.randn(shape, generator=draws, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(shape, generator=draws, dtype=torch.float64, requires_grad=True)
    loss = adversarial_loss(name)
    assert torch.autograd.gradcheck(loss.discriminator, (real, fake))
    assert torch.autograd.gradcheck(loss.generator, (real, fake))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extreme_logits_stay_finite(name, player, signs, dtype):
    real = torch.full((3,), 1e4 * signs[0], dtype=dtype, requires_grad=True)
    fake = torch.full((3,), 1e4 * signs[1], dtype=dtype, requires_grad=True)
    value = getattr(adversarial_loss(name), player)(real, fake)
    value.backward()
    assert torch.isfinite(value)
    assert all(torch.isfinite(logits.grad).all() for logits in (real, fake) if logits.grad is not None)


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_logits_are_raised_and_double_kept(name):
    loss = adversarial_loss(name)
    for dtype, expected in ((torch.bfloat16, torch.float32), (torch.float64, torch.float64)):
        logits = torch.linspace(-3, 3, 7, dtype=dtype)
        for function in (loss.discriminator, loss.generator):
            assert function(logits, -logits).dtype == expected
            exact = function(logits.double(), -logits.double()).item()
            assert function(logits, -logits).item() == pytest.approx(exact, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_parts_of_a_batch_weighted_by_their_share_add_up_to_the_whole(name):
    draws = torch.Generator().manual_seed(2)
    real, fake = torch.randn(2, 8, generator=draws, dtype=torch.float64)
    loss = adversarial_loss(name)
    for function in (loss.discriminator, loss.generator):
        parts = [(slice(0, 2), 0.25), (slice(2, 8), 0.75)]
        total = sum(function(real[part], fake[part]) * share for part, share in parts)
        assert total.item() == pytest.approx(function(real, fake).item())
