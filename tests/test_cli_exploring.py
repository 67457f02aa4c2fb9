"""walk, mix, directions, nearest, project, as a user calls them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ganvas import api
from ganvas.inference.loading import load

QUIET = ["training.tensorboard=off"]
DCGAN = ["generator.width=8", "discriminator.width=8"]
STYLES = ["generator.channel_base=64", "discriminator.channel_base=64", "generator.latent=8", "generator.w_width=8"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with two runs of a few images: `plain`, of 8 x 8 pixels, and `styled`, a StyleGAN2 of 16 x 16."""
    folder = tmp_path_factory.mktemp("exploring")
    wanted = {"images": 8, "batch": 8, "precision": "float32", "say": print}
    api.train("digits", recipe="dcgan", set=[*QUIET, *DCGAN], out=folder / "plain", **wanted)
    api.train("digits", recipe="stylegan2-slim", size=16, set=[*QUIET, *STYLES], out=folder / "styled", **wanted)
    return folder


@pytest.fixture(autouse=True)
def _here(runs, monkeypatch):
    monkeypatch.chdir(runs)


def test_a_picture_is_projected_and_its_point_is_walked_from_and_moved(ganvas):
    status, out, err = ganvas("sample", "plain", "--seeds", "77", "--class", "3", "--out", "one/")
    assert status == 0, err
    status, out, err = ganvas("project", "plain", "one/000077.png", "--steps", 12, "--out", "found", "--json")
    told = json.loads(out)
    assert status == 0, err
    assert told["distance"] <= told["nearest_seed"]
    assert {Path(file).name for file in told["files"]} == {
        "projected.png",
        "both.png",
        "projection.json",
        "point.safetensors",
    }
    assert json.loads(Path("found/projection.json").read_text())["class"] == told["class"]
    again = ("sample", "plain", "--seeds", "77", "--class", "3", "--out", "one/")
    status, _, err = ganvas(*again)
    assert status == 2
    assert "000077.png is there already: --replace" in err
    assert ganvas(*again, "--replace")[0] == 0
    assert ganvas("walk", "plain", "--at", "found", "--seeds", "5", "--frames", 6, "--out", "w.png")[0] == 0
    with Image.open("w.png") as walk:
        frames = [np.asarray(frame)[::16, ::16] for frame in ImageSequence.Iterator(walk)]
    projected = np.asarray(Image.open("found/projected.png"))
    assert any(np.array_equal(frame, projected) for frame in frames), "in its own class, on the way"
    assert ganvas("directions", "plain", "--at", "found", "--count", 3, "--out", "d.png")[0] == 0
    with Image.open("d.png") as sheet:
        assert np.subtract(sheet.size, (7 * 10 - 2, 3 * 10 - 2)).min() > 0, "with names around them"
        row = np.asarray(sheet)[-28:-20, -68:]
    middle = row[:, 30:38]
    assert np.array_equal(middle, np.asarray(Image.open("found/projected.png")))
    status, _, err = ganvas("walk", "styled", "--at", "found", "--seeds", "5")
    assert status == 3
    assert "of another generator" in err


def test_the_nearest_seeds_are_told_and_shown(ganvas):
    Image.fromarray(load("plain").sample([12])[0][0]).save("given.png")
    status, out, _ = ganvas("nearest", "plain", "given.png", "--seeds", "0-29", "--count", 4, "--json")
    told = json.loads(out)["nearest"]
    assert status == 0
    assert told[0] == {"seed": 12, "distance": 0.0, "class": "2"}
    assert len(told) == 4
    with Image.open("nearest.png") as sheet:
        assert sheet.size == (5 * 10 - 2, 8)
    assert "seed 12" in ganvas("nearest", "plain", "given.png", "--seeds", "0-29")[1]


def test_a_picture_of_another_size_is_refused_with_what_would_work(ganvas):
    Image.new("L", (30, 20), 99).save("wide.png")
    for command in (["nearest", "plain", "wide.png"], ["project", "plain", "wide.png", "--out", "wide"]):
        status, out, err = ganvas(*command)
        assert (status, out) == (2, "")
        assert "wide.png is 30 x 20 pixels, and the generator makes 8 x 8. --fit takes its centre" in err
    assert not Path("wide").exists()
    assert ganvas("nearest", "plain", "wide.png", "--fit", "--seeds", "0-9")[0] == 0


def test_styles_are_mixed_in_a_grid_with_the_pictures_at_its_edges(ganvas):
    status, out, _ = ganvas("mix", "styled", "--seeds", "0-1", "--styles", "4-6", "--layers", "0-5", "--json")
    assert status == 0
    assert json.loads(out) == {"rows": [0, 1], "columns": [4, 5, 6], "layers": list(range(6)), "files": ["mix.png"]}
    sheet = np.asarray(Image.open("mix.png"))
    assert sheet.shape == (3 * 18 - 2, 4 * 18 - 2)
    assert (sheet[:16, :16] == 255).all()
    pictures = load("styled").sample([0, 1, 4, 5, 6])[:, 0]
    assert np.array_equal(sheet[18:34, :16], pictures[0])
    assert np.array_equal(sheet[:16, 36:52], pictures[3])
    assert np.array_equal(sheet[36:52, 36:52], pictures[3]), "with all layers another's the picture is the other's"
    status, _, err = ganvas("mix", "plain", "--seeds", "0", "--styles", "1", "--layers", "0")
    assert status == 2
    assert "a stylegan2 has them" in err


def test_samples_are_moved_along_directions(ganvas):
    for move, out in ((None, "still.png"), ("pca0=0", "same.png"), ("pca0=3,sefa1=-2", "moved.png")):
        asked = [] if move is None else ["--move", move]
        assert ganvas("sample", "plain", "--seeds", "0-8", *asked, "--out", out)[0] == 0
    still, same, moved = (np.asarray(Image.open(name)) for name in ("still.png", "same.png", "moved.png"))
    assert np.array_equal(still, same)
    assert not np.array_equal(still, moved)


def test_samples_of_a_stylegan2_are_moved_in_some_layers_as_the_directions_are_shown(ganvas):
    shown = [*("--layers", "2-3"), *("--class", "4")]
    asked = ("--count", 1, "--seeds", 9, "--reach", 2, "--out", "shown.png")
    assert ganvas("directions", "styled", *asked, *shown)[0] == 0
    for name, asked in (("some", shown), ("all", shown[2:])):
        assert ganvas("sample", "styled", "--seeds", "9", "--move", "pca0=2", *asked, "--out", f"{name}.png")[0] == 0
    shown = np.asarray(Image.open("shown.png"))
    assert shown[:, : shown.shape[1] - 7 * 18].min() < 60, "the direction's name is at the left"
    assert shown[: shown.shape[0] - 16].min() < 60, "the strengths are above"
    last = shown[-16:, -16:]
    assert np.array_equal(np.asarray(Image.open("some.png")), last)
    assert not np.array_equal(np.asarray(Image.open("all.png")), last)


def test_where_a_projection_cannot_be_written_is_told_before_it_is_looked_for(ganvas, monkeypatch):
    Path("file").write_text("in the way")
    Image.fromarray(load("plain").sample([3])[0][0]).save("three.png")

    def looked_for(*arguments, **chosen):
        raise AssertionError("it was looked for")

    monkeypatch.setattr("ganvas.inference.projection.project", looked_for)
    for out in ("file", "file/deep"):
        status, _, err = ganvas("project", "plain", "three.png", "--out", out)
        assert status == 3
        assert f"{out} cannot be written" in err


def test_a_projection_tells_of_its_own_files_alone(ganvas):
    Path("kept").mkdir()
    Path("kept/notes.txt").write_text("mine")
    Image.fromarray(load("plain").sample([3])[0][0]).save("three.png")
    status, out, _ = ganvas("project", "plain", "three.png", "--steps", 2, "--out", "kept", "--json")
    assert status == 0
    assert sorted(json.loads(out)["files"]) == sorted(
        str(path) for path in Path("kept").iterdir() if path.name != "notes.txt"
    )


def test_a_walk_passes_through_classes(ganvas):
    status, _, err = ganvas("walk", "plain", "--seeds", "4", "--class", "1,7", "--frames", 8, "--out", "classes.png")
    assert status == 0, err
    assert ganvas("sample", "plain", "--class", "1=0.5,7=0.5", "--out", "between.png")[0] == 0
    assert ganvas("sample", "plain", "--class", "1", "--out", "one.png")[0] == 0
    assert Path("between.png").read_bytes() != Path("one.png").read_bytes()
    status, _, err = ganvas("walk", "plain", "--seeds", "4", "--class", "1,boot", "--frames", 8)
    assert status == 2
    assert "There is no class 'boot'" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["walk", "plain"], "Which pictures? Give --seeds"),
        (["walk", "plain", "--seeds", "1,2", "--out", "walk.avi"], ".webp, .gif, .png, .mp4"),
        (["directions", "plain", "--method", "ica"], "no method 'ica'"),
        (["directions", "styled", "--layers", "3-1"], "--layers 3-1: give one range"),
        (["directions", "styled", "--layers", "3-99"], "this generator has 0-5"),
        (["sample", "plain", "--class", "1=,2=0.5"], "as Coat=0.7,Bag=0.3"),
        (["sample", "plain", "--class", "1=0.5,boot=0.5"], "There is no class 'boot'"),
        (["sample", "plain", "--move", "pca=2"], "as pca0=2,sefa3=-1.5"),
        (["sample", "plain", "--move", "ica0=2"], "no method 'ica'"),
        (["sample", "plain", "--layers", "0-1"], "--layers says what --move moves"),
        (["sample", "styled", "--move", "pca0=2", "--layers", "3-99"], "this generator has 0-5"),
        (["project", "plain", "none.png", "--out", "x", "--class", "boot"], "none.png cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_answered_and_nothing_is_written(ganvas, arguments, told):
    before = sorted(Path().rglob("*"))
    status, out, err = ganvas(*arguments)
    assert status in (2, 3)
    assert out == ""
    assert told in err
    assert sorted(Path().rglob("*")) == before
