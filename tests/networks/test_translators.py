"""What is asked of every network from pictures to pictures."""

import copy
import dataclasses
import itertools
import tomllib
import typing

import pytest
import safetensors.torch
import torch

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_toml
from ganvas.networks import TRANSLATORS, translator
from ganvas.networks.translating import extended

# Small ones of each family, with every choice of layers that it has.
SMALL = {
    "unet": {"width": 4, "max_width": 8, "halvings": 3},
    "resnet": {"width": 4, "blocks": 2},
    "srresnet": {"width": 6, "blocks": 2},
    "rrdb": {"width": 6, "growth": 3, "blocks": 1},
    "gated": {"width": 4, "dilations": (2, 3)},
}
CHOICES = {
    "unet": {"norm": ("batch", "instance", "instance-affine", "none"), "upsample": ("transposed", "resize")},
    "resnet": {
        "norm": ("batch", "instance", "instance-affine", "none"),
        "upsample": ("transposed", "resize"),
        "onto": ("none", "picture"),
    },
    "srresnet": {"scale": (2, 3, 4), "enlargement": ("bicubic", "bilinear", "none")},
    "rrdb": {"scale": (1, 2, 3, 4), "enlargement": ("bicubic", "bilinear", "none")},
    "gated": {},
}
SIZES = ((1, 1), (1, 9), (7, 2), (13, 21), (16, 24))
BOUNDED = ("unet", "resnet", "gated")


def cases():
    for name in TRANSLATORS:
        for values in itertools.product(*CHOICES[name].values()):
            yield name, SMALL[name] | dict(zip(CHOICES[name], values, strict=True))


CASES = list(cases())
each_case = pytest.mark.parametrize(
    ("name", "chosen"), CASES, ids=[f"{name}-" + "-".join(map(str, list(c.values())[-2:])) for name, c in CASES]
)
each_family = pytest.mark.parametrize("name", TRANSLATORS)


def build(name, chosen, inputs=3, outputs=3, seed=0):
    torch.manual_seed(seed)
    family = translator(name)
    return family(family.Settings(**chosen), inputs=inputs, outputs=outputs)


def pictures(height=16, width=16, count=2, channels=3, seed=1):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_every_choice_of_a_family_is_asked():
    for name in TRANSLATORS:
        hints = typing.get_type_hints(translator(name).Settings)
        literal = {
            key: typing.get_args(hint) for key, hint in hints.items() if typing.get_origin(hint) is typing.Literal
        }
        assert {key: set(values) for key, values in literal.items() if key != "name"} == {
            key: set(values) for key, values in CHOICES[name].items()
        }


@each_case
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_pictures_of_any_size_are_translated(name, chosen, size):
    network = build(name, chosen)
    made = network(pictures(*size))
    assert made.shape == (2, 3, size[0] * network.scale, size[1] * network.scale)
    assert made.dtype == torch.float32
    assert made.isfinite().all()
    assert made.abs().max() <= 1 or name not in BOUNDED or chosen.get("onto") == "picture"


@each_case
def test_every_weight_is_trained_also_in_bfloat16_and_channels_last(name, chosen):
    for channels_last, precision in ((False, False), (True, True)):
        network = build(name, chosen)
        images = pictures(21, 13)
        if channels_last:
            network, images = (item.to(memory_format=torch.channels_last) for item in (network, images))
        with torch.autocast("cpu", torch.bfloat16, enabled=precision):
            made = network(images)
        assert made.dtype == torch.float32
        (made * pictures(*made.shape[2:], seed=3)).sum().backward()
        gradients = {key: weight.grad for key, weight in network.named_parameters()}
        assert not [key for key, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()]
        assert not [key for key, gradient in gradients.items() if key.endswith("weight") and not gradient.any()]


@each_case
def test_bfloat16_is_near_float32(name, chosen):
    network = build(name, chosen).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rough = network(pictures())
    with torch.no_grad():
        exact = network(pictures())
    assert (rough - exact).abs().mean() < 0.05 * exact.abs().mean() + 0.01


@each_case
def test_double_precision_stays(name, chosen):
    assert build(name, chosen).double()(pictures(9, 9).double()).dtype == torch.float64


@each_case
def test_a_network_starts_with_pictures_that_are_neither_flat_nor_saturated(name, chosen):
    if chosen.get("norm") in ("batch", "instance", "instance-affine"):  # N(0, 0.02^2), as published: nearly flat
        return
    network = build(name, chosen | ({"width": 24} if name != "unet" else {"width": 16, "max_width": 64}))
    with torch.no_grad():
        made = network(pictures(32, 32))
    assert 0.05 < made.std() < 1.2


@each_case
def test_each_picture_is_translated_by_itself_in_evaluation_and_nothing_is_drawn(name, chosen):
    network, images = build(name, chosen).eval(), pictures(count=3)
    state = torch.get_rng_state()
    with torch.no_grad():
        together, alone = network(images), network(images[1:2])
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-5)


@each_case
def test_an_output_depends_on_what_is_within_reach_and_on_nothing_beyond(name, chosen):
    network = build(name, chosen).double().eval()
    if network.reach is None:
        images = pictures(64, 64, 1).double().requires_grad_()
        network(images)[0, 0, 32, 32].backward()
        assert images.grad.ne(0).any(dim=1).sum() > 0.99 * 64 * 64
        return
    for weight in network.parameters():  # all of one sign: nothing cancels, no unit is off
        weight.data.abs_().add_(0.01).div_(weight[0].numel() * 2)
    side = (2 * network.reach // network.multiple + 4) * network.multiple
    furthest = 0
    for place in range(side // 2, side // 2 + network.multiple):
        for within in range(network.scale):
            images = pictures(network.multiple, side, 1).double().abs().requires_grad_()
            network(images)[0, 0, 0, place * network.scale + within].backward()
            (met,) = images.grad[0].ne(0).any(dim=0).any(dim=0).nonzero(as_tuple=True)
            furthest = max(furthest, int(met.max()) - place, place - int(met.min()))
    assert furthest == network.reach


@each_case
def test_a_part_of_a_picture_with_reach_around_it_is_translated_as_in_the_whole(name, chosen):
    network = build(name, chosen).eval()
    if network.reach is None:
        return
    around = -(-network.reach // network.multiple) * network.multiple
    begin, kept = 2 * network.multiple, 3 * network.multiple
    whole = pictures(network.multiple, 2 * begin + kept + 2 * around, 1)
    with torch.no_grad():
        part = network(whole[..., begin : begin + kept + 2 * around])
        middle = network(whole)
    scale = network.scale
    first = slice(around * scale, (around + kept) * scale)
    second = slice((begin + around) * scale, (begin + around + kept) * scale)
    torch.testing.assert_close(part[..., first], middle[..., second], rtol=1e-4, atol=1e-5)


@each_case
def test_a_size_that_is_no_multiple_is_extended_at_the_right_and_at_the_bottom(name, chosen):
    network = build(name, chosen).eval()
    images = pictures(16, 24)
    with torch.no_grad():
        made = network(images[..., :13, :21])
        by_hand = network.translate(extended(images[..., :13, :21], network.multiple, network.least))
    assert torch.equal(made, by_hand[..., : 13 * network.scale, : 21 * network.scale])
    assert network.least % network.multiple == 0


@each_case
def test_state_goes_through_safetensors_bit_by_bit_and_a_deep_copy_stands_alone(name, chosen):
    saved, other = build(name, chosen), build(name, chosen, seed=1)
    saved(pictures())  # moves running statistics, where there are any
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(saved.state_dict())))
    twin = copy.deepcopy(saved.eval())
    with torch.no_grad():
        before = saved(pictures())
        assert torch.equal(other.eval()(pictures()), before)
        for value in saved.state_dict().values():
            value.add_(1)
        assert torch.equal(twin(pictures()), before)


@each_case
def test_settings_survive_toml_and_say_the_network(name, chosen):
    family = translator(name)
    settings = family.Settings(**chosen)
    assert from_dict(family.Settings, tomllib.loads(to_toml(settings))) == settings
    assert settings.name == name


@each_family
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 3), (4, 3), (3, 1), (1, 2)])
def test_inputs_and_outputs_may_be_other_channels(name, inputs, outputs):
    chosen = SMALL[name] | ({"enlargement": "none"} if "enlargement" in CHOICES[name] else {})
    network = build(name, chosen, inputs, outputs)
    made = network(pictures(8, 8, channels=inputs))
    assert made.shape[1] == outputs
    assert (network.inputs, network.outputs) == (inputs, outputs)


@each_family
@pytest.mark.parametrize(("inputs", "outputs"), [(0, 3), (3, 0), (17, 3), (3, 17)])
def test_impossible_channels_are_refused(name, inputs, outputs):
    with pytest.raises(UsageError, match="1 to 16 channels"):
        build(name, SMALL[name], inputs, outputs)


@each_family
def test_what_is_no_setting_and_a_width_of_nothing_are_refused(name):
    family = translator(name)
    with pytest.raises(UsageError, match=r"translator\.widht is not a setting: did you mean width"):
        from_dict(family.Settings, {"widht": 3}, "translator")
    for field in {"width", "blocks", "growth", "halvings"} & {
        field.name for field in dataclasses.fields(family.Settings)
    }:
        with pytest.raises(UsageError, match=field):
            from_dict(family.Settings, {field: 0})


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="There is no translator named 'u-net': did you mean unet"):
        translator("u-net")


def test_a_picture_goes_on_as_its_mirror_image_and_where_that_ends_as_its_last_pixel():
    images = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    assert extended(images, 8).tolist()[0][0] == [[1, 2, 3, 2, 1, 1, 1, 1]] * 8
    assert extended(images, 1) is images
    assert extended(images, 1, least=2).shape == (1, 1, 2, 3)
