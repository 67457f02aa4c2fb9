"""Runs with a classifying discriminator: a kill costs nothing; without classes they are refused."""

import json

import pytest
import torch

from ganvas import api
from ganvas.core.errors import UsageError


@pytest.mark.parametrize("recipe", ["quick", "hinge", "sngan"])
def test_a_run_killed_half_way_ends_like_one_that_was_not_bit_for_bit(recipe, play, state):
    undisturbed = play("undisturbed", recipe, "loss.classification=0.5")
    killed = play("killed", recipe, "loss.classification=0.5", kill_at=56)
    api.resume(killed, say=pytest.fail)
    one, other = state(undisturbed), state(killed)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    last = json.loads((killed / "journal.jsonl").read_text().splitlines()[-1])
    assert {"generator/classification", "discriminator/classification"} <= last["terms"].keys()


def test_a_run_without_classes_cannot_be_asked_to_tell_them():
    with pytest.raises(UsageError, match=r"two classes or more, not 0:\n.*folder"):
        api.plan("digits", recipe="quick", set=["data.classes=[]", "loss.classification=1.0"])
