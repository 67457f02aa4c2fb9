"""A network applied to many files: what becomes of each, and what is left as it was."""

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_translators import SMALL, photo, same, translator_of

from ganvas.core.errors import DataError, UsageError
from ganvas.inference.applying import Applied, Beside, Job, apply, plan
from ganvas.inference.translator import Translator


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
