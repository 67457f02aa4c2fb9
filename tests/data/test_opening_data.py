"""Opening data: sizes, channels, threads, memory, labels and fingerprints, for data that nobody chose with care."""

import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError, MemoryExhausted, UsageError
from ganvas.core.sizes import Size
from ganvas.data import loading, opening

LARGE = 2**30


@pytest.mark.parametrize("size", [4, 7, 48, 100, 513])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_size_and_channels_can_be_asked_for(photos: Path, size: int, channels: int) -> None:
    found = data.open_data(photos, size=size, channels=channels, memory=LARGE)
    assert found.images.shape == (10, channels, size, size)
    assert found.images.dtype == np.uint8
    assert (found.size, found.channels, len(found)) == (size, channels, 10)
    assert found.labels is not None
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [0] * 6 + [1] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 3},
        {"size": 0},
        {"size": -8},
        {"size": 5000},
        {"size": "64x3"},
        {"size": "9x"},
        {"channels": 5},
        {"threads": 0},
    ],
)
def test_what_cannot_be_is_a_usage_error(photos: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        data.open_data(photos, **wrong)


def test_left_alone_it_takes_a_power_of_two_and_colour_if_any_picture_has_it(photos: Path) -> None:
    found = data.open_data(photos, memory=LARGE)
    assert found.images.shape == (10, 3, 32, 32)
    (photos / "dogs" / "picture 7.webp").unlink()  # WebP has no grey, the others here are grey and kept so
    assert data.open_data(photos / "dogs", memory=LARGE).channels == 1


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(48, 48)] * 3, 48),  # their own, shared
        ([(512, 512)] * 3, 256),  # at most 256, unless asked for
        ([(48, 50)] * 3, 32),
        ([(10, 10), (12, 12), (11, 11)], 16),
        ([(300, 70), (64, 900), (63, 63)], 64),
        ([(2000, 1500)], 256),
    ],
)
def test_the_size_that_is_taken_unasked(tmp_path: Path, sizes: list[tuple[int, int]], expected: int) -> None:
    for number, size in enumerate(sizes):
        Image.new("L", size).save(tmp_path / f"{number}.png")
    assert data.survey(tmp_path).suggested_size == expected
    assert data.open_data(tmp_path, memory=LARGE).size == expected


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
@pytest.mark.parametrize("memory", [LARGE, 0])
def test_threads_and_memory_change_nothing(
    photos: Path, threads: int, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "cats" / "broken.png").write_bytes(b"rubbish")
    once = data.open_data(photos, threads=1, memory=LARGE)
    monkeypatch.setattr(loading, "BLOCK_PICTURES", 2)  # many blocks, to be kept in order
    again = data.open_data(photos, threads=threads, memory=memory)
    assert np.array_equal(once.images, again.images)
    assert once.labels is not None
    assert np.array_equal(once.labels, again.labels)
    assert (once.fingerprint, once.report, once.classes) == (again.fingerprint, again.report, again.classes)


def test_as_many_threads_decode_as_were_asked_for(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    meeting = threading.Barrier(3, timeout=20)
    decode = opening.decode_into_memory

    def watched(source, wish, say):
        fit = type(source).fit

        def meet(self, indexes, *rest):
            meeting.wait()  # passes only when three threads are at it together
            seen.add(threading.current_thread().name)
            return fit(self, indexes, *rest)

        monkeypatch.setattr(type(source), "fit", meet)
        return decode(source, wish, say)

    monkeypatch.setattr(opening, "decode_into_memory", watched)
    monkeypatch.setattr(loading, "BLOCK_PICTURES", 2)
    (photos / "cats" / "extra.png").write_bytes((photos / "cats" / "picture 0.png").read_bytes())
    (photos / "cats" / "extra 2.png").write_bytes((photos / "cats" / "picture 0.png").read_bytes())
    data.open_data(photos, threads=3, memory=LARGE)
    assert len(seen) == 3


def test_the_fingerprint_sees_a_pixel_a_label_and_a_name(tmp_path: Path) -> None:
    def put(kind: str, number: int, level: int) -> None:
        (tmp_path / kind).mkdir(exist_ok=True)
        Image.new("L", (16, 16), level).save(tmp_path / kind / f"{number}.png")

    def fingerprint(**options: object) -> str:
        return data.open_data(tmp_path, memory=LARGE, **options).fingerprint

    put("a", 1, 10)
    put("b", 1, 20)
    prints = [fingerprint(), fingerprint(size=20), fingerprint(channels=3)]
    assert fingerprint() == prints[0]
    put("b", 1, 21)
    prints.append(fingerprint())
    put("b", 1, 20)
    assert fingerprint() == prints[0]
    (tmp_path / "b").rename(tmp_path / "c")
    prints.append(fingerprint())
    (tmp_path / "c" / "1.png").rename(tmp_path / "a" / "2.png")
    put("c", 1, 20)
    prints.append(fingerprint())
    assert len(set(prints)) == len(prints)


def test_memory_stays_bounded_while_a_cache_is_made(tmp_path: Path) -> None:
    for number in range(60):
        Image.new("RGB", (300, 300), (number, 0, 0)).save(tmp_path / f"{number}.bmp")
    tracemalloc.start()
    found = data.open_data(tmp_path, size=512, threads=2, memory=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.images.nbytes == 60 * 3 * 512 * 512
    assert peak < found.images.nbytes * 0.6


def test_too_little_memory_after_all_is_said_as_such(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(loading.np, "empty", none_left)
    with pytest.raises(MemoryExhausted, match="smaller --size"):
        data.open_data(photos, memory=LARGE)


def test_without_a_limit_a_third_of_free_memory_is_used(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.core import devices

    monkeypatch.setattr(devices, "available_memory", lambda: 3 * 10 * 3 * 32 * 32)
    assert not isinstance(data.open_data(photos).images, np.memmap)
    monkeypatch.setattr(devices, "available_memory", lambda: 3 * 10 * 3 * 32 * 32 - 3)
    assert isinstance(data.open_data(photos).images, np.memmap)


def test_what_was_set_aside_is_said_and_reported(photos: Path) -> None:
    (photos / "dogs" / "broken.jpg").write_bytes(b"rubbish")
    said: list[str] = []
    found = data.open_data(photos, memory=LARGE, say=said.append)
    assert (found.report.read, len(found.report.set_aside)) == (10, 1)
    assert any("dogs/broken.jpg" in line for line in said)
    assert found.report.as_dict()["set_aside"][0]["path"] == "dogs/broken.jpg"


def test_a_class_that_loses_all_its_pictures_while_decoding_keeps_its_number(photos: Path) -> None:
    for path in (photos / "cats").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    said: list[str] = []
    found = data.open_data(photos, memory=LARGE, say=said.append)
    assert found.classes == data.survey(photos).classes == ("cats", "dogs")
    assert found.labels is not None
    assert set(found.labels.tolist()) == {1}
    assert any("No picture could be read of: cats" in line for line in said)


def test_the_canonical_place_opens_the_same_data_again(photos: Path) -> None:
    first = data.open_data(photos, memory=LARGE)
    assert data.survey(photos).where == first.where
    assert data.open_data(first.where, memory=LARGE).fingerprint == first.fingerprint


def test_looking_at_data_needs_no_torch(photos: Path) -> None:
    code = "import sys; from ganvas import data; data.check(sys.argv[1]); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, str(photos)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_no_file_is_left_open(photos: Path, tmp_path: Path) -> None:
    import os
    import shutil

    zipped = shutil.make_archive(str(tmp_path / "p"), "zip", photos)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        data.open_data(zipped, memory=LARGE)
        data.survey(zipped)
        data.check(zipped)
        with pytest.raises(UsageError):
            data.open_data(zipped, size=1)
        with pytest.raises(DataError):
            data.open_data(tmp_path / "nothing")
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before


def test_some_of_the_pictures_are_spread_over_all_with_their_classes(photos: Path) -> None:
    whole = data.open_data(photos, size=16, memory=LARGE)
    some = data.open_data(photos, size=16, memory=LARGE, most=4)
    assert np.array_equal(some.images, whole.images[[0, 3, 6, 9]])
    assert some.labels is not None
    assert whole.labels is not None
    assert some.labels.tolist() == whole.labels[[0, 3, 6, 9]].tolist()
    assert some.fingerprint != whole.fingerprint
    assert len(data.open_data(photos, size=16, memory=LARGE, most=100)) == 10


def test_some_of_an_array_and_some_through_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for memory in (0, LARGE):
        whole = data.open_data("digits", memory=memory)
        some = data.open_data("digits", memory=memory, most=3)
        assert np.array_equal(some.images, whole.images[[0, (len(whole) - 1) // 2, len(whole) - 1]])


@pytest.mark.parametrize(("count", "held_out"), [(100, 10), (111, 11), (5, 5), (60_000, 1_000), (7, 0), (10, 1)])
def test_pictures_that_are_held_out_are_spread_over_all(count: int, held_out: int) -> None:
    indices = data.held_out_indices(count, held_out)
    assert len(indices) == held_out
    assert set(indices) <= set(range(count))
    assert all(np.diff(indices) >= count // max(held_out, 1))


def test_pictures_can_be_of_any_shape_and_each_shape_has_its_own_cache(photos: Path) -> None:
    for memory in (LARGE, 0):
        found = data.open_data(photos, size="48x32", memory=memory)
        assert found.images.shape == (10, 3, 32, 48)
        assert (found.size, found.fit) == (Size(32, 48), "centre parts of that shape, by Lanczos")
        assert np.array_equal(found.images, data.open_data(photos, size=Size(32, 48), memory=LARGE).images)
        assert data.open_data(photos, size="32x48", memory=memory).images.shape == (10, 3, 48, 32)


def test_pictures_that_have_the_wanted_shape_are_as_they_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    for number, one in enumerate(pixels):
        Image.fromarray(one).save(tmp_path / f"{number}.png")
    found = data.open_data(tmp_path, size="30x20", memory=LARGE)
    assert (found.fit, data.survey(tmp_path).shape) == ("as they are", Size(20, 30))
    assert np.array_equal(found.images, pixels.transpose(0, 3, 1, 2))
    assert data.open_data(tmp_path, memory=LARGE).size == 16, "unasked they are squares"
