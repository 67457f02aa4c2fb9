import pytest
import torch
from torch import nn
from torch.func import functional_call

from ganvas.losses.penalties import clip_weights, consistency, gradient_penalty, lecam, path_length, r1, r2

SHAPE = (5, 2, 3, 3)


def pictures(seed, dtype=torch.float64):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def linear_critic(norm):
    """x -> w.x with |w| = norm."""
    weight = pictures(7)[0]
    weight = weight * norm / weight.norm()
    return lambda images: (images * weight).sum(dim=(1, 2, 3))


def smooth_discriminator():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Softplus(), nn.Flatten(), nn.Linear(3, 1)).double()


@pytest.mark.parametrize("penalty", [r1, r2])
def test_zero_centred_penalty_of_a_linear_critic_is_half_its_squared_norm(penalty):
    images = pictures(0).requires_grad_()
    assert penalty(linear_critic(3)(images), images).item() == pytest.approx(4.5)


def test_r1_sums_over_the_pixels_and_averages_over_the_batch():
    images = pictures(0).requires_grad_()
    logits = images.square().sum(dim=(1, 2, 3)) / 2  # gradient: the picture itself
    expected = images.square().sum().item() / len(images) / 2
    assert r1(logits, images).item() == pytest.approx(expected)


def test_r1_of_patch_logits_is_that_of_their_sum():
    images = pictures(0).requires_grad_()
    conv = nn.Conv2d(2, 1, 2).double()
    assert r1(conv(images), images).item() == pytest.approx(r1(conv(images).sum(dim=(1, 2, 3)), images).item())


@pytest.mark.parametrize(("norm", "expected"), [(3, 4), (1, 0), (0.5, 0.25)])
def test_gradient_penalty_of_a_linear_critic_is_its_squared_distance_to_slope_one(norm, expected):
    value = gradient_penalty(linear_critic(norm), pictures(0), pictures(1), torch.rand(5).double())
    assert value.item() == pytest.approx(expected)


def test_gradient_penalty_is_taken_at_the_mixed_points():
    real, fake = pictures(0), pictures(1)
    mix = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]).double()
    between = torch.stack([m * r + (1 - m) * f for m, r, f in zip(mix, real, fake, strict=True)])
    expected = (between.flatten(1).norm(dim=1) - 1).square().mean().item()
    value = gradient_penalty(lambda images: images.square().sum(dim=(1, 2, 3)) / 2, real, fake, mix)
    assert value.item() == pytest.approx(expected)


def test_gradient_penalty_reaches_the_discriminator_and_not_the_generator():
    discriminator = smooth_discriminator()
    real, fake = pictures(0), pictures(1).requires_grad_()
    gradient_penalty(discriminator, real, fake, torch.rand(5).double()).backward()
    assert fake.grad is None
    assert discriminator[0].weight.grad.abs().sum() > 0


def test_gradient_penalty_of_a_dead_critic_is_one_with_finite_gradients():
    weight = torch.zeros(SHAPE[1:], requires_grad=True)
    value = gradient_penalty(
        lambda images: (images * weight).sum(dim=(1, 2, 3)),
        pictures(0, torch.float32),
        pictures(1, torch.float32),
        torch.rand(5),
    )
    value.backward()
    assert value.item() == 1
    assert torch.isfinite(weight.grad).all()


def of_r1(discriminate):
    images = pictures(0).requires_grad_()
    return r1(discriminate(images), images)


def of_gradient_penalty(discriminate):
    mix = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    return gradient_penalty(discriminate, pictures(0), pictures(1), mix)


@pytest.mark.parametrize("penalty", [of_r1, of_gradient_penalty])
def test_gradients_for_the_discriminators_weights_agree_with_differences(penalty):
    discriminator = smooth_discriminator()
    names, weights = zip(*discriminator.named_parameters(), strict=True)

    def value(*weights):
        parameters = dict(zip(names, weights, strict=True))
        return penalty(lambda images: functional_call(discriminator, parameters, (images,)))

    # The last bias moves no gradient of the logits, so its own gradient is None; it stays fixed.
    fixed = weights[-1].detach()
    assert torch.autograd.gradcheck(lambda *moving: value(*moving, fixed), weights[:-1])


@pytest.mark.parametrize("penalty", [r1, r2])
def test_half_precision_gradients_are_squared_and_summed_in_float32(penalty):
    images = torch.ones(2, 1, 64, 64, dtype=torch.bfloat16, requires_grad=True)
    value = penalty(images.flatten(1).sum(dim=1), images)
    assert value.dtype == torch.float32
    assert value.item() == 64 * 64 / 2


def test_parts_of_a_batch_weighted_by_their_share_add_up_to_the_whole():
    discriminator, real, fake = smooth_discriminator(), pictures(0), pictures(1)
    mix = torch.linspace(0, 1, 5, dtype=torch.float64)

    def both(part):
        images = real[part].clone().requires_grad_()
        between = gradient_penalty(discriminator, real[part], fake[part], mix[part])
        return r1(discriminator(images), images) + between

    total = both(slice(0, 2)) * 0.4 + both(slice(2, 5)) * 0.6
    assert total.item() == pytest.approx(both(slice(0, 5)).item())


def test_r1_needs_pictures_that_require_grad():
    with pytest.raises(RuntimeError, match="grad"):
        r1(linear_critic(1)(pictures(0)), pictures(0))


def linear_generator(w):
    """w [N, 3] -> pictures A w, and A [2, 2, 2, 3]."""
    matrix = torch.randn(2, 2, 2, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    return torch.einsum("chwk,nk->nchw", matrix, w), matrix


def test_path_length_of_a_linear_generator_has_a_closed_form():
    w = torch.randn(5, 3, dtype=torch.float64).requires_grad_()
    images, matrix = linear_generator(w)
    noise = torch.randn(images.shape, dtype=torch.float64)
    expected = torch.stack([(matrix.flatten(0, 2).T @ y.flatten()).norm() / 2 for y in noise])  # 2 = root of 2 * 2
    penalty, lengths = path_length(images, w, noise, torch.tensor(0.7, dtype=torch.float64))
    assert penalty.item() == pytest.approx((expected - 0.7).square().mean().item())
    torch.testing.assert_close(lengths, expected)
    assert not lengths.requires_grad


def test_path_length_of_parts_of_a_batch_adds_up_to_the_whole():
    w = torch.randn(5, 3, dtype=torch.float64)
    noise, mean = torch.randn(5, 2, 2, 2, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)

    def of(part):
        own = w[part].clone().requires_grad_()
        return path_length(linear_generator(own)[0], own, noise[part], mean)[0]

    torch.testing.assert_close(of(slice(0, 2)) * 0.4 + of(slice(2, 5)) * 0.6, of(slice(0, 5)))


def test_path_length_is_differentiable_in_the_generators_weights():
    w = torch.randn(4, 3, dtype=torch.float64).requires_grad_()
    noise, mean = torch.randn(4, 5, 1, 1, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    weight = torch.randn(5, 3, dtype=torch.float64).requires_grad_()

    def penalty(weight):
        return path_length((w @ weight.T).tanh()[:, :, None, None], w, noise, mean)[0]

    assert torch.autograd.gradcheck(penalty, weight)


def test_lecam_draws_each_side_to_the_other_sides_mean():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0, 1.0])
    a_real, a_fake = torch.tensor(2.0), torch.tensor(-1.0)
    expected = (4 + 16) / 2 + (9 + 4 + 1) / 3
    assert lecam(real, fake, a_real, a_fake).item() == pytest.approx(expected)
    assert lecam(torch.full((2,), -1.0), torch.full((3,), 2.0), a_real, a_fake) == 0


def test_consistency_is_the_mean_square_of_the_change():
    logits = torch.tensor([1.0, -2.0, 0.5]).requires_grad_()
    changed = torch.tensor([1.0, 0.0, 1.5]).requires_grad_()
    penalty = consistency(logits, changed)
    assert penalty.item() == pytest.approx((0 + 4 + 1) / 3)
    penalty.backward()
    torch.testing.assert_close(logits.grad, -changed.grad)
    assert consistency(logits, logits) == 0


def test_clipping_bounds_every_parameter_in_place_and_leaves_small_ones():
    discriminator = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = discriminator[0].weight
    with torch.no_grad():
        weight.copy_(torch.tensor([[0.005, -3.0], [0.02, -0.01]]))
    clip_weights(discriminator.parameters(), 0.01)
    assert discriminator[0].weight is weight
    assert weight.requires_grad
    torch.testing.assert_close(weight.detach(), torch.tensor([[0.005, -0.01], [0.01, -0.01]]))
    assert all(parameter.abs().max() <= 0.01 for parameter in discriminator.parameters())


MEANS = torch.tensor(0.4, dtype=torch.float64), torch.tensor(-0.3, dtype=torch.float64)


@pytest.mark.parametrize("penalty", [consistency, lambda real, fake: lecam(real, fake, *MEANS)])
def test_penalties_on_logits_are_differentiable_in_float64(penalty):
    logits = tuple(torch.randn(4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert penalty(*logits).dtype == torch.float64
    assert torch.autograd.gradcheck(penalty, logits)
