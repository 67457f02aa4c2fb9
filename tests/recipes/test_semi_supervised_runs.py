"""Runs with few labels: two processes play the same as one; folders, the commands, and what is answered at once."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas import api, cli, load_classifier
from ganvas.core.errors import DataError, UsageError

NARROW = ("generator.width=8", "classifier.width=8", "training.tick=16", "training.tensorboard=off")


@pytest.fixture
def photos(tmp_path):
    """Pictures striped across and down, 6 of each in a folder of its own and 60 of both in `unlabelled`."""
    dice = np.random.default_rng(0)
    for name, count in (("across", 6), ("down", 6), ("unlabelled", 60)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for number in range(count):
            stripes = np.tile(np.array([40, 200], np.uint8)[:, None], (4, 8)) + dice.integers(0, 40, (8, 8), np.uint8)
            down = name == "down" or (name == "unlabelled" and number % 2)
            Image.fromarray(stripes.T if down else stripes).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def ganvas(tmp_path, monkeypatch, capsys):
    """Runs a command and returns its JSON lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganvas", *map(str, arguments)])
        cli.main()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize("assignments", [(), ("loss.adversarial=0",), ("loss.generator=logistic",)], ids=str)
def test_two_processes_play_the_same_run_as_one_to_the_bit(assignments, play, state):
    one, two = (
        state(play(f"run-{procs}", "few-labels", *assignments, f"training.procs={procs}", images=48))
        for procs in (1, 2)
    )
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_a_folder_with_few_labels_is_learned_and_used_by_the_commands(photos, ganvas):
    chosen = [*NARROW, "training.score=800", "training.average.half_life=100", "augment.p=0.2"]
    asked = ["--recipe", "few-labels", "--images", 1600, "--batch", 16, "--out", "run", "--json", "--set", *chosen]
    *ticks, last = ganvas("train", photos, *asked)
    assert (last["images"], last["reason"]) == (1600, "images")
    players = {
        "classifier/labelled",
        "classifier/adversarial",
        "classifier/pseudo_labels",
        "generator/feature_matching",
    }
    assert players == ticks[-1]["terms"].keys()
    for name in ("classifier.safetensors", "classifier.json", "generator.safetensors", "card.json"):
        assert (photos.parent / "run" / name).is_file(), name
    (found,) = ganvas("classify", "run", photos, "--json")
    assert found["classes"] == ["across", "down"]
    assert len(found["pictures"]) == 72
    assert found["score"]["count"] == 12, "those in `unlabelled` are of no known class"
    assert found["score"]["accuracy"] >= 0.9
    (one,) = ganvas("classify", "run", photos / "across" / "0.png", photos / "unlabelled", "--json")
    assert one["pictures"][0]["label"] == "across"
    assert 0.5 < one["pictures"][0]["probability"] <= 1
    assert "score" not in one
    ganvas("sample", "run", "--seeds", "0-3", "--out", "grid.png", "--json")


def test_the_journal_and_the_page_show_the_error_on_held_out_pictures(play):
    run = play("run", "few-labels", "training.score=40", "loss.adversarial=0")
    last = json.loads((run / "journal.jsonl").read_text().splitlines()[-1])
    assert 0 <= last["score"]["error"] <= 1
    score = json.loads(max((run / "scores").iterdir()).read_text())
    assert score["protocol"]["labels"] == 20
    assert score["protocol"]["count"] > 20
    assert "error" in (run / "summary.html").read_text()
    assert not (run / "generator.safetensors").exists()
    assert load_classifier(run).classes == tuple("0123456789")


def test_without_labels_or_with_all_of_them_the_plan_says_what_to_do(photos):
    with pytest.raises(UsageError, match=r"every picture has a class.*data\.labels=100"):
        api.plan("digits", recipe="few-labels")
    with pytest.raises(UsageError, match="0 classes with labels"):
        api.plan(photos / "down", recipe="few-labels")
    with pytest.raises(UsageError, match="10 classes need one label each"):
        api.plan("digits", recipe="few-labels", set=["data.labels=9"])
    planned = api.plan(photos, recipe="few-labels")
    assert planned.settings.data.known == ("across", "down")


def test_a_class_without_enough_labels_is_missed_before_there_is_a_run(photos, tmp_path):
    with pytest.raises(UsageError, match=r"has \d: ask for"):
        api.train(photos, recipe="few-labels", set=["data.labels=20"], images=16, out=tmp_path / "run", say=print)
    assert not (tmp_path / "run").exists()


def test_a_run_of_a_gan_has_no_classifier(play):
    with pytest.raises(DataError, match="runs of the recipe few-labels write one"):
        load_classifier(play("run", "quick", images=8))
