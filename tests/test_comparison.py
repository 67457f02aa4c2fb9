"""The comparison of recipes: what is run, resumed and skipped, and what is written of it. Nothing is timed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import ganvas
from ganvas.core.settings import read_toml

ROOT = Path(__file__).parents[1]
FD = {"mlp": 30.0, "quick": 7.0, "dcgan": 9.0, "wgan": 20.0}


@pytest.fixture(autouse=True)
def _root_on_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


@pytest.fixture
def places(tmp_path):
    from benchmarks.comparison import Places

    return Places(tmp_path / "runs", tmp_path / "rows", tmp_path / "comparison.md")


def a_score(metric: str, value: float, floor: float, at_floor_count: float | None = None) -> dict:
    from ganvas.metrics.protocol import Protocol, Score

    protocol = Protocol(
        metric, "fashion", "ab", "features", None, "32", 1, "as they are", 100, "clothes", "cd", "all", 90, "0 onwards"
    )
    return Score(metric, value, "lower", protocol, None, floor, 50, at_floor_count).as_dict()


def write_row(places, job, fd: float, at_floor_count: float | None = None, shade: int = 128) -> None:
    """A made-up row and its sample grid, whose pictures are all of one shade."""
    scores = {metric: a_score(metric, 0.5, 0.9) for metric in ("kd", "precision", "recall", "memorization")}
    row = {
        "data": job.data,
        "recipe": job.recipe,
        "seed": job.seed,
        "against": "clothes/test",
        "seconds": 600.2,
        "images": 400_000 + job.seed,
        "images_per_second": 666.0,
        "processor_seconds": 1_100,
        "findings": ["oscillation"] if job.recipe == "wgan" else [],
        "parameters": {"generator": 680_000, "discriminator": 370_000},
        "scores": {"fd": a_score("fd", fd, 0.1, at_floor_count), **scores},
        "date": "2026-11-21",
        "machine": {"processor": "a processor", "platform": "", "threads": 2, "torch": "2", "ganvas": "0"},
    }
    places.rows.mkdir(parents=True, exist_ok=True)
    places.row_of(job).write_text(json.dumps(row))
    for name, value in ((str(job), shade), (f"{job.data}-real", 255)):
        ganvas.grid(np.full((64, 1, 32, 32), value, np.uint8), 8).save(places.rows / f"{name}.png")


@pytest.fixture
def played(places, monkeypatch):
    """The runs that are started, in their order; they end at once, "wgan" with an error."""
    from benchmarks import comparison

    runs = []

    def play(job, where, seconds):
        runs.append(str(job))
        if job.recipe == "wgan":
            return 5, "Training diverged"
        write_row(where, job, FD[job.recipe] + job.seed)
        return 0, ""

    monkeypatch.setattr(comparison, "play", play)
    return runs


def test_all_recipes_are_run_with_the_first_seed_and_then_the_best_with_the_others(places, played, monkeypatch):
    from benchmarks import comparison

    monkeypatch.setattr(comparison, "BEST", 2)
    comparison.compare(places, 600, ["clothes"], ["mlp", "wgan", "quick", "dcgan"])
    firsts = ["clothes-mlp-0", "clothes-wgan-0", "clothes-quick-0", "clothes-dcgan-0"]
    assert played == [*firsts, "clothes-quick-1", "clothes-quick-2", "clothes-dcgan-1", "clothes-dcgan-2"]


def test_what_has_a_row_is_not_run_again_and_what_failed_is(places, played):
    from benchmarks import comparison

    comparison.compare(places, 600, ["clothes"], ["wgan", "quick"])
    assert json.loads((places.rows / "clothes-wgan-0.json").read_text())["error"] == "Training diverged"
    before, played[:] = list(played), []
    comparison.compare(places, 600, ["clothes"], ["wgan", "quick"])
    assert "clothes-quick-2" in before
    assert played == ["clothes-wgan-0"]


def test_an_interrupt_of_a_run_ends_the_comparison_without_a_row(places, monkeypatch):
    from benchmarks import comparison

    monkeypatch.setattr(comparison, "play", lambda job, places, seconds: (130, "Interrupted and saved"))
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(places, 600, ["clothes"], ["quick"])
    assert comparison.read_rows(places) == []


def test_a_run_of_its_own_process_that_fails_says_why_with_its_last_line(places, monkeypatch):
    from benchmarks import comparison

    monkeypatch.chdir(ROOT)
    status, last = comparison.play(comparison.Job("no-such-data", "quick", 0), places, 1.5)
    assert status == 1
    assert last == "KeyError: 'no-such-data'"


def test_results_of_a_trial_are_kept_apart():
    from benchmarks.comparison import SECONDS, Places

    whole, trial = Places.of(SECONDS), Places.of(20)
    assert whole.page == ROOT / "docs" / "comparison.md"
    assert not {whole.runs, whole.rows, whole.page} & {trial.runs, trial.rows, trial.page}


def test_large_recipes_wait_and_all_others_take_part():
    from benchmarks.comparison import CONTENDERS, FOR_CLASSES, FOR_GPU
    from ganvas.recipes import RECIPES, task_of
    from ganvas.tasks import TRANSLATES

    making = {name for name in RECIPES if task_of(name) not in TRANSLATES}  # the others make pictures of pictures
    assert {*FOR_GPU, *FOR_CLASSES} <= making
    assert {*CONTENDERS, *FOR_GPU, *FOR_CLASSES} == making
    assert not set(CONTENDERS) & {*FOR_GPU, *FOR_CLASSES}


def test_the_page_ranks_by_the_mean_of_the_seeds_and_names_failures_and_what_is_missing(places):
    from benchmarks import comparison_page
    from benchmarks.comparison import Job, read_rows

    for recipe, seed, fd in (("quick", 0, 7.0), ("quick", 1, 12.0), ("dcgan", 0, 8.0), ("mlp", 0, 30.0)):
        write_row(places, Job("clothes", recipe, seed), fd)
    (places.rows / "clothes-wgan-0.json").write_text(
        json.dumps({"data": "clothes", "recipe": "wgan", "seed": 0, "error": "Training diverged"})
    )
    places.page.write_text(f"# Above\n{comparison_page.BEGIN}\nold\n{comparison_page.END}\nbelow\n")
    contenders = ["quick", "dcgan", "mlp", "wgan", "hinge"]
    for _ in range(2):  # written anew, it takes its own place
        comparison_page.write(read_rows(places), places.rows, places.page, contenders, ["biggan"])
    text = places.page.read_text()
    assert text.startswith("# Above\n")
    assert text.endswith("\nbelow\n")
    assert "old" not in text
    table = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [cells[0] for cells in table] == ["| recipe", "| `dcgan`", "| `quick`", "| `mlp`", "| *real pictures*"]
    assert table[2][1] == "**9.5** (7, 12)"
    assert table[4][1] == "0.1"
    assert "`wgan`, seed 0, failed: Training diverged" in text
    assert "Not run yet: `hinge`." in text
    assert "waiting for one: `biggan`." in text
    assert "not all comparable" not in text


def test_the_page_says_when_scores_are_unlike_and_when_the_floor_is_of_fewer_pictures(places):
    from benchmarks import comparison_page
    from benchmarks.comparison import Job, read_rows

    write_row(places, Job("clothes", "quick", 0), 7.0, at_floor_count=8.5)
    write_row(places, Job("clothes", "dcgan", 0), 9.0, at_floor_count=9.5)
    row = json.loads((places.rows / "clothes-dcgan-0.json").read_text())
    row["scores"]["fd"]["protocol"]["count"] = 99
    (places.rows / "clothes-dcgan-0.json").write_text(json.dumps(row))
    text = comparison_page.section("clothes", read_rows(places), ["quick", "dcgan"], ["biggan"])
    table = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [cells[1:3] for cells in table] == [["FD", "FD of 50"], ["**7**", "8.5"], ["**9**", "9.5"], ["", "0.1"]]
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert "not all comparable**: they differ in count." in text


def test_the_picture_shows_real_pictures_and_then_the_recipes_from_the_best_on(places):
    from benchmarks import comparison_page
    from benchmarks.comparison import Job, read_rows

    for data, fds in (("clothes", {"mlp": 30.0, "quick": 7.0}), ("faces", {"mlp": 1.0, "quick": 2.0})):
        for recipe, fd in fds.items():
            write_row(places, Job(data, recipe, 0), fd, shade={"mlp": 40, "quick": 90}[recipe])
    comparison_page.draw(read_rows(places), places.rows, places.page.with_suffix(".png"))
    with Image.open(places.page.with_suffix(".png")) as picture:
        left, right = (picture.getpixel((x, 0)) for x in (0, picture.width - 1))
        assert left == right == (255, 255, 255)
        inside = picture.width // 2 - comparison_page._MARGIN - 10
        shades = [
            [picture.getpixel((x, y))[0] for y in range(picture.height)] for x in (inside, inside + picture.width // 2)
        ]
    orders = [[shade for shade in dict.fromkeys(column) if shade in (40, 90)] for column in shades]
    assert orders == [[40, 90], [90, 40]], "faces left, clothes right, each from its best on"


def test_a_run_is_probed_trained_scored_and_written_and_one_that_was_broken_off_is_resumed(
    places, tmp_path, monkeypatch
):
    from benchmarks import comparison, comparison_run

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    noise = np.random.default_rng(0)
    for number in range(260):
        Image.fromarray(noise.integers(0, 255, (32, 32, 3), np.uint8)).save(pictures / f"{number}.png")
    tiny = comparison.DataSet(
        str(pictures),
        against=str(pictures),
        set=("data.held_out=120", "generator.width=8", "discriminator.width=8", "training.batch=4"),
        count=100,
    )
    monkeypatch.setattr(comparison, "DATA", {"noise": tiny})
    monkeypatch.setattr(comparison_run, "DATA", {"noise": tiny})
    judge = ganvas.evaluate
    monkeypatch.setattr(ganvas, "evaluate", lambda *args, **more: judge(*args, extractor="pixels", **more))
    job, begun = comparison.Job("noise", "quick", 0), []
    play_on = comparison_run.Meter.__call__

    def broken_off(self, clock):
        play_on(self, clock)
        begun.append(clock.images)
        if clock.images == 12:
            raise KeyboardInterrupt

    monkeypatch.setattr(comparison_run.Meter, "__call__", broken_off)
    with pytest.raises(ganvas.Interrupted):
        comparison_run.run(job, places, 1.0)
    assert begun == [4, 8, 12]
    assert not places.row_of(job).exists()

    monkeypatch.setattr(comparison_run.Meter, "__call__", play_on)
    monkeypatch.setattr(ganvas, "train", None)  # neither a probe nor a new run
    comparison_run.run(job, places, 1.0)
    row = json.loads(places.row_of(job).read_text())
    assert row["seconds"] >= 1.0
    assert row["images"] > 12
    assert row["images"] % 4 == 0
    assert row["planned_images"] == round(row["probe"]["images_per_second"] * 0.9)
    settings = read_toml(places.runs / str(job) / "run" / "settings.toml")
    assert settings["generator_optimizer"]["decay_images"] == row["planned_images"]
    assert settings["training"]["stop"] == {"seconds": 1.0}
    assert {"fd", "kd", "precision", "recall", "memorization"} <= row["scores"].keys()
    assert row["scores"]["fd"]["protocol"]["reference_count"] == 140
    assert row["scores"]["fd"]["floor_count"] == 100
    kept = load_file(places.runs / str(job) / "run" / "generator.safetensors")
    learned = {name: weight for name, weight in kept.items() if "running_" not in name and "num_" not in name}
    assert row["parameters"]["generator"] == sum(weight.size for weight in learned.values())
    for name in (str(job), "noise-real"):
        with Image.open(places.rows / f"{name}.png") as grid:
            assert grid.size == (8 * 34 - 2, 8 * 34 - 2)
