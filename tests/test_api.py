"""The Python surface: train, resume, load; where a run goes and what it holds."""

import errno
import json
import os
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import ganvas
from ganvas.tasks.generate import Generate

SMALL = {
    "recipe": "dcgan",
    "batch": 8,
    "set": ["generator.width=8", "discriminator.width=8", "training.tensorboard=off", "training.tick=16"],
}


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def photos(tmp_path):
    dice = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(dice.integers(0, 256, (16, 20, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photos"


def test_a_run_is_a_folder_of_plain_files():
    ticks = []
    run = ganvas.train("digits", images="32", out="mine/run", on_tick=ticks.append, **SMALL)
    assert (run.reason, run.path) == ("images", Path("mine/run"))
    names = {path.name for path in run.path.iterdir()} - {".lock"}
    assert names == {
        "settings.toml", "environment.json", "journal.jsonl", "samples", "checkpoints", "generator.safetensors",
        "card.json", "summary.html",
    }  # fmt: skip
    assert tomllib.loads((run.path / "settings.toml").read_text())["training"]["stop"] == {"images": 32}
    assert json.loads((run.path / "environment.json").read_text())["ganvas"] == ganvas.__version__
    assert run.journal == ticks
    assert [tick["images"] for tick in ticks] == [16, 32]
    assert {"images", "images_per_second", "seconds", "terms"} <= ticks[0].keys()
    assert all(np.isfinite(value) for value in ticks[0]["terms"].values())
    assert run.load().sample([0]).shape == (1, 1, 8, 8)


def test_without_out_runs_are_numbered_below_the_current_folder_and_nothing_else_is_written(photos):
    first = ganvas.train(photos, size=8, images=8, **SMALL)
    second = ganvas.train(photos, size=8, images=8, **SMALL)
    assert [first.path, second.path] == [Path("runs/photos-dcgan-1"), Path("runs/photos-dcgan-2")]
    assert {path.name for path in Path.cwd().iterdir()} == {"runs"}
    assert {path.name for path in photos.parent.iterdir()} <= {"here", "photos", "cache"}


def test_a_run_on_a_relative_folder_continues_from_another_one(photos, monkeypatch, tmp_path):
    monkeypatch.chdir(photos.parent)
    run = ganvas.train("photos", size=8, images=8, out=tmp_path / "run", **SMALL)
    monkeypatch.chdir(tmp_path / "here")
    assert ganvas.resume(run.path, images=16).reason == "images"
    assert json.loads((run.path / "card.json").read_text())["images_seen"] == 16


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [4, 7, 12])
def test_sizes_and_channels_that_nobody_chose_with_care_play(photos, size, channels):
    assignments = [f"data.channels={channels}", "training.tensorboard=off"]
    run = ganvas.train(photos, size=size, images=16, batch=8, set=assignments, out=f"{size}-{channels}")
    assert run.load().sample([0, 1]).shape == (2, channels, size, size)
    assert run.load().classes == ()  # six pictures a class teach nothing about it


def test_classes_by_wish_are_learned_and_can_be_asked_for(photos):
    run = ganvas.train(
        photos, size=8, images=16, out="run", **SMALL | {"set": [*SMALL["set"], 'data.classes=["a", "b"]']}
    )
    generator = run.load()
    assert generator.classes == ("a", "b")
    assert np.array_equal(generator.sample([0, 1], label="b")[1], generator.sample([1])[0])


def test_a_single_picture_trains(tmp_path):
    (tmp_path / "one").mkdir()
    Image.new("L", (9, 9), 30).save(tmp_path / "one" / "a.png")
    run = ganvas.train(tmp_path / "one", images=16, out="run", **SMALL | {"set": [*SMALL["set"], "training.score=8"]})
    assert run.reason == "images"


def test_a_run_stops_by_time_and_a_finished_one_has_nothing_left_to_do():
    run = ganvas.train("digits", time=0.2, out="run", **SMALL)
    assert run.reason == "time"
    before = load_file(run.path / "generator.safetensors")
    again = ganvas.resume(run.path)
    assert (again.reason, again.journal) == ("time", run.journal)
    after = load_file(run.path / "generator.safetensors")
    assert all((before[name] == after[name]).all() for name in before)


def test_a_new_goal_adds_to_the_old_one_or_takes_its_place_and_is_kept():
    run = ganvas.train("digits", images=16, out="run", **SMALL)
    for goal, images in (("+16", 32), ("40", 40), (48, 48), ("+8", 56)):
        ganvas.resume(run.path, images=goal)
        assert run.journal[-1]["images"] == images
        assert tomllib.loads((run.path / "settings.toml").read_text())["training"]["stop"] == {"images": images}


def test_a_run_that_has_seen_its_images_goes_on_when_it_is_given_time():
    run = ganvas.train("digits", images=16, out="run", **SMALL)
    assert ganvas.resume(run.path, time="+0.2").reason == "time"
    assert run.journal[-1]["images"] > 16


def test_a_run_that_stopped_on_a_plateau_goes_on_when_it_is_given_images(monkeypatch):
    values = iter([5.0, 3.0] + [4.0] * 100)
    monkeypatch.setattr(Generate, "score", lambda self, averages: ("made-up", next(values)))
    settings = [*SMALL["set"], "training.score=8", "training.stop.plateau=32"]
    run = ganvas.train("digits", images=800, out="run", **SMALL | {"set": settings})
    assert (run.reason, run.journal[-1]["images"]) == ("plateau", 48)
    again = ganvas.resume("run", images="80")
    assert (again.reason, again.journal[-1]["images"]) == ("images", 80)


@pytest.mark.parametrize(
    ("statuses", "kind", "text"),
    [([1, 4], ganvas.MemoryExhausted, "no room"), ([-9, 0], ganvas.GanvasError, "status -9. Continue")],
)
def test_what_went_wrong_in_any_of_several_processes_is_told(monkeypatch, statuses, kind, text):
    def launch(command, count, on_line):
        on_line('{"error": "Connection closed by peer", "status": 1}')
        on_line('{"error": "no room", "status": 4}')
        return statuses

    monkeypatch.setattr("ganvas.api.launch", launch)
    with pytest.raises(kind, match=text):
        ganvas.train("digits", images=16, out="run", procs=2, **SMALL)


def test_goals_are_not_changed_by_each_of_several_processes(monkeypatch):
    ganvas.train("digits", images=16, out="run", **SMALL)
    before = Path("run/settings.toml").read_text()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ganvas.UsageError, match="Change them first"):
        ganvas.resume("run", images="+16")
    assert Path("run/settings.toml").read_text() == before


def test_data_that_changed_is_noticed_before_anything_is_trained(photos):
    run = ganvas.train(photos, size=8, images=8, out="run", **SMALL)
    next(photos.glob("a/*.png")).unlink()
    with pytest.raises(ganvas.DataError, match="not what run was trained on"):
        ganvas.resume(run.path, images="+8")


def test_networks_that_were_changed_in_the_settings_are_noticed():
    run = ganvas.train("digits", images=8, out="run", **SMALL)
    path = run.path / "settings.toml"
    path.write_text(path.read_text().replace("width = 8", "width = 4"))
    with pytest.raises(ganvas.DataError, match=r"does not fit settings\.toml"):
        ganvas.resume(run.path, images="+8")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("lr = ", "lrr = ", "did you mean lr"), ("task = ", "tsak = ", "tsak is not a setting: did you mean task")],
)
def test_a_misspelt_key_in_the_settings_file_is_named(old, new, told):
    run = ganvas.train("digits", images=8, out="run", **SMALL)
    path = run.path / "settings.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ganvas.UsageError) as caught:
        ganvas.resume(run.path)
    assert told in str(caught.value)


def test_rubbish_among_the_pictures_is_set_aside_told_and_noted(photos):
    (photos / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    said = []
    run = ganvas.train(photos, size=8, images=8, out="run", say=said.append, **SMALL)
    assert any("broken.png" in sentence for sentence in said)
    assert "broken.png" in (run.path / "notes.log").read_text()


def test_classes_with_few_pictures_are_told_before_training_unless_they_are_not_learned(photos):
    (photos / "c").mkdir()
    Image.new("RGB", (16, 16)).save(photos / "c" / "1.png")
    for number in range(60):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(photos / "ab"[number % 2] / f"more {number}.png")
    said = []
    ganvas.train(photos, size=8, images=8, out="run", say=said.append, **SMALL)
    assert [sentence for sentence in said if "Little to learn" in sentence] == [
        "Little to learn from: 1 of 3 classes with fewer than 20 pictures: c (1); "
        "to train without classes: --set data.classes=[]"
    ]
    choices = SMALL | {"set": [*SMALL["set"], "data.classes=[]"]}
    ganvas.train(photos, size=8, images=8, out="other", say=pytest.fail, **choices)


def test_data_that_cannot_be_read_leaves_no_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ganvas.DataError):
        ganvas.train(tmp_path / "empty", out="run")
    assert not Path("run").exists()


def test_two_trainings_of_one_run_at_a_time_are_refused():
    def meanwhile(clock):
        with pytest.raises(ganvas.UsageError, match="is being trained by another process"):
            ganvas.resume("run", images="+8")
        seen.append(clock.images)

    seen = []
    ganvas.train("digits", images=8, out="run", on_round=meanwhile, **SMALL)
    assert seen == [8]


def test_what_is_public_is_there_and_what_is_not_is_an_attribute_error():
    for name in ganvas.__all__:
        assert getattr(ganvas, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        ganvas.trian  # noqa: B018 - the access itself is what is tried


def test_runs_that_start_at_once_get_folders_of_their_own(monkeypatch):
    names = iter(["digits-dcgan-1", "digits-dcgan-1", "digits-dcgan-2"])
    monkeypatch.setattr("ganvas.training.folder.next_free", lambda parent, stem: parent / next(names))
    runs = [ganvas.train("digits", images=8, **SMALL).path for _ in range(2)]
    assert runs == [Path("runs/digits-dcgan-1"), Path("runs/digits-dcgan-2")]


def test_a_folder_whose_name_is_not_utf8_is_told_before_anything_is_written():
    folder = os.fsdecode(b"caf\xe9")
    os.mkdir(folder)
    Image.new("L", (9, 9), 30).save(Path(folder) / "a.png")
    with pytest.raises(ganvas.DataError, match="not UTF-8"):
        ganvas.train(folder, images=8, **SMALL)
    assert not Path("runs").exists()


def test_a_generator_file_that_asks_for_gigabytes_is_refused_before_they_are_taken(monkeypatch):
    run = ganvas.train("digits", images=8, out="run", **SMALL | {"recipe": "mlp", "set": SMALL["set"][2:]})
    with safe_open(run.path / "generator.safetensors", "pt") as file:
        card = json.loads(file.metadata()["ganvas"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    card["generator"]["hidden"] = [8192] * 5
    save_file(weights, "huge.safetensors", {"ganvas": json.dumps(card)})
    numbers = []
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", lambda layer: numbers.append(layer.weight.numel()))
    with pytest.raises(ganvas.DataError, match="does not hold the weights"):
        ganvas.load("huge.safetensors")
    assert sum(numbers) < 8192**2, "no layer between two of 8192 was made"


def test_naming_the_family_that_a_recipe_has_keeps_the_settings_of_the_recipe():
    usual, named, other = (
        ganvas.plan("digits", recipe="quick", set=settings).settings
        for settings in ([], ["generator.name=dcgan", "discriminator.name='dcgan'"], ["discriminator.name=mlp"])
    )
    assert (named.generator, named.discriminator) == (usual.generator, usual.discriminator)
    assert other.discriminator.name == "mlp"


def test_a_bad_line_in_the_journal_loses_no_other_line():
    run = ganvas.train("digits", images=48, out="run", **SMALL)
    path = run.path / "journal.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "\0\0\0", *lines[1:], '{"images": 6']))
    assert [line["images"] for line in run.journal] == [16, 32, 48]


def test_a_run_that_lost_its_checkpoints_is_not_begun_anew_over_what_it_made():
    run = ganvas.train("digits", images=16, out="run", **SMALL)
    shutil.rmtree(run.path / "checkpoints")
    before = (run.path / "generator.safetensors").read_bytes()
    with pytest.raises(ganvas.DataError, match="holds no whole checkpoint any more"):
        ganvas.resume("run", images="+16")
    assert (run.path / "generator.safetensors").read_bytes() == before
    assert [line["images"] for line in run.journal] == [16]


def test_a_damaged_checkpoint_is_in_the_notes_of_the_run():
    run = ganvas.train("digits", images=16, out="run", **SMALL)
    newest = max((run.path / "checkpoints").glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-1])
    ganvas.resume("run", images="+16")
    assert f"{newest.name} is damaged" in (run.path / "notes.log").read_text()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_is_full_or_read_only_is_exit_3_with_what_to_do(monkeypatch, number):
    def refuse(*arguments, **named):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("ganvas.training.journal.Journal.tick", refuse)
    with pytest.raises(ganvas.DataError, match=f"run cannot be written: {os.strerror(number)}.*ganvas resume run"):
        ganvas.train("digits", images=16, out="run", **SMALL)
    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(ganvas.DataError, match="ganvas resume run"):
        ganvas.resume("run")


def test_pictures_of_a_run_can_be_had_in_one_call():
    run = ganvas.train("digits", images=8, out="run", **SMALL)
    pictures = ganvas.sample("run", [3, 4], label=7)
    assert np.array_equal(pictures, run.load().sample([3, 4], label="7"))


def test_settings_can_be_given_as_a_dictionary():
    chosen = {
        "generator.width": 8,
        "data.mirror": True,
        "loss.adversarial": "hinge",
        "generator_optimizer.betas": [0.0, 0.9],
    }
    settings = ganvas.plan("digits", recipe="dcgan", set=chosen).settings
    assert (settings.generator.width, settings.data.mirror, settings.loss.adversarial) == (8, True, "hinge")
    assert settings.generator_optimizer.betas == (0.0, 0.9)


@pytest.mark.parametrize("pictures", [[], np.zeros((3, 8, 8), np.uint8), np.zeros((1, 3, 8, 8), np.float32)])
def test_a_grid_of_what_is_no_pictures_is_told(pictures):
    with pytest.raises(ganvas.UsageError, match="uint8 pictures"):
        ganvas.grid(pictures)


def test_the_journal_tells_how_unseen_pictures_are_judged(tmp_path):
    run = ganvas.train("fashion-mnist/bundled", images="32", out="run", **SMALL)
    assert {"logit/real", "logit/fake", "logit/held_out", "separation", "diversity", "copies"} <= run.journal[-1][
        "signs"
    ].keys()


def test_a_run_whose_test_part_cannot_be_had_goes_on_without_it_and_says_so():
    said = []
    choices = SMALL | {"set": [*SMALL["set"], "data.test=nowhere", "data.held_out=0"]}
    run = ganvas.train("digits", images="16", out="run", say=said.append, **choices)
    assert any("not watched by pictures it has not seen" in sentence and "nowhere" in sentence for sentence in said)
    assert "logit/held_out" not in run.journal[-1]["signs"]


def test_a_test_part_with_other_classes_does_not_judge(photos):
    said = []
    choices = SMALL | {"set": [*SMALL["set"], f'data.test="{photos}"', "data.held_out=0"]}
    run = ganvas.train("digits", images="16", out="run", say=said.append, **choices)
    assert any("other classes" in sentence for sentence in said)
    assert "logit/held_out" not in run.journal[-1]["signs"]
