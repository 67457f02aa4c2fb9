"""Networks of full width at the largest sizes that they claim: on the meta device, where only shapes are computed."""

import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.networks import (
    DISCRIMINATORS,
    GENERATORS,
    PATCH_DISCRIMINATORS,
    TRANSLATORS,
    discriminator,
    generator,
    patch_discriminator,
    translator,
)

LARGEST = {"mlp": 128, "conv28": 64, "dcgan": 1024, "r3gan": 1024, "stylegan2": 1024, "fastgan": 1024, "resnet": 1024}
BOUNDARIES = [(name, size) for name in LARGEST for size in (LARGEST[name] // 2, LARGEST[name])]
# And a picture that is not square, of the same shorter side.
BOUNDARIES += [(name, f"{side * 5 // 4}x{side}") for name, side in LARGEST.items() if side >= 512]
at_the_boundary = pytest.mark.parametrize(("name", "size"), BOUNDARIES)


def built(family, size, classes):
    with torch.device("meta"):
        return family(family.Settings(), size=Size.of(size), channels=3, classes=classes)


def on_meta(*shape, dtype=None):
    return torch.empty(*shape, dtype=dtype, device="meta")


def test_every_family_is_asked():
    assert LARGEST.keys() == GENERATORS.keys() == DISCRIMINATORS.keys()


@pytest.mark.parametrize("classes", [0, 10])
@at_the_boundary
def test_a_generator_makes_pictures_of_the_size(name, size, classes):
    network, labels = built(generator(name), size, classes), on_meta(2, dtype=torch.int64) if classes else None
    pictures = network(on_meta(2, network.latent), labels)
    assert pictures.shape == (2, 3, *Size.of(size).hw)
    assert pictures.dtype == torch.float32


@pytest.mark.parametrize("classes", [0, 10])
@at_the_boundary
def test_a_discriminator_judges_pictures_of_the_size(name, size, classes):
    network, labels = built(discriminator(name), size, classes), on_meta(4, dtype=torch.int64) if classes else None
    pictures = on_meta(4, 3, *Size.of(size).hw)
    assert network(pictures, labels).shape == (4,)
    if hasattr(network, "judge"):
        logits, error = network.judge(pictures, labels)
        assert (logits.shape, error.shape) == ((4,), ())


@pytest.mark.parametrize("name", LARGEST)
@pytest.mark.parametrize("find", [generator, discriminator])
def test_twice_the_largest_size_is_refused(name, find):
    with pytest.raises(UsageError, match=f"not {2 * LARGEST[name]}"):
        built(find(name), 2 * LARGEST[name], 0)


@pytest.mark.parametrize("size", ["512", "1024", "1024x768"])
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_translator_makes_pictures_as_large_or_its_scale_as_large(name, size):
    family = translator(name)
    with torch.device("meta"):
        network = family(family.Settings(), inputs=3, outputs=3)
    high, wide = Size.of(size).hw
    made = network(on_meta(2, 3, high, wide))
    assert made.shape == (2, 3, network.scale * high, network.scale * wide)


@pytest.mark.parametrize("size", ["512", "1024", "1024x768"])
@pytest.mark.parametrize("name", PATCH_DISCRIMINATORS)
def test_a_patch_discriminator_judges_places_all_over_the_picture(name, size):
    family = patch_discriminator(name)
    with torch.device("meta"):
        network = family(family.Settings(), inputs=3)
    high, wide = Size.of(size).hw
    left = {"patch": lambda side: side // 8 - 2, "unet": lambda side: side}[name]  # the 70 x 70 patches of pix2pix
    logits = network(on_meta(2, 3, high, wide))
    assert logits.shape == (2, 1, left(high), left(wide))
