"""A run from pictures to pictures that begins from another, or from a translator's file."""

import shutil
import tomllib

import pytest
import torch
from safetensors.torch import load_file
from tests_folders import for_task, photos
from tests_foreign import CycleGAN
from tests_shared import assert_begun, assert_same, first_of

import ganvas
from ganvas import api
from ganvas.core.errors import DataError, UsageError
from ganvas.core.files import sha256_of_file
from ganvas.inference.foreign.importing import import_weights
from ganvas.tasks.source import below
from ganvas.training import checkpoints

SMALL = ("training.tick=16", "training.preview=1000000", "training.tensorboard=off", "loss.after=0")


@pytest.fixture
def go_on(tmp_path):
    """Trains from a source on the data of a task, without a word on task or recipe."""

    def run(name, source, data, *assignments, images=8, **choices):
        own = {"images": images, "batch": 8, "set": [*SMALL, "training.checkpoint=8", *assignments]}
        return api.train(data, out=tmp_path / name, start_from=source, say=pytest.fail, **own, **choices).path

    return run


def test_it_begins_with_the_averaged_translator_and_the_discriminator(play, state, go_on, tmp_path):
    source = play("source", "superres", images=24)
    run = go_on("run", source, tmp_path / "superres", seed=7)
    assert_begun(first_of(run), held := state(source), "translator")
    settings = tomllib.loads((run / "settings.toml").read_text())
    assert (settings["task"], settings["recipe"]) == ("superres", "superres")
    newest = checkpoints.everything(source / "checkpoints")[-1]
    assert settings["source"] == {"path": str(source), "sha256": sha256_of_file(newest)}
    assert ganvas.load(run).card["source_sha256"] == settings["source"]["sha256"]
    notes = (run / "notes.log").read_text()
    count = len(below("average/translator/", held))
    assert f"From {source}: translator {count} of {count} tensors\n" in notes
    assert f"From {source}: discriminator " in notes


def test_both_directions_go_on_where_there_are_two(play, state, go_on, tmp_path):
    source = play("source", "swap", images=16)
    begun, held = first_of(go_on("run", source, tmp_path / "unpaired")), state(source)
    for role in ("translator", "translator_back"):
        assert_same(below(f"network/translator/{role}.", begun), below(f"average/{role}/", held))
    for role in ("discriminator", "discriminator_back"):
        judge = f"network/discriminator/{role}."
        assert_same(below(judge, begun), below(judge, held))


def test_a_saved_translator_begins_a_run_with_a_new_discriminator(play, go_on, tmp_path):
    source = play("source", "inpaint", images=16)
    saved = ganvas.load(source).save(tmp_path / "saved")
    planned = api.plan(tmp_path / "inpaint", start_from=saved, batch=8, set=[*SMALL, "discriminator.layers=1"])
    told = {what: f"{choice}: {reason}" for what, choice, reason in planned.reasons}
    assert told["recipe"] == "inpaint: that of the source, with its networks and settings"
    assert told["discriminator"] == "new: the source has no weights of one"
    assert told["size"].startswith("16")
    run = go_on("run", saved, tmp_path / "inpaint", "discriminator.layers=1")
    assert_same(below("network/translator/translator.", first_of(run)), load_file(source / "translator.safetensors"))


def test_a_kill_costs_nothing_and_a_resume_does_not_read_the_source(play, state, tmp_path):
    source = play("source", "pairs", images=16)
    begun = {"start_from": source, "images": 24}
    undisturbed = play("undisturbed", "pairs", "training.checkpoint=8", **begun)
    killed = play("killed", "pairs", "training.checkpoint=8", **begun, kill_at=16)
    shutil.rmtree(source)
    api.resume(killed, say=pytest.fail)
    assert_same(state(undisturbed), state(killed))


def test_what_its_run_set_otherwise_than_the_recipe_stays(play, tmp_path):
    source = play("source", "superres", "loss.perceptual=0", "loss.reconstruction=7", images=8)
    chosen = api.plan(tmp_path / "superres", start_from=source).settings
    assert (chosen.loss.reconstruction, chosen.loss.perceptual) == (7.0, 0.0)
    assert chosen.translator == api.plan(tmp_path / "superres", start_from=source, size=32).settings.translator


def test_a_translator_of_grey_pictures_goes_on_with_grey_ones(play, tmp_path):
    grey = photos(tmp_path / "grey", grey=True)
    source = play("source", "superres", data=grey, images=8)
    planned = api.plan(photos(tmp_path / "colour"), start_from=source)
    assert planned.settings.data.channels == 1
    assert ("channels", "1", "as the source reads them") in planned.reasons


def test_colours_are_not_learned_of_grey_pictures_from_any_source(play, tmp_path):
    source = play("source", "colorize", images=8)
    with pytest.raises(UsageError, match="all pictures of grey are grey"):
        api.plan(photos(tmp_path / "grey", grey=True), start_from=source)


def test_the_length_of_a_run_is_the_recipes_and_not_the_sources(play, tmp_path):
    source = play("source", "superres", images=8)
    usual = api.plan(tmp_path / "superres", task="superres", set=SMALL).settings.training.stop.images
    assert api.plan(tmp_path / "superres", start_from=source).settings.training.stop.images == usual


def test_a_source_of_a_recipe_of_ones_own_begins_runs_as_well(play, tmp_path):
    source = play("source", "pairs", "recipe=mine", "loss.reconstruction=7", images=8)
    chosen = api.plan(tmp_path / "paired", start_from=source, images=16).settings
    assert (chosen.recipe, chosen.loss.reconstruction, chosen.data.pairs) == ("mine", 7.0, True)
    assert (chosen.training.stop.images, chosen.translator_optimizer.decay_images) == (16, 16)


def test_the_plan_tells_of_those_that_play(play, tmp_path):
    both = play("both", "swap", images=8)
    told = {what: choice for what, choice, _ in api.plan(tmp_path / "unpaired", start_from=both).reasons}
    assert [told[role] for role in ("translator", "translator_back")] == [told["translator"]] * 2
    assert told["discriminator"] == told["discriminator_back"] != "new"
    planned = api.plan(
        tmp_path / "unpaired", start_from=both / "translator.safetensors", set=["discriminator.layers=1"]
    )
    new = {what for what, choice, _ in planned.reasons if choice == "new"}
    assert new == {"discriminator", "translator_back", "discriminator_back"}
    source = play("source", "superres", images=8)
    alone = api.plan(tmp_path / "superres", start_from=source, set=["loss.weight=0", "loss.perceptual=0"])
    assert "discriminator" not in {what for what, _, _ in alone.reasons}


def test_a_published_network_that_was_imported_is_trained_on(go_on, tmp_path):
    torch.manual_seed(0)
    torch.save(CycleGAN().state_dict(), tmp_path / "net_G_A.pth")
    imported = import_weights(tmp_path / "net_G_A.pth", "cyclegan", out=tmp_path / "imported")
    data = for_task("unpaired", tmp_path / "kinds")
    narrow = ["discriminator.width=4", "discriminator.layers=1", "loss.pool=10"]
    planned = api.plan(data, start_from=imported, size=16, set=narrow)
    assert (planned.settings.task, planned.settings.recipe) == ("unpaired", "cyclegan")
    run = go_on("run", imported, data, *narrow, size=16)
    begun = first_of(run)
    assert_same(below("network/translator/translator.", begun), load_file(imported / "translator.safetensors"))
    assert f"From {imported / 'translator.safetensors'}: translator_back 0 of" in (run / "notes.log").read_text()


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"task": "inpaint"}, "is of the task superres, and so is a run that begins from it, not of the"),
        ({"recipe": "quick"}, "is of the task superres, and so is a run that begins from it, not of the"),
        ({"recipe": "inpaint"}, "leave --task out, or take a recipe of superres"),
        ({"recipe": "esrgan"}, "is srresnet, not rrdb"),
        ({"set": ["translator.width=5"]}, "Nothing of the translator of"),
        ({"set": ["source.path=elsewhere"]}, "name it with --from RUN"),
    ],
)
def test_what_does_not_go_with_the_source_is_answered_before_training(play, tmp_path, choices, words):
    source = play("source", "superres", images=8)
    with pytest.raises(UsageError) as caught:
        api.plan(tmp_path / "superres", start_from=source, **choices)
    assert words in str(caught.value)


def test_a_source_that_was_changed_or_is_damaged_is_refused(play, tmp_path):
    source = play("source", "superres", images=8)
    text = (source / "settings.toml").read_text()
    (source / "settings.toml").write_text(text.replace("width = 4", "width = 8"))
    with pytest.raises(DataError, match="does not hold the weights of the translator"):
        api.plan(tmp_path / "superres", start_from=source)
    (source / "settings.toml").write_text('task = "superres"\n')
    with pytest.raises(DataError, match="is damaged, or of another version of Ganvas"):
        api.plan(tmp_path / "superres", start_from=source)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "settings.toml").write_text(text)
    with pytest.raises(DataError, match="has not been trained yet"):
        api.plan(tmp_path / "superres", start_from=fresh)
