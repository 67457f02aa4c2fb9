"""Drawing in bfloat16 by a rewritten network: within 45 dB of the network itself, for every family."""

import copy
import math

import numpy as np
import pytest
import torch
from tests_generators import EVERY_FAMILY, generator_of
from torch import nn

from ganvas.core.errors import UsageError
from ganvas.inference.chunks import SIZES, Chunks
from ganvas.inference.drawing import Drawing
from ganvas.inference.fast import fast
from ganvas.inference.generator import Generator
from ganvas.inference.narrow import Doubled, NarrowDouble, Shuffled, _doubled
from ganvas.networks import r3gan

NO_CLASSES = [(name, {**own, "classes": ()}) for name, own in EVERY_FAMILY]
OBLONG = [(name, {**own, "size": "48x32"}) for name, own in EVERY_FAMILY if name != "conv28"]


def decibels(a, b):
    """Of the peak over the error, for uint8 pictures."""
    error = ((a.astype(float) - b) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY + NO_CLASSES + OBLONG, ids=str)
def test_fast_pictures_are_those_of_the_network(name, own):
    generator = generator_of(name, **own)
    exact, quick = generator.at("float32"), generator.at("bfloat16")
    pictures = exact.sample(range(64))
    assert pictures.std(axis=0).max() > 2, "the pictures differ"
    assert decibels(quick.sample(range(64)), pictures) >= 45
    assert decibels(quick.sample(range(8), truncation=0.5), exact.sample(range(8), truncation=0.5)) >= 45


@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY, ids=str)
def test_fast_pictures_of_mixed_classes_are_those_of_the_network(name, own):
    generator = generator_of(name, **own)
    mixture = {"a": 1, "c": 3}
    exact, quick = (generator.at(precision).sample(range(16), label=mixture) for precision in ("float32", "bfloat16"))
    assert decibels(quick, exact) >= 45
    assert not np.array_equal(exact, generator.at("float32").sample(range(16), label="c"))


@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY, ids=str)
def test_a_users_random_numbers_do_not_depend_on_the_precision(name, own):
    generator = generator_of(name, **own).at("bfloat16")
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    generator.sample([0])
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY, ids=str)
def test_a_fast_network_is_a_copy_and_the_exact_one_draws_as_it_is(name, own):
    generator = generator_of(name, **own)
    before = copy.deepcopy(generator.network.state_dict())
    generator.at("bfloat16").sample(range(4))
    after = generator.network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    latents, labels = generator.latents(range(64)), torch.arange(64) % 3
    with torch.inference_mode():
        expected = Drawing(generator.network)(latents, 1.0, labels)
        drawn = generator.at("float32")._draw(latents, labels, 1.0)
    assert torch.equal(drawn, expected)


def test_nothing_of_training_is_left_in_a_fast_network():
    for name, own in EVERY_FAMILY:
        kinds = {type(part) for part in fast(generator_of(name, **own).network).modules()}
        assert not any(issubclass(kind, nn.modules.batchnorm._BatchNorm) for kind in kinds), name
        assert not any("Spectral" in kind.__name__ for kind in kinds), name


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY, ids=str)
def test_a_seed_gives_one_picture_in_any_company(name, own, precision):
    generator = generator_of(name, **own).at(precision)
    whole = generator.sample(range(70))
    for count in (1, 3, 15, 17):
        assert np.array_equal(generator.sample(range(count)), whole[:count])
    assert np.array_equal(generator.sample([69, 2]), whole[[69, 2]])


def of_batches(draw):
    return Chunks(lambda latents, labels, truncation: draw(latents), 4, 0, torch.device("cpu"))


def pictures_of(latents):
    return latents[:, :, None, None].repeat(1, 1, 8, 8)


def test_chunks_have_room_for_all_and_are_few():
    chunks = of_batches(pictures_of)
    assert chunks.whole == SIZES[-1]
    assert [chunks.plan(count) for count in (1, 4, 5, 64, 65, 130)] == [[1], [4], [16], [64], [64, 1], [64, 64, 4]]
    assert chunks.plan(17) == [64]


def test_a_size_of_chunk_that_rounds_otherwise_is_not_taken():
    def rounds_with_few(latents):
        return pictures_of(latents) + (1e-7 if len(latents) in (1, 4) else 0)

    chunks = of_batches(rounds_with_few)
    assert [chunks.plan(count) for count in (1, 3, 16, 70)] == [[16], [16], [16], [64, 16]]


def test_of_large_pictures_fewer_are_drawn_at_a_time():
    def large(side):
        return of_batches(lambda latents: latents[:, :1, None, None].expand(-1, 1, side, side)).whole

    assert [large(side) for side in (64, 65, 128, 256, 512, 513)] == [64, 16, 16, 4, 1, 1]


@pytest.mark.parametrize(("kernel", "padding", "extra"), [(4, 1, 0), (5, 2, 1), (3, 1, 1), (2, 0, 0)])
def test_a_shuffled_convolution_is_the_transposed_one(kernel, padding, extra):
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(8, 3, kernel, 2, padding, output_padding=extra).requires_grad_(False)
    maps = torch.randn(2, 8, 5, 6).bfloat16().float()
    layer.weight.data = layer.weight.bfloat16().float()
    layer.bias.data = layer.bias.bfloat16().float()
    assert torch.allclose(Shuffled(layer)(maps).float(), layer(maps), atol=0.02)
    assert Shuffled(layer)(maps).shape == layer(maps).shape


def test_doubling_is_that_of_the_network():
    maps = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    for dim in (1, 2):
        assert torch.allclose(_doubled(maps, dim), r3gan._doubled(maps, dim), atol=1e-6)
    double = r3gan.Double(7, 7)
    narrow = NarrowDouble(double)(maps.permute(0, 3, 1, 2).bfloat16())
    assert torch.allclose(narrow.float(), double(maps.permute(0, 3, 1, 2)), atol=0.05)


@pytest.mark.parametrize("precision", ["float16", "float64", "half", ""])
def test_a_precision_that_there_is_not_is_refused(precision):
    with pytest.raises(UsageError, match="auto, float32, bfloat16"):
        generator_of("mlp").at(precision)


def test_auto_is_bfloat16_where_it_is_native(monkeypatch):
    generator = generator_of("mlp")
    for native, found in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr("ganvas.core.devices.has_fast_bfloat16", lambda device, native=native: native)
        assert generator.at("auto").precision == found
        assert Generator(generator.network, generator.card, generator.device).precision == found


def test_a_convolution_after_doubling_is_the_transposed_one():
    torch.manual_seed(0)
    layer = nn.Conv2d(5, 7, 3, padding=1).requires_grad_(False)
    maps = torch.randn(2, 5, 6, 4).bfloat16().float()
    expected = layer(nn.functional.interpolate(maps, scale_factor=2, mode="nearest"))
    assert torch.allclose(Doubled(layer)(maps).float(), expected, atol=0.02)
