"""A run that begins from another: what it takes, and that a kill or another process costs nothing there either."""

import json
import shutil
import tomllib

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests_shared import assert_begun, assert_same, first_of

from ganvas import api
from ganvas.core.errors import DataError, UsageError
from ganvas.core.files import sha256_of_file
from ganvas.inference.loading import load
from ganvas.inference.pages import readme
from ganvas.tasks.source import below
from ganvas.training import checkpoints

PLAIN = ("generator.norm=none", "discriminator.norm=none")
# A recipe of each family, with a discriminator whose levels are two or more.
FAMILIES = {
    "quick": (),
    "dcgan": (),
    "mlp": (),
    "conv28": (),
    "r3gan-slim": ("generator.width=16", "discriminator.width=16"),
    "stylegan2-slim": (),
    "sngan-slim": (),
    "fastgan": (),
}


@pytest.fixture
def source(play):
    """A short run of `quick` on the digits, 8 x 8."""
    return play("source", "quick", images=48)


def test_it_begins_with_the_averaged_generator_and_the_discriminator_and_nothing_else(source, play, state):
    run = play("run", "auto", "training.checkpoint=8", start_from=source, images=8, seed=7)
    assert_begun(first_of(run), state(source), "generator")
    notes = (run / "notes.log").read_text()
    assert f"From {source}: generator 8 of 8 tensors\n" in notes
    assert f"From {source}: discriminator 5 of 5 tensors\n" in notes


def test_its_settings_hold_where_it_came_from_and_which_weights(source, play):
    run = play("run", "auto", start_from=source, images=8)
    newest = checkpoints.everything(source / "checkpoints")[-1]
    told = tomllib.loads((run / "settings.toml").read_text())["source"]
    assert told == {"path": str(source), "sha256": sha256_of_file(newest)}
    card = load(run).card
    assert card["source_sha256"] == told["sha256"]
    assert told["sha256"] in readme(card, "run")


@pytest.mark.parametrize("recipe", FAMILIES)
def test_frozen_levels_do_not_move_and_all_others_do_also_after_a_resume(recipe, play, state):
    source = play("source", recipe, *FAMILIES[recipe], images=16)
    frozen = {"start_from": source, "images": 40}
    run = play("run", "auto", "discriminator_frozen=1", **frozen)
    killed = play("killed", "auto", "discriminator_frozen=1", **frozen, kill_at=32)
    shutil.rmtree(source)  # which a resume does not read
    api.resume(killed, say=pytest.fail)
    assert_same(state(run), state(killed))
    chosen = api.with_goals(run)[1]
    judge = api.tasks.task("generate")(chosen, *api._open(chosen, api.Processes(), pytest.fail)).discriminator
    level = {id(weight) for layer in judge.levels()[0] for weight in layer.parameters()}
    begun, ended = first_of(run), state(run)
    moved = {}
    for key, weight in judge.named_parameters():
        name = f"network/discriminator/discriminator.{key}"
        moved.setdefault(id(weight) in level, []).append((key, not torch.equal(begun[name], ended[name])))
    assert [key for key, moves in moved[True] if moves] == []
    assert any(moves for _, moves in moved[False])
    assert [key for key, moves in moved[False] if not moves and key.startswith("head.linear.weight")] == []
    remembered = [name for name in ended if name.startswith("optimizer/discriminator/") and name.endswith("exp_avg")]
    assert len(remembered) == len(moved[False])
    generator = "network/generator/generator."
    held, after = below(generator, begun), below(generator, ended)
    assert any(not torch.equal(held[key], after[key]) for key in held)


def test_a_run_killed_before_its_first_checkpoint_reads_the_source_again(source, play, state, tmp_path):
    undisturbed = play("undisturbed", "auto", start_from=source)
    early = tmp_path / "early"
    early.mkdir()
    shutil.copy(undisturbed / "settings.toml", early)
    api.resume(early, say=pytest.fail)
    assert_same(state(undisturbed), state(early))


def test_a_source_that_was_trained_on_is_told_to_a_run_that_has_no_checkpoint_yet(source, play, tmp_path):
    run = play("run", "auto", start_from=source, images=8)
    late = tmp_path / "late"
    late.mkdir()
    shutil.copy(run / "settings.toml", late)
    api.resume(source, images="+24", say=pytest.fail)
    api.resume(run, images="+8", say=pytest.fail)
    api.resume(source, images="+48", say=pytest.fail)  # and only the last two checkpoints are kept
    with pytest.raises(DataError, match=r"are not at .*source any more"):
        api.resume(late)
    assert not (late / "checkpoints").exists() or not list((late / "checkpoints").iterdir())


@pytest.mark.parametrize("recipe", ["quick", "stylegan2-slim"])
def test_two_processes_play_the_same_run_as_one(recipe, play, state):
    plain = PLAIN if recipe == "quick" else ()
    source = play("source", recipe, *plain, images=16)
    own = ("training.precision=float32", "discriminator_frozen=1")
    one, two = (play(f"run-{n}", "auto", *own, start_from=source, images=40, procs=n) for n in (1, 2))
    assert_same(state(one), state(two))
    assert "generator" in (two / "notes.log").read_text()


def test_a_larger_size_and_other_classes_train_and_can_be_sampled(source, play, state):
    run = play("run", "auto", "data.classes=[]", data="fashion-mnist/bundled", size=32, start_from=source, images=16)
    assert api.load(run).sample([0]).shape == (1, 1, 32, 32)
    assert api.with_goals(run)[1].generator.width == 2
    held, begun = state(source), first_of(run)
    name = "network/generator/generator.layers.0.weight"
    assert torch.equal(begun[name], held["average/generator/layers.0.weight"])


@pytest.mark.parametrize("what", ["file", "saved folder", "run without checkpoints"])
def test_without_checkpoints_the_generator_alone_is_taken_and_that_is_told(what, source, play, tmp_path):
    weights = load_file(source / "generator.safetensors")
    if what == "run without checkpoints":
        shutil.rmtree(source / "checkpoints")
        begin = source
    else:
        begin = source / "generator.safetensors" if what == "file" else api.load(source).save(tmp_path / "shared")
    narrow = ("discriminator.width=8",)
    planned = api.plan("digits", start_from=begin, images=8, batch=8, set=narrow, say=pytest.fail)
    told = {what: f"{choice}: {reason}" for what, choice, reason in planned.reasons}
    assert told["generator"] == "8 of 8 tensors: the averaged weights"
    assert told["discriminator"] == "new: the source has no weights of one"
    run = play("run", "auto", *narrow, start_from=begin, images=8)
    assert_same(below("network/generator/generator.", first_of(run)), weights)


def test_a_transferred_run_can_be_a_source_itself(source, play, state):
    second = play("second", "auto", "discriminator_frozen=1", start_from=source, images=16)
    third = play("third", "auto", start_from=second, images=8)
    chosen = api.with_goals(third)[1]
    assert (chosen.source.path, chosen.discriminator_frozen) == (str(second), 0)
    assert_same(below("network/generator/generator.", first_of(third)), below("average/generator/", state(second)))


def test_a_source_that_is_in_training_is_refused(source, play):
    seen = []

    def meanwhile(clock):
        with pytest.raises(UsageError, match="is being trained by another process"):
            api.plan("digits", start_from=source)
        seen.append(clock.images)

    api.resume(source, images="+8", on_round=meanwhile, say=pytest.fail)
    assert seen == [56]


def test_a_damaged_checkpoint_is_left_as_it_is_and_the_one_before_it_taken(source, play, state):
    before, newest = checkpoints.everything(source / "checkpoints")[-2:]
    newest.write_bytes(newest.read_bytes()[:-1])
    names = sorted(path.name for path in (source / "checkpoints").iterdir())
    run = play("run", "auto", start_from=source, images=8)
    assert_same(below("average/generator/", first_of(run)), below("average/generator/", load_file(before)))
    before.write_bytes(b"")
    with pytest.raises(DataError, match=r"No checkpoint in .*source.* is whole"):
        api.plan("digits", start_from=source)
    assert sorted(path.name for path in (source / "checkpoints").iterdir()) == names


def test_what_is_no_source_is_refused_with_what_would_be_one(source, play, tmp_path):
    autoencoder = play("vae", "vae", images=8)
    empty, fresh, foreign = (tmp_path / name for name in ("empty", "fresh", "foreign.safetensors"))
    empty.mkdir()
    fresh.mkdir()
    shutil.copy(source / "settings.toml", fresh)
    foreign.write_bytes(b"not safetensors")
    newer = tmp_path / "newer.safetensors"
    card = json.loads((source / "card.json").read_text()) | {"format": 99}
    save_file(load_file(source / "generator.safetensors"), newer, {"ganvas": json.dumps(card)})
    cases = [
        (tmp_path / "nowhere", DataError, "there is no such file or folder. Give a run"),
        (empty, DataError, "the folder holds neither a run nor"),
        (fresh, DataError, "has not been trained yet"),
        (foreign, DataError, "is damaged or not a safetensors file"),
        (newer, DataError, "was written by a newer Ganvas"),
        (autoencoder, UsageError, "is a run of the task autoencode: a run can begin only from one that trained a GAN"),
        (autoencoder / "generator.safetensors", UsageError, "The recipe vae is of the task autoencode, and from "),
    ]
    for path, kind, told in cases:
        with pytest.raises(kind) as caught:
            api.plan("digits", start_from=path)
        assert told in str(caught.value)


def test_a_source_whose_settings_were_changed_is_refused(source):
    path = source / "settings.toml"
    text = path.read_text()
    path.write_text(text.replace("width = 8", "width = 4"))
    with pytest.raises(DataError, match="does not hold the weights of the generator"):
        api.plan("digits", start_from=source)
    path.write_text(text.replace("shared_draws", "shared_drawings"))
    with pytest.raises(DataError, match=r"is damaged, or of another version.*shared_drawings"):
        api.plan("digits", start_from=source)
    path.write_text("= what")
    with pytest.raises(DataError, match="is not valid TOML"):
        api.plan("digits", start_from=source)


def test_a_card_without_a_recipe_that_there_is_needs_one_named(source, tmp_path):
    card = json.loads((source / "card.json").read_text()) | {"recipe": "custom"}
    file = tmp_path / "generator.safetensors"
    save_file(load_file(source / "generator.safetensors"), file, {"ganvas": json.dumps(card)})
    with pytest.raises(UsageError, match="names no recipe that there is: say which, --recipe NAME"):
        api.plan("digits", start_from=file)
    chosen = api.plan("digits", start_from=file, recipe="hinge", say=pytest.fail).settings
    assert (chosen.loss.adversarial, chosen.generator.width) == ("hinge", 8)
