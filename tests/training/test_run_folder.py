"""The lock of a run: who trains holds it, who looks does not get in anybody's way."""

import subprocess
import sys

import pytest

from ganvas.core.errors import UsageError
from ganvas.training.folder import RunFolder, check_not_in_training

LOOK = """
import sys, time, filelock
with filelock.FileLock(sys.argv[1]):
    print("begun", flush=True)
    time.sleep(0.2)
"""


@pytest.fixture
def watched(tmp_path):
    """A run at whose lock another process looks, for long enough to be met."""
    run = RunFolder.create(tmp_path / "run", "")
    command = [sys.executable, "-c", LOOK, run.path / ".lock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "begun\n"
        yield run


def test_processes_that_look_at_once_do_not_refuse_each_other(watched):
    check_not_in_training(watched.path)


def test_a_run_begins_while_another_process_looks(watched):
    with watched.locked():
        pass


def test_a_run_in_training_is_told_to_who_looks_and_to_who_would_train(tmp_path):
    run = RunFolder.create(tmp_path / "run", "")
    with run.locked():
        with pytest.raises(UsageError, match="is being trained by another process"):
            check_not_in_training(run.path)
        with pytest.raises(UsageError, match="is being trained by another process"), run.locked():
            pass
    check_not_in_training(run.path)
