"""Files that lie, bite or are broken: each is refused with a reason, quickly, and in little memory."""

import io
import random
import struct
import threading
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from ganvas.data import decode as decoding
from ganvas.data.decode import Unreadable, decode, look_at, quiet_pillow


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(content: bytes, size: int = 16, channels: int = 3, smallest: int = 1) -> np.ndarray:
    with quiet_pillow():
        return decode(content, size, channels, smallest)


def noise(width: int = 40, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_that_claims(width: int, height: int, extra: bytes = b"") -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + extra + pixels + png_chunk(b"IEND", b"")


FORMATS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", {"compression": "jpeg"}),
    ("BMP", {}),
    ("PPM", {}),
]


@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_files_with_flipped_bytes_are_read_or_refused_and_nothing_else(kind: str, options: dict[str, object]) -> None:
    whole = saved(noise(), kind, **options)
    outcomes = set()
    for seed in range(60):
        dice = random.Random(seed)
        content = bytearray(whole)
        for _ in range(dice.choice([1, 3, 20])):
            place = dice.randrange(len(content) if seed % 2 else min(len(content), 120))  # half of them in the header
            content[place] = dice.randrange(256)
        with quiet_pillow():
            for reading in (lambda c: look_at(io.BytesIO(c)), lambda c: decode(c, 16, 3, 1)):
                try:
                    reading(bytes(content))
                    outcomes.add("read")
                except Unreadable:
                    outcomes.add("refused")  # any other error fails this test
    assert "read" in outcomes


@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_files_cut_short_are_refused(kind: str, options: dict[str, object]) -> None:
    whole = saved(noise(), kind, **options)
    for share in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(Unreadable):
            read(whole[: int(len(whole) * share)])


def test_the_reason_says_what_is_the_matter() -> None:
    jpeg = saved(noise(), "JPEG")
    cases = {
        b"": "is empty",
        b"hello, this is no picture at all": "is not a picture",
        jpeg[: len(jpeg) // 2]: "is cut short",
        png_that_claims(60_000, 60_000): "million pixels",
        png_that_claims(20_000, 5_100): "102 million pixels",
    }
    for content, reason in cases.items():
        with pytest.raises(Unreadable, match=reason):
            read(content)
    with pytest.raises(Unreadable, match="only 40 x 7 pixels"):
        read(saved(noise(40, 7)), smallest=8)


def test_other_formats_that_pillow_knows_are_refused() -> None:
    for content in (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        saved(noise(), "ICO"),
        saved(noise(), "TGA"),
    ):
        with pytest.raises(Unreadable, match="is not a picture"):
            read(content)


def test_bombs_are_refused_before_memory_is_taken() -> None:
    bombs = [
        png_that_claims(60_000, 60_000),
        png_that_claims(2**31 - 1, 1),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0),
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0),
        b"P6 65000 65000 255\n" + b"\0" * 100,
        small_tiff_with_enormous_tiles(),
    ]
    with pytest.raises(Unreadable, match="3,600 million pixels"):
        read(bombs[-1])
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(Unreadable):
            read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def small_tiff_with_enormous_tiles() -> bytes:
    tags = [
        (256, 16),
        (257, 16),
        (258, 8),
        (259, 8),
        (262, 1),
        (277, 1),
        (322, 60_000),
        (323, 60_000),
        (324, 8),
        (325, 50),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)


def test_a_picture_30000_pixels_wide_is_read_and_cut_to_its_middle() -> None:
    pixels = np.zeros((16, 30_000), np.uint8)
    pixels[:, 14_992:15_008] = 200
    for kind in ("PNG", "TIFF"):
        assert (read(saved(Image.fromarray(pixels), kind), 16, 1) == 200).all()
    jpeg = read(saved(Image.fromarray(np.full((1000, 30_000), 90, np.uint8)), "JPEG"), 64, 1)
    assert jpeg.shape == (1, 64, 64)
    assert abs(jpeg.astype(int) - 90).max() <= 2


def test_a_file_cut_into_countless_pieces_is_refused() -> None:
    empty_comments = png_chunk(b"tEXt", b"a\0") * (decoding.MAX_HEADER_READS // 2)
    with pytest.raises(Unreadable, match="more pieces"):
        read(png_that_claims(16, 16, empty_comments))
    after_pixels = saved(noise())[:-12] + png_chunk(b"zzZz", b"") * 60_000 + png_chunk(b"IEND", b"")
    with pytest.raises(Unreadable, match="more pieces"):
        read(after_pixels)
    gif = saved(noise(), "GIF")
    comment = b"\x21\xfe" + (b"\xff" + b"a" * 255) * 60_000 + b"\0"
    head = 13 + 3 * 256
    with pytest.raises(Unreadable, match="more pieces"):
        read(gif[:head] + comment + gif[head:])


def test_a_header_longer_than_any_honest_one_is_refused() -> None:
    tags = [(256, 16, 1), (257, 16, 1), (258, 8, 1), (259, 1, 1), (262, 1, 1), (273, 122, 5_000_000), (278, 1, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, value, count in tags)
    head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    with pytest.raises(Unreadable, match="longer header"):
        read(head.ljust(122, b"\0") + b"\0" * 20_000_000)


def test_a_jpeg_with_countless_passes_is_refused() -> None:
    jpeg = saved(noise(), "JPEG", progressive=True)
    last_pass = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    assert read(jpeg).shape == (3, 16, 16)
    with pytest.raises(Unreadable, match="more passes"):
        read(jpeg[:-2] + last_pass * 200 + jpeg[-2:])


def test_large_pictures_in_packings_that_python_decodes_are_refused() -> None:
    plain = b"P2 3000 2000 255\n" + b"0 " * 100
    with pytest.raises(Unreadable, match="too large for the way it is packed"):
        read(plain)
    small = b"P2 2 2 255\n" + b"0 255 7 9\n"
    assert read(small, 2, 1).reshape(-1).tolist() == [0, 255, 7, 9]


def test_threads_hold_one_big_picture_at_a_time_and_small_ones_together() -> None:
    inside, most = [0], [0]
    meeting = threading.Barrier(4, timeout=20)

    def hold_big() -> None:
        with decoding.big_turn(11, 10):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            inside[0] -= 1

    def hold_small() -> None:
        with decoding.big_turn(10, 10):
            meeting.wait()  # breaks unless four are inside together

    for hold in (hold_big, hold_small):
        threads = [threading.Thread(target=hold) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most[0] == 1
    assert not meeting.broken


def test_damaged_exif_and_metadata_do_not_cost_the_picture() -> None:
    for exif in (
        b"Exif\0\0" + b"\xff" * 40,
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0",
        b"rubbish",
    ):
        assert read(saved(noise(), "JPEG", exif=exif)).shape == (3, 16, 16)


def test_floats_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(Unreadable, match="finite"):
        read(saved(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF"))


def test_pillows_remarks_are_kept_from_the_user_and_filters_are_left_as_they_were(
    recwarn: pytest.WarningsRecorder,
) -> None:
    import warnings

    before = list(warnings.filters)
    with pytest.raises(Unreadable):
        read(png_that_claims(9_900, 10_200))  # between Pillow's own warning and its error
    assert not recwarn.list
    assert warnings.filters == before
