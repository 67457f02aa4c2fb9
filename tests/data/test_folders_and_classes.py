"""Which files of a folder are pictures, in which order, and what becomes a class."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError, UsageError
from ganvas.data.folder import FolderFormat
from ganvas.data.listing import natural_order


def put(path: Path, level: int = 100, size: tuple[int, int] = (12, 12), **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path, **options)
    return path


def opened(path: Path, **options: object) -> data.Dataset:
    return data.open_data(path, memory=2**30, **options)


def levels(dataset: data.Dataset) -> list[int]:
    return dataset.images[:, 0, 0, 0].tolist()


def test_subfolders_are_classes_in_natural_order_whatever_the_disk_says(tmp_path: Path) -> None:
    for level, name in enumerate(
        ["b/10.png", "b/9.png", "B2/x.png", "a 10/x.png", "a 9/x.png", "é/x.png", "a 9/deep/er/y.png"]
    ):
        put(tmp_path / name, level)
    found = opened(tmp_path)
    assert found.classes == ("a 9", "a 10", "b", "B2", "é")
    assert found.labels is not None
    assert list(zip(levels(found), found.labels.tolist(), strict=True)) == [
        (6, 0),
        (4, 0),
        (3, 1),
        (1, 2),
        (0, 2),
        (2, 3),
        (5, 4),
    ]


def test_natural_order_compares_numbers_as_numbers_and_survives_endless_ones() -> None:
    names = ["img100", "img20", "IMG3", "img003", "x/2", "x/10", "9" * 5000, "1" + "0" * 5000]
    assert sorted(names, key=natural_order) == [names[6], names[7], "IMG3", "img003", "img20", "img100", "x/2", "x/10"]


def test_a_plain_folder_has_no_classes(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    put(tmp_path / "2.png")
    found = opened(tmp_path)
    assert (found.classes, found.labels, len(found)) == ((), None, 2)


@pytest.mark.parametrize("wrapping", ["set", "set/of/pictures"])
def test_folders_around_everything_are_no_class(tmp_path: Path, wrapping: str) -> None:
    for name in ("cats", "dogs"):
        put(tmp_path / wrapping / name / "1.png")
    assert opened(tmp_path).classes == ("cats", "dogs")
    assert opened(tmp_path / wrapping / "cats").classes == ()


def test_a_class_of_one_picture_is_a_class(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / "many" / f"{number}.png")
    put(tmp_path / "one" / "1.png", 7)
    found = opened(tmp_path)
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == [5, 1]


def test_classes_with_few_pictures_to_train_on_are_counted_without_those_held_out(tmp_path: Path) -> None:
    for number in range(39):
        put(tmp_path / "a" / f"{number}.png")
    put(tmp_path / "b" / "1.png")
    (tmp_path / "c").mkdir()
    found = opened(tmp_path)
    assert data.few_in_class(found, 0) == ["1 of 2 classes with fewer than 20 pictures: b (1)"]
    assert data.few_in_class(found, 20) == ["1 of 2 classes with fewer than 20 pictures: b (0)"]
    assert data.few_in_class(found, 40) == ["2 of 2 classes with fewer than 20 pictures: a (0), b (0)"]
    assert data.few_in_class(opened(tmp_path / "a"), 0) == []
    put(tmp_path / "b" / "deep" / "1.png")
    for number in range(2, 40):
        put(tmp_path / "b" / f"{number}.png")
    assert data.few_in_class(opened(tmp_path), 0) == []


def test_train_and_test_folders_are_no_classes_and_only_train_is_used(tmp_path: Path) -> None:
    for part in ("Train", "test", "val"):
        for kind in ("cats", "dogs"):
            put(tmp_path / part / kind / "1.png", 50 if part == "Train" else 200)
    said: list[str] = []
    found = opened(tmp_path, say=said.append)
    assert found.classes == ("cats", "dogs")
    assert levels(found) == [50, 50]
    assert any("Only Train/ is used" in line for line in said)


def test_few_pictures_beside_class_folders_are_left_out_and_named(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path / f"class {number % 2}" / f"{number}.png")
    put(tmp_path / "cover.png")
    said: list[str] = []
    found = opened(tmp_path, say=said.append)
    assert len(found.classes) == 2
    assert [str(one) for one in found.report.set_aside] == ["cover.png: lies beside the class folders"]
    assert any("folders are classes" in line for line in said)


def test_many_pictures_beside_folders_mean_that_there_are_no_classes(tmp_path: Path) -> None:
    for number in range(10):
        put(tmp_path / ("" if number < 4 else f"class {number % 2}") / f"{number}.png")
    said: list[str] = []
    found = opened(tmp_path, say=said.append)
    assert (found.classes, len(found)) == ((), 10)
    assert any("without classes" in line for line in said)


def test_hidden_files_and_what_systems_leave_behind_are_ignored_in_silence(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    for name in (".hidden.png", "._1.png", ".thumbs/2.png", "__MACOSX/1.png", "@eaDir/1.png"):
        put(tmp_path / name)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"x")
    found = opened(tmp_path)
    assert (len(found), found.report.set_aside, dict(found.report.others)) == (1, (), {})


def test_other_files_are_counted_and_broken_pictures_named(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    for name in ("notes.txt", "more.TXT", "labels.csv", "LICENSE"):
        (tmp_path / name).write_text("text")
    (tmp_path / "broken.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    found = opened(tmp_path)
    assert dict(found.report.others) == {".txt": 2, ".csv": 1, "(no ending)": 1}
    reasons = {one.path: one.reason for one in found.report.set_aside}
    assert sorted(reasons) == ["broken.jpg", "empty.png", "phone.HEIC"]
    assert "save it as PNG or JPEG" in reasons["phone.HEIC"]
    assert "1 picture read, 3 set aside, 2 .txt, 1 (no ending), 1 .csv beside them" in str(found.report)


def test_files_are_read_by_their_content_not_by_their_ending(tmp_path: Path) -> None:
    put(tmp_path / "png.png", 1)
    for level, (kind, name) in enumerate([("PNG", "a.jpg"), ("JPEG", "b.dat"), ("GIF", "c"), ("WEBP", "d.tiff")], 2):
        Image.new("L", (12, 12), level).save(tmp_path / name, kind)
    assert len(opened(tmp_path)) == 5
    assert set(data.check(tmp_path).formats) == {"png", "jpeg", "gif", "webp"}


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "1.png")
    root = tmp_path / "root"
    put(root / "cats" / "1.png")
    (root / "dogs").symlink_to(tmp_path / "elsewhere")
    (root / "cats" / "again").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "gone.png").symlink_to(tmp_path / "nothing")
    found = opened(root)
    assert (found.classes, len(found)) == (("cats", "dogs"), 2)
    assert [one.path for one in found.report.set_aside] == ["gone.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_with_a_pictures_name_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    os.mkfifo(tmp_path / "2.png")
    os.mkfifo(tmp_path / "3")
    found = opened(tmp_path)
    assert [str(one) for one in found.report.set_aside] == ["2.png: is not a plain file"]


def test_names_that_are_not_utf8_can_still_be_printed(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    try:
        (tmp_path / os.fsdecode(b"bad \xff name.png")).write_bytes(b"rubbish")
    except OSError:
        pytest.skip("this disk only takes names in UTF-8")
    (one,) = opened(tmp_path).report.set_aside
    assert one.path.encode("utf-8").startswith(b"bad ")


def test_very_deep_folders_end(tmp_path: Path) -> None:
    put(tmp_path / "1.png")
    put(tmp_path / "/".join(["d"] * 70) / "2.png")
    source = FolderFormat.open(tmp_path)
    assert len(source) == 1
    assert "folders deep" in source.aside[0].reason


def test_a_class_whose_pictures_are_all_broken_is_no_class_and_labels_stay_right(tmp_path: Path) -> None:
    for kind in ("a", "b", "c"):
        for number in range(2):
            put(tmp_path / kind / f"{number}.png", {"a": 10, "b": 20, "c": 30}[kind])
    for number in range(2):
        (tmp_path / "b" / f"{number}.png").write_bytes(b"broken")
    found = opened(tmp_path)
    assert found.classes == data.survey(tmp_path).classes == ("a", "c")
    assert found.labels is not None
    assert list(zip(levels(found), found.labels.tolist(), strict=True)) == [(10, 0), (10, 0), (30, 1), (30, 1)]


def test_a_folder_without_a_readable_picture_says_what_is_there_instead(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("broken")
    (tmp_path / "b.txt").write_text("text")
    for reading in (data.survey, data.open_data, data.check):
        with pytest.raises(DataError, match=r"no picture that can be read.*1 \.txt.*a\.jpg") as caught:
            reading(tmp_path)
        assert caught.value.exit_status == 3
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="Found there: nothing"):
        data.survey(empty)


def test_pictures_whose_headers_are_fine_but_pixels_are_not_leave_an_error_not_an_empty_set(tmp_path: Path) -> None:
    whole = put(tmp_path / "1.png", size=(64, 64)).read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    assert data.survey(tmp_path).count == 1
    with pytest.raises(DataError, match="is cut short"):
        data.open_data(tmp_path, memory=2**30)
    with pytest.raises(DataError, match="is cut short"):
        data.check(tmp_path)


def test_tiny_pictures_are_set_aside_unless_most_are_tiny(tmp_path: Path) -> None:
    put(tmp_path / "mixed" / "big.png", size=(64, 64))
    put(tmp_path / "mixed" / "also big.png", size=(64, 64))
    put(tmp_path / "mixed" / "dot.png", size=(1, 1))
    found = opened(tmp_path / "mixed")
    assert [str(one) for one in found.report.set_aside] == ["dot.png: is only 1 x 1 pixels"]
    for number in range(3):
        put(tmp_path / "tiny" / f"{number}.png", size=(1, 1))
    assert opened(tmp_path / "tiny", size=32).images.shape == (3, 1, 32, 32)


def test_what_is_not_there_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean fashion-mnist"):
        data.survey("fashion-mnst")
    with pytest.raises(DataError, match="There is no folder or file"):
        data.survey(tmp_path / "nothing")
    with pytest.raises(UsageError, match="Which data"):
        data.survey("  ")


def test_files_that_are_no_data_set_are_answered_with_what_to_do(tmp_path: Path) -> None:
    picture = put(tmp_path / "1.png")
    with pytest.raises(DataError, match="give the folder that this picture is in"):
        data.survey(picture)
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(DataError, match="pack the pictures as a zip"):
        data.survey(tmp_path / "x.rar")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "locked" / "1.png")
    (tmp_path / "locked").chmod(0)
    with pytest.raises(DataError):
        data.survey(tmp_path / "locked")


def test_a_relative_folder_is_kept_as_an_absolute_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "photos" / "1.png")
    monkeypatch.chdir(tmp_path)
    found = data.survey("photos")
    assert found.where == str(tmp_path / "photos")
    assert found.name == "photos"
    assert data.survey("photos/../photos/").where == found.where


def test_a_folder_without_a_picture_next_to_one_with_some_is_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / "pets" / "cats" / "1.png")
    for name in ("pets/dogs", "pets/birds/young", "pets/cats/kittens"):
        (root / name).mkdir(parents=True)
    said: list[str] = []
    assert opened(root, say=said.append).classes == ()
    assert said == ["No picture in pets/birds/, pets/dogs/: no class."]
    for name in "abcde":
        (root / "pets" / name).mkdir()
    said.clear()
    opened(root, say=said.append)
    assert said == ["No picture in pets/a/, pets/b/, pets/birds/, pets/c/, pets/d/, ...: no class."]
