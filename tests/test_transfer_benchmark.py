"""The measurement of transfer: which pictures are learned, what is run, resumed and skipped, what is written."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _alone(offline, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


@pytest.fixture
def places(tmp_path):
    from benchmarks.transfer import Places

    page = tmp_path / "transfer.md"
    return Places(tmp_path / "runs", tmp_path / "rows", page, seconds=0.9, source_seconds=0.3)


@pytest.fixture
def emoji(tmp_path):
    """Forty emoji of two vendors, whose red tells the vendor and green the emoji."""
    for red, vendor in enumerate(("google", "twitter")):
        (tmp_path / "emoji" / vendor).mkdir(parents=True)
        for number in range(40):
            Image.new("RGB", (8, 8), (200 * red, number, 90)).save(tmp_path / "emoji" / vendor / f"{number:02}.png")
    return tmp_path / "emoji"


def opened(path):
    with Image.open(path) as found:
        return found.copy()


def scored(value):
    return {name: {"value": value} for name in ("kd", "fd", "precision", "recall", "memorization")}


def test_the_few_are_evenly_spread_and_the_source_has_drawn_none_of_them(places, emoji, monkeypatch):
    from benchmarks import transfer

    monkeypatch.setattr(transfer, "FEW", 10)
    Image.new("RGB", (8, 8)).save(emoji / "google" / "of google alone.png")
    transfer.lay_out(places, emoji)
    names = {part: {path.name for path in places.pictures(part).iterdir()} for part in ("few", "others", "source")}
    assert names["few"] == {f"{number:02}.png" for number in range(0, 40, 4)}
    assert names["others"] == names["source"] == {f"{number:02}.png" for number in range(40)} - names["few"]
    reds = {part: {opened(path).getpixel((0, 0))[0] for path in places.pictures(part).iterdir()} for part in names}
    assert reds == {"few": {0}, "others": {0}, "source": {200}}
    transfer.lay_out(places, emoji / "gone")  # there already


def test_without_emoji_it_ends_before_any_run(places, tmp_path):
    from benchmarks import transfer

    with pytest.raises(SystemExit, match="no folders google and twitter"):
        transfer.lay_out(places, tmp_path / "nowhere")


def test_a_run_trains_the_source_once_begins_from_it_and_leaves_a_row_and_a_grid(places, emoji, monkeypatch):
    from benchmarks import transfer, transfer_run

    monkeypatch.setattr(transfer, "FEW", 10)
    monkeypatch.setattr(transfer_run, "scores", lambda folder, places: scored(1.0))
    transfer.lay_out(places, emoji)
    began = []
    train = ganvas.train
    monkeypatch.setattr(
        ganvas, "train", lambda where, **choices: began.append(Path(where).name) or train(where, **choices)
    )
    for way in ("scratch", "transfer-third", "freeze-third"):
        transfer_run.run(transfer.Job(way, 1), places)
    assert began == ["few", "source", "few", "few"]
    rows = {row["way"]: row for row in transfer.read_rows(places)}
    assert [rows[way]["planned_seconds"] for way in ("scratch", "transfer-third", "freeze-third")] == [0.9, 0.3, 0.3]
    assert {row["few"] for row in rows.values()} == {10}
    assert {row["augment"] for row in rows.values()} == {"diffaug"}
    assert rows["scratch"]["source"] == {}
    assert rows["transfer-third"]["source"]["images"] > 0
    chosen = {way: (places.runs / f"{way}-1" / "run" / "settings.toml").read_text() for way in rows}
    assert "discriminator_frozen = 2" in chosen["freeze-third"]
    assert str(places.source) in chosen["transfer-third"]
    assert "[source]\n\n" in chosen["scratch"] or "sha256" not in chosen["scratch"]
    assert opened(places.rows / "scratch-1.png").size == opened(places.rows / "freeze-third-1.png").size
    assert transfer_run.run(transfer.Job("scratch", 1), places) is None
    assert began == ["few", "source", "few", "few"], "what was trained is not trained again"


def write_row(places, job, kd: float) -> None:
    row = {"way": job.way, "seed": job.seed, "planned_seconds": 100.0 if "third" in job.way else 300.0, "images": 1_000}
    row |= {"scores": scored(kd), "date": "2026-11-21", "machine": {"processor": "a processor", "cores": 2}}
    row["source"] = {"recipe": "quick", "seconds": 600.0, "images": 5_000} if "transfer" in job.way else {}
    places.rows.mkdir(parents=True, exist_ok=True)
    places.row_of(job).write_text(json.dumps(row))
    ganvas.grid(np.full((64, 3, 32, 32), 128, np.uint8), 8).save(places.rows / f"{job}.png")


def test_runs_with_a_row_are_not_run_again_and_a_failed_one_is_tried_again(places, monkeypatch):
    from benchmarks import transfer

    played, answers = [], {"scratch-0": (0, ""), "transfer-0": (5, "Training diverged")}

    def play(job, where):
        played.append(str(job))
        if answers[str(job)][0] == 0:
            write_row(where, job, 0.1)
        return answers[str(job)]

    monkeypatch.setattr(transfer, "play", play)
    for _ in range(2):
        for name in ("scratch", "transfer"):
            transfer.settle(transfer.Job(name, 0), places)
    assert played == ["scratch-0", "transfer-0", "transfer-0"]
    assert [row.get("error") for row in transfer.read_rows(places)] == [None, "Training diverged"]
    answers["transfer-0"] = (130, "")
    with pytest.raises(KeyboardInterrupt):
        transfer.settle(transfer.Job("transfer", 0), places)


def test_the_page_tells_each_way_with_its_seeds_and_for_how_many_a_third_was_enough(places):
    from benchmarks import transfer, transfer_page

    values = {("scratch", 0): 0.2, ("scratch", 1): 0.3, ("transfer-third", 0): 0.1, ("transfer-third", 1): 0.4}
    for (way, seed), value in values.items():
        write_row(places, transfer.Job(way, seed), value)
    places.page.write_text(f"before\n{transfer_page.BEGIN}\nold\n{transfer_page.END}\nafter\n")
    told = {name: way.told for name, way in transfer.WAYS.items()}
    transfer_page.write(transfer.read_rows(places), told, places.rows, places.page)
    text = places.page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| from nothing | 300 | 250.0 (200.0, 300.0) | 0.2 (0.2, 0.3) | 0.25 (0.20, 0.30) |" in text
    assert "| from the source | 100 | 250.0 (100.0, 400.0) |" in text
    assert "does: the KD for 1 of 2 seeds, the FD for 1 of 2 seeds. `python -m benchmarks transfer`, 2026-11-21" in text
    assert "The source: `quick`, 600 seconds, 5,000 images." in text
    assert opened(places.page.with_suffix(".png")).height > 300


def test_jobs_go_seed_by_seed():
    from benchmarks import transfer

    assert [str(job) for job in transfer.every_job(["scratch", "transfer"], [0, 1])] == [
        "scratch-0", "transfer-0", "scratch-1", "transfer-1",
    ]  # fmt: skip
