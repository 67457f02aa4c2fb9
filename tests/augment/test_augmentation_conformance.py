"""What is asked of every augmentation."""

import pytest
import torch

from ganvas import augment
from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size

EVERYTHING = {
    "ada": ["blit", "geometry", "colour", "filter", "corruption"],
    "diffaug": ["colour", "translation", "cutout"],
}
every_augmentation = pytest.mark.parametrize("name", augment.AUGMENTATIONS)
every_stage = pytest.mark.parametrize(("name", "stage"), [(n, s) for n, stages in EVERYTHING.items() for s in stages])


def build(name, size=8, channels=3, stages=None):
    cls = augment.augmentation(name)
    return cls(cls.Settings(stages=stages or EVERYTHING[name]), size=size, channels=channels)


def drawn(module, count, dtype=torch.float32, seed=0):
    dice = torch.Generator().manual_seed(seed)
    pictures = torch.rand(count, module.channels, *module.size.hw, generator=dice, dtype=dtype) * 2 - 1
    return pictures, torch.rand(count, module.draws, generator=dice, dtype=dtype)


@every_augmentation
def test_at_p_0_pictures_are_returned_to_the_bit(name):
    module = build(name)
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        pictures, uniform = drawn(module, 5)
        for numbers in (uniform, torch.zeros_like(uniform)):
            for p in (0.0, torch.tensor(0.0)):
                assert torch.equal(module(pictures.to(dtype), numbers, p), pictures.to(dtype))


@every_stage
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [8, 10, 28, Size(8, 14), Size(20, 6)])
def test_at_p_1_pictures_change_and_the_same_numbers_give_the_same(name, stage, channels, size):
    module = build(name, size, channels, [stage])
    pictures, uniform = drawn(module, 6)
    first = module(pictures, uniform, 1.0)
    assert first.shape == pictures.shape
    assert first.isfinite().all()
    assert not torch.equal(first, pictures)
    assert torch.equal(module(pictures, uniform, torch.tensor(1.0)), first)
    assert not torch.equal(module(pictures, uniform.flip(0), 1.0), first)


@every_stage
def test_each_row_depends_on_its_own_picture_and_numbers_alone(name, stage):
    module = build(name, 16, 3, [stage])
    pictures, uniform = drawn(module, 7)
    whole = module(pictures, uniform, 0.8)
    parts = torch.cat([module(pictures[a:b], uniform[a:b], 0.8) for a, b in ((0, 1), (1, 4), (4, 7))])
    torch.testing.assert_close(parts, whole, rtol=0, atol=2e-6)


@every_stage
def test_the_part_of_pictures_that_is_met_grows_with_p(name, stage):
    module = build(name, 8, 3, [stage])
    pictures, uniform = drawn(module, 400)

    def met(p):
        return (module(pictures, uniform, p) != pictures).flatten(1).any(dim=1)

    few, more, most = met(0.1), met(0.4), met(1.0)
    assert few.sum() < more.sum() < most.sum()
    assert not (few & ~more).any(), "the same numbers meet the same pictures, and more"
    assert 0.03 < few.float().mean() < 0.5


@every_stage
@pytest.mark.parametrize(("channels", "size"), [(1, 4), (3, 4), (1, Size(4, 5))])
def test_pictures_have_a_first_and_a_second_derivative(name, stage, channels, size):
    module = build(name, size, channels, [stage])
    pictures, uniform = drawn(module, 2, torch.float64)
    pictures.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: module(x, uniform, 0.9), pictures)
    # Squared, because a linear map has no second derivative of its own.
    assert torch.autograd.gradgradcheck(lambda x: module(x, uniform, 0.9).square(), pictures)


@every_augmentation
def test_the_penalty_of_un_augmented_pixels_reaches_the_discriminators_weights(name):
    module = build(name)
    pictures, uniform = drawn(module, 4)
    weight = torch.randn(3, 3, 3, 3, requires_grad=True)
    pictures.requires_grad_()
    logits = torch.nn.functional.conv2d(module(pictures, uniform, 0.5), weight).relu().square().sum()
    (slope,) = torch.autograd.grad(logits, pictures, create_graph=True)
    slope.square().sum().backward()
    assert weight.grad.abs().sum() > 0


@every_augmentation
def test_bfloat16_pictures_and_autocast_are_computed_in_float32(name):
    module = build(name)
    pictures, uniform = drawn(module, 4)
    coarse = pictures.bfloat16()
    exact = module(coarse.float(), uniform, 0.7)
    result = module(coarse, uniform, 0.7)
    assert result.dtype == torch.bfloat16
    assert torch.equal(result, exact.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(module(coarse.float(), uniform, 0.7), exact)


@every_augmentation
def test_the_extremes_of_the_numbers_are_finite_in_every_precision(name):
    module = build(name)
    for dtype in (torch.float32, torch.float64):
        pictures, uniform = drawn(module, 2, dtype)
        for extreme in (0.0, 1 - 2**-24, 1 - 2**-53):
            numbers = torch.full_like(uniform, extreme, dtype=torch.float64)
            assert module(pictures, numbers, 1.0).isfinite().all()


@every_augmentation
def test_nothing_is_random_and_nothing_is_saved(name):
    module = build(name)
    pictures, uniform = drawn(module, 2)
    before = torch.random.get_rng_state()
    module(pictures, uniform, 0.5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert module.state_dict() == {}
    assert list(module.parameters()) == []


@every_augmentation
def test_memory_format_changes_nothing(name):
    module = build(name)
    pictures, uniform = drawn(module, 3)
    laid_out = pictures.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(module(laid_out, uniform, 1.0), module(pictures, uniform, 1.0))


@every_augmentation
def test_pictures_and_numbers_of_another_shape_are_refused(name):
    module = build(name)
    pictures, uniform = drawn(module, 2)
    for wrong in ((pictures[:, :1], uniform), (pictures, uniform[:, 1:]), (pictures[:1], uniform)):
        with pytest.raises(ValueError, match="should be"):
            module(*wrong, 0.5)


@every_augmentation
def test_settings_that_mean_nothing_are_refused(name):
    cls = augment.augmentation(name)
    for stages in ([], ["colour", "colour"], ["nonsense"]):
        with pytest.raises(UsageError, match=r"augment"):
            from_dict(cls.Settings, {"stages": stages}, "augment")
    with pytest.raises(UsageError, match="5 channels"):
        build(name, channels=5)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="diffaug"):
        augment.augmentation("difaug")
