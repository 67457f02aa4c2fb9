"""Colours of large pictures are made of smaller ones; lightness stays the picture's."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ganvas import networks
from ganvas.core.images import to_float, to_uint8
from ganvas.core.lab import apart, together
from ganvas.inference.coarse import Coarse
from ganvas.inference.translator import Translator

CPU = torch.device("cpu")


def colourer(inputs=1, size=8):
    UNet = networks.translator("unet")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(UNet.Settings(width=4, halvings=2, norm="none"), inputs=inputs, outputs=2)
    card = {"mode": "lab-colorize", "size": size}
    return Translator(network, card, CPU, "float32")


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (3, height, width), np.uint8)


def test_small_pictures_are_coloured_as_they_are():
    translator = colourer(size=8)  # at 32 pixels of the shorter side; from 64 on it is worked on half
    picture = photo(63, 80)
    made = translator(picture)
    translator.at = None
    assert (made == translator(picture)).all()


def test_large_pictures_get_the_colours_of_smaller_ones():
    translator, picture = colourer(size=8), photo(64, 96)
    made = translator(picture)
    lightness = apart(to_float(torch.from_numpy(picture))[None])[0]
    with torch.no_grad():
        small = translator.network(functional.avg_pool2d(lightness, 2))
    colours = functional.interpolate(small, scale_factor=2, mode="bilinear").clamp(-1, 1)
    wanted = to_uint8(together(lightness, colours))[0].numpy()
    assert abs(made.astype(int) - wanted).max() <= 1
    translator.at = None
    assert abs(made.astype(int) - translator(picture)).max() > 1


@pytest.mark.parametrize("shape", [(67, 101), (130, 64)])
def test_sides_that_are_no_multiple_are_coloured_to_the_edge(shape):
    assert colourer(size=8)(photo(*shape)).shape == (3, *shape)


def test_tiles_of_a_large_picture_are_as_the_whole():
    translator, picture = colourer(size=8), photo(160, 400)
    whole = translator(picture)
    translator.memory = 2**20
    parts = translator(picture)
    assert abs(parts.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_a_picture_with_16_bits_is_coloured_in_float32_unless_bfloat16_is_asked_for(precision):
    exact, picture = colourer(size=8), photo(64, 96).astype(np.uint16) * 257
    other = Translator(exact.network, exact.card, CPU, precision)
    assert np.array_equal(other(picture), exact(picture)) == (precision == "auto")


def test_what_draws_smaller_pictures_is_rewritten_as_for_whole_ones():
    UNet = networks.translator("unet")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(UNet.Settings(width=4, halvings=2, norm="batch"), inputs=1, outputs=2)
    translator = Translator(network, {"mode": "lab-colorize", "size": 8}, CPU, "bfloat16")
    drawn = translator._for(64, 96)._drawing(8)
    assert isinstance(drawn, Coarse)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in drawn.modules()), "they are in other layers"
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize("at", [None, 0, 32])
def test_what_is_judged_is_worked_on_as_what_is_applied(at):
    translator = colourer(size=16)
    translator.at = translator.at if at is None else at or None
    judged, picture = translator.in_float32(), photo(70, 101)
    lightness = apart(to_float(torch.from_numpy(picture))[None])[0]
    colours = judged.drawn(lightness).clamp(-1, 1)
    made = to_uint8(together(lightness, colours))[0].numpy()
    assert abs(made.astype(int) - translator(picture)).max() <= 1


def test_a_hint_of_one_pixel_counts_for_its_small_pixel():
    said = []

    class Spy(torch.nn.Module):
        inputs, outputs, multiple, least, reach = 4, 2, 1, 1, 0

        def forward(self, images):
            said.append(images)
            return images[:, :2]

    images = torch.zeros(1, 4, 8, 8)
    images[0, 1:3, 5, 6], images[0, 3, 5, 6] = torch.tensor([0.5, -0.25]), 1.0
    Coarse(Spy(), 4)(images)
    assert said[0].shape == (1, 4, 2, 2)
    assert said[0][0, :, 1, 1].tolist() == [0.0, 0.5, -0.25, 1.0]
    assert said[0][0, :, 0, 0].tolist() == [0.0, 0.0, 0.0, 0.0]
