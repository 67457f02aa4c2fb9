"""Writing pictures: one grid, a folder, an animation; and what cannot be written."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import grid
from ganvas.inference.pictures import (
    check_animation,
    check_new,
    check_picture,
    is_folder,
    path_of,
    write_animation,
    write_each,
    write_picture,
)


def write(pictures, seeds, out):
    """As `ganvas sample` does: one grid, or a file a seed; the paths."""
    if is_folder(out):
        write_each([(seeds, pictures)], out)
        return [path_of(seed, Path(out)) for seed in seeds]
    write_picture(grid(pictures), Path(out))
    return [Path(out)]


def pictures(count=5, channels=3, size=8):
    return np.random.default_rng(0).integers(0, 256, (count, channels, size, size), dtype=np.uint8)


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize("ending", ["png", "PNG", "webp", "jpg", "jpeg", "gif", "tif", "tiff"])
def test_a_file_name_gets_one_grid(tmp_path, ending):
    path = tmp_path / "new" / f"grid.{ending}"
    assert write(pictures(), range(5), path) == [path]
    assert opened(path).size == (3 * 8 + 4, 2 * 8 + 2)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_folder_gets_a_file_a_seed_with_exactly_its_pixels(tmp_path, channels):
    made = pictures(3, channels)
    paths = write(made, [4, 0, 123_456_789], f"{tmp_path}/out/")
    assert [path.name for path in paths] == ["000004.png", "000000.png", "123456789.png"]
    for path, picture in zip(paths, made, strict=True):
        pixels = np.asarray(opened(path))
        assert np.array_equal(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1), picture)


def test_a_name_without_an_ending_and_a_folder_that_is_there_are_folders(tmp_path):
    (tmp_path / "cats.v2").mkdir()
    assert write(pictures(1), [0], tmp_path / "plain")[0].parent == tmp_path / "plain"
    assert write(pictures(1), [0], tmp_path / "cats.v2")[0].parent == tmp_path / "cats.v2"
    assert write(pictures(1), [0], f"{tmp_path}/cats.v3/")[0].parent == tmp_path / "cats.v3"


@pytest.mark.parametrize("channels", [2, 4])
def test_jpeg_with_transparency_is_refused_and_png_and_webp_keep_it(tmp_path, channels):
    with pytest.raises(UsageError, match=r"JPEG holds no transparency; write a \.png"):
        write(pictures(channels=channels), range(5), tmp_path / "a.jpg")
    assert os.listdir(tmp_path) == []
    for ending in ("png", "webp"):
        write(pictures(channels=channels), range(5), tmp_path / f"a.{ending}")
        assert opened(tmp_path / f"a.{ending}").mode in ("LA", "RGBA")


@pytest.mark.parametrize("name", ["a.txt", "a.safetensors", "a.avi"])
def test_an_ending_that_is_no_pictures_is_answered_with_those_there_are(tmp_path, name):
    with pytest.raises(UsageError, match=r"must end in one of \.png, \.webp"):
        write(pictures(), range(5), tmp_path / name)
    with pytest.raises(UsageError, match=r"must end in one of \.webp, \.gif, \.png"):
        write_animation(pictures(), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file" / "a.png", f"{tmp_path}/file/a/"):
        with pytest.raises(DataError, match="cannot be written"):
            write(pictures(), range(5), out)
    with pytest.raises(DataError, match="cannot be written"):
        write_animation(pictures(), tmp_path / "file" / "a.webp")


def test_what_cannot_be_written_or_is_there_is_told_before_anything_is_drawn(tmp_path):
    with pytest.raises(UsageError, match=r"must end in one of \.png"):
        check_picture(tmp_path / "a.txt")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        check_picture(tmp_path / "file" / "a.png")
    check_new(range(9), tmp_path / "new")
    write(pictures(1), [4], tmp_path / "new")
    with pytest.raises(UsageError, match=r"000004\.png is there already: --replace"):
        check_new(range(9), tmp_path / "new")
    check_new([3, 5], tmp_path / "new")


@pytest.mark.parametrize("ending", ["webp", "gif", "png"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_animation_has_its_frames_goes_on_for_ever_and_is_enlarged(tmp_path, ending, channels):
    path = tmp_path / f"walk.{ending}"
    write_animation(pictures(12, channels), path)
    with Image.open(path) as film:
        assert film.n_frames == 12
        assert film.is_animated
        assert film.info["loop"] == 0
        assert film.size == (128, 128)
        film.seek(3)
        film.load()
        assert film.info["duration"] == 50
    assert os.listdir(tmp_path) == [path.name]


def test_large_frames_stay_as_they_are(tmp_path):
    write_animation(pictures(2, 3, 200), tmp_path / "walk.png")
    assert opened(tmp_path / "walk.png").size == (200, 200)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_film_has_its_frames_in_time_with_even_sides(tmp_path, channels):
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    shades = np.linspace(0, 255, 12).astype(np.uint8)[:, None, None, None] * np.ones((1, channels, 9, 9), np.uint8)
    shades[:, 3:] = 255
    write_animation(shades, tmp_path / "walk.mp4", enlarge_to=40)
    with av.open(str(tmp_path / "walk.mp4")) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 20
    assert [frame.shape for frame in frames] == [(36, 36)] * 12
    assert [frame.mean() for frame in frames] == pytest.approx(shades[:, 0, 0, 0].tolist(), abs=6)


def test_a_film_without_its_extra_is_refused_before_anything_is_drawn(monkeypatch, tmp_path):
    monkeypatch.setattr("ganvas.inference.pictures.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install .ganvas\[video\]"):
        check_animation(tmp_path / "walk.mp4")
    check_animation(tmp_path / "walk.webp")


def test_what_interrupts_many_pictures_leaves_whole_files_only(tmp_path):
    made = pictures(64)

    def interrupted():
        for start in range(0, 6400, 64):
            if start == 640:
                raise KeyboardInterrupt
            yield range(start, start + 64), made

    with pytest.raises(KeyboardInterrupt):
        write_each(interrupted(), tmp_path / "many")
    files = sorted((tmp_path / "many").iterdir())
    assert files, "those before it were written"
    for file in files:
        assert file.suffix == ".png"
        assert opened(file).size == (8, 8)


def test_what_a_kill_left_half_written_is_removed_and_what_another_process_writes_is_not(tmp_path):
    for name in (".000001.png.partial", ".000002.png.0f0f.partial", ".000003.png.0f0f.partial", "notes.partial"):
        (tmp_path / name).write_bytes(b"\x89PNG")
        os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    os.utime(tmp_path / ".000003.png.0f0f.partial")
    write_each([(range(2), pictures(2))], tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".000003.png.0f0f.partial", "000000.png", "000001.png", "notes.partial"]


def test_threads_that_write_one_file_at_once_do_not_meet(tmp_path, monkeypatch):
    together, replace = threading.Barrier(2), os.replace

    def met(old, new):
        together.wait(20)  # each has its part written when either renames
        replace(old, new)

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.replace", met)
    write_each([((1, 1), pictures(1).repeat(2, axis=0))], tmp_path)
    assert os.listdir(tmp_path) == ["000001.png"]
    assert opened(tmp_path / "000001.png").size == (8, 8)


def test_an_error_of_drawing_is_not_taken_for_one_of_writing(tmp_path):
    def batches():
        yield range(1), pictures(1)
        raise ConnectionResetError("the device is gone")

    with pytest.raises(ConnectionResetError):
        write_each(batches(), tmp_path)


def test_batches_are_drawn_no_further_ahead_than_threads_can_write(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    begun, release = [], threading.Event()

    def slow(some, paths):
        release.wait(20)

    def batches():
        for number in range(50):
            begun.append(number)
            if number == 4:
                release.set()  # were it not waited for writers, this would be reached while none has written
            yield range(2), pictures(2)

    monkeypatch.setattr("ganvas.inference.pictures.write_pngs", slow)
    watch = threading.Timer(0.5, lambda: (begun.append("waited"), release.set()))
    watch.start()
    write_each(batches(), tmp_path)
    watch.cancel()
    assert begun.index("waited") <= 4


def test_a_disk_that_is_full_is_a_data_error_and_leaves_no_part(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DataError, match="No space left"):
        write_each([(range(3), pictures(3))], tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []
