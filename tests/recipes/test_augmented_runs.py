"""Augmented runs: a kill costs nothing, and two processes play the same run as one."""

import json

import pytest
import torch

from ganvas import api

AUGMENTED = {
    "diffaug": ("augment.name=diffaug", "augment.p=1.0"),
    "steered ada": ("augment.name=ada", "augment.target=-0.9", "augment.images=400"),
    "scheduled ada": ("augment.name=ada", "augment.p=0.1", "augment.final=0.6", "augment.images=60"),
}
STRENGTH = "network/discriminator/strength.p"


@pytest.mark.parametrize("kind", AUGMENTED)
def test_a_run_killed_half_way_ends_like_one_that_was_not_bit_for_bit(kind, play, state):
    undisturbed = play("undisturbed", "quick", *AUGMENTED[kind])
    killed = play("killed", "quick", *AUGMENTED[kind], kill_at=56)
    api.resume(killed, say=pytest.fail)
    one, other = state(undisturbed), state(killed)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_steered_p_is_in_the_checkpoint_and_in_the_journal(play, state):
    run = play("run", "quick", *AUGMENTED["steered ada"], images=88)
    tensors = state(run)
    assert 0 < tensors[STRENGTH].item() <= 88 / 400
    last = json.loads((run / "journal.jsonl").read_text().splitlines()[-1])
    assert last["signs"]["augment/p"] == pytest.approx(tensors[STRENGTH].item(), rel=1e-3)


@pytest.mark.parametrize("moves", [1, 2])
def test_two_processes_play_the_same_run_as_one_to_the_bit(moves, play, state):
    chosen = ("generator.norm=none", f"discriminator_moves={moves}", *AUGMENTED["steered ada"])
    one, two = (state(play(f"run-{procs}", "quick", *chosen, f"training.procs={procs}")) for procs in (1, 2))
    assert one[STRENGTH] > 0
    assert one.keys() == two.keys()
    tallies = [STRENGTH[:-1] + name for name in ("signs", "seen")]  # of the last round, for the sake of their ratio
    assert torch.equal(one[tallies[0]] / one[tallies[1]], two[tallies[0]] / two[tallies[1]])
    assert [name for name in one if name not in tallies and not torch.equal(one[name], two[name])] == []
