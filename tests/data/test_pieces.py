"""Pieces: photographs brought to scales and cut, each decoded once, and held out picture by picture."""

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError, UsageError
from ganvas.data import loading
from ganvas.data.dataset import fingerprint_of
from ganvas.data.pieces import starts
from ganvas.data.source import EncodedSource

LARGE = 2**30
SIZES = [(70, 64), (64, 32), (33, 100), (20, 90), (40, 40)]  # width and height; the fourth is narrower than a piece
COUNTS = [3 * 2 + 2 * 1, 2 * 1 + 1 * 0, 2 * 4 + 0, 0, 2 * 2 + 0]  # pieces of 32 at 1 and 0.5


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    root = tmp_path / "scenes"
    root.mkdir()
    dice = np.random.default_rng(0)
    for number, (width, height) in enumerate(SIZES):
        Image.fromarray(dice.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(root / f"{number}.png")
    return root


def opened(where: Path, scales: tuple[float, ...] = (1.0, 0.5), **options) -> data.Dataset:
    return data.open_pieces(where, **{"size": 32, "channels": 3, "memory": LARGE, **options}, scales=scales)


@pytest.mark.parametrize(("length", "piece"), [*itertools.product([1, 7, 8, 9, 15, 16, 17, 100], [1, 7, 8])])
def test_as_few_pieces_as_cover_a_length_reach_from_end_to_end(length: int, piece: int) -> None:
    found = starts(length, piece)
    if length < piece:
        assert found == []
        return
    assert len(found) == -(-length // piece)
    assert {place for start in found for place in range(start, start + piece)} == set(range(length))
    gaps = np.diff(found)
    assert not len(gaps) or gaps.max() - gaps.min() <= 1, "evenly spread"


def test_pieces_are_those_of_the_picture_that_pillow_resizes(scenes: Path) -> None:
    found = opened(scenes)
    assert found.images.shape == (sum(COUNTS), 3, 32, 32)
    expected = []
    for number in range(len(SIZES)):
        whole = Image.open(scenes / f"{number}.png")
        for scaled in (
            whole,
            whole.resize((round(whole.width / 2), round(whole.height / 2)), Image.Resampling.LANCZOS),
        ):
            for top, left in itertools.product(starts(scaled.height, 32), starts(scaled.width, 32)):
                expected.append(np.asarray(scaled.crop((left, top, left + 32, top + 32))).transpose(2, 0, 1))
    assert np.array_equal(found.images, np.stack(expected))
    assert found.fit == "pieces at 1, 0.5 of the pictures' sides, by Lanczos"


def test_groups_number_the_pictures_and_the_others_are_set_aside(scenes: Path) -> None:
    (scenes / "broken.png").write_bytes((scenes / "0.png").read_bytes()[:3000])
    (scenes / "rubbish.png").write_bytes(b"rubbish")
    said: list[str] = []
    found = opened(scenes, say=said.append)
    assert found.groups is not None
    assert found.groups.dtype == np.int64
    assert np.bincount(found.groups).tolist() == [count for count in COUNTS if count]
    aside = {one.path: one.reason for one in found.report.set_aside}
    assert aside == {
        "3.png": "is only 20 x 90 pixels and a piece 32 x 32",
        "broken.png": "is cut short",
        "rubbish.png": "is not a picture, or is damaged at its start",
    }
    assert (len(found.report.set_aside), found.report.read) == (3, 4), "once a picture, not once a piece"
    assert said[0] == f"{sum(COUNTS) + COUNTS[0]} pieces of 32 x 32 pixels out of 5 pictures"


def test_without_scales_they_are_whole_pictures(scenes: Path) -> None:
    pieces, whole = opened(scenes, ()), data.open_data(scenes, size=32, channels=3, memory=LARGE)
    assert (pieces.fingerprint, pieces.groups) == (whole.fingerprint, None)
    assert np.array_equal(data.held_out_rows(whole, 2), data.held_out_indices(5, 2))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("memory", [LARGE, 0])
@pytest.mark.parametrize("most", [1, 3, 100])
def test_threads_memory_and_blocks_change_nothing_and_each_picture_is_decoded_once(
    scenes: Path, threads: int, memory: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = opened(scenes, threads=1)
    decoded: list[str] = []
    whole = EncodedSource.whole

    def counted(self: EncodedSource, index: int, channels: int) -> np.ndarray:
        decoded.append(self.title(index))
        return whole(self, index, channels)

    monkeypatch.setattr(EncodedSource, "whole", counted)
    monkeypatch.setattr(loading, "BLOCK_PICTURES", most)
    monkeypatch.setattr(loading, "AHEAD_BYTES", most * 3 * 32 * 32)
    again = opened(scenes, threads=threads, memory=memory)
    assert isinstance(again.images, np.memmap) == (memory == 0)
    assert sorted(decoded) == ["0.png", "1.png", "2.png", "4.png"]
    assert np.array_equal(once.images, again.images)
    assert np.array_equal(once.groups, again.groups)
    assert (once.fingerprint, once.report) == (again.fingerprint, again.report)


def test_each_set_of_scales_has_its_own_cache(scenes: Path, tmp_path: Path) -> None:
    kinds = [(), (1.0,), (0.5, 1.0), (1.0, 0.5)]
    first = [opened(scenes, scales, memory=0).fingerprint for scales in kinds]
    assert len(set(first)) == 4
    assert len(list((tmp_path / "cache" / "ganvas" / "decoded").glob("*.pixels"))) == 4
    said: list[str] = []
    assert [opened(scenes, scales, memory=0, say=said.append).fingerprint for scales in kinds] == first
    assert not [line for line in said if line.startswith("Decoding")]


def test_only_so_much_is_decoded_ahead() -> None:
    begun: list[range] = []
    for number, part in enumerate(loading.in_order(lambda part: begun.append(part) or part, [range(6)] * 9, 2, 13)):
        assert part == range(6)
        assert len(begun) <= number + 3, "two of six indexes are within thirteen"
    assert len(begun) == 9


def test_the_fingerprint_sees_which_pieces_belong_together() -> None:
    def of(*groups: int) -> str:
        return fingerprint_of((3, 1, 4, 4), "pixels", None, (), np.array(groups))

    assert len({of(0, 0, 1), of(0, 1, 1), fingerprint_of((3, 1, 4, 4), "pixels", None, ())}) == 3


@pytest.mark.parametrize("held_out", range(5))
def test_held_out_never_parts_a_picture(scenes: Path, held_out: int) -> None:
    found = opened(scenes)
    rows = data.held_out_rows(found, held_out)
    assert rows.dtype == np.int64
    assert found.groups is not None
    inside, outside = set(found.groups[rows]), set(np.delete(found.groups, rows))
    assert inside == set(data.held_out_indices(4, held_out))
    assert not inside & outside


def test_pieces_keep_their_classes(scenes: Path) -> None:
    for number, kind in enumerate("abbba"):
        (scenes / kind).mkdir(exist_ok=True)
        (scenes / f"{number}.png").rename(scenes / kind / f"{number}.png")
    found = opened(scenes)
    assert (found.classes, data.few_in_class(found, 0)) == (
        ("a", "b"),
        ["2 of 2 classes with fewer than 20 pictures: a (12), b (10)"],
    )
    assert found.labels is not None
    assert [set(found.labels[found.groups == group]) for group in range(4)] == [{0}, {0}, {1}, {1}]


def test_pieces_of_any_shape_channels_and_of_some_pictures(scenes: Path) -> None:
    assert opened(scenes, (1.0,), size="16x48").images.shape[1:] == (3, 48, 16)
    assert opened(scenes, (1.0,), channels=1).channels == 1
    assert opened(scenes, (1.0,), channels=4).channels == 4
    some = opened(scenes, most=3)  # the first, the third and the last
    assert np.bincount(some.groups).tolist() == [COUNTS[0], COUNTS[2], COUNTS[4]]


def test_pieces_are_cut_upright_also_where_only_the_end_of_a_file_says_how(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 256, (32, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "late.png")
    plain, chunk = (tmp_path / "late.png").read_bytes(), b"eXIf" + turned.tobytes()[6:]
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "late.png").write_bytes(plain[:-12] + chunk + plain[-12:])
    Image.fromarray(pixels).save(tmp_path / "soon.png", exif=turned)
    found = opened(tmp_path, (1.0,))
    assert found.groups.tolist() == [0] * 3 + [1] * 3
    assert np.array_equal(found.images[:3], found.images[3:])
    assert np.array_equal(found.images[0], np.rot90(pixels, -1)[:32].transpose(2, 0, 1))
    oblong = opened(tmp_path, (1.0,), size="32x70")
    assert [str(one) for one in oblong.report.set_aside] == ["late.png: is only 70 x 32 pixels and a piece 32 x 70"]
    (tmp_path / "late.png").rename(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png \(is of another size than its header says: save it anew"):
        opened(tmp_path, (1.0,), size="64x16", most=1)


def test_an_array_has_pieces_too() -> None:
    found = data.open_pieces("digits", size=4, channels=1, scales=(1.0,), most=3, memory=LARGE)
    whole = data.open_data("digits", size=8, channels=1, most=3, memory=LARGE)
    assert np.array_equal(found.images[:4].reshape(2, 2, 4, 4).swapaxes(1, 2).reshape(8, 8), whole.images[0, 0])


@pytest.mark.parametrize("scales", [(0.0,), (1.5,), (-1.0,), (float("nan"),), (0.5, 0.5)])
def test_scales_that_cannot_be_are_a_usage_error(scenes: Path, scales: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="above 0 and up to 1, each once"):
        opened(scenes, scales)


def test_no_picture_as_large_as_a_piece_is_said(scenes: Path) -> None:
    with pytest.raises(DataError, match=r"smaller --size than 128.*\n.*0.png \(is only 70 x 64 pixels and a piece"):
        opened(scenes, size=128)
    with pytest.raises(DataError, match=r"is only 70 x 64 pixels, used at 0\.25 of its sides, and a piece 32 x 32"):
        opened(scenes, (0.25,))
