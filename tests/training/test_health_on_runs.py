"""The watch on the kept journals of runs that were made to fail, and of healthy ones (`python -m benchmarks watch`)."""

import json
from pathlib import Path

import pytest

from ganvas.training.health import RULES, Watch
from ganvas.training.journal import read

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
RUNS = json.loads((RESULTS / "watch.json").read_text())["runs"]
MISSED = {"check-five-d-moves-minimax-no-norm", "check-200-emoji", "check-lr-x500"}  # as docs/health.md says
FALSE_ALARMS = {"check-lsgan"}


def found(name):
    watch = Watch()
    return {told.name: told.since for line in read(RESULTS / "watch" / f"{name}.jsonl") for told in watch.read(line)}


@pytest.mark.parametrize("name", RUNS)
def test_the_table_is_what_the_watch_finds(name):
    assert found(name) == RUNS[name]["found"]


@pytest.mark.parametrize("name", [name for name in RUNS if RUNS[name]["made for"]])
def test_a_run_that_was_made_to_fail_is_found_to(name):
    assert bool(found(name).keys() & set(RUNS[name]["made for"])) == (name not in MISSED)


@pytest.mark.parametrize("name", [name for name in RUNS if not RUNS[name]["made for"]])
def test_a_healthy_run_is_left_alone(name):
    assert bool(found(name)) == (name in FALSE_ALARMS)


def test_there_is_a_run_for_each_rule_and_healthy_ones_of_equal_length():
    of_autoencoders = {"posterior collapse"}  # these runs are games; test_health tries it on lines made by hand
    made = {name for run in RUNS.values() for name in run["made for"]}
    assert {rule.name for rule in RULES} - of_autoencoders == made
    healthy = [name for name in RUNS if not RUNS[name]["made for"]]
    assert len(healthy) > 20
    assert {read(RESULTS / "watch" / f"{name}.jsonl")[-1]["images"] for name in RUNS} == {40_000}
