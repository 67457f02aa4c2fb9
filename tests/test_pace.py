"""A run that stops by time measures its pace first, where something falls over its length."""

import tomllib
from pathlib import Path

import pytest

from ganvas import api
from ganvas.core.errors import Interrupted, UsageError

SMALL = ["generator.width=4", "discriminator.width=4", "training.tensorboard=off"]


@pytest.fixture(autouse=True)
def _alone(offline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def trained(recipe: str, said: list[str], **choices) -> dict:
    api.train("digits", recipe=recipe, size=8, batch=8, out="run", set=SMALL, say=said.append, **choices)
    return tomllib.loads(Path("run/settings.toml").read_text())


def test_what_falls_does_so_over_the_images_that_the_time_is_worth(tmp_path):
    said = []
    settings = trained("quick", said, time=2.0)
    length = settings["generator_optimizer"]["decay_images"]
    assert length == settings["discriminator_optimizer"]["decay_images"] > 0
    assert settings["training"]["stop"] == {"seconds": 2.0}
    assert [line for line in said if "At the speed here" in line]
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["run"]


@pytest.mark.parametrize(("recipe", "goals"), [("dcgan", {"time": 1.0}), ("quick", {"images": 80, "time": 60.0})])
def test_a_run_with_nothing_to_fall_or_a_length_is_not_measured(recipe, goals, monkeypatch):
    monkeypatch.setattr(api, "measured_length", lambda *given: pytest.fail("measured"))
    trained(recipe, [], **goals)


def test_a_folder_that_is_taken_is_answered_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(api, "measured_length", lambda *given: pytest.fail("measured"))
    Path("run").mkdir()
    Path("run/mine.txt").touch()
    with pytest.raises(UsageError, match="holds something else"):
        trained("quick", [], time=1.0)


def test_an_interruption_of_the_measurement_leaves_no_run(monkeypatch):
    monkeypatch.setattr("ganvas.pace.Trainer.train", lambda trainer: "interrupted")
    with pytest.raises(Interrupted, match="no run yet"):
        trained("quick", [], time=1.0)
    assert not Path("run").exists()
