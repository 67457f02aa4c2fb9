"""A network on pictures of any size: precision, masks, colours, memory, and what it takes."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from tests_translators import CPU, SMALL, Same, photo, same, translator_of, wide

from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float
from ganvas.core.lab import apart
from ganvas.inference.rows import MOST_WHOLE, Shape, written_as
from ganvas.inference.translator import Translator


def test_pictures_of_one_pixel_go_through_every_network():
    for what in SMALL:
        mask = np.ones((1, 1), np.uint8) if what[4] == "inpaint" else None
        translator = translator_of(*what)
        made = translator(photo(1, 1), mask)
        assert made.shape == (1 if what[3] == 1 else 3, translator.scale, translator.scale)


@pytest.mark.parametrize("what", SMALL, ids=lambda what: f"{what[0]}-{what[1].get('scale', 1)}-{what[4]}")
def test_bfloat16_is_within_45_decibels(what):
    picture, mask = photo(64, 80), (photo(64, 80, seed=1)[0] > 150) if what[4] == "inpaint" else None
    exact = translator_of(*what)
    quick = Translator(exact.network, exact.card, CPU, "bfloat16")
    before = {name: tensor.clone() for name, tensor in exact.network.state_dict().items()}
    expected, made = exact(picture, mask).astype(float), quick(picture, mask)
    error = ((expected - made) ** 2).mean()
    assert error == 0 or 10 * math.log10(255**2 / error) >= 45
    assert any(one.dtype == torch.bfloat16 for one in quick._fast.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in exact.network.state_dict().items())


def test_pictures_with_16_bits_are_made_in_float32_unless_bfloat16_is_asked_for():
    exact = translator_of(*SMALL[4])
    picture = photo(24, 24).astype(np.uint16) * 257
    automatic = Translator(exact.network, exact.card, CPU, "auto")
    asked = Translator(exact.network, exact.card, CPU, "bfloat16")
    assert np.array_equal(automatic(picture), exact(picture))
    assert not np.array_equal(asked(picture), exact(picture))


def test_what_is_known_is_kept_to_the_bit_and_holes_are_filled(tmp_path):
    translator = translator_of(*SMALL[-1], precision="bfloat16")
    picture, mask = photo(40, 60), np.zeros((40, 60), np.uint8)
    mask[10:20, 5:30] = 255
    made = translator(picture, mask)
    assert np.array_equal(made[:, mask == 0], picture[:, mask == 0])
    changed = picture.copy()
    changed[:, mask > 0] = 0
    assert np.array_equal(translator(changed, mask), made), "what is under the mask is not looked at"
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(picture.transpose(1, 2, 0)).save(tmp_path / "in.png")
    by_file = translator(tmp_path / "in.png", tmp_path / "mask.png")
    assert np.array_equal(np.asarray(by_file).transpose(2, 0, 1), made)
    holed = np.concatenate([picture, 255 - mask[None]])
    assert np.array_equal(translator(holed), made), "transparency is a mask"


def test_masks_that_cannot_be_used_are_refused():
    translator = translator_of(*SMALL[-1])
    with pytest.raises(DataError, match="needs a mask"):
        translator(photo(8, 8))
    with pytest.raises(DataError, match="9 x 8 pixels and its mask 8 x 8"):
        translator(photo(8, 9), np.ones((8, 8), np.uint8))
    with pytest.raises(UsageError, match="takes no mask"):
        same()(photo(8, 8), np.ones((8, 8), np.uint8))


def test_colour_from_grey_keeps_the_lightness():
    picture = photo(40, 50)
    made = translator_of(*SMALL[1])(picture)
    lightness = [apart(to_float(torch.from_numpy(one.copy()))[None])[0] for one in (picture, made)]
    inside = ((made > 0) & (made < 255)).all(axis=0)  # colours that a screen shows
    assert (lightness[0] - lightness[1])[0, 0][torch.from_numpy(inside)].abs().max() < 0.02


def test_modes_that_do_not_fit_a_network_are_refused():
    for card, words in (({"mode": "rbg"}, "rgb"), ({}, "None"), ({"mode": "lab-colorize"}, "from 1 to 2")):
        with pytest.raises(DataError, match=words):
            Translator(Same(), card, CPU)


def test_weights_that_make_no_numbers_are_told(tmp_path):
    translator = translator_of(*SMALL[4])
    next(translator.network.parameters()).data.fill_(math.nan)
    Image.fromarray(photo(8, 8).transpose(1, 2, 0)).save(tmp_path / "in.png")
    with pytest.raises(DataError, match=r"in\.png comes out as no numbers"):
        translator(tmp_path / "in.png")
    with pytest.raises(DataError, match="NaN"):
        translator.write(tmp_path / "in.png", tmp_path / "out.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png"]


def test_memory_that_runs_out_makes_tiles_smaller(tmp_path):
    class Hungry(Same):
        def translate(self, images):
            if images[0, 0].numel() > 60**2:
                raise torch.OutOfMemoryError("out of memory")
            return super().translate(images)

    pixels = photo(150, 130)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / "in.png")
    translator = Translator(Hungry(), {"mode": "restore"}, CPU)
    translator._bytes[8] = 1000
    translator.write(tmp_path / "in.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), pixels)


def test_results_too_large_for_a_format_are_refused_before_they_are_made():
    for format, height, width in (("JPEG", 70_000, 10), ("WEBP", 10, 16_384), ("BMP", 10_001, MOST_WHOLE // 10_000)):
        with pytest.raises(DataError, match="use --format png"):
            written_as(format, Shape(height, width, 3, 8))
        assert written_as("PNG", Shape(height, width, 3, 8))[1] == []


def test_arrays_of_another_kind_are_refused():
    for array in (
        np.zeros((5, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((3, 4, 4)),
        np.zeros((3, 0, 4), np.uint8),
    ):
        with pytest.raises(UsageError, match=r"\[C, H, W\]"):
            same()(array)


def test_pillow_images_are_turned_upright_as_files_are(tmp_path):
    image = Image.fromarray((wide(3) >> 8).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    of_file = same()(tmp_path / "turned.png")
    with Image.open(tmp_path / "turned.png") as opened:
        assert np.array_equal(np.asarray(same()(opened)), np.asarray(of_file))
    assert of_file.size == image.size[::-1]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_pillow_images_are_taken_as_well_so_that_results_can_be_used_again(mode, tmp_path):
    image = Image.fromarray((wide(3) >> 8).astype(np.uint8))
    image = image.convert("RGBA").convert(mode) if mode != "P" else image.quantize(16)
    image.save(tmp_path / "one.png")
    translator = same()
    of_file, of_image = translator(tmp_path / "one.png"), translator(image)
    assert of_image.mode == of_file.mode
    assert np.array_equal(np.asarray(of_image), np.asarray(of_file))
    assert np.array_equal(np.asarray(translator(of_image)), np.asarray(of_image))


def test_a_translator_says_what_it_is():
    assert repr(same(scale=2)).startswith("Translator(restore, 2 times larger, ")


def test_masks_and_hints_may_be_pillow_images_and_what_is_transparent_in_a_mask_is_black(tmp_path):
    translator, picture = translator_of(*SMALL[-1]), photo(24, 32)
    mask = np.zeros((24, 32), np.uint8)
    mask[4:12, 8:20] = 255
    expected = translator(picture, mask)
    assert np.array_equal(translator(picture, Image.fromarray(mask)), expected)
    hidden = np.dstack([np.full((24, 32, 3), 255, np.uint8), mask])  # white everywhere, but seen in the hole alone
    assert np.array_equal(translator(picture, Image.fromarray(hidden)), expected)
    Image.fromarray(hidden).save(tmp_path / "mask.png")
    assert np.array_equal(translator(picture, tmp_path / "mask.png"), expected)
    with pytest.raises(DataError, match="The picture needs a mask, white where"):
        translator(picture)
