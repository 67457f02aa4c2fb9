"""export, push and sample --count on the command line: what is written, what is said, exit statuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas as package

SMALL = ["--recipe", "dcgan", "--set", "generator.width=8", "discriminator.width=8", "training.tensorboard=off"]


@pytest.fixture
def run(ganvas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ganvas("train", "digits", "--images", 16, "--batch", 8, "--out", "run", *SMALL)[0] == 0
    return Path("run")


@pytest.mark.parametrize("out", ["g.onnx", "g.pt2", "g.safetensors", "g/"])
def test_every_kind_is_written_and_told(ganvas, run, out):
    status, printed, said = ganvas("export", run, "--out", out, "--licence", "MIT", "--json")
    told = json.loads(printed)
    assert (status, Path(told["out"])) == (0, Path(out))
    assert all(Path(file).is_file() for file in told["files"])
    assert told["bytes"] == sum(Path(file).stat().st_size for file in told["files"])
    assert said.startswith(str(Path(out)))
    if out != "g.pt2":
        assert package.load(out).card["licence"] == "MIT"
        assert ganvas("sample", out, "--out", "grid.png")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("export run --out g.pth", 2, ".onnx, .pt2, .safetensors"),
        ("export run --out g.onnx --precision bfloat16", 2, "are float32"),
        ("export run --out run", 2, "holds something else"),
        ("export nothing --out g.onnx", 3, "no such file or folder"),
        ("sample run/settings.toml", 3, "damaged or not a safetensors file"),
        ("sample run --class 12", 2, "There is no class '12'"),
        ("sample run --precision half", 2, "auto, float32, bfloat16"),
        ("sample run --count 10 --seeds 1", 2, "leave one of them out"),
        ("sample run --count 20k", 2, "give a folder"),
        ("sample run --count -3 --out x/", 2, "-3"),
        ("push run digits", 2, "user/name"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_work(ganvas, run, arguments, status, told):
    before = sorted(Path().rglob("*"))
    found, _, said = ganvas(*arguments.split())
    assert (found, told in said) == (status, True), said
    assert sorted(Path().rglob("*")) == before


def test_many_pictures_are_the_seeds_from_0_each_a_file(ganvas, run):
    status, printed, _ = ganvas("sample", run, "--count", "0.3k", "--out", "pictures/", "--class", "3", "--json")
    assert status == 0
    assert json.loads(printed)["pictures"] == 300
    files = sorted(Path("pictures").iterdir())
    assert [file.name for file in files] == [f"{seed:06d}.png" for seed in range(300)]
    expected = package.load(run).sample([0, 255, 256, 299], label="3")
    for file, picture in zip((files[0], files[255], files[256], files[299]), expected, strict=True):
        with Image.open(file) as image:
            assert np.array_equal(np.asarray(image), picture[0])


def test_a_seed_that_is_named_twice_has_one_file_and_two_places_in_a_grid(ganvas, run):
    status, printed, _ = ganvas("sample", run, "--seeds", "1,1,3,1", "--out", "pictures/", "--json")
    assert (status, json.loads(printed)["pictures"]) == (0, 2)
    assert sorted(file.name for file in Path("pictures").iterdir()) == ["000001.png", "000003.png"]
    status, printed, _ = ganvas("sample", run, "--seeds", "1,1,3,1", "--out", "grid.png", "--json")
    assert (status, json.loads(printed)["pictures"]) == (0, 4)
