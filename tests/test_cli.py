"""The command line, called in this process: what it prints where, what it writes, its exit statuses."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_shared import SMALL_RUN, files_below

from ganvas.core.errors import Diverged, MemoryExhausted

pytestmark = pytest.mark.usefixtures("here")


def test_json_of_training_is_a_line_a_tick_and_nothing_else_on_stdout(ganvas):
    status, out, err = ganvas(
        "train", "digits", "--images", 48, "--json", "--out", "run", *SMALL_RUN, "--set", "training.tick=16"
    )
    assert status == 0
    *ticks, last = [json.loads(line) for line in out.splitlines()]
    assert [tick["images"] for tick in ticks] == [16, 32, 48]
    for tick in ticks:
        assert tick["images_per_second"] > 0
        assert tick["seconds"] >= 0
        assert tick["terms"].keys() == {"discriminator/adversarial", "generator/adversarial"}
    assert (last["run"], last["reason"], last["images"]) == ("run", "images", 48)
    assert "recipe" in err, "the plan goes to the person"


def test_without_json_all_that_is_human_goes_to_stderr(ganvas):
    status, out, err = ganvas("train", "digits", "--images", 16, "--out", "run", *SMALL_RUN)
    assert (status, out) == (0, "")
    assert "1,797 pictures" in err
    assert "run/summary.html" in err


def test_a_dry_run_prints_the_plan_and_writes_nothing(ganvas):
    status, out, err = ganvas("train", "digits", "--dry-run", *SMALL_RUN)
    assert status == 0
    assert tomllib.loads(out)["generator"]["width"] == 8
    assert "as you asked" in err
    status, out, _ = ganvas("train", "digits", "--dry-run", "--json", *SMALL_RUN)
    (plan,) = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert plan["settings"]["generator"]["width"] == 8
    assert ["recipe", "dcgan", "as you asked"] in plan["reasons"]
    assert files_below() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("train digits --sise 8", "--size"),
        ("train digits --recipe dcgn", "did you mean dcgan"),
        ("train digits --set generatr.width=8", "did you mean generator"),
        ("train digits --images many", "500k"),
        ("train digits --time soon", "10m"),
        ("train digits --batch ²", "--batch ²"),
        ("train digits --batch 0", "--batch 0"),
        ("train digits --size 3", "data.size"),
        ("train digits --size big", "size big: write it like 64"),
        ("train digits --size 32by64", "96x64 for pictures 96 pixels wide and 64 high"),
        ("train digits --size 96x", "size 96x"),
        ("train digits --size 0", "size 0"),
        ("train digits --size 96x60 --recipe quick", "96x64 or 112x64"),
        ("train digits --task paint", "paint"),
        ("train digits --device gpu", "--device gpu"),
        ("train digits --procs 0", "training.procs"),
        ("train", "DATA"),
        ("data check", "needs a folder"),
        ("recipes stylgan2", "did you mean stylegan2"),
        ("recipes --size 3", "data.size"),
        ("recipes --channels 5", "data.channels"),
        ("", "train"),
        ("trian digits", "train"),
    ],
)
def test_what_cannot_be_meant_is_status_2_and_says_what_could_be(ganvas, arguments, told):
    status, out, err = ganvas(*arguments.split())
    assert (status, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
    assert files_below() == []


def test_a_folder_that_is_in_use_is_status_2_and_left_alone(ganvas, trained):
    before = files_below()
    status, _, err = ganvas("train", "digits", "--images", 8, "--out", "run", *SMALL_RUN)
    assert status == 2
    assert "ganvas resume run" in err
    Path("mine").mkdir()
    Path("mine/diary.txt").write_text("dear")
    assert ganvas("train", "digits", "--images", 8, "--out", "mine", *SMALL_RUN)[0] == 2
    assert files_below() == sorted([*before, "mine", "mine/diary.txt"])


def test_a_misspelt_key_in_settings_toml_is_status_2_on_resume_and_named(ganvas, trained):
    path = trained / "settings.toml"
    path.write_text(path.read_text().replace("betas", "beta"))
    status, out, err = ganvas("resume", "run", "--images", "+8")
    assert (status, out) == (2, "")
    assert "generator_optimizer.beta is not a setting: did you mean betas or final_betas?" in err
    path.write_text("task = = 5")
    status, _, err = ganvas("resume", "run")
    assert status == 2
    assert "settings.toml is not valid TOML" in err


def test_data_runs_and_models_that_cannot_be_used_are_status_3(ganvas, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no picture")
    for command in (
        ("train", tmp_path / "notes"),
        ("train", tmp_path / "nowhere"),
        ("data", "check", tmp_path / "notes"),
        ("resume", tmp_path / "notes"),
        ("sample", tmp_path / "notes"),
        ("walk", tmp_path / "notes" / "a.txt", "--seeds", "1,2"),
    ):
        status, out, err = ganvas(*command)
        assert (status, out) == (3, ""), command
        assert "error: " in err
        assert command[-1].name in err if isinstance(command[-1], Path) else "a.txt" in err
    assert files_below() == []


@pytest.mark.parametrize(("error", "expected"), [(MemoryExhausted("too large"), 4), (Diverged("nan"), 5)])
def test_other_ends_have_their_own_status(ganvas, monkeypatch, error, expected):
    def end(*arguments, **options):
        raise error

    monkeypatch.setattr("ganvas.api.start", end)
    status, out, err = ganvas("train", "digits", *SMALL_RUN)
    assert (status, out) == (expected, "")
    assert str(error) in err


def test_a_traceback_is_shown_with_debug_only(ganvas):
    with pytest.raises(Exception, match="did you mean dcgan"):
        ganvas("train", "digits", "--recipe", "dcgn", "--debug")


def test_resume_goes_on_says_when_nothing_is_left_and_what_to_do(ganvas, trained):
    status, out, err = ganvas("resume", "run", "--json")
    assert status == 0
    assert json.loads(out) == {"run": "run", "reason": "images", "images": 16, "seconds": json.loads(out)["seconds"]}
    assert "nothing left to do; to go on: ganvas resume run --images +200k" in err
    status, out, err = ganvas("resume", "run", "--images", "+8", "--json")
    assert [json.loads(line)["images"] for line in out.splitlines()] == [24, 24]
    assert "nothing left" not in err


def test_sample_writes_a_grid_or_a_folder_and_reports_it(ganvas, trained):
    status, out, _ = ganvas("sample", "run", "--json")
    assert (status, json.loads(out)) == (0, {"pictures": 64, "files": ["grid.png"]})
    with Image.open("grid.png") as grid:
        assert grid.size == (78, 78)
    status, out, err = ganvas("sample", "run", "--seeds", "3,1", "--class", "7", "--truncation", "0.5", "--out", "x/")
    assert (status, out) == (0, "")
    assert "2 pictures in x/" in err
    assert files_below("x") == ["x/000001.png", "x/000003.png"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seeds", "1-"], "0-63 or 1,5,9"),
        (["--class", "boot"], "There is no class 'boot'"),
        (["--truncation", "-1"], "truncation -1"),
        (["--out", "grid.txt"], ".png"),
    ],
)
def test_what_sample_cannot_mean_is_status_2(ganvas, trained, arguments, told):
    before = files_below()
    status, out, err = ganvas("sample", "run", *arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert files_below() == before


def test_walk_writes_an_animation_with_the_asked_number_of_frames(ganvas, trained):
    status, out, _ = ganvas("walk", "run", "--seeds", "1,5,9", "--frames", 12, "--out", "walk.webp", "--json")
    assert (status, json.loads(out)) == (0, {"frames": 12, "files": ["walk.webp"]})
    shown = 0
    with Image.open("walk.webp") as film:
        for frame in range(film.n_frames):  # alike frames after each other are kept as one that is shown longer
            film.seek(frame)
            film.load()
            shown += film.info["duration"]
    assert shown == 12 * 50
    status, _, err = ganvas("walk", "run", "--seeds", "1")
    assert status == 2
    assert "at least two seeds" in err


def test_data_list_and_check_tell_a_machine_and_a_person(ganvas, tmp_path):
    status, out, _ = ganvas("data", "list", "--json")
    sets = {one["name"]: one for one in json.loads(out)["sets"]}
    assert status == 0
    assert {"fashion-mnist", "mnist", "cifar10", "celeba", "digits"} <= sets.keys()
    assert sets["digits"]["state"] == "bundled"
    assert "fashion-mnist" in ganvas("data", "list")[1]
    for number in range(3):
        Image.fromarray(np.full((20, 20, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    status, out, err = ganvas("data", "check", tmp_path, "--json")
    found = json.loads(out)
    assert (status, found["count"], found["channels"], found["suggested_size"]) == (0, 3, 3, 20)
    assert "broken.jpg" in json.dumps(found["report"])
    assert "broken.jpg" in err


def test_recipes_are_listed_or_shown_one_by_one_to_a_machine_and_a_person(ganvas):
    status, out, _ = ganvas("recipes", "--size", 20, "--channels", 1, "--json")
    listed = json.loads(out)
    found = {one["name"]: one for one in listed["recipes"]}
    assert (status, listed["size"], listed["channels"], listed["classes"]) == (0, 20, 1, 0)
    assert found["conv28"]["generator"] > 10**6
    assert found["quick"]["generator"] is None
    assert "not 20" in found["quick"]["reason"]
    status, out, err = ganvas("recipes", "--size", 20)
    assert (status, err) == (0, "")
    assert f"{found['conv28']['generator'] / 1e6:.2f} M" in out
    assert "Not for such pictures: quick, dcgan" in out
    places = [out.index(text) for text in ("--task generate", "  conv28", "--task superres", "  superres ")]
    assert places == sorted(places)
    status, out, _ = ganvas("recipes", "stylegan2")
    assert status == 0
    assert "Karras et al. 2020" in out
    assert "16, 32, 64, 128, 256, 512, 1024 px" in out
    own = tomllib.loads(out[out.index("# What differs") :])
    assert own["generator"] == {"name": "stylegan2", "mapping_layers": 2}
    assert json.loads(ganvas("recipes", "stylegan2", "--json")[1])["settings"] == own


def test_doctor_tells_a_machine_and_a_person(ganvas):
    status, out, _ = ganvas("doctor", "--json")
    report = json.loads(out)
    assert status == 0
    assert isinstance(report["well"], bool)
    found = {finding["what"]: finding for finding in report["findings"]}
    assert {"python", "torch", "device", "memory", "this folder"} <= found.keys()
    assert found["python"]["found"] == ".".join(map(str, sys.version_info[:3]))
    assert "torch" in ganvas("doctor")[1]


def test_the_version_is_that_of_the_package(ganvas):
    import ganvas as package

    assert ganvas("--version")[:2] == (0, f"ganvas {package.__version__}\n")


def test_demo_trains_on_the_bundled_clothes_and_ends_with_three_commands(ganvas, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    status, out, err = ganvas("demo", "--images", 640, "--out", "demo")
    assert (status, out) == (0, "")
    assert "Fashion-MNIST" in err
    newest = err.split("nobody ever wore: ")[1].split()[0]
    assert Path(newest).stat().st_size > 0
    for command in ("ganvas sample demo", "ganvas walk demo", "ganvas resume demo"):
        assert command in err
    boots = err.split("ganvas sample demo ")[1].split(" ganvas")[0]
    assert '--class "Ankle boot"' in boots
    assert ganvas("sample", "demo", "--seeds", "0-9", "--class", "Ankle boot", "--out", "boots.png")[0] == 0


@pytest.mark.parametrize(
    "script", ["import ganvas", "import sys; sys.argv = ['ganvas', '--help']; from ganvas.cli import main; main()"]
)
def test_the_package_and_its_help_import_neither_torch_nor_numpy(script):
    heavy = "[name for name in ('torch', 'numpy', 'PIL') if name in sys.modules]"
    report = f"import atexit, sys; atexit.register(lambda: print('HEAVY', {heavy}))"
    done = subprocess.run([sys.executable, "-c", f"{report}\n{script}"], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


def test_memory_that_runs_out_outside_training_is_exit_4(ganvas, monkeypatch):
    ganvas("train", "digits", "--images", 8, "--out", "run", *SMALL_RUN)

    def large(*arguments, **named):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("ganvas.inference.generator.Generator.pictures", large)
    status, _, err = ganvas("sample", "run")
    assert (status, "not enough memory" in err) == (4, True)
    assert ganvas("walk", "run", "--seeds", "1,2", "--frames", 99_999_999)[0] == 2
