"""The count of modes is right on pictures made by hand, and the benchmark loses one run at most. Nothing is timed."""

import dataclasses
import functools
import math
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganvas import data, plane, recipes
from ganvas.core.errors import Diverged, UsageError
from ganvas.core.settings import to_toml
from ganvas.data.named.stacked_digits import stack
from ganvas.metrics.classifier import Training, train_classifier
from ganvas.recipes import generate
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.training.clock import Clock
from ganvas.training.players import OptimizerSettings
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks import common, diversity, diversity_page, modes  # noqa: E402

sys.path.remove(str(ROOT))

MARKS = "".join(f"<!-- {name}: written by the benchmark -->\n<!-- {name}: end -->\n" for name in ("plane", "pictures"))


@pytest.fixture(scope="module")
def digits():
    return data.open_data("digits", size=32, channels=1, memory=2**30)


@pytest.fixture(scope="module")
def reader(digits):
    """A classifier of digits, trained in little time."""
    brief = functools.partial(train_classifier, training=Training(epochs=3, batch=64))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(modes, "train_classifier", brief)
        return modes.DigitReader(digits)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Results and the page in a folder of their own, two recipes, one seed."""
    page = tmp_path / "diversity.md"
    page.write_text(f"before\n{MARKS}after\n")
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(diversity, "_WATCHED", tmp_path)
    monkeypatch.setattr(diversity_page, "PAGE", page)
    monkeypatch.setattr(diversity, "RECIPES", ("quick", "dcgan"))
    monkeypatch.setattr(diversity, "PLANE_SEEDS", (0,))
    return tmp_path


@pytest.fixture
def change(monkeypatch):
    """Changes what a recipe of GANs comes to from here on."""

    def do(name: str, **changed: object) -> None:
        made = recipes.recipe(name)
        monkeypatch.setattr(generate, name, lambda *asked: dataclasses.replace(made(*asked), **changed))

    return do


@pytest.fixture
def plane_runs(results, monkeypatch):
    """What was run; the run whose key is in `fails` fails with what it holds there."""
    ran: list[str] = []
    fails: dict[str, BaseException] = {}

    def run(name: str, kind: str, seed: int) -> dict[str, float]:
        ran.append(f"{kind}/{name}/{seed}")
        if ran[-1] in fails:
            raise fails.pop(ran[-1])
        return {"images": 2_000, "seconds": 1.0, "found": 7, "covered": 6, "high_quality": 0.5}

    monkeypatch.setattr(diversity, "_plane", run)
    return ran, fails


def test_modes_are_told_apart_by_their_three_digits(reader, digits):
    assert reader.accuracy > 0.9
    pictures, meant = (torch.from_numpy(part) for part in stack(digits.images, digits.labels, 300, seed=5))
    read, sure = reader.read(pictures)
    assert (read == meant).float().mean() > 0.9
    assert 250 < modes.found(read) <= 300
    assert sure.float().mean() > 0.5
    assert torch.equal(reader.read(pictures.flip(1))[0], read // 100 + read // 10 % 10 * 10 + read % 10 * 100)


def test_a_single_picture_is_one_mode_however_often_it_comes(reader, digits):
    one = torch.from_numpy(stack(digits.images, digits.labels, 1_000, seed=5)[0][:1]).repeat(200, 1, 1, 1)
    read, _ = reader.read(one)
    assert modes.found(read) == 1
    assert modes.divergence_from_uniform(read) == pytest.approx(math.log(1_000))


def test_noise_shows_few_modes_and_none_surely(reader):
    noise = torch.randint(0, 256, (200, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    read, sure = reader.read(noise)
    assert modes.found(read) < 100
    assert sure.float().mean() < 0.1


def test_the_divergence_from_uniform_has_its_closed_values():
    everywhere = torch.arange(1_000).repeat(3)
    assert modes.found(everywhere) == 1_000
    assert modes.divergence_from_uniform(everywhere) == pytest.approx(0, abs=1e-12)
    assert modes.divergence_from_uniform(everywhere % 10) == pytest.approx(math.log(100))
    assert modes.divergence_from_uniform(torch.tensor([0, 0, 0, 1]), 4) == pytest.approx(0.75 * math.log(3))


def test_points_of_all_modes_of_one_and_of_none_are_told_in_numbers():
    grid = plane.MIXTURES["grid"]
    everywhere, nowhere = grid.centres.repeat(4, 1), torch.full((100, 2), 9.0)
    one_and_noise = torch.cat([grid.centres[:1].repeat(50, 1), nowhere[:50]])
    for points, found, share in ((everywhere, 25, 1.0), (one_and_noise, 1, 0.5), (nowhere, 0, 0.0)):
        wanted = {"found": found, "covered": found, "high_quality": share}
        assert diversity.in_numbers(grid, points) == wanted
    few = torch.cat([everywhere[:24], grid.centres[-1:].repeat(976, 1)])
    assert diversity.in_numbers(grid, few) == {"found": 25, "covered": 1, "high_quality": 1.0}


def test_an_interruption_loses_one_run(plane_runs):
    ran, fails = plane_runs
    fails["grid/quick/0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        diversity.in_the_plane()
    assert common.read(diversity.PLANE)["rows"].keys() == {"ring/quick/0", "ring/dcgan/0"}
    ran.clear()
    diversity.in_the_plane()
    assert ran == ["grid/quick/0", "grid/dcgan/0"]
    ran.clear()
    diversity.in_the_plane()
    assert ran == []
    assert len(common.read(diversity.PLANE)["rows"]) == 4


def test_rows_of_another_length_are_not_gone_on_with(plane_runs, monkeypatch):
    ran, _ = plane_runs
    diversity.in_the_plane()
    ran.clear()
    monkeypatch.setattr(diversity, "PLANE_SECONDS", 1.0)
    diversity.in_the_plane()
    assert len(ran) == 4
    assert common.read(diversity.PLANE)["seconds"] == 1.0


def test_rows_of_settings_that_a_recipe_no_longer_has_are_made_anew(plane_runs, change):
    ran, _ = plane_runs
    diversity.in_the_plane()
    before = common.read(diversity.PLANE)["rows"]
    ran.clear()
    change("quick", discriminator_optimizer=OptimizerSettings(lr=1e-3))
    diversity.in_the_plane()
    assert ran == ["ring/quick/0", "grid/quick/0"]
    after = common.read(diversity.PLANE)["rows"]
    assert {key for key in before if after[key] != before[key]} == set(ran)


def test_rows_of_recipes_and_seeds_that_are_gone_are_forgotten(plane_runs, monkeypatch):
    diversity.in_the_plane()
    monkeypatch.setattr(diversity, "RECIPES", ("hinge", "dcgan"))
    diversity.in_the_plane()
    kept = common.read(diversity.PLANE)["rows"].keys()
    assert kept == {f"{kind}/{name}/0" for kind in plane.MIXTURES for name in ("hinge", "dcgan")}


def test_the_length_and_the_seed_of_a_run_are_no_settings_of_its_row():
    whole = common.settings("quick", where="stacked-digits", seconds=120.0)
    replace = dataclasses.replace
    for training, same in (
        (replace(whole.training, stop=StopSettings(images=5)), True),
        (replace(whole.training, seed=1), True),
        (replace(whole.training, batch=32), False),
    ):
        other = replace(whole, training=training)
        assert (diversity.fingerprint(other) == diversity.fingerprint(whole)) == same


def test_a_run_that_diverges_has_a_row_that_says_so(plane_runs, results):
    ran, fails = plane_runs
    fails["ring/dcgan/0"] = Diverged("three times")
    diversity.in_the_plane()
    assert len(ran) == 4
    assert common.read(diversity.PLANE)["rows"]["ring/dcgan/0"]["diverged"] == "three times"
    page = (results / "diversity.md").read_text()
    assert "; seed 0 alone, so **provisional** until the others have run." in page
    assert "| quick | 2,000 | 1 | 7 | 6 | 50% | 7 | 6 | 50% |" in page
    assert "| dcgan | 2,000 | 1 | diverged | diverged | diverged | 7 | 6 | 50% |" in page


def test_of_several_seeds_the_table_has_medians(plane_runs, results, monkeypatch):
    monkeypatch.setattr(diversity, "PLANE_SEEDS", (0, 1))
    diversity.in_the_plane()
    page = (results / "diversity.md").read_text()
    assert "; seeds 0, 1: medians, and (least to greatest)." in page
    assert "provisional" not in page


def test_a_recipe_that_has_changed_runs_again_on_stacked_digits(results, reader, monkeypatch, change):
    ran: list[str] = []

    def run(name: str, stacked: object, reader: object) -> dict[str, float]:
        ran.append(name)
        return {"images": 2_000, "seconds": 1.0, "found": 900, "kl": 0.25, "found_sure": 800, "sure": 0.5}

    monkeypatch.setattr(diversity, "_pictures", run)
    monkeypatch.setattr(modes, "DigitReader", lambda digits: reader)
    monkeypatch.setattr(diversity, "counted", lambda reader, pictures: run("real", pictures, reader))
    diversity.on_stacked_digits()
    assert ran == ["real", "quick", "dcgan"]
    ran.clear()
    diversity.on_stacked_digits()
    assert ran == []
    change("quick", discriminator_moves=2)
    diversity.on_stacked_digits()
    assert ran == ["quick"]
    page = (results / "diversity.md").read_text()
    assert "| quick | 900 | 0.25 | 50% | 800 | 2,000 | 1.0 |" in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")


def test_a_page_without_the_section_is_not_written(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="plane"):
        diversity_page.write_section(page, "plane", ["line"])
    assert page.read_text() == "nothing"


def test_a_run_in_the_plane_is_played_and_counted(results, monkeypatch):
    monkeypatch.setattr(diversity, "PLANE_SECONDS", 0.2)
    row = diversity._plane("quick", "grid", 0)
    assert row["images"] >= 256
    assert 0 <= row["covered"] <= row["found"] <= 25
    assert (results / "grid-quick.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_is_interrupted_has_no_row(results, monkeypatch):
    def interrupted(trainer: Trainer) -> str:
        assert trainer.run.path.exists()
        seen.append(trainer.run.path)
        return "interrupted"

    seen: list[Path] = []
    monkeypatch.setattr(Trainer, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        diversity.in_the_plane()
    assert common.read(diversity.PLANE) == {}
    assert not seen[0].exists()


def test_an_autoencoders_run_on_stacked_digits_is_played_and_counted(results, reader, monkeypatch):
    monkeypatch.setattr(diversity, "PICTURE_SECONDS", 0.2)
    monkeypatch.setattr(diversity, "COUNT", 16)
    row = diversity._pictures("vae", data.open_data("stacked-digits", size=32), reader)
    assert row["images"] >= 64
    assert 0 <= row["found_sure"] <= row["found"] <= 16
    assert (results / "digits-vae.png").read_bytes().startswith(b"\x89PNG")


def test_every_decay_lasts_as_long_as_the_run(results, monkeypatch):
    lengths: list[tuple[int | None, int | None, int | None]] = []

    def make(chosen: GenerateSettings, on_round: Callable[[Clock], None]) -> Trainer:
        both = chosen.generator_optimizer, chosen.discriminator_optimizer
        lengths.append((chosen.training.stop.images, *(optimizer.decay_images for optimizer in both)))
        raise Diverged("enough")

    monkeypatch.setattr(diversity, "_pace", lambda *asked: 500.0)
    for chosen in (diversity._in_the_plane("quick", "ring", 0), diversity._on_digits("quick", "stacked-digits")):
        with pytest.raises(Diverged):
            diversity.played(make, chosen, 2.0, lambda: 0.0)
    assert lengths == [(1_000, 1_000, 1_000)] * 2


@pytest.mark.parametrize("name", diversity.RECIPES)
def test_no_recipe_of_the_table_has_a_length_of_its_own(name):
    chosen = diversity._on_digits(name, "stacked-digits")
    assert chosen.data.classes == ()
    assert "decay_images" not in to_toml(chosen)


@pytest.mark.parametrize("name", diversity.RECIPES)
def test_the_plane_plays_every_recipe_of_the_table_but_those_of_pictures(name):
    chosen = diversity._in_the_plane(name, "ring", 0)
    if name in diversity.OF_PICTURES:
        with pytest.raises(UsageError, match="is not played in the plane"):
            plane.Rules.of(chosen)
    else:
        assert plane.Rules.of(chosen).loss == chosen.loss


def test_the_page_has_its_sections():
    page = (ROOT / "docs" / "diversity.md").read_text()
    for name in ("plane", "pictures"):
        assert f"<!-- {name}: written by the benchmark -->\n" in page
        assert f"<!-- {name}: end -->\n" in page


def test_a_name_stands_for_all_measurements_that_begin_with_it(monkeypatch):
    ran: list[str] = []
    monkeypatch.setattr(diversity, "in_the_plane", lambda: ran.append("plane"))
    monkeypatch.setattr(diversity, "on_stacked_digits", lambda: ran.append("pictures"))
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "diversity"])
    runpy.run_module("benchmarks", run_name="__main__")
    assert ran == ["plane", "pictures"]
    monkeypatch.setattr(sys, "argv", ["benchmarks", "divers"])
    with pytest.raises(SystemExit, match="no measurement named divers"):
        runpy.run_module("benchmarks", run_name="__main__")
