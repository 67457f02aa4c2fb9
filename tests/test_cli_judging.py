"""The commands that judge, called in this process: scores, pages, what cannot be judged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_shared import SMALL_RUN, files_below

pytestmark = pytest.mark.usefixtures("here")


def test_runs_are_judged_and_compared_for_a_machine_and_a_person(ganvas, tmp_path):
    for name, images in (("short", 8), ("long", 400)):
        assert ganvas("train", "digits", "--images", images, "--out", name, *SMALL_RUN)[0] == 0
    report = tmp_path / "report.html"
    options = ["--metrics", "fd,prdc", "--count", 200, "--extractor", "pixels"]
    status, out, err = ganvas("eval", "short", *options, "--json", "--out", report)
    (found,) = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [score["name"] for score in found["scores"]][:2] == ["fd (pixels)", "precision (pixels)"]
    assert found["scores"][0]["protocol"]["reference"] == "digits"
    assert report.read_text().startswith("<!doctype html>")
    assert "fd (pixels)" in err
    status, out, _ = ganvas("eval", "long", *options)
    assert status == 0
    assert "fd (pixels)" in out
    status, out, _ = ganvas("compare", "short", "long", "--json")
    rows = {row["name"]: row for row in json.loads(out)["scores"]}
    assert status == 0
    assert rows["fd (pixels)"]["ranks"] == [2, 1]
    assert "(1)" in ganvas("compare", "short", "long")[1]
    assert ganvas("eval", "long", "--metrics", "fd", "--count", 100, "--extractor", "pixels")[0] == 0
    assert "not comparable: count: 200 / 100" in ganvas("compare", "short", "long")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("eval here", 2, "--against DATA"),
        ("eval digits --against digits --metrics fdd", 2, "no metric 'fdd'"),
        ("eval digits --against digits --extractor inception", 3, "2015-12-05"),
        ("eval nowhere --against digits", 3, "no folder or file"),
        ("eval digits --against digits --count many", 2, "many"),
        ("compare digits digits", 3, "ganvas eval"),
        ("compare digits", 2, "two runs or more"),
        ("eval one --against grey --extractor pixels", 3, "has one picture"),
        ("eval grey --against one --extractor pixels", 3, "has one picture"),
        ("eval colour --against grey --extractor pixels", 3, "in colour"),
        ("eval mixed --against grey --extractor pixels", 3, "--size N"),
        ("eval grey --against colour --metrics psnr", 3, "no partner"),
        ("eval few --against grey --metrics prdc --extractor pixels", 3, "6 or more pictures"),
        ("eval grey --against grey --metrics memorization --extractor pixels", 3, "--held-out"),
        ("eval grey --against grey --extractor pixels --weights w.pth", 2, "weights"),
        ("eval grey --against grey --extractor inception --weights w.pth", 3, "is not the file"),
        ("eval grey --against grey --extractor imagenet --weights w.pth", 3, "is not the file"),
        ("eval grey --against grey --extractor pixels --metrics fd --out w.pth/report.html", 3, "cannot be written"),
        ("eval grey --against grey --extractor pixels --metrics fd --out colour", 3, "Is a directory"),
        ("eval grey --against grey --extractor pixels --held-out colour", 3, "in colour"),
        ("eval grey --against grey --extractor domain --weights w.pth", 3, "not a domain extractor"),
        ("eval few --against few --metrics psnr --extractor pixels", 2, "--extractor say nothing to psnr"),
        ("eval few --against few --metrics ms-ssim,psnr --size 9", 3, "need 11 or more"),
        ("eval few --against few --metrics psnr --size 4:3", 2, "size 4:3: write it like 64"),
        ("eval few --against few --metrics perceptual --weights w.pth", 3, "is not the file"),
    ],
)
def test_what_cannot_be_judged_is_an_error_that_says_what_to_do(ganvas, tmp_path, arguments, status, told):
    dice = np.random.default_rng(0)
    shapes = {
        "one": (1, 16, 16),
        "few": (4, 16, 16),
        "grey": (60, 16, 16),
        "colour": (8, 16, 16, 3),
        "mixed": (3, 16, 9),
    }
    for name, shape in shapes.items():
        (tmp_path / "here" / name).mkdir()
        for number, pixels in enumerate(dice.integers(0, 256, shape, dtype=np.uint8)):
            Image.fromarray(pixels).save(tmp_path / "here" / name / f"{name}{number}.png")
    Image.new("L", (5, 7)).save(tmp_path / "here" / "mixed" / "another.png")
    (tmp_path / "here" / "w.pth").write_bytes(b"no weights")
    before = files_below()
    found, out, err = ganvas(*arguments.split())
    assert (found, out) == (status, "")
    assert told in err
    assert "Traceback" not in err
    assert files_below() == before


@pytest.fixture
def grey():
    """A folder of 60 grey pictures."""
    Path("grey").mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (60, 16, 16), dtype=np.uint8)):
        Image.fromarray(pixels).save(f"grey/{number}.png")
    return "grey"


FD = ["--metrics", "fd", "--extractor", "pixels", "--count", "40"]


def test_features_that_are_no_numbers_are_status_3_and_leave_nothing(ganvas, grey, trained, monkeypatch):
    look = "ganvas.metrics.extractors.PixelExtractor._features"
    monkeypatch.setattr(look, lambda self, batch: torch.full((len(batch), 64), float("nan")))
    before = files_below()
    for what in (grey, trained):
        status, out, err = ganvas("eval", what, "--against", "digits", *FD, "--out", "report.html")
        assert (status, out) == (3, "")
        assert "NaN or infinite" in err
        assert files_below() == before


def test_reference_statistics_that_are_damaged_or_of_something_else_are_status_3(ganvas, grey, tmp_path):
    assert ganvas("eval", grey, "--against", grey, *FD)[0] == 0
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    content = kept.read_bytes()
    kept.write_bytes(content[:200])
    status, out, err = ganvas("eval", grey, "--against", grey, *FD)
    assert (status, out) == (3, "")
    assert "are damaged" in err
    assert "Delete the file" in err
    assert ganvas("eval", grey, "--against", grey, *FD, "--size", 8)[0] == 0
    (other,) = set((tmp_path / "cache").rglob("*.npz")) - {kept}
    other.write_bytes(content)
    status, out, err = ganvas("eval", grey, "--against", grey, *FD, "--size", 8)
    assert (status, out) == (3, "")
    assert "are of another protocol" in err


def test_a_cache_that_cannot_be_written_is_told_and_costs_no_score(ganvas, grey, tmp_path, monkeypatch):
    with_cache = json.loads(ganvas("eval", grey, "--against", grey, *FD, "--json")[1])
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    status, out, err = ganvas("eval", grey, "--against", grey, *FD, "--json")
    assert (status, json.loads(out)) == (0, with_cache)
    assert "could not be kept" in err


def test_a_page_that_cannot_be_written_is_told_before_the_work(ganvas, grey, monkeypatch):
    monkeypatch.setattr("ganvas.inference.evaluation.evaluate", lambda *a, **k: pytest.fail("it went to work"))
    Path("file").write_text("")
    assert ganvas("eval", grey, "--against", grey, "--out", "file/report.html")[0] == 3


def test_where_nothing_can_be_written_any_more_the_scores_are_shown_all_the_same(ganvas, grey, trained, monkeypatch):
    shutil.rmtree(trained / "scores", ignore_errors=True)
    (trained / "scores").write_text("no folder")
    status, out, err = ganvas("eval", trained, *FD)
    assert status == 3
    assert "fd (pixels)" in out
    assert "evaluation.json cannot be written" in err

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganvas.inference.evaluation_page.files.write_text", full)
    status, out, err = ganvas("eval", grey, "--against", grey, *FD, "--out", "report.html")
    assert status == 3
    assert "fd (pixels)" in out
    assert "report.html cannot be written: No space left" in err
    assert not Path("report.html").exists()


def test_a_damaged_file_of_former_scores_is_replaced(ganvas, trained):
    (trained / "scores").mkdir(exist_ok=True)
    (trained / "scores" / "evaluation.json").write_text('{"scores": [')
    assert ganvas("compare", trained, trained)[0] == 3
    assert ganvas("eval", trained, *FD)[0] == 0
    assert json.loads((trained / "scores" / "evaluation.json").read_text())["scores"][0]["name"] == "fd (pixels)"
