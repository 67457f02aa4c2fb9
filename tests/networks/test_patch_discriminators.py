"""What is asked of every discriminator that judges patches or pixels, and each against its paper."""

import itertools
import tomllib

import pytest
import torch
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_toml
from ganvas.losses import ADVERSARIAL, adversarial_loss
from ganvas.losses.penalties import gradient_penalty, r1
from ganvas.networks import PATCH_DISCRIMINATORS, patch_discriminator
from ganvas.networks.layers import SpectralNorm

CASES = [
    *(
        ("patch", {"width": 4, "max_width": 8, "layers": 2, "norm": norm})
        for norm in ("batch", "instance", "spectral", "none")
    ),
    ("unet", {"width": 4, "halvings": 2}),
]
each_case = pytest.mark.parametrize(("name", "chosen"), CASES, ids=[f"{n}-{c.get('norm')}" for n, c in CASES])


def build(name, inputs=3, seed=0, **chosen):
    torch.manual_seed(seed)
    family = patch_discriminator(name)
    return family(family.Settings(**chosen), inputs=inputs)


def pictures(height=20, width=29, count=2, channels=3, seed=1):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def logits_of(name, height, width):
    return (height // 4 - 2, width // 4 - 2) if name == "patch" else (height, width)


def test_every_family_is_asked():
    assert {name for name, _ in CASES} == set(PATCH_DISCRIMINATORS)


@each_case
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("channels_last", [False, True])
def test_it_judges_every_patch_and_has_second_derivatives(name, chosen, precision, channels_last):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = build(name, 6, **chosen).to(memory_format=layout)
    images = pictures(channels=6).contiguous(memory_format=layout).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
        logits = network(images, None)
    assert logits.shape == (2, 1, *logits_of(name, 20, 29))
    (logits.float().square().mean() + r1(logits, images)).backward()
    gradients = {key: weight.grad for key, weight in network.named_parameters()}
    assert not [key for key, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()]
    assert not [key for key, gradient in gradients.items() if key.endswith("weight") and not gradient.any()]


@each_case
@pytest.mark.parametrize("loss", ADVERSARIAL)
def test_every_loss_and_the_gradient_penalty_take_its_logits(name, chosen, loss):
    network = build(name, **chosen)
    real, fake = pictures(), pictures(seed=2)
    both = adversarial_loss(loss)
    value = both.discriminator(network(real), network(fake)) + gradient_penalty(network, real, fake, torch.rand(2))
    assert value.ndim == 0
    assert value.isfinite()


@each_case
def test_pictures_of_any_size_from_the_smallest_are_judged(name, chosen):
    network = build(name, **chosen)
    least = network.smallest
    for height, width in ((least, least), (least, least + 5), (least + 3, least)):
        assert network(pictures(height, width)).shape == (2, 1, *logits_of(name, height, width))


def test_smaller_pictures_are_refused_with_what_would_work():
    for layers, smallest in ((1, 6), (2, 12), (3, 24)):
        network = build("patch", width=2, layers=layers)
        network(pictures(smallest, smallest))
        with pytest.raises(
            UsageError, match=rf"from {smallest} pixels a side, not 40x{smallest - 1}: set fewer layers"
        ):
            network(pictures(smallest - 1, 40))


@each_case
def test_labels_are_not_read_and_each_picture_is_judged_by_itself_in_evaluation(name, chosen):
    network = build(name, **chosen).eval()
    with torch.no_grad():
        together = network(pictures())
        assert torch.equal(network(pictures(), torch.zeros(2, dtype=torch.int64)), together)
        torch.testing.assert_close(network(pictures()[1:])[0], together[1], rtol=1e-4, atol=1e-5)


@each_case
def test_settings_survive_toml_and_the_same_seed_builds_the_same(name, chosen):
    kind = patch_discriminator(name).Settings
    assert from_dict(kind, tomllib.loads(to_toml(kind(**chosen)))) == kind(**chosen)
    first, second = build(name, **chosen).state_dict(), build(name, **chosen).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", PATCH_DISCRIMINATORS)
def test_impossible_channels_and_settings_are_refused(name):
    for inputs in (0, 17):
        with pytest.raises(UsageError, match="1 to 16 channels"):
            build(name, inputs)
    with pytest.raises(UsageError, match="width"):
        from_dict(patch_discriminator(name).Settings, {"width": 0})
    with pytest.raises(UsageError, match="There is no patch discriminator named 'pach': did you mean patch"):
        patch_discriminator("pach")


def test_a_width_above_the_largest_is_refused():
    with pytest.raises(UsageError, match="patch's width 64 is above its max_width 32"):
        build("patch", max_width=32)


@pytest.mark.parametrize(
    ("name", "inputs", "chosen", "count"),
    [
        ("patch", 6, {}, 2_768_705),
        ("patch", 3, {"norm": "instance"}, 2_764_737),
        ("unet", 3, {}, 4_376_897),
    ],
)
def test_the_published_networks_have_their_parameters(name, inputs, chosen, count):
    with torch.device("meta"):
        assert sum(weight.numel() for weight in build(name, inputs, **chosen).parameters()) == count


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_logit_sees_the_patch_that_the_paper_says(layers, patch):
    network = build("patch", 1, width=2, max_width=2, layers=layers, norm="none")
    for weight in network.parameters():
        weight.data.abs_()
    images = torch.rand(1, 1, 3 * 2**layers, 2 * patch + 4 * 2**layers).requires_grad_()
    logits = network(images)
    logits[0, 0, 0, logits.shape[3] // 2].backward()
    (met,) = images.grad[0, 0].ne(0).any(dim=0).nonzero(as_tuple=True)
    assert int(met.max()) - int(met.min()) + 1 == network.patch == patch


def test_spectral_norm_holds_every_weight_of_the_patches_and_all_but_the_first_and_last_of_the_unet():
    normed = [layer for layer in build("patch", norm="spectral", width=4).modules() if isinstance(layer, SpectralNorm)]
    assert len(normed) == 5
    unet = build("unet", width=4)
    assert sum(isinstance(layer, SpectralNorm) for layer in unet.modules()) == 8
    assert not isinstance(unet.first, SpectralNorm)
    assert not isinstance(unet.last, SpectralNorm)


def test_the_unet_adds_the_maps_of_every_side_by_hand():
    network = build("unet", width=4, halvings=1).eval()
    images = pictures(8, 8)

    def act(maps):
        return functional.leaky_relu(maps, 0.2)

    first = act(network.first(images))
    wide = functional.interpolate(act(network.down[0](first)), scale_factor=2, mode="bilinear", align_corners=False)
    maps = act(network.up[0](wide)) + first
    maps = act(network.fine[1](act(network.fine[0](maps))))
    torch.testing.assert_close(network(images), network.last(maps))


def test_the_paired_losses_are_of_shapes_that_fit():
    pairs = itertools.product(PATCH_DISCRIMINATORS, ((24, 24), (31, 40)))
    for name, size in pairs:
        network = build(name, width=2)
        assert network(pictures(*size)).shape == network(pictures(*size, seed=2)).shape
