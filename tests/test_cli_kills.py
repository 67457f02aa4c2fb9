"""Real processes that are interrupted or killed, or are two: the run is the same as one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tests_shared import assert_same

from ganvas import api, cli
from ganvas.core.devices import has_fast_bfloat16
from ganvas.core.errors import Diverged
from ganvas.training import checkpoints

SETTINGS = [
    "generator.width=8",
    "discriminator.width=8",
    "training.tick=200",
    "training.checkpoint=80",
    "training.preview=1000000",
    "training.tensorboard=off",
]
IMAGES = 2_400


@pytest.fixture(autouse=True)
def _alone(offline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The state at the end of the run that `begin` begins."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    api.train("digits", recipe="quick", batch=8, images=IMAGES, seed=3, set=SETTINGS, out=path)
    return state(path)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def begin(out: str) -> subprocess.Popen[str]:
    """Start training in a process of its own and return it after its first tick."""
    command = [sys.executable, "-m", "ganvas", "train", "digits", "--recipe", "quick", "--batch", "8", "--seed", "3"]
    command += ["--images", str(IMAGES), "--json", "--out", out]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["images"] == 200
    return process


def state(run: Path) -> dict[str, torch.Tensor]:
    """Networks, averages and optimizers in a run's newest checkpoint."""
    found = checkpoints.newest(run / "checkpoints", pytest.fail)
    assert found is not None
    return found[0]


def test_an_interrupt_saves_says_how_to_go_on_and_changes_nothing(undisturbed):
    process = begin("run")
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate()
    assert process.returncode == 130
    seen = [200, *(json.loads(line)["images"] for line in printed.splitlines())][-1]
    assert 200 <= seen < IMAGES, "the interrupt came too late to try anything"
    assert "Interrupted and saved" in said
    assert "error" not in said
    assert "Continue: ganvas resume run" in " ".join(said.split())
    assert "Traceback" not in said
    saved = checkpoints.newest_info(Path("run/checkpoints"))
    assert saved["clock"]["images"] == seen, "saved where it was stopped, not where a checkpoint was due"
    assert Path("run/summary.html").is_file()
    assert api.resume("run").reason == "images"
    assert_same(state(Path("run")), undisturbed)


def test_a_pause_is_not_time_spent_in_training(undisturbed):
    process = begin("run")
    began, pause = time.monotonic(), 2.0
    process.send_signal(signal.SIGTSTP)  # Ctrl-Z
    time.sleep(pause)
    process.send_signal(signal.SIGCONT)
    process.communicate()
    passed = time.monotonic() - began
    assert process.returncode == 0
    journal = Path("run/journal.jsonl").read_text().splitlines()
    first, last = (json.loads(journal[at])["seconds"] for at in (0, -1))
    assert last - first < passed - pause + 0.5
    assert_same(state(Path("run")), undisturbed)


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_at_a_random_moment_changes_nothing(undisturbed, seed):
    process = begin("run")
    dice = random.Random(seed)
    ticks, moment = dice.randrange(6), dice.uniform(0, 0.03)
    when = f"killed {moment} s after {ticks} more ticks"
    for _ in range(ticks):
        process.stdout.readline()
    time.sleep(moment)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, when
    left = checkpoints.newest_info(Path("run/checkpoints"))["clock"]["images"]
    assert 160 <= left < IMAGES, when
    assert api.resume("run").reason == "images"
    assert_same(state(Path("run")), undisturbed)
    assert not list(Path("run").rglob("*.partial")), when


def test_a_kill_while_a_checkpoint_is_renamed_changes_nothing(undisturbed, monkeypatch):
    class Killed(BaseException):
        pass

    replace, left = os.replace, [9]

    def kill(old, new):
        left[0] -= "checkpoints" in str(new)
        if not left[0]:
            raise Killed
        replace(old, new)

    monkeypatch.setattr(os, "replace", kill)
    with pytest.raises(Killed):
        api.train("digits", recipe="quick", batch=8, images=IMAGES, seed=3, set=SETTINGS, out="run")
    monkeypatch.setattr(os, "replace", replace)
    assert checkpoints.newest_info(Path("run/checkpoints"))["clock"]["images"] < 9 * 80
    api.resume("run")
    assert_same(state(Path("run")), undisturbed)


def test_a_flipped_bit_in_the_newest_checkpoint_costs_only_the_way_from_the_one_before(undisturbed):
    def interrupt(clock):
        if clock.images == 1_000:
            raise KeyboardInterrupt

    with pytest.raises(api.errors.Interrupted):
        api.train("digits", recipe="quick", batch=8, images=IMAGES, seed=3, set=SETTINGS, out="run", on_round=interrupt)
    newest = checkpoints.everything(Path("run/checkpoints"))[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(content)
    said = []
    api.resume("run", say=said.append)
    assert any(newest.name in sentence and "damaged" in sentence for sentence in said)
    assert_same(state(Path("run")), undisturbed)


def test_two_processes_train_the_same_networks_as_one(monkeypatch, capsys):
    """Fifty rounds in float32, logistic loss and R1, no BatchNorm; two processes, each with micro-batches."""
    command = ["train", "digits", "--recipe", "dcgan", "--batch", "8", "--images", "400", "--precision", "float32"]
    command += ["--json"]
    without_batch_norm = ["generator.norm=none", "discriminator.norm=none", "loss.r1.weight=1.0", "training.tick=200"]
    for name, extra in (("one", []), ("two", ["training.micro_batch=3"])):
        chosen = [*SETTINGS, *without_batch_norm, *extra]
        options = [part for setting in chosen for part in ("--set", setting)]
        procs = ["--procs", "2"] if name == "two" else []
        monkeypatch.setattr(sys, "argv", ["ganvas", *command, *options, *procs, "--out", name])
        cli.main()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["images"] for line in lines] == [200, 400, 400]
    one, two = state(Path("one")), state(Path("two"))
    assert one.keys() == two.keys()
    weights = [name for name in one if not name.startswith("optimizer/")]
    assert len(weights) > 10
    assert max((one[name] - two[name]).abs().max().item() for name in weights) < 1e-5


@pytest.mark.parametrize(("precision", "settings"), [("float32", []), ("bfloat16", ["training.micro_batch=8"])])
def test_two_processes_train_networks_of_full_width_to_the_same_bit(precision, settings, two_threads):
    if precision == "bfloat16" and not has_fast_bfloat16(torch.device("cpu")):
        pytest.skip("this processor has no bfloat16 arithmetic")
    settings = ["generator.norm=none", "discriminator.norm=none", "loss.r1.weight=1.0", *settings]
    for procs in (1, 2):
        options = {"batch": 33, "images": 1650, "precision": precision, "procs": procs, "set": settings}
        api.train("fashion-mnist", recipe="dcgan", out=f"run-{procs}", **options)
    assert_same(state(Path("run-2")), state(Path("run-1")))


def test_two_processes_stop_together_on_trouble_and_say_which():
    rates = ["generator_optimizer.lr=1e-9", "discriminator_optimizer.lr=1e-9", "training.tick=80"]
    with pytest.raises(Diverged, match="stop asks: a learning rate that does nothing"):
        api.train(
            "digits", recipe="dcgan", batch=8, images=IMAGES, procs=2, on_trouble="stop", out="run",
            set=[*SETTINGS, "generator.norm=none", "discriminator.norm=none", *rates],
        )  # fmt: skip
    assert checkpoints.newest_info(Path("run/checkpoints"))["clock"]["images"] < IMAGES
