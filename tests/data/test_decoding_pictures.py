"""What becomes of one picture, of any mode and format: its pixels, its channels, its turn."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from ganvas.core.sizes import Size
from ganvas.data.decode import decode, look_at
from ganvas.data.fit import fit_arrays

DICE = np.random.default_rng(1)
GREY = DICE.integers(0, 256, (16, 16), dtype=np.uint8)
COLOUR = DICE.integers(0, 256, (16, 16, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(content: bytes, size: int | Size = 16, channels: int = 3) -> np.ndarray:
    return decode(content, size, channels, 1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_pixels_of_the_wanted_size_are_kept_exactly(kind: str) -> None:
    assert np.array_equal(read(saved(Image.fromarray(COLOUR), kind)), COLOUR.transpose(2, 0, 1))
    assert np.array_equal(read(saved(Image.fromarray(GREY), kind), channels=1), GREY[None])


def test_lossless_webp_and_gif_keep_their_pixels() -> None:
    assert np.array_equal(read(saved(Image.fromarray(COLOUR), "WEBP", lossless=True)), COLOUR.transpose(2, 0, 1))
    assert np.array_equal(read(saved(Image.fromarray(GREY), "GIF"), channels=1), GREY[None])


def test_sixteen_bit_grey_is_scaled_by_its_full_range_and_rounded() -> None:
    values = np.array([0, 1, 128, 129, 257, 32768, 65406, 65407, 65535] + [0] * 55, np.uint16).reshape(8, 8)
    expected = np.rint(values / 257).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        content = saved(Image.fromarray(values), kind)
        assert np.array_equal(read(content, 8, 1)[0], expected)
        assert look_at(io.BytesIO(content)).channels == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0, 0.25], [0, 128, 255, 64]),  # taken for 0..1
        ([0.0, 127.6, 255.0, 3.2], [0, 128, 255, 3]),  # taken for 0..255
        ([-10.0, 0.0, 10.0, -10.0], [0, 128, 255, 0]),  # stretched
        ([-5.0, -5.0, -5.0, -5.0], [0, 0, 0, 0]),  # flat, out of every range
    ],
)
def test_float_pictures_are_scaled_by_the_range_they_lie_in(values: list[float], expected: list[int]) -> None:
    picture = Image.fromarray(np.array(values, np.float32).reshape(2, 2))
    assert read(saved(picture, "TIFF"), 2, 1).reshape(-1).tolist() == expected


def test_integer_pictures_are_taken_for_eight_bits_only_if_they_fit() -> None:
    small, large = (Image.fromarray(np.array([[0, 10], [20, top]], np.int32)) for top in (255, 65535))
    assert read(saved(small, "TIFF"), 2, 1).reshape(-1).tolist() == [0, 10, 20, 255]
    assert read(saved(large, "TIFF"), 2, 1).reshape(-1).tolist() == [0, 0, 0, 255]


def test_transparency_lies_on_white_unless_two_or_four_channels_are_wanted() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., 0], pixels[:4, :, 3], pixels[4:, :, 3] = 200, 255, 0  # red above; below, red that cannot be seen
    content = saved(Image.fromarray(pixels))
    colour, grey, whole, pair = (read(content, 8, channels) for channels in (3, 1, 4, 2))
    assert colour[:, 0, 0].tolist() == [200, 0, 0]
    assert colour[:, 7, 0].tolist() == [255, 255, 255]
    assert grey[0, 7, 0] == 255
    assert whole[:, 0, 0].tolist() == [200, 0, 0, 255]
    assert whole[3, 7, 0] == 0
    assert pair[:, 0, 0].tolist() == [60, 255]  # the lightness of that red
    assert pair[1, 7, 0] == 0
    half = np.full((8, 8, 4), (0, 0, 0, 128), np.uint8)
    assert abs(int(read(saved(Image.fromarray(half)), 8, 1)[0, 0, 0]) - 127) <= 1


def test_hidden_colours_do_not_bleed_when_resized() -> None:
    pixels = np.full((64, 64, 4), (255, 0, 0, 0), np.uint8)  # invisible red ...
    pixels[:, 32:] = (0, 0, 255, 255)  # ... beside blue
    small = read(saved(Image.fromarray(pixels)), 8, 3).astype(int)
    assert small[0].max() == 255  # white where nothing is
    assert (small[0] <= small[1] + 1).all()  # no red tint: red never exceeds green, which only white has


def test_transparent_palettes_grey_with_alpha_and_one_bit_are_read() -> None:
    palette = Image.fromarray(GREY).convert("P")
    assert read(saved(palette, transparency=int(GREY[0, 0])))[:, 0, 0].tolist() == [255] * 3
    grey_alpha = Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (16, 16), 255)])
    assert np.array_equal(read(saved(grey_alpha), channels=1)[0], GREY)
    one_bit = Image.fromarray(GREY > 127)
    assert np.array_equal(read(saved(one_bit), channels=1)[0], np.where(GREY > 127, 255, 0))


def test_cmyk_becomes_colour() -> None:
    picture = Image.new("RGB", (16, 16), (200, 30, 60)).convert("CMYK")
    assert np.allclose(read(saved(picture, "TIFF"))[:, 8, 8], (200, 30, 60), atol=2)
    assert np.allclose(read(saved(picture, "JPEG", quality=95))[:, 8, 8], (200, 30, 60), atol=6)


def test_grey_is_told_from_headers_also_in_palettes() -> None:
    greys = [Image.fromarray(GREY), Image.fromarray(GREY).convert("1"), Image.fromarray(GREY).convert("LA")]
    assert [look_at(io.BytesIO(saved(one))).channels for one in greys] == [1, 1, 1]
    assert look_at(io.BytesIO(saved(Image.fromarray(GREY), "GIF"))).channels == 1
    grey_palette, colour_palette = Image.new("P", (8, 8)), Image.new("P", (8, 8))
    grey_palette.putpalette([n for level in range(256) for n in (level,) * 3])
    colour_palette.putpalette([n for level in range(256) for n in (level, 0, 0)])
    for kind in ("PNG", "TIFF", "BMP"):
        assert look_at(io.BytesIO(saved(grey_palette, kind))).channels == 1, kind
        assert look_at(io.BytesIO(saved(colour_palette, kind))).channels == 3, kind


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_turned_upright_by_their_exif(kind: str, orientation: int) -> None:
    upright = Image.new("L", (40, 40))
    upright.paste(255, (0, 0, 20, 20))  # a light corner at the top left ...
    upright.paste(120, (20, 0, 40, 20))  # ... and a darker one at the top right: no two turns look alike
    undo = {  # EXIF 2.3, tag 0x0112: how a camera stored it
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    seen = read(saved(stored.convert("RGB"), kind, exif=exif, **options), 40, 1)[0]
    assert [round(int(seen[y, x]), -1) for y, x in ((10, 10), (10, 30), (30, 10), (30, 30))] == [260, 120, 0, 0]


def test_the_centre_square_is_kept_and_nothing_is_squeezed() -> None:
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 255
    assert (read(saved(Image.fromarray(wide)), 20, 1) == 255).all()
    assert (read(saved(Image.fromarray(wide.T.copy())), 20, 1) == 255).all()
    assert read(saved(Image.fromarray(wide)), 10, 1)[0, :, 2:-2].min() >= 250  # Lanczos sees a little past its edges


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    chessboard = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 100})):
        small = read(saved(Image.fromarray(chessboard), kind, **options), 16, 1).astype(int)
        assert abs(small - 127).max() <= 3, kind


def test_small_pictures_are_enlarged_and_a_single_pixel_becomes_a_flat_one() -> None:
    assert read(saved(Image.fromarray(COLOUR)), 100).shape == (3, 100, 100)
    assert (read(saved(Image.new("RGB", (1, 1), (9, 8, 7))), 32) == np.array([9, 8, 7]).reshape(3, 1, 1)).all()


def test_of_animations_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
        assert read(content)[:, 8, 8].tolist() == [255, 0, 0], kind


def test_all_channel_counts_of_all_modes() -> None:
    for mode in ("L", "LA", "RGB", "RGBA", "P", "1"):
        content = saved(Image.fromarray(COLOUR).convert(mode))
        for channels in (1, 3, 4):
            assert read(content, 7, channels).shape == (channels, 7, 7), mode
    assert (read(saved(Image.fromarray(COLOUR)), 16, 4)[3] == 255).all()


@pytest.mark.parametrize(
    ("shape", "size", "box"),
    [
        ((90, 60), "30x20", (0, 0, 90, 60)),
        ((100, 60), "30x20", (5, 0, 95, 60)),
        ((90, 80), "30x20", (0, 10, 90, 70)),
        ((60, 90), "30x20", (0, 25, 60, 65)),
        ((64, 200), "16x32", (0, 36, 64, 164)),
        ((30, 10), "96x64", (7, 0, 22, 10)),
        ((20, 20), "64x16", (0, 7, 20, 12)),
        ((100, 70), "30x20", (0, 1, 100, 1 + 200 / 3)),
    ],
)
def test_the_centre_part_of_the_wanted_shape_is_resized_as_pillow_does(shape, size, box) -> None:
    picture = Image.fromarray(DICE.integers(0, 256, (shape[1], shape[0], 3), dtype=np.uint8))
    wanted = Size.of(size)
    expected = picture.resize((wanted.width, wanted.height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    assert np.array_equal(read(saved(picture), wanted), np.asarray(expected).transpose(2, 0, 1))


def test_pixels_of_a_wanted_shape_are_kept_exactly_and_only_cropped_where_that_is_enough() -> None:
    pixels = DICE.integers(0, 256, (12, 40, 3), dtype=np.uint8)
    content = saved(Image.fromarray(pixels))
    assert np.array_equal(read(content, Size(12, 40)), pixels.transpose(2, 0, 1))
    assert np.array_equal(read(content, Size(12, 24)), pixels[:, 8:32].transpose(2, 0, 1))
    deep = DICE.integers(0, 65536, (12, 40), dtype=np.uint16)
    expected = np.rint(deep[:, 8:32] / 257).astype(np.uint8)
    assert np.array_equal(read(saved(Image.fromarray(deep)), Size(12, 24), 1)[0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_turned_picture_is_cut_to_the_shape_that_is_wanted_upright(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    kept = Image.fromarray(np.kron(DICE.integers(0, 256, (10, 15), dtype=np.uint8), np.ones((16, 16), np.uint8)))
    content = saved(kept, kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    plain = saved(upright, kind)
    found, expected = (read(one, Size(20, 40), 1)[0].astype(int) for one in (content, plain))
    assert np.abs(found - expected).mean() < 3
    turned = look_at(io.BytesIO(content))
    assert (turned.width, turned.height) == upright.size


def test_array_sets_are_padded_each_way_by_itself() -> None:
    images = DICE.integers(0, 256, (2, 1, 28, 28), dtype=np.uint8)
    fitted = fit_arrays(images, Size(28, 32), 1)
    assert np.array_equal(fitted[..., 2:30], images)
    assert not fitted[..., :2].any()
    assert not fitted[..., 30:].any()
    resized = fit_arrays(images, Size(28, 36), 1)
    expected = Image.fromarray(images[0, 0]).resize((36, 28), Image.Resampling.LANCZOS, (0, 3, 28, 3 + 28 * 28 / 36))
    assert np.array_equal(resized[0, 0], np.asarray(expected))
