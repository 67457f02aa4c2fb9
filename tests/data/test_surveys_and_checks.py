"""What is told about data before it is trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.sizes import Size
from ganvas.data import surveys


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_a_survey_counts_measures_and_names(photos: Path) -> None:
    seen = data.survey(photos)
    assert (seen.where, seen.name, seen.count, seen.channels) == (str(photos), "photos", 10, 3)
    assert seen.classes == ("cats", "dogs")
    assert seen.size == int(np.median([min(size_of(path)) for path in photos.rglob("*.*")]))
    assert not seen.uniform


@pytest.mark.parametrize(
    ("mode", "transparent"), [("RGB", False), ("L", False), ("RGBA", True), ("LA", True), ("P", True)]
)
def test_a_survey_sees_whether_there_is_transparency(tmp_path: Path, mode: str, transparent: bool) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "1.png")
    Image.new(mode, (20, 20)).save(tmp_path / "2.png", transparency=0 if mode == "P" else None)
    assert data.survey(tmp_path).transparent == transparent


def test_a_survey_of_much_data_looks_at_a_part_spread_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "LOOKED_AT", 10)
    for number in range(100):
        side = 20 if number < 40 else 60
        Image.new("L", (side, side)).save(tmp_path / f"{number}.png")
    seen = data.survey(tmp_path)
    assert (seen.count, seen.size) == (100, 60)


def test_if_none_of_those_looked_at_can_be_read_all_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "LOOKED_AT", 1)
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(b"rubbish")
    Image.new("L", (20, 20)).save(tmp_path / "last.png")
    assert data.survey(tmp_path).count == 1


@pytest.mark.parametrize(("folder", "name"), [("my photos (2)", "my-photos-2"), ("Фото", "Фото"), ("...", "data")])
def test_names_for_run_folders_have_no_odd_characters(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    Image.new("L", (20, 20)).save(tmp_path / folder / "1.png")
    assert data.survey(tmp_path / folder).name == name


def test_a_check_accounts_for_every_file(photos: Path) -> None:
    (photos / "cats" / "copy.png").write_bytes((photos / "cats" / "picture 0.png").read_bytes())
    Image.open(photos / "cats" / "picture 0.png").save(photos / "cats" / "another copy.bmp")
    (photos / "cats" / "broken.png").write_bytes(b"rubbish")
    (photos / "notes.txt").write_text("hello")
    found = data.check(photos)
    assert found.count == 12
    assert dict(found.formats) == {"png": 3, "jpeg": 2, "webp": 2, "tiff": 2, "gif": 2, "bmp": 1}
    assert sum(found.modes.values()) == 12
    assert dict(found.classes) == {"cats": 8, "dogs": 4}
    assert found.duplicates == 2  # also in another format
    sizes = [size_of(path) for path in photos.rglob("*.*") if path.name not in ("broken.png", "notes.txt")]
    assert found.smallest == min(sizes, key=lambda size: size[0] * size[1])
    assert found.largest == max(sizes, key=lambda size: size[0] * size[1])
    assert [one.path for one in found.report.set_aside] == ["cats/broken.png"]
    assert (found.suggested_size, found.channels) == (32, 3)


def test_a_check_warns_of_what_hurts_training(tmp_path: Path) -> None:
    for number in range(24):
        Image.new("L", (64, 64), number).save(tmp_path / f"{number}.png")
    plain = " / ".join(data.check(tmp_path).warnings)
    assert "only 24 pictures" in plain
    assert all(word not in plain for word in ("smaller", "long", "grey", "equal", "class"))
    for number in range(24):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / f"{number}.png").rename(tmp_path / "many" / f"{number}.png")
    (tmp_path / "few").mkdir()
    Image.new("RGB", (20, 100), "red").save(tmp_path / "few" / "1.png")
    Image.new("RGB", (20, 100), "red").save(tmp_path / "few" / "2.png")
    warned = " / ".join(data.check(tmp_path).warnings)
    for part in (
        "2 pictures smaller than 64",
        "2 pictures more than 3 times",
        "24 grey among 2 in colour",
        "1 picture equal",
        "1 of 2 classes with fewer than 20 pictures: few (2)",
        "from 2 to 24 pictures",
    ):
        assert part in warned


def test_a_check_can_be_written_as_json_and_read_by_people(photos: Path) -> None:
    (photos / "broken.png").write_bytes(b"rubbish")
    found = data.check(photos)
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["report"]["set_aside"][0]["path"] == "broken.png"
    assert plain["suggested_size"] == 32
    text = "\n".join(found.lines())
    for part in (str(photos), "a folder, 10 pictures", "2: cats 6, dogs 4", "broken.png", "32 pixels, colour"):
        assert part in text


def test_a_check_of_arrays_names_their_form() -> None:
    found = data.check("digits")
    assert (found.count, dict(found.formats), found.suggested_size) == (1797, {"idx": 1797}, 8)
    assert sum(found.classes.values()) == 1797


def test_long_lists_are_cut_short_on_the_way_and_whole_in_a_check(tmp_path: Path) -> None:
    Image.new("L", (20, 20)).save(tmp_path / "good.png")
    for number in range(30):
        (tmp_path / f"other.{number}").write_text("other")
    for number in range(50):
        (tmp_path / f"bad {number}.png").write_bytes(b"rubbish")
    found = data.check(tmp_path)
    assert len(found.as_dict()["report"]["set_aside"]) == 50
    assert len(found.as_dict()["report"]["others"]) == 30
    assert len(str(found.report).splitlines()) < 30
    assert "and 38 more; `ganvas data check`" in str(found.report)
    assert max(len(line) for line in found.lines()) < 250
    assert sum("bad" in line for line in found.lines()) == 50, "a check names every file"


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((64, 32), "all pictures are 64 x 32: their centre squares are used; --size 64x32 keeps them whole"),
        (
            (178, 218),
            "all pictures are 178 x 218: their centre squares are used; --size 128x160 keeps them nearly whole",
        ),
        ((60, 64), None),  # squares are the nearest
        ((48, 48), None),
    ],
)
def test_that_all_pictures_of_one_other_shape_are_cropped_is_said(tmp_path: Path, shape, told) -> None:
    for number in range(3):
        Image.new("L", shape, number).save(tmp_path / f"{number}.png")
    warnings = [warning for warning in data.check(tmp_path).warnings if "centre squares" in warning]
    assert warnings == ([] if told is None else [told])
    Image.new("L", (50, 50)).save(tmp_path / "another.png")
    assert not [warning for warning in data.check(tmp_path).warnings if "centre squares" in warning]


def test_photographs_that_their_header_turns_are_looked_at_upright(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("L", (64, 32)).save(tmp_path / "a.jpg", exif=turned)
    assert data.survey(tmp_path).shape == Size(64, 32)
    Image.new("L", (64, 32)).save(tmp_path / "b.jpg")
    assert data.survey(tmp_path).shape is None
