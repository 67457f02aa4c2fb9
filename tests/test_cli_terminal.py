"""What a person at a terminal sees, and what a pipe gets from there: a pseudo-terminal is standard error."""

import json
import os
import pty
import subprocess
import sys

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "ganvas", "train", "digits", "--recipe", "dcgan", "--batch", "8", "--images", "1600"]
SETTINGS = ["generator.width=8", "discriminator.width=8", "training.tick=400", "training.tensorboard=off"]


def at_a_terminal(tmp_path, *options: str) -> tuple[str, str]:
    """Train with standard error on a terminal; what is on the terminal, and on standard output."""
    terminal, side = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment |= {"OMP_NUM_THREADS": "1"}
    command = [*COMMAND, "--set", *SETTINGS, "--out", "run", *options]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=side, text=True)
    os.close(side)
    seen = b""
    try:
        while some := os.read(terminal, 65536):
            seen += some
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(terminal)
    output, _ = process.communicate()
    assert process.returncode == 0, seen
    return seen.decode(), output


@pytest.mark.parametrize("procs", ["1", "2"])
def test_ticks_in_json_go_to_standard_output_and_nothing_of_them_to_the_terminal(tmp_path, procs):
    seen, output = at_a_terminal(tmp_path, "--json", "--procs", procs)
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["images"] for line in lines] == [400, 800, 1200, 1600, 1600]
    assert "terms" not in seen


@pytest.mark.parametrize("procs", ["1", "2"])
def test_a_terminal_shows_how_the_run_goes(tmp_path, procs):
    seen, output = at_a_terminal(tmp_path, "--procs", procs)
    assert output == ""
    assert "1.6k/1.6k images" in seen
    assert "D 1" in seen or "D 0" in seen  # the discriminator's adversarial term
    assert seen.count("Done (all images seen)") == 1
    assert "{" not in seen


def test_control_characters_in_the_names_of_files_do_not_reach_the_terminal(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("L", (20, 20)).save(folder / "good.png")
    (folder / "\x1b[31m\x07EVIL\x1b]0;pwn\x07.jpg").write_bytes(b"rubbish")
    command = [sys.executable, "-m", "ganvas", "data", "check", str(folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert b"EVIL" in done.stdout
    assert not {0x1B, 0x07} & set(done.stdout + done.stderr)
