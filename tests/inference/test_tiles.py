"""Tiles against the whole: for every network from pictures to pictures, odd sizes, larger results and smaller parts."""

import itertools

import numpy as np
import pytest
import torch
from tests_translators import CPU, SMALL, network_of, photo, translator_of
from torch.nn.functional import pad

from ganvas.inference import tiles
from ganvas.inference.guides import photo_of_array
from ganvas.inference.seen import LEAST_DIFFERENCE, bytes_for_a_pixel, seen
from ganvas.inference.translator import Translator


def in_parts(translator, side):
    """The same with tiles of about this side."""
    memory = translator._bytes_for_a_pixel(8) * side**2
    return Translator(translator.network, translator.card, CPU, "float32", memory=memory)


@pytest.mark.parametrize("what", SMALL, ids=lambda what: f"{what[0]}-{what[1].get('scale', 1)}-{what[4]}")
def test_tiles_make_what_the_whole_makes(what):
    whole = translator_of(*what)
    parts = in_parts(whole, 70)
    picture = photo(181, 291)
    mask = (photo(181, 291, seed=1)[0] > 150).astype(np.uint8) if what[4] == "inpaint" else None
    expected, made = whole(picture, mask).astype(int), parts(picture, mask).astype(int)
    chosen = parts._tiling(photo_of_array(picture))
    assert tiles.count_tiles((181, 291), chosen) >= 4, "there are parts"
    assert expected.shape[1:] == (181 * whole.scale, 291 * whole.scale)
    assert expected.std() > 5, "there is something to see"
    assert abs(expected - made).max() <= 1


def test_parts_without_a_margin_are_seen_to_differ():
    """So the test above is about something."""
    whole = translator_of(*SMALL[4])
    parts = in_parts(whole, 50)
    parts.__dict__["_seen"] = type(parts._seen)(0, 0.0)
    picture = photo(141, 203)
    assert abs(whole(picture).astype(int) - parts(picture)).max() > 3


def test_instance_normalisation_is_made_in_larger_parts_and_said_to_differ():
    translator = translator_of("resnet", {"width": 4, "blocks": 1}, 3, 3, "rgb")
    picture = photo_of_array(photo(160, 200))
    assert translator.note_on(picture) is None
    small = in_parts(translator, 40)
    chosen = small._tiling(picture)
    assert chosen.height * chosen.width >= 70**2
    assert "may differ in colour" in small.note_on(picture)


def test_a_network_that_looks_further_than_the_bound_says_by_how_much():
    class Far(torch.nn.Module):
        inputs = outputs = 3
        scale = multiple = least = 1
        reach = 500

        def forward(self, images):
            width = images.shape[3]
            return (images + pad(images, (60, 0))[..., :width] + pad(images, (0, 60))[..., -width:]) / 3

    found = seen(Far(), 40, CPU)
    assert found.margin == 40
    assert found.difference > 0.1
    near = seen(Far(), 200, CPU)
    assert 60 <= near.margin <= 80
    assert near.difference <= LEAST_DIFFERENCE


def test_what_is_seen_is_never_more_than_the_reach():
    for what in SMALL:
        network = network_of(*what[:4])
        found = seen(network, 128, CPU)
        assert found.margin <= network.reach
        assert found.difference <= LEAST_DIFFERENCE


@pytest.mark.parametrize(("margin", "multiple"), [(0, 1), (5, 1), (17, 4), (40, 32), (13, 256)])
def test_tiles_cover_a_side_and_their_shares_sum_to_one(margin, multiple):
    least = tiles.least_side(margin, multiple)
    for length, side in itertools.product((1, 5, 100, 333, 1024, 1025, 2999), (1, least, least + 77, 3 * least)):
        found = tiles.spans(length, side, margin, multiple)
        total = torch.zeros(length * 2)
        for span in found:
            assert span.start % multiple == 0
            assert span.start <= span.low < span.high <= span.stop
            assert span.first or span.low - span.start >= margin
            assert span.last or (span.stop - span.high >= margin and span.stop % multiple == 0)
            assert span.stop - span.start <= max(side, least)
            assert len(found) == 1 or span.stop - span.start >= multiple
            total[2 * span.low : 2 * span.high] += span.weights(2 * tiles.RAMP)
        assert torch.allclose(total, torch.ones(2 * length), atol=1e-6)
        assert found[-1].stop == length


def test_a_picture_that_fits_is_one_tile_whatever_the_multiple():
    chosen = tiles.tiling(101, 77, pixels=10_000, margin=5, multiple=32, scale=1)
    assert tiles.count_tiles((101, 77), chosen) == 1


def test_very_wide_pictures_have_low_tiles_so_that_finished_rows_stay_few():
    chosen = tiles.tiling(900, 20_000, pixels=512**2, margin=8, multiple=1, scale=4)
    kept = max(row.high - row.low for row in chosen.rows(900))
    assert kept * 4 * 20_000 * 4 * 3 <= 1.5 * tiles.MOST_IN_BAND


def test_memory_for_a_pixel_grows_with_the_width():
    small, large = (network_of("srresnet", {"width": width, "blocks": 1}, 3, 3) for width in (16, 64))
    assert 3 < bytes_for_a_pixel(large, 3, 1, CPU) / bytes_for_a_pixel(small, 3, 1, CPU) < 5
    # The widest layer: the second shuffle reads 64 channels at twice the side and makes 16 at four times the side.
    assert bytes_for_a_pixel(small, 3, 1, CPU) == 2 * (64 * 2**2 + 16 * 4**2) * 4
