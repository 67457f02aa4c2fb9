"""What being a network of Ganvas means, asked of every generator and discriminator in the tables."""

import copy
import dataclasses
import tomllib
import typing

import pytest
import safetensors.torch
import torch

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_toml
from ganvas.core.sizes import Size
from ganvas.networks import DISCRIMINATORS, GENERATORS, discriminator, generator

# Sizes that show a family's edges; a family that is not here is asked for 32 pixels.
SIZES = {
    "mlp": (1, 13),
    "dcgan": (8, 64),
    "conv28": (8, 28),
    "resnet": (16, 32),
    "r3gan": (8, 64),
    "stylegan2": (16, 32),
    "fastgan": (16, 32),
}
# A size that is not square, of each family that makes others; an odd base where there is one.
OBLONG = {
    "mlp": "7x3",
    "dcgan": "12x8",
    "resnet": "64x80",
    "r3gan": "8x14",
    "stylegan2": "20x16",
    "fastgan": "32x56",
}
# Families whose pictures are not bounded by a tanh.
UNBOUNDED = ("r3gan", "stylegan2")
# (channels, classes), each once at each size.
SHAPES = ((1, 0), (2, 1), (3, 10), (4, 2))
# Whichever of these settings a family has are made small, so that the suite is quick.
SMALL = {
    "latent": 7,
    "width": 4,
    "max_width": 8,
    "hidden": (12, 9),
    "embedding": 3,
    "group": 2,
    "wide": 16,
    "w_width": 6,
    "mapping_layers": 2,
    "channel_base": 128,
    "decoder_width": 4,
}
# Settings that put other layers into a family: whichever of them it has, asked beside SMALL for each norm.
OTHER_LAYERS = {"resnet": {"attention": 8, "spectral": True, "embedding": None}}
PRECISIONS = (torch.float32, torch.bfloat16)


@dataclasses.dataclass(frozen=True)
class Case:
    """One network to ask: its class, its settings and the pictures it is for."""

    family: type
    settings: typing.Any
    size: int | Size
    channels: int
    classes: int

    def build(self, seed=0):
        torch.manual_seed(seed)
        return self.family(self.settings, size=self.size, channels=self.channels, classes=self.classes)

    def labels(self, count=6):
        return torch.arange(count) % self.classes if self.classes else None

    def images(self, count=6):
        draws = torch.Generator().manual_seed(1)
        return torch.rand(count, self.channels, *Size.of(self.size).hw, generator=draws) * 2 - 1

    def latents(self, count=6):
        return torch.randn(count, self.settings.latent, generator=torch.Generator().manual_seed(1))

    def input(self, count=6):
        return self.latents(count) if hasattr(self.settings, "latent") else self.images(count)

    def __str__(self):
        shape = f"{self.size}px-{self.channels}ch-{self.classes}cl"
        norm = getattr(self.settings, "norm", None)
        plain = small(self.family) if norm is None else small(self.family, norm=norm)
        layers = "-other" if self.settings != plain else ""
        return f"{self.family.__name__}-{norm or 'plain'}{layers}-{shape}"


def fields(family):
    return [field.name for field in dataclasses.fields(family.Settings)]


def small(family, **values):
    chosen = {key: SMALL[key] for key in fields(family) if key in SMALL} | values
    return family.Settings(**{key: value for key, value in chosen.items() if key in fields(family)})


def norms(family):
    """Each choice of normalisation that a family has, as settings; {} for one that has none to choose."""
    if "norm" not in fields(family):
        return [{}]
    return [{"norm": norm} for norm in typing.get_args(typing.get_type_hints(family.Settings)["norm"])]


def cases(table, find):
    for name in table:
        family = find(name)
        for norm in norms(family):
            for size in SIZES.get(name, (32,)):
                for channels, classes in SHAPES:
                    yield Case(family, small(family, **norm), size, channels, classes)
            if name in OBLONG:
                yield Case(family, small(family, **norm), Size.of(OBLONG[name]), 3, 2)
            if name in OTHER_LAYERS:
                yield Case(family, small(family, **norm, **OTHER_LAYERS[name]), size, 3, 10)
                yield Case(family, small(family, **norm, **OTHER_LAYERS[name]), Size.of(OBLONG[name]), 3, 0)


GENERATOR_CASES = list(cases(GENERATORS, generator))
DISCRIMINATOR_CASES = list(cases(DISCRIMINATORS, discriminator))
FAMILIES = [generator(name) for name in GENERATORS] + [discriminator(name) for name in DISCRIMINATORS]
SIZED_FIELDS = [
    (family, field) for family in FAMILIES for field in fields(family) if field in SMALL and field != "group"
]

each_generator = pytest.mark.parametrize("case", GENERATOR_CASES, ids=str)
each_discriminator = pytest.mark.parametrize("case", DISCRIMINATOR_CASES, ids=str)
each_network = pytest.mark.parametrize("case", GENERATOR_CASES + DISCRIMINATOR_CASES, ids=str)
each_family = pytest.mark.parametrize("family", FAMILIES)
each_precision = pytest.mark.parametrize("precision", PRECISIONS, ids=str)


def autocast(precision):
    return torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16)


def assert_trained_by(network, value):
    """Backward of `value` gives every parameter a finite gradient, and not all of them zero."""
    value.backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert not [name for name, gradient in gradients.items() if gradient is None]
    assert not [name for name, gradient in gradients.items() if not torch.isfinite(gradient).all()]
    assert any(gradient.abs().max() > 0 for gradient in gradients.values())


def judged(network, images, labels):
    """Logits, and the error of what the discriminator decodes; 0 for one that decodes nothing."""
    return network.judge(images, labels) if hasattr(network, "judge") else (network(images, labels), 0.0)


@each_generator
@each_precision
def test_generator_draws_pictures_and_can_be_trained(case, precision):
    network = case.build()
    with autocast(precision):
        images = network(case.latents(), case.labels())
    assert images.shape == (6, case.channels, *Size.of(case.size).hw)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1 or case.settings.name in UNBOUNDED
    assert images.std() > 0
    assert_trained_by(network, images.square().mean())


@each_generator
@each_precision
def test_generator_has_second_derivatives(case, precision):
    network = case.build()
    latents = case.latents().requires_grad_()
    with autocast(precision):
        images = network(latents, case.labels())
    (slope,) = torch.autograd.grad((images * case.images()).sum(), latents, create_graph=True)
    assert_trained_by(network, images.mean() + slope.square().sum())


@each_generator
def test_generator_says_what_it_is_for(case):
    network = case.build()
    assert (network.latent, network.size) == (case.settings.latent, case.size)
    assert (network.channels, network.classes) == (case.channels, case.classes)


@each_discriminator
@each_precision
def test_discriminator_judges_pictures_and_has_second_derivatives(case, precision):
    network = case.build()
    images = case.images().requires_grad_()
    with autocast(precision):
        logits, error = judged(network, images, case.labels())
    assert logits.shape == (6,)
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    assert slope.abs().max() > 0
    assert_trained_by(network, logits.float().square().mean() + slope.square().sum() + error)


@each_discriminator
@each_precision
def test_discriminator_classifies_by_the_parts_of_its_logits(case, precision):
    network = case.build()
    images = case.images().requires_grad_()
    if case.classes == 0:
        with pytest.raises(UsageError, match="knows no classes, so it cannot tell them"):
            network.classify(images)
        return
    with autocast(precision):
        unconditional, classes = network.classify(images)
        logits = [network(images, torch.full((6,), label)) for label in range(case.classes)]
        _, error = judged(network, images, case.labels())
    assert unconditional.shape == (6,)
    assert classes.shape == (6, case.classes)
    expected = torch.stack([each - unconditional for each in logits], dim=1)
    rounding = 1e-2 if precision is torch.bfloat16 else 1e-5
    torch.testing.assert_close(classes.float(), expected.float(), rtol=rounding, atol=rounding)
    both = torch.cat([unconditional[:, None], classes], dim=1).float().square().mean()
    (slope,) = torch.autograd.grad(both, images, create_graph=True)
    assert slope.abs().max() > 0
    assert_trained_by(network, both + slope.square().sum() + error)


@pytest.mark.parametrize("case", [case for case in DISCRIMINATOR_CASES if case.classes > 1], ids=str)
def test_which_number_a_class_has_changes_the_classes_logits_alone(case):
    network, other = case.build().eval(), case.build().eval()
    order = torch.arange(case.classes).roll(1)
    state = other.state_dict()
    tables = [name for name in state if name.endswith(("embedding.weight", "embedding.u"))]
    other.load_state_dict(state | {name: state[name][order] for name in tables})
    with torch.no_grad():
        (unconditional, classes), (same, moved) = network.classify(case.images()), other.classify(case.images())
    assert tables
    torch.testing.assert_close(same, unconditional)
    torch.testing.assert_close(moved, classes[:, order])
    assert not torch.allclose(moved, classes)


@each_discriminator
def test_discriminator_says_what_it_is_for(case):
    network = case.build()
    assert (network.size, network.channels, network.classes) == (case.size, case.channels, case.classes)


@each_network
def test_class_changes_the_output_and_must_be_given(case):
    network = case.build().eval()
    with torch.no_grad():
        if case.classes == 0:
            assert torch.equal(network(case.input()), network(case.input(), torch.zeros(6, dtype=torch.int64)))
            return
        with pytest.raises(UsageError, match=f"{case.classes} classes"):
            network(case.input())
        if case.classes > 1:
            first, second = (network(case.input(), torch.full((6,), label)) for label in (0, case.classes - 1))
            assert not torch.equal(first, second)


@each_network
def test_forward_draws_no_random_numbers_and_pictures_are_judged_one_by_one_in_evaluation(case):
    network, labels = case.build(), case.labels()
    state = torch.get_rng_state()
    with torch.no_grad():
        network(case.input(), labels)
        assert torch.equal(torch.get_rng_state(), state)
        network.eval()
        together = network(case.input(), labels)
        alone = network(case.input()[2:3], None if labels is None else labels[2:3])
    torch.testing.assert_close(alone[0], together[2], rtol=1e-4, atol=1e-5)


@each_network
def test_same_seed_builds_the_same_network(case):
    first, second = case.build(seed=5).state_dict(), case.build(seed=5).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@each_network
def test_state_goes_through_safetensors_bit_by_bit(case):
    saved, other = case.build(seed=0), case.build(seed=1)
    saved(case.input(), case.labels())  # moves running statistics, where there are any
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(saved.state_dict())))
    state, restored = saved.state_dict(), other.state_dict()
    assert all(torch.equal(state[name], restored[name]) for name in state)
    with torch.no_grad():
        outputs = [network.eval()(case.input(), case.labels()) for network in (saved, other)]
    assert torch.equal(*outputs)


@each_network
def test_a_deep_copy_stands_alone(case):
    network = case.build().eval()
    twin = copy.deepcopy(network)
    with torch.no_grad():
        before = twin(case.input(), case.labels())
        for value in network.state_dict().values():
            value.add_(1)
        assert torch.equal(twin(case.input(), case.labels()), before)
        assert not torch.equal(network(case.input(), case.labels()), before)


@each_network
def test_settings_survive_toml(case):
    assert from_dict(case.family.Settings, tomllib.loads(to_toml(case.settings))) == case.settings


@each_family
def test_an_unknown_setting_is_named(family):
    with pytest.raises(UsageError, match=r"generator\.nmae is not a setting: did you mean name"):
        from_dict(family.Settings, {"nmae": "none"}, "generator")


@pytest.mark.parametrize(("family", "field"), SIZED_FIELDS)
def test_a_width_of_nothing_is_refused(family, field):
    with pytest.raises(UsageError, match=field):
        from_dict(family.Settings, {field: [] if field == "hidden" else 0})


@each_family
@pytest.mark.parametrize("size", [1000, Size.of("1000x60"), Size.of("4x900")])
def test_an_impossible_size_is_refused_by_name(family, size):
    with pytest.raises(UsageError, match=f"{family.Settings().name} .* not {size}"):
        family(family.Settings(), size=size, channels=3, classes=0)


@each_family
@pytest.mark.parametrize("size", [-8, 0])
def test_what_is_no_size_is_refused(family, size):
    with pytest.raises(UsageError, match=f"size {size}: write it like 64"):
        family(family.Settings(), size=size, channels=3, classes=0)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.Settings().name in OBLONG])
def test_wide_and_high_pictures_take_as_many_weights(family):
    wide = Size.of(OBLONG[family.Settings().name])
    counts = [
        sum(weight.numel() for weight in Case(family, small(family), size, 3, 2).build().parameters())
        for size in (wide, wide.turned)
    ]
    assert counts[0] == counts[1]


@each_family
@pytest.mark.parametrize(("channels", "classes"), [(0, 0), (5, 0), (3, -1)])
def test_impossible_channels_and_classes_are_refused(family, channels, classes):
    with pytest.raises(UsageError):
        family(family.Settings(), size=8, channels=channels, classes=classes)
