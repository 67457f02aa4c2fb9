"""Runs with all that keeps a game stable: a kill costs nothing, and two processes play the same run as one."""

import json

import pytest
import torch

from ganvas import api

STEADIED = {
    "quick": (
        "generator.norm=none",
        "loss.lecam.weight=0.1",
        "loss.consistency.real=1",
        "loss.consistency.fake=1",
        "loss.top_k.final=0.5",
        "generator_optimizer.clip=0.5",
        "generator_optimizer.final_betas=[0.5,0.99]",
        "discriminator_optimizer.clip=0.5",
    ),
    "stylegan2": ("style_mixing=0.5", "loss.path_length.weight=2", "loss.path_length.every=2", "loss.lecam.weight=0.1"),
}
# Sums since the last round began: they matter only for their ratio, and two processes keep means of them.
TALLIES = ("_sum", ".seen")


@pytest.mark.parametrize("recipe", STEADIED)
def test_a_run_killed_half_way_ends_like_one_that_was_not_bit_for_bit(recipe, play, state):
    undisturbed = play("undisturbed", recipe, *STEADIED[recipe])
    killed = play("killed", recipe, *STEADIED[recipe], kill_at=56)
    api.resume(killed, say=pytest.fail)
    one, other = state(undisturbed), state(killed)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("recipe", STEADIED)
def test_two_processes_play_the_same_run_as_one_to_the_bit(recipe, play, state):
    one, two = (
        state(play(f"run-{procs}", recipe, *STEADIED[recipe], f"training.procs={procs}", images=48)) for procs in (1, 2)
    )
    assert one.keys() == two.keys()
    different = [name for name in one if not torch.equal(one[name], two[name])]
    assert [name for name in different if not name.endswith(TALLIES)] == []


def test_every_term_is_in_the_journal(play):
    terms = [
        json.loads((play(recipe, recipe, *STEADIED[recipe], images=32) / "journal.jsonl").read_text().splitlines()[-1])
        for recipe in STEADIED
    ]
    seen = {name for line in terms for name in line["terms"]}
    assert {
        "discriminator/lecam",
        "discriminator/consistency_real",
        "discriminator/consistency_fake",
        "generator/path_length",
    } <= seen
