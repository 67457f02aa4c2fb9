"""What a translator keeps of files: bits, orientation, profiles, transparency, grey."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps
from tests_translators import CPU, Same, photo, same, wide

from ganvas.data.decode import MAX_BYTES, MAX_PIXELS, Unreadable
from ganvas.inference import photo as inference_photo
from ganvas.inference.photo import photo_of, read_photo
from ganvas.inference.rows import FORMATS
from ganvas.inference.translator import Translator


def png_of(pixels):
    """A PNG with 16 bits as its specification says, without filters, in two parts."""
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    raw = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))]
    chunks += [(b"IDAT", raw[:100]), (b"IDAT", raw[100:]), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def unfiltered(content):
    """The pixels of a 16-bit PNG [H, W, C], decoded slowly, byte by byte: PNG, section 9."""
    at, data = 8, b""
    while at < len(content):
        (length,), kind = struct.unpack(">I", content[at : at + 4]), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", body[:10])
        data += body if kind == b"IDAT" else b""
        assert zlib.crc32(kind + body) == struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0]
        at += 12 + length
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    step, raw, above = channels * bits // 8, zlib.decompress(data), bytearray(width * channels * bits // 8)
    rows = []
    for row in range(height):
        line = raw[row * (len(above) + 1) :][: len(above) + 1]
        assert line[0] in (0, 4)
        here = bytearray(line[1:])
        for place in range(len(here) if line[0] else 0):
            a, c = (here[place - step], above[place - step]) if place >= step else (0, 0)
            b = above[place]
            guess = a + b - c
            here[place] = (here[place] + min((a, b, c), key=lambda one: abs(guess - one))) % 256
        rows.append(here)
        above = here
    return np.frombuffer(b"".join(rows), ">u2" if bits == 16 else "u1").reshape(height, width, channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("parts", [False, True])
def test_sixteen_bits_come_through_to_the_bit_in_png(tmp_path, channels, parts):
    pixels = wide(channels)
    (tmp_path / "in.png").write_bytes(png_of(pixels))
    same(memory=96 * 20**2 if parts else 2**30).write(tmp_path / "in.png", tmp_path / "out.png")
    assert np.array_equal(unfiltered((tmp_path / "out.png").read_bytes()), pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_come_through_to_the_bit_in_tiff(tmp_path, channels, packed, order):
    pixels = wide(channels)
    about = {"photometric": "rgb" if channels > 1 else "minisblack", "planarconfig": "contig" if channels > 1 else None}
    tifffile.imwrite(
        tmp_path / "in.tif",
        pixels.squeeze(),
        byteorder=order,
        extrasamples=["unassalpha"] if channels == 4 else None,
        **about,
        **packed,
    )
    assert same().write(tmp_path / "in.tif", tmp_path / "out.tif") == []
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif").reshape(pixels.shape), pixels)


def test_eight_bits_come_through_to_the_bit_in_every_format_without_loss(tmp_path):
    pixels = photo(41, 33).transpose(1, 2, 0)
    for ending in (".png", ".tif", ".bmp", ".ppm"):
        Image.fromarray(pixels).save(tmp_path / f"in{ending}")
        same().write(tmp_path / f"in{ending}", tmp_path / f"out{ending}")
        with Image.open(tmp_path / f"out{ending}") as image:
            assert image.format == FORMATS[ending]
            assert np.array_equal(np.asarray(image), pixels), ending


def test_large_tiffs_have_numbers_of_64_bits(tmp_path, monkeypatch):
    monkeypatch.setattr("ganvas.inference.rows._CLASSIC", 100)
    monkeypatch.setattr("ganvas.inference.rows._STRIP", 1000)
    pixels = photo(41, 33).transpose(1, 2, 0)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    same().write(tmp_path / "in.png", tmp_path / "out.tif")
    assert (tmp_path / "out.tif").read_bytes()[:4] == b"II+\0"
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_out_upright_with_their_exif(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description", orientation
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA002: 40, 0xA003: 24})
    exif.get_ifd(0x8825)[1] = "N"
    blocks = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((12, 12), np.uint8))
    turned = Image.fromarray(np.stack([blocks] * 3, axis=2))
    turned.save(tmp_path / "in.jpg", exif=exif, quality=100)
    turned.save(tmp_path / "in.png", exif=exif)
    with Image.open(tmp_path / "in.png") as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    for name, out in (("in.jpg", "a.jpg"), ("in.png", "b.png"), ("in.png", "c.tif"), ("in.jpg", "d.webp")):
        same(scale=2).write(tmp_path / name, tmp_path / out)
        with Image.open(tmp_path / out) as image:
            found = image.getexif()
            assert abs(np.asarray(image)[::2, ::2].astype(int) - upright).max() <= 12, out
            assert found.get(0x0112, 1) == 1
            assert found[0x010E] == "a description"
            assert found.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
            assert (found.get_ifd(0x8769)[0xA002], found.get_ifd(0x8769)[0xA003]) == image.size
            assert found.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_turned_pictures_with_16_bits(tmp_path, orientation):
    pixels = wide(3, 20, 31)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    same().write(tmp_path / "in.tif", tmp_path / "out.png")
    expected = {1: pixels, 3: pixels[::-1, ::-1], 6: np.rot90(pixels, -1), 8: np.rot90(pixels)}[orientation]
    assert np.array_equal(unfiltered((tmp_path / "out.png").read_bytes()), expected)


def test_colour_profiles_are_kept_where_they_fit_the_result(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.fromarray(photo(20, 30).transpose(1, 2, 0))
    for ending in (".png", ".jpg", ".tif", ".webp"):
        picture.save(tmp_path / f"in{ending}", icc_profile=profile)
        assert same().write(tmp_path / f"in{ending}", tmp_path / f"out{ending}") == []
        with Image.open(tmp_path / f"out{ending}") as image:
            assert image.info["icc_profile"] == profile, ending
    (note,) = same(mode="grey", inputs=3, outputs=1).write(tmp_path / "in.png", tmp_path / "grey.png")
    assert "colour profile" in note
    with Image.open(tmp_path / "grey.png") as image:
        assert image.mode == "L"
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("kind", ["LA", "RGBA"])
@pytest.mark.parametrize("bits", [8, 16])
def test_transparency_is_enlarged_by_lanczos_beside_the_network(tmp_path, kind, bits):
    rng = np.random.default_rng(0)
    pixels = np.asarray(Image.fromarray(rng.integers(0, 255, (90, 41, 4)).astype(np.uint8)).convert(kind))
    pixels = pixels.astype(np.uint16) * 257 if bits == 16 else pixels
    translator = same(scale=3, memory=400 * 40**2)  # so the rows come in bands
    made = translator(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    alpha = Image.fromarray(pixels[:, :, -1].astype(np.float32)).resize((41 * 3, 90 * 3), Image.Resampling.LANCZOS)
    assert made.dtype == pixels.dtype
    assert np.array_equal(made[:, :, -1], np.rint(np.asarray(alpha)).clip(0, 2**bits - 1))
    assert np.array_equal(made[::3, ::3, :-1], pixels[:, :, :-1])


def on_white(pixels):
    """[H, W, C] with an alpha -> as they look on white."""
    full = np.iinfo(pixels.dtype).max
    alpha = pixels[:, :, -1:].astype(np.float64) / full
    return pixels[:, :, :-1] * alpha + full * (1 - alpha)


@pytest.mark.parametrize("bits", [8, 16])
def test_what_makes_something_else_of_pictures_sees_them_on_white_as_in_training(bits, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (20, 30, 4)).astype(np.uint8)
    pixels[:, :8, 3], pixels[:, 8:20, 3], pixels[:, 20:, 3] = 0, 255, 128
    pixels = pixels.astype(np.uint16) * 257 if bits == 16 else pixels
    seen = []

    class Watched(Same):
        def translate(self, images):
            seen.append(images)
            return images

    translator = Translator(Watched(), {"mode": "rgb"}, CPU)
    made = translator(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    full = np.iinfo(pixels.dtype).max
    given = (seen[-1][0].permute(1, 2, 0).numpy() + 1) / 2 * full
    np.testing.assert_allclose(given[:20, :30], on_white(pixels), atol=full * 1e-5)
    assert np.array_equal(made[:, :, 3], pixels[:, :, 3])
    assert np.array_equal(made[:, 8:20], pixels[:, 8:20])
    assert np.abs(made[:, 20:, :3].astype(int) - pixels[:, 20:, :3]).max() <= 1
    hidden = pixels.copy()
    hidden[:, :8, :3] = 0
    assert np.array_equal(translator(hidden.transpose(2, 0, 1)).transpose(1, 2, 0), made), "hidden colours say nothing"
    Image.fromarray((pixels >> (bits - 8)).astype(np.uint8)).save(tmp_path / "in.png")
    assert translator.write(tmp_path / "in.png", tmp_path / "out.png") == [
        "keeps its transparency, below which what was made is not seen"
    ]


def test_a_format_without_transparency_gets_the_picture_on_white(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "in.png")
    (note,) = same().write(tmp_path / "in.png", tmp_path / "out.bmp")
    assert "on white" in note
    with Image.open(tmp_path / "out.bmp") as image:
        assert np.asarray(image)[0, [0, 7]].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_grey_pictures_come_back_grey_where_they_are_the_same_picture(tmp_path):
    Image.fromarray(photo(20, 30)[0]).save(tmp_path / "in.png")
    same().write(tmp_path / "in.png", tmp_path / "restored.png")
    same(mode="rgb").write(tmp_path / "in.png", tmp_path / "translated.png")
    with Image.open(tmp_path / "restored.png") as restored, Image.open(tmp_path / "translated.png") as translated:
        assert (restored.mode, translated.mode) == ("L", "RGB")
        assert np.array_equal(np.asarray(restored), photo(20, 30)[0])


def test_colours_that_a_network_of_grey_pictures_loses_are_said(tmp_path):
    grey = same(inputs=1, outputs=1)
    Image.fromarray(photo(20, 30).transpose(1, 2, 0)).save(tmp_path / "colours.png")
    Image.fromarray(photo(20, 30)[0]).save(tmp_path / "grey.png")
    (note,) = grey.write(tmp_path / "colours.png", tmp_path / "made.png")
    assert "comes out grey" in note
    assert grey.write(tmp_path / "grey.png", tmp_path / "made.png") == []


def test_kinds_of_pictures_that_are_turned_to_colours_or_grey():
    base = Image.fromarray(photo(20, 30).transpose(1, 2, 0))
    for image, format, channels, note in (
        (base.convert("CMYK"), "JPEG", 3, "CMYK"),
        (base.convert("P"), "PNG", 3, None),
        (base.convert("1"), "PNG", 1, None),
        (base, "GIF", 3, None),
        (Image.fromarray(photo(20, 30)[0].astype(np.float32)), "TIFF", 1, "8 are kept"),
    ):
        content = io.BytesIO()
        image.save(content, format)
        found = photo_of(content.getvalue())
        assert (found.channels, found.bits, found.height, found.width) == (channels, 8, 20, 30)
        assert (note is None and not found.notes) or note in found.notes[0]


def test_of_many_frames_the_first_is_used_and_that_is_said():
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue")]
    for format in ("GIF", "PNG", "WEBP", "TIFF"):
        content = io.BytesIO()
        frames[0].save(content, format, save_all=True, append_images=frames[1:])
        found = photo_of(content.getvalue())
        assert "only the first" in found.notes[0], format
        red, green, blue = found.cut(slice(0, 1), slice(0, 1))[0, 0]
        assert red > 240
        assert max(green, blue) < 15


def test_sixteen_bits_in_channels_that_lie_apart_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", wide(3).transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    with pytest.raises(Unreadable, match="lie apart"):
        read_photo(tmp_path / "in.tif")


def test_a_file_may_be_as_large_as_the_largest_picture_uncompressed(tmp_path, monkeypatch):
    assert inference_photo.MOST_BYTES > wide(4).itemsize * 4 * MAX_PIXELS > MAX_BYTES
    path = tmp_path / "in.bmp"
    Image.fromarray(photo(20, 30).transpose(1, 2, 0)).save(path)
    monkeypatch.setattr(inference_photo, "MOST_BYTES", path.stat().st_size)
    assert read_photo(path).width == 30
    monkeypatch.setattr(inference_photo, "MOST_BYTES", path.stat().st_size - 1)
    with pytest.raises(Unreadable, match="is larger than"):
        read_photo(path)
