"""What is asked of every recipe: it plays, a kill costs nothing, and the seed alone decides."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests_shared import assert_same

from ganvas import api
from ganvas.recipes import RECIPES
from ganvas.training import checkpoints

every_recipe = pytest.mark.parametrize("recipe", RECIPES)


def journal(run):
    """The lines of a journal without what a clock on the wall says."""
    lines = [json.loads(text) for text in (run / "journal.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


@every_recipe
def test_it_plays_two_rounds_and_all_players_move(recipe, play, state):
    run = play("run", recipe, "training.checkpoint=8", images=16)
    tensors = state(run)
    before = load_file(checkpoints.everything(run / "checkpoints")[0])
    players = {name.split("/")[1] for name in before if name.startswith("network/")}
    for player in players:
        moved = [
            name
            for name in before
            if name.startswith(f"network/{player}/")
            and "weight" in name
            and not torch.equal(before[name], tensors[name])
        ]
        assert moved, player
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    assert {name.split("/")[0] for name in journal(run)[-1]["terms"]} == players
    assert (run / "settings.toml").read_text().count(f'recipe = "{recipe}"') == 1


@every_recipe
def test_a_run_killed_half_way_ends_like_one_that_was_not_bit_for_bit(recipe, play, state):
    undisturbed = play("undisturbed", recipe)
    killed = play("killed", recipe, kill_at=56)
    assert checkpoints.newest_info(killed / "checkpoints")["clock"]["images"] == 48
    assert api.resume(killed, say=pytest.fail).reason == "images"
    assert_same(state(undisturbed), state(killed))
    assert journal(undisturbed) == journal(killed)
    shared = {file.name for file in undisturbed.glob("*.safetensors")} | {"card.json"}
    assert len(shared) > 1
    for file in shared:
        assert (undisturbed / file).read_bytes() == (killed / file).read_bytes()


def test_a_run_killed_in_its_first_round_begins_again(play, state):
    undisturbed, killed = play("undisturbed", "quick", images=24), play("killed", "quick", images=24, kill_at=8)
    api.resume(killed, say=pytest.fail)
    assert_same(state(undisturbed), state(killed))


def test_a_run_killed_three_times_ends_like_one_that_was_not(play, state):
    undisturbed, killed = play("undisturbed", "quick"), play("killed", "quick", kill_at=32)
    for place in (40, 72):

        def on_round(clock, place=place):
            if clock.images == place:
                raise KeyboardInterrupt

        with pytest.raises(api.errors.Interrupted):
            api.resume(killed, on_round=on_round, say=pytest.fail)
    api.resume(killed, say=pytest.fail)
    assert_same(state(undisturbed), state(killed))
    assert [line["images"] for line in journal(killed)] == [16, 32, 48, 64, 80]


def test_a_longer_goal_continues_like_a_run_that_had_it_from_the_start(play, state):
    # Without a decay: a schedule over the run's length is decided when it begins.
    short, long = play("short", "dcgan", images=40), play("long", "dcgan", images=80)
    api.resume(short, images="+40", say=pytest.fail)
    assert_same(state(long), state(short))


def test_the_same_seed_twice_gives_the_same_and_another_seed_does_not(play, state):
    one, same, other = play("one", "quick"), play("same", "quick"), play("other", "quick", seed=1)
    assert_same(state(one), state(same))
    assert (one / "generator.safetensors").read_bytes() == (same / "generator.safetensors").read_bytes()
    weight = "network/generator/generator.project.weight"
    assert not torch.equal(state(one)[weight], state(other)[weight])


def test_the_number_of_loader_threads_changes_nothing(play, state, tmp_path):
    dice = np.random.default_rng(0)
    for number in range(70):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(dice.integers(0, 256, (10, 12, 3), dtype=np.uint8)).save(path)
    one, three = (
        play(f"threads-{count}", "quick", f"data.threads={count}", data=tmp_path / "photos", images=40)
        for count in (1, 3)
    )
    assert_same(state(one), state(three))


def test_how_often_a_run_looks_and_saves_changes_nothing(play, state):
    calm = play("calm", "quick")
    busy = play("busy", "quick", "training.checkpoint=8", "training.preview=16", "training.tick=8", "training.score=40")
    assert_same(state(calm), state(busy))
