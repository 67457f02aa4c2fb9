"""A network applied to files: what is kept, in which mode, in which precision, and what becomes of many."""

import errno
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, ImageOps
from tests_translators import CPU, SMALL, photo, translator_of
from torch.nn import functional

from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float
from ganvas.core.lab import apart
from ganvas.data.decode import Unreadable
from ganvas.inference.applying import Applied, Beside, Job, apply, plan
from ganvas.inference.photo import photo_of, read_photo
from ganvas.inference.rows import FORMATS, MOST_WHOLE, Shape, written_as
from ganvas.inference.translator import Translator
from ganvas.networks.translating import Translator as Network


class Same(Network):
    """What comes in, larger by repeating."""

    reach = 0

    def __init__(self, scale=1, inputs=3, outputs=3):
        super().__init__()
        self.scale, self.inputs, self.outputs = scale, inputs, outputs
        self.weight = torch.nn.Parameter(torch.ones(1))

    def translate(self, images):
        return functional.interpolate(images, scale_factor=self.scale, mode="nearest")[:, : self.outputs]


def same(scale=1, mode="restore", memory=2**30, **channels):
    return Translator(Same(scale, **channels), {"mode": mode}, CPU, memory=memory)


def wide(channels, height=60, width=47):
    """uint16 [H, W, C] of all values."""
    return np.random.default_rng(channels).integers(0, 65536, (height, width, channels)).astype(np.uint16)


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


@pytest.fixture
def pictures(tmp_path):
    """A folder with all kinds of files."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    image = Image.fromarray(photo(20, 30).transpose(1, 2, 0))
    for name in ("a.png", "b.jpg", "more/c.tif", "more/d.gif", "a.gif"):
        image.save(folder / name)
    whole = (folder / "b.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[:-100])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture")
    (folder / "phone.heic").write_bytes(b"....ftypheic")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def test_a_folder_is_done_but_for_its_broken_pictures_which_are_named(tmp_path, pictures):
    told = []
    done = apply(same(2), [pictures], tmp_path / "out", tell=lambda *what: told.append(what))
    names = ["a.gif.png", "a.png", "b.jpg", "more/c.tif", "more/d.png"]
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == names, "and nothing half-written"
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in done.written) == names
    assert {path.name: why for path, why in done.failed} == {
        "cut.jpg": "is cut short",
        "empty.png": "is empty",
        "phone.heic": "is not read, as heic; save it as PNG or JPEG",
    }
    with pytest.raises(DataError, match=r"3 pictures could not be used: .*phone\.heic is not read") as caught:
        done.check()
    assert caught.value.exit_status == 3
    assert [number for number, *_, part in told if part == 0.0] == list(range(1, 8))
    assert {count for _, count, *_ in told} == {7}
    for path in done.written:
        with Image.open(path) as image:
            assert image.size == (60, 40)


def test_what_is_there_is_left_unless_it_is_to_be_replaced(tmp_path, pictures):
    apply(same(), [pictures / "a.png"], tmp_path / "out")
    (tmp_path / "out/a.png").write_bytes(b"mine")
    again = apply(same(), [pictures / "a.png", pictures / "b.jpg"], tmp_path / "out")
    assert again.skipped == [tmp_path / "out/a.png"]
    assert again.written == [tmp_path / "out/b.jpg"]
    assert (tmp_path / "out/a.png").read_bytes() == b"mine"
    assert apply(same(), [pictures / "a.png"], tmp_path / "out", replace=True).written == [tmp_path / "out/a.png"]
    assert (tmp_path / "out/a.png").read_bytes()[:4] == b"\x89PNG"


def test_pictures_are_never_written_over(tmp_path, pictures):
    before = {path: path.read_bytes() for path in pictures.rglob("*.*")}
    for inputs in ([pictures], [pictures / "a.png"], [pictures / "more/../a.png"]):
        with pytest.raises(UsageError, match="would be written over"):
            apply(same(), inputs, pictures, replace=True)
    inside = pictures / "results"
    first = apply(same(), [pictures], inside)
    second = apply(same(), [pictures], inside)
    assert sorted(second.skipped) == sorted(first.written), "what was made is no input"
    assert all(path.read_bytes() == content for path, content in before.items())


def test_all_can_be_of_one_format(tmp_path, pictures):
    done = apply(same(), [pictures / "a.png", pictures / "b.jpg"], tmp_path / "out", format="webp")
    assert [path.name for path in done.written] == ["a.webp", "b.webp"]
    for path in done.written:
        with Image.open(path) as image:
            assert image.format == "WEBP"


@pytest.mark.parametrize(
    ("inputs", "more", "words"),
    [
        (["nothing.png"], {}, "There is no file or folder nothing.png"),
        (["a.png"], {"format": "gif"}, "--format gif: use png"),
        (["a.png", "more/a.png"], {}, "would both be written to"),
        (["a.png"], {"masks": "nowhere"}, "There is no file or folder nowhere with masks"),
        (["a.png"], {"masks": "more"}, "takes no masks"),
        (["a.png"], {"out": "b.jpg"}, "is a file: give a folder"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_begun(pictures, monkeypatch, inputs, more, words):
    monkeypatch.chdir(pictures)
    (pictures / "more/a.png").write_bytes((pictures / "a.png").read_bytes())
    with pytest.raises(UsageError, match=words):
        apply(same(), inputs, more.pop("out", "out"), **more)
    assert not Path("out").exists()


def test_a_folder_without_pictures_is_told(tmp_path):
    with pytest.raises(DataError, match="There is no picture"):
        apply(same(), [tmp_path], tmp_path / "out")


def test_a_stop_leaves_what_is_done_and_nothing_else(tmp_path, pictures):
    def tell(number, count, name, part):
        if number == 3 and part > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(same(), [pictures], tmp_path / "out", tell=tell)
    assert len(list((tmp_path / "out").rglob("*.*"))) == 2
    assert len(apply(same(), [pictures], tmp_path / "out").skipped) == 2


def test_masks_are_found_by_name(tmp_path, pictures):
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(np.full((20, 30), 255, np.uint8)).save(masks / "a.png")
    (masks / "b.png").write_bytes(b"no picture")
    done = apply(
        translator_of(*SMALL[-1]),
        [pictures / "a.png", pictures / "b.jpg", pictures / "more/c.tif"],
        tmp_path / "out",
        masks=masks,
    )
    assert [path.name for path in done.written] == ["a.png"]
    whys = [why for _, why in done.failed]
    assert "has a mask, " in whys[0]
    assert "that is not a picture" in whys[0]
    assert "one is named c.png" in whys[1]


def test_masks_lie_in_the_pictures_subfolders_or_in_none_and_none_is_of_two_pictures(tmp_path):
    shades = {"a/x": 40, "b/x": 250, "b/y": 90}
    for name, shade in shades.items():
        for folder, pixels in (("in", photo(20, 30).transpose(1, 2, 0)), ("masks", np.zeros((20, 30), np.uint8))):
            path = tmp_path / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = pixels.copy()
            pixels[:4, :4] = shade
            Image.fromarray(pixels).save(path)
    masks, inputs = tmp_path / "masks", [tmp_path / "in"]
    (masks / "b/y.png").rename(masks / "y.png")
    jobs = plan(inputs, tmp_path / "out", None, Applied())
    names = ["a/x.png", "b/x.png", "y.png"]
    assert [Beside(masks).of(job) for job in jobs] == [masks / name for name in names]
    assert len(apply(translator_of(*SMALL[-1]), inputs, tmp_path / "out", masks=masks).written) == 3
    (masks / "a/x.png").rename(masks / "x.png")
    (masks / "b/x.png").unlink()
    with pytest.raises(UsageError, match=r"masks/x\.png has the name of both \S*in/a/x\.png and \S*in/b/x\.png"):
        apply(translator_of(*SMALL[-1]), inputs, tmp_path / "again", masks=masks)
    assert not (tmp_path / "again").exists()


def test_masks_have_any_ending(tmp_path):
    for name in ("a.PNG", "b.GIF", "c.ppm"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    (tmp_path / "a.txt").write_text("of a")
    jobs = [Job(Path(f"{name}.jpg"), Path("out"), Path(f"{name}.jpg")) for name in "abcd"]
    found = [Beside(tmp_path).of(job) for job in jobs]
    assert [file and file.name for file in found] == ["a.PNG", "b.GIF", "c.ppm", None]


def test_pillow_images_are_turned_upright_as_files_are(tmp_path):
    image = Image.fromarray((wide(3) >> 8).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    of_file = same()(tmp_path / "turned.png")
    with Image.open(tmp_path / "turned.png") as opened:
        assert np.array_equal(np.asarray(same()(opened)), np.asarray(of_file))
    assert of_file.size == image.size[::-1]


def test_one_picture_that_cannot_be_written_does_not_end_the_others(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    names = ["a.png", f"{'長' * 80}.png", "z.png"]
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)
    done = apply(same(), [folder], tmp_path / "out")
    assert len(done.written) == 3, "also those with names as long as there may be"
    write = Translator.write

    def fail(self, picture, out, **more):
        if picture.name == "a.png":
            raise OSError(errno.EACCES, "Permission denied")
        return write(self, picture, out, **more)

    monkeypatch.setattr(Translator, "write", fail)
    done = apply(same(), [folder], tmp_path / "again")
    assert [(path.name, why.split(": ")[-1]) for path, why in done.failed] == [("a.png", "Permission denied")]
    assert len(done.written) == 2


def test_folders_that_links_lead_to_are_gone_through_and_unread_files_are_named(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "far/one.png")
    (tmp_path / "in/linked").symlink_to(tmp_path / "far")
    (tmp_path / "in/phone.heic").write_bytes(b"?")
    for given in ([tmp_path / "in"], [tmp_path / "in/linked/one.png", tmp_path / "in/phone.heic"]):
        done = Applied()
        assert [job.picture.name for job in plan(given, tmp_path / "out", None, done)] == ["one.png"]
        assert [(path.name, why) for path, why in done.failed] == [
            ("phone.heic", "is not read, as heic; save it as PNG or JPEG")
        ]


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
