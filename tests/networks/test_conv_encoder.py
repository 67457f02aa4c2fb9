"""What being an encoder means, asked of every one in the table; and that it fits every generator."""

import itertools
import tomllib

import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_toml
from ganvas.core.sizes import Size
from ganvas.networks import ENCODERS, GENERATORS, encoder, generator

each_encoder = pytest.mark.parametrize("name", ENCODERS)
SHAPES = [  # size, channels, classes
    (size, *shape) for size, shape in itertools.product((4, 7, 8, 13, 28, 32, "96x64", "9x13"), ((1, 0), (3, 10)))
]
each_shape = pytest.mark.parametrize(("size", "channels", "classes"), SHAPES)


def build(name, size=8, channels=1, classes=0, latent=5, seed=0, **chosen):
    torch.manual_seed(seed)
    family = encoder(name)
    small = {"width": 4, "max_width": 8, "embedding": 3} | chosen
    return family(family.Settings(**small), latent=latent, size=Size.of(size), channels=channels, classes=classes)


def images(size=8, channels=1, count=6):
    return torch.rand(count, channels, *Size.of(size).hw, generator=torch.Generator().manual_seed(1)) * 2 - 1


def labels(classes, count=6):
    return torch.arange(count) % classes if classes else None


@each_encoder
@each_shape
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
def test_it_gives_a_mean_and_a_log_variance_of_each_latent_and_can_be_trained(name, size, channels, classes, precision):
    network = build(name, size, channels, classes)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
        mean, log_variance = network(images(size, channels), labels(classes))
    assert mean.shape == log_variance.shape == (6, 5)
    assert (network.latent, network.size, network.channels, network.classes) == (5, Size.of(size), channels, classes)
    (mean.square().mean() + log_variance.float().exp().mean()).backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    assert not [key for key, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()]
    assert all(gradient.abs().max() > 0 for gradient in gradients.values())


@each_encoder
def test_each_picture_is_encoded_by_itself_and_without_dice(name):
    network, pictures = build(name, 13, 3), images(13, 3)
    state = torch.get_rng_state()
    together, alone = network(pictures)[0], network(pictures[2:3])[0]
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(alone[0], together[2])
    assert not torch.allclose(together[0], together[1])


@each_encoder
def test_the_class_changes_the_code_and_must_be_given(name):
    network = build(name, classes=3)
    first, second = (network(images(), torch.full((6,), label))[0] for label in (0, 2))
    assert not torch.equal(first, second)
    with pytest.raises(UsageError, match="3 classes"):
        network(images())
    plain = build(name)
    assert torch.equal(plain(images())[0], plain(images(), torch.zeros(6, dtype=torch.int64))[0])


@each_encoder
def test_the_code_begins_near_the_size_of_the_prior(name):
    """Else the KL of the first rounds is so large that the first steps only undo it."""
    torch.manual_seed(0)
    family = encoder(name)
    mean, log_variance = family(family.Settings(), latent=64, size=32, channels=3, classes=0)(images(32, 3))
    assert mean.square().mean() < 4
    assert log_variance.abs().max() < 6


@each_encoder
def test_settings_survive_toml_and_unknown_ones_are_named(name):
    family = encoder(name).Settings
    assert from_dict(family, tomllib.loads(to_toml(family(width=7)))) == family(width=7)
    with pytest.raises(UsageError, match=r"encoder\.wdth is not a setting: did you mean width"):
        from_dict(family, {"wdth": 7}, "encoder")


@each_encoder
@pytest.mark.parametrize(("size", "channels", "classes"), [(3, 1, 0), (2048, 1, 0), (8, 0, 0), (8, 5, 0), (8, 1, -1)])
def test_impossible_shapes_are_refused(name, size, channels, classes):
    with pytest.raises(UsageError):
        build(name, size, channels, classes)


@each_encoder
@pytest.mark.parametrize("decoder", GENERATORS)
def test_every_generator_can_be_the_decoder(name, decoder):
    family = generator(decoder)
    with torch.device("meta"):
        network = family(family.Settings(), size=32, channels=3, classes=2)
        code, _ = build(name, 32, 3, 2, latent=network.latent)(torch.zeros(2, 3, 32, 32), torch.arange(2))
        assert network(code, torch.arange(2)).shape == (2, 3, 32, 32)


def test_a_name_that_does_not_exist_is_answered():
    with pytest.raises(UsageError, match="There is no encoder named 'cnv': did you mean conv"):
        encoder("cnv")
