"""apply on the command line: what is written, what is said, exit statuses; what others say to a translator."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from tests_translators import HINTED, SMALL, photo, run_of

import ganvas as package
from ganvas import terminal
from ganvas.commands import applying
from ganvas.inference.applying import Applied
from ganvas.inference.translator import MEMORY

UNET, GREY, SRRESNET, INPAINT = SMALL[0], SMALL[3], SMALL[4], SMALL[-1]


@pytest.fixture(autouse=True)
def _pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos/more").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.jpg", "more/c.png")):
        Image.fromarray(photo(24, 32, seed=number).transpose(1, 2, 0)).save(Path("photos") / name)
    Path("photos/broken.png").write_bytes(b"no picture")


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_files_and_folders_are_done_but_for_broken_ones_which_are_named(ganvas):
    run_of(Path("run"), SRRESNET)
    Image.fromarray(photo(24, 32).transpose(1, 2, 0)).save("single.bmp")
    status, printed, said = ganvas("apply", "run", "photos", "single.bmp", "--out", "larger", "--json")
    told = json.loads(printed)
    assert status == 3
    assert sorted(told["written"]) == [f"larger/{name}" for name in ("a.png", "b.jpg", "more/c.png", "single.bmp")]
    assert told["failed"] == [{"picture": "photos/broken.png", "why": "is not a picture, or is damaged at its start"}]
    assert told["skipped"] == told["notes"] == []
    assert "4 pictures written to larger" in said
    assert "1 picture could not be used: photos/broken.png is not a picture" in said
    expected = np.asarray(package.load("run")("photos/a.png"))
    assert np.array_equal(opened("larger/a.png"), expected)
    assert expected.shape == (96, 128, 3)
    Path("photos/broken.png").unlink()
    status, printed, said = ganvas("apply", "run", "photos", "--out", "larger", "--json")
    assert (status, json.loads(printed)["written"], len(json.loads(printed)["skipped"])) == (0, [], 3)
    assert "3 pictures there already (--replace makes them anew)" in said
    status, printed, _ = ganvas("apply", "run", "photos", "--out", "larger", "--replace", "--format", "webp", "--json")
    assert sorted(json.loads(printed)["written"]) == ["larger/a.webp", "larger/b.webp", "larger/more/c.webp"]


def test_either_direction_is_applied(ganvas):
    run_of(Path("run"), UNET, back=GREY)
    assert ganvas("apply", "run", "photos/a.png", "--out", "there")[0] == 0
    assert ganvas("apply", "run", "photos/a.png", "--out", "back", "--back")[0] == 0
    assert (opened("there/a.png").ndim, opened("back/a.png").ndim) == (3, 2)
    assert ganvas("export", "run", "--back", "--out", "back.safetensors")[0] == 0
    assert package.load("back.safetensors").card["mode"] == "grey"


def test_masks_and_hints_are_taken(ganvas):
    run_of(Path("filled"), INPAINT)
    run_of(Path("coloured"), HINTED)
    Image.fromarray(np.full((24, 32), 255, np.uint8)).save("mask.png")
    said = np.zeros((24, 32, 4), np.uint8)
    said[4:9, 6:20] = 200, 30, 30, 255
    Image.fromarray(said).save("hints.png")
    assert ganvas("apply", "filled", "photos/a.png", "--masks", "mask.png", "--out", "out")[0] == 0
    assert not np.array_equal(opened("out/a.png"), opened("photos/a.png"))
    assert ganvas("apply", "coloured", "photos/a.png", "--out", "plain")[0] == 0
    assert ganvas("apply", "coloured", "photos/a.png", "--hints", "hints.png", "--out", "hinted")[0] == 0
    assert not np.array_equal(opened("plain/a.png"), opened("hinted/a.png"))
    status, _, told = ganvas("apply", "filled", "photos/a.png", "--out", "out2")
    assert (status, "needs a mask, white where it is to be filled" in told) == (3, True)


def test_memory_is_that_of_a_part(ganvas, monkeypatch):
    run_of(Path("run"), UNET)
    seen = []

    def apply(translator, *_, **__):
        seen.append(translator.memory)
        return Applied()

    monkeypatch.setattr("ganvas.inference.applying.apply", apply)
    applying.apply("run", ("photos",), out="x", memory="1.5MB")
    applying.apply("run", ("photos",), out="x")
    assert seen == [1_500_000, MEMORY]


def test_colours_are_made_at_the_size_that_is_asked_for(ganvas, monkeypatch):
    run_of(Path("run"), HINTED)
    seen = []

    def apply(translator, *_, **__):
        seen.append(translator.at)
        return Applied()

    monkeypatch.setattr("ganvas.inference.applying.apply", apply)
    for at in (None, 0, 100):
        applying.apply("run", ("photos",), out="x", at=at)
    assert seen == [4 * 64, None, 100]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("apply run --out x", 2, "Which pictures?"),
        ("apply run photos", 2, "--out"),
        ("apply run nothing.png --out x", 2, "There is no file or folder nothing.png"),
        ("apply run photos --out photos --replace", 2, "would be written over; choose another folder"),
        ("apply run photos --out x --format gif", 2, "use png"),
        ("apply run photos --out x --memory much", 2, "write it like 512MB"),
        ("apply run photos --out x --masks photos", 2, "takes no masks"),
        ("apply run photos --out x --hints photos", 2, "takes no hints"),
        ("apply run photos --out x --at 9", 2, "--at 9: it is for networks of colours, 0 or more"),
        ("apply run photos --out x --back", 2, "has no other direction"),
        ("apply run photos --out x --precision half", 2, "auto, float32, bfloat16"),
        ("apply run photos --out x --device nine", 2, "nine"),
        ("apply fashion-mnist photos --out x", 2, "takes none: ganvas sample fashion-mnist --out grid.png"),
        ("apply nothing photos --out x", 3, "no such file or folder"),
        ("apply run run --out x", 3, "There is no picture"),
        ("sample run", 2, "run turns pictures into pictures: ganvas apply run photo.jpg --out DIR"),
        ("walk run --seeds 1,2", 2, "ganvas apply run photo.jpg"),
        ("mix run --seeds 1 --styles 2 --layers 0-1", 2, "ganvas apply run photo.jpg"),
        ("directions run", 2, "ganvas apply run photo.jpg"),
        ("nearest run photos/a.png", 2, "ganvas apply run photo.jpg"),
        ("project run photos/a.png --out x/", 2, "ganvas apply run photo.jpg"),
        ("augment digits --with run --count 10 --out x/", 2, "ganvas apply run photo.jpg"),
        ("eval run", 2, "run kept no pictures out of its training: give pictures that training did not see"),
        ("classify run photos", 3, "No classifier at run"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_work(ganvas, arguments, status, told):
    run_of(Path("run"), UNET)
    before = sorted(Path().rglob("*"))
    found, printed, said = ganvas(*arguments.split())
    assert (found, told in said) == (status, True), said
    assert printed == ""
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("out", ["t.onnx", "t.pt2", "t.safetensors", "t/"])
def test_every_kind_of_export_is_written_and_all_but_programs_are_applied(ganvas, out):
    run_of(Path("run"), SRRESNET)
    status, printed, _ = ganvas("export", "run", "--out", out, "--licence", "MIT", "--json")
    assert (status, json.loads(printed)["out"]) == (0, str(Path(out)))
    status, _, said = ganvas("apply", out, "photos/a.png", "--out", "larger")
    if out == "t.pt2":
        assert (status, "torch.export.load" in said) == (3, True)
    else:
        assert status == 0
        assert opened("larger/a.png").shape == (96, 128, 3)


@pytest.fixture
def _heeds_interrupts():
    """Processes that are started here heed SIGINT, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeds_interrupts")
def test_a_stop_leaves_whole_files_and_the_same_call_goes_on():
    run_of(Path("run"), SRRESNET)
    pixels = photo(180, 200)
    for number in range(60):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(f"photos/{number:02d}.png")
    Path("photos/broken.png").unlink()
    command = [sys.executable, "-m", "ganvas", "apply", "run", "photos", "--out", "larger", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    until = time.monotonic() + 60
    while len(list(Path("larger").glob("*.png"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert "The same call goes on with the rest" in said
    left = sorted(path for path in Path("larger").rglob("*") if path.is_file())
    assert 2 <= len(left) < 63
    assert all(opened(path).shape[2] == 3 for path in left), "each is whole"
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    told = json.loads(printed)
    assert sorted(told["skipped"]) == sorted(map(str, left))
    assert len(told["written"]) == 63 - len(left)


@pytest.mark.parametrize("at_a_terminal", [True, False])
def test_progress_tells_the_file_the_number_and_the_part(monkeypatch, at_a_terminal):
    written = io.StringIO()
    monkeypatch.setattr(terminal, "console", Console(file=written, force_terminal=at_a_terminal, width=60))
    monkeypatch.setattr(terminal, "_REFRESH", 0.0)
    monkeypatch.setattr(terminal, "_SELDOM", 0.0)
    with terminal.FilesProgress().shown() as progress:
        progress.tell(2, 4, "holiday/\x1b[2Jbeach.jpg", 0.5)
        shown = written.getvalue()
    assert "38% · 2/4 · holiday/" in shown
    assert "\x1b[2Jbeach" not in shown, "what a name holds does not command the terminal"
    line = next(line for line in shown.splitlines() if "38%" in line)
    assert line.count("━") == 9
    assert ("50%" in shown) == (not at_a_terminal), "it is cut to the width"
