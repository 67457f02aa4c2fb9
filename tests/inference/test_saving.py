"""Saving a generator as a folder to share, what its card says, and loading it again."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors import safe_open
from tests_generators import generator_of

import ganvas
from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.inference import packaged
from ganvas.inference.comparison import keep
from ganvas.inference.evaluation import evaluate
from ganvas.inference.loading import load
from ganvas.inference.pages import readme
from ganvas.inference.saving import save
from ganvas.inference.weights import as_bytes


@pytest.fixture
def folder(run, tmp_path):
    return load(run).save(tmp_path / "mine")


def front_matter(text):
    _, matter, _ = text.split("---\n", 2)
    return yaml.safe_load(matter)


def test_a_saved_folder_gives_the_same_pictures_and_card(run, folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "preview.png",
    ]
    of_run, of_folder = load(run), load(folder)
    assert np.array_equal(of_run.sample(range(20)), of_folder.sample(range(20)))
    assert of_folder.card == of_run.card == json.loads((folder / "config.json").read_text())
    assert load(folder / "model.safetensors").card == of_run.card


def test_half_of_the_weights_bytes_still_draw_nearly_the_same(run, folder, tmp_path):
    half = load(run).save(tmp_path / "half", precision="bfloat16")
    with safe_open(half / "model.safetensors", framework="pt") as content:
        kinds = {content.get_tensor(name).dtype for name in content.keys() if "tracked" not in name}  # noqa: SIM118
    assert kinds == {torch.bfloat16}
    assert (half / "model.safetensors").stat().st_size < 0.75 * (folder / "model.safetensors").stat().st_size
    difference = load(half).sample(range(20)).astype(int) - load(folder).sample(range(20))
    assert 0 < np.abs(difference).max() <= 4


def test_the_preview_shows_the_seeds_of_the_card(run, folder):
    generator = load(run)
    assert generator.card["preview"] == "0-63"
    with Image.open(folder / "preview.png") as preview:
        assert np.array_equal(np.asarray(preview), np.asarray(ganvas.grid(generator.sample(range(64)))))


def test_a_runs_card_says_data_score_with_protocol_and_format(run):
    card = json.loads((run / "card.json").read_text())
    assert (card["format"], card["kind"], card["data"], card["licence"]) == (1, "generator", "digits", None)
    assert len(card["data_sha256"]) == 64
    assert card["mirror"] is False
    (score,) = card["scores"]
    assert score["name"].startswith("fd")
    assert score["better"] == "lower"
    newest = max(int(path.stem) for path in (run / "scores").glob("0*.json"))
    assert (score["images"], score["protocol"]["reference"]) == (newest, "digits")
    assert score["protocol"]["reference_sha256"] == card["data_sha256"]
    assert load(run / "generator.safetensors").card == card


def test_an_evaluation_goes_into_the_card_and_only_of_the_same_generator(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    evaluation = evaluate(copy, "digits", metrics=["fd", "kd"], extractor="pixels", count=100)
    keep(evaluation, copy)
    (fd, kd) = [score for score in load(copy).card["scores"] if "pixels" in score["name"] and "images" not in score]
    assert (fd["value"], fd["protocol"]["count"]) == (evaluation.scores[0].value, 100)
    assert (kd["better"], kd["protocol"]["reference"]) == ("lower", "digits")
    keep(evaluate(copy, "digits", metrics=["kd"], extractor="pixels", count=100), copy)
    assert len(json.loads((copy / "scores" / "evaluation.json").read_text())["scores"]) == 2, "the former one is kept"
    other = dataclasses.replace(evaluation, card=evaluation.card | {"images_seen": 1})
    keep(other, copy)
    assert all("images" in score for score in load(copy).card["scores"])
    (copy / "scores" / "evaluation.json").write_text('{"scores": [')
    assert load(copy).card == load(run).card


def test_the_page_says_what_a_user_has_to_know(run, folder):
    page = (folder / "README.md").read_text()
    assert front_matter(page)["license"] == "unknown"
    assert front_matter(page)["library_name"] == "ganvas"
    card = load(run).card
    for told in (card["data_sha256"], "preview.png", "8 pixels, grey", "dcgan", "400 images", "Unknown: ask"):
        assert told in page
    assert f"{card['scores'][0]['value']:.4g}" in page


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("Ask: me\n---", {"license": "other", "license_name": "ask--me----"}),
    ],
)
def test_a_licence_is_in_card_and_front_matter(run, tmp_path, licence, told):
    folder = load(run).save(tmp_path / "mine", licence=licence)
    assert load(folder).card["licence"] == licence
    matter = front_matter((folder / "README.md").read_text())
    assert {key: matter[key] for key in told} == told


def test_a_runs_own_licence_goes_with_it(tmp_path):
    small = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off", "licence=CC0-1.0"]
    run = ganvas.train("digits", recipe="dcgan", images=16, batch=8, set=small, out=tmp_path / "run")
    assert load(run.path).card["licence"] == "CC0-1.0"
    assert front_matter((load(run.path).save(tmp_path / "a") / "README.md").read_text())["license"] == "cc0-1.0"


def test_names_from_a_card_are_no_markup_in_its_page(run):
    card = load(run).card | {"classes": ["a|b", "x\n# y", "<script>"], "data": "[here](http://x)"}
    page = readme(card, "name")
    assert "<script>" not in page.replace("\\<", "")
    assert "\n# y" not in page
    assert "\\[here\\]" in page


def test_a_card_of_a_newer_version_is_refused_with_what_helps(run, folder, tmp_path):
    generator = load(run)
    path = tmp_path / "newer.safetensors"
    newer = generator.card | {"format": cards.FORMAT + 1}
    path.write_bytes(as_bytes(generator.network.state_dict(), newer, torch.float32))
    with pytest.raises(DataError, match=r"newer\.safetensors was written by a newer Ganvas.*pip install --upgrade"):
        load(path)
    path.write_bytes(as_bytes(generator.network.state_dict(), newer | {"format": "two"}, torch.float32))
    with pytest.raises(DataError, match="newer Ganvas"):
        load(path)


def test_a_card_of_before_there_were_formats_is_read(run, tmp_path):
    generator = load(run)
    old = {key: value for key, value in generator.card.items() if key not in ("format", "scores", "preview", "licence")}
    (tmp_path / "old.safetensors").write_bytes(as_bytes(generator.network.state_dict(), old, torch.float32))
    assert np.array_equal(load(tmp_path / "old.safetensors").sample([3]), generator.sample([3]))
    load(tmp_path / "old.safetensors").save(tmp_path / "again")
    assert np.array_equal(load(tmp_path / "again").sample([3]), generator.sample([3]))


def test_a_folder_of_something_else_is_not_written_into(run, folder, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        load(run).save(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    load(run).save(folder)  # an earlier save is written over
    (tmp_path / "bert").mkdir()
    theirs = {"README.md": "theirs", "config.json": '{"model_type": "bert"}'}
    for name, content in theirs.items():
        (tmp_path / "bert" / name).write_text(content)
    with pytest.raises(UsageError, match="holds something else"):
        load(run).save(tmp_path / "bert")
    assert {path.name: path.read_text() for path in (tmp_path / "bert").iterdir()} == theirs
    with pytest.raises(UsageError, match="float32 or bfloat16"):
        save(load(run), tmp_path / "x", precision="int8")


def test_a_run_without_a_checkpoint_says_how_to_go_on(run, tmp_path):
    (tmp_path / "young").mkdir()
    shutil.copy(run / "settings.toml", tmp_path / "young")
    with pytest.raises(DataError, match=r"has no generator.safetensors; each .*\n.*ganvas resume"):
        load(tmp_path / "young")


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "network.pkl"])
def test_a_pickle_is_never_opened(tmp_path, name):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save(Harmful(), tmp_path / name)
    with pytest.raises(DataError, match="may hold code"):
        load(tmp_path / name)
    assert not (tmp_path / "harm").exists()


def test_a_generator_in_the_package_goes_by_its_name(folder, tmp_path, monkeypatch):
    shutil.copy(folder / "model.safetensors", tmp_path / "clothes.safetensors")
    monkeypatch.setattr(packaged, "_FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path / "mine")
    assert np.array_equal(load("clothes").sample([1]), load(folder).sample([1]))
    with pytest.raises(DataError, match="or the name of one in the package: clothes"):
        load("clothing")


def test_a_save_that_was_broken_off_is_made_again(tmp_path):
    generator = generator_of("mlp", size=8)
    saved = generator.save(tmp_path / "saved")
    for name in ("config.json", "README.md", "preview.png"):
        (saved / name).unlink()
    (saved / ".config.json.0a1b2c3d.partial").write_text("{")
    generator.save(saved)
    assert (saved / "config.json").is_file()
    (saved / "config.json").unlink()
    (saved / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else already"):
        generator.save(saved)


def test_the_packaged_generator_is_small_whole_and_tells_what_it_is():
    (path,) = (file for name, file in packaged.packaged().items() if name == "fashion-mnist")
    assert path.stat().st_size < 4_000_000
    generator = load("fashion-mnist", precision="float32")
    assert (len(generator.classes), generator.card["licence"], generator.card["mirror"]) == (10, "MIT", False)
    assert generator.card["images_seen"] > 3_000_000, "those of both runs"
    assert {"fd (fashion)", "kd (fashion)"} <= {score["name"] for score in generator.card["scores"]}
    pictures = generator.sample(range(20))
    assert pictures.shape == (20, 1, 32, 32)
    assert pictures.std(axis=0).mean() > 20, "they differ"
    boots = generator.sample(range(20), label="Ankle boot").astype(float)
    bags = generator.sample(range(20), label="Bag").astype(float)
    assert np.abs(boots.mean(axis=0) - bags.mean(axis=0)).mean() > 20, "of classes"
