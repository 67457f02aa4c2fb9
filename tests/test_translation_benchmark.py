"""The measurement of pictures to pictures: how data is parted, what is written. Nothing is trained."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


def row(problem, seed, value, baseline, better="lower"):
    score = {"value": value, "baseline": baseline, "baseline_name": "bicubic", "better": better}
    return {
        "problem": problem,
        "seed": seed,
        "planned_seconds": 600.0,
        "images": 40_000,
        "heads": ["given", "made", "true"],
        "scores": {"fd": score},
        "date": "2026-01-01",
        "machine": {"cores": 2, "processor": "processor"},
    }


def test_variants_of_an_emoji_are_on_one_side_and_pairs_stay_together(tmp_path, monkeypatch):
    from benchmarks import translation

    for side in "AB":
        (tmp_path / "data" / "set" / side).mkdir(parents=True)
        for code in range(60):
            for variant in ("", "-1F3FB", "-1F3FF"):
                Image.new("RGB", (4, 4)).save(tmp_path / "data" / "set" / side / f"{code:X}{variant}.png")
    monkeypatch.setattr(translation, "_DATA", tmp_path / "data")
    monkeypatch.setattr(translation, "_HERE", tmp_path)
    learned, scored = translation.parts(translation.Problem("a set", "pairs", "set", parted=True))
    names = {part: {path.name for path in (part / "A").iterdir()} for part in (learned, scored)}
    assert names == {part: {path.name for path in (part / "B").iterdir()} for part in (learned, scored)}
    codes = [{name.split("-")[0].removesuffix(".png") for name in names[part]} for part in (learned, scored)]
    assert not codes[0] & codes[1]
    assert len(codes[0] | codes[1]) == 60
    assert 1 <= len(codes[1]) <= 15
    with Image.open(next((scored / "A").iterdir())) as found:
        assert found.size == (4, 4)


def test_photos_are_parted_already():
    from benchmarks import translation

    learned, scored = translation.parts(translation.PROBLEMS["superres"])
    assert (learned.name, scored.name) == ("train", "test")


def test_the_page_has_the_means_beside_the_baselines_and_a_sheet_of_each(tmp_path):
    from benchmarks import translation_page

    Image.new("RGB", (30, 10), "red").save(tmp_path / "large-0.png")
    rows = [row("large", 0, 10.0, 20.0), row("large", 1, 30.0, 22.0), row("other-l1", 0, 5.0, 4.0, better="higher")]
    rows.append({"problem": "none", "seed": 0, "error": "no memory"})
    told = {"large": ("photos larger", "superres"), "other-l1": ("the same, L1 alone", "superres")}
    page = tmp_path / "page.md"
    translation_page.write(rows, told, tmp_path, page)
    lines = page.read_text().split("\n")
    assert "| photos larger | `superres` | 10 | 40,000 | bicubic | – | – | – | **20** / 21 | – |" in lines
    assert "| the same, L1 alone | `superres` | 10 | 40,000 | bicubic | – | – | – | **5** / 4 | – |" in lines
    assert "![given, made, true](page-large.png)" in lines
    assert "- `none`, seed 0, failed: no memory" in lines
    assert not (tmp_path / "page-other-l1.png").exists()
    with Image.open(tmp_path / "page-large.png") as sheet:
        assert sheet.convert("RGB").getpixel((3, 3)) == (255, 0, 0)


def test_every_problem_is_one_that_its_recipe_poses():
    from benchmarks.translation import PROBLEMS
    from ganvas.core.settings import from_dict, override, to_dict
    from ganvas.core.sizes import Size
    from ganvas.recipes import recipe
    from ganvas.tasks.data_settings import DataSettings

    for problem in PROBLEMS.values():
        made = recipe(problem.recipe)(DataSettings(where="", size=Size.of(64), channels=3))
        chosen = from_dict(type(made), override(to_dict(made), problem.set))
        assert chosen.loss.weight == 0 if "loss.weight=0" in problem.set else chosen.loss.weight > 0
        json.dumps(to_dict(chosen))


def test_photos_are_scored_in_pieces_where_their_parts_are_learned(tmp_path, monkeypatch):
    from benchmarks import translation

    (tmp_path / "data" / "photos" / "test").mkdir(parents=True)
    Image.new("RGB", (512, 256), "blue").save(tmp_path / "data" / "photos" / "test" / "sky.png")
    monkeypatch.setattr(translation, "_DATA", tmp_path / "data")
    monkeypatch.setattr(translation, "_HERE", tmp_path)
    _, scored = translation.parts(translation.PROBLEMS["inpaint"])
    sizes = []
    for path in scored.iterdir():
        with Image.open(path) as found:
            sizes.append(found.size)
    assert sizes == [(64, 64)] * 2  # of 128 x 64 pixels at a quarter; at an eighth it is too small
