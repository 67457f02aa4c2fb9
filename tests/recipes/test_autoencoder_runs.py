"""Runs of the variational autoencoder: two processes play the same as one; the commands take it like any other run."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas import api, cli


@pytest.mark.parametrize("assignments", [(), ("training.micro_batch=3", "loss.sd=0.4")], ids=str)
def test_two_processes_play_the_same_run_as_one_to_the_bit(assignments, play, state):
    one, two = (state(play(f"run-{procs}", "vae", *assignments, f"training.procs={procs}")) for procs in (1, 2))
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_it_is_trained_sampled_and_evaluated_by_the_commands(tmp_path, monkeypatch, capsys):
    def ganvas(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganvas", *map(str, arguments)])
        cli.main()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    monkeypatch.chdir(tmp_path)
    small = ["generator.width=8", "encoder.width=8", "training.tick=16", "training.tensorboard=off"]
    *ticks, last = ganvas(
        "train", "digits", "--recipe", "vae", "--images", 32, "--batch", 8, "--out", "run", "--json", "--set", *small
    )
    assert (last["images"], last["reason"]) == (32, "images")
    assert ticks[-1]["terms"].keys() == {"autoencoder/reconstruction", "autoencoder/kl"}
    assert {"elbo/seen", "elbo/held_out", "kl", "diversity"} <= ticks[-1]["signs"].keys()
    ganvas("sample", "run", "--seeds", "0-3", "--out", "grid.png", "--json")
    assert np.asarray(Image.open("grid.png")).std() > 0
    (report,) = ganvas("eval", "run", "--metrics", "fd", "--count", 100, "--extractor", "pixels", "--json")
    assert "fd" in json.dumps(report)
    assert api.resume("run", images="+16", say=pytest.fail).journal[-1]["images"] == 48


def test_any_generator_can_be_its_decoder_and_begins_with_its_own_settings():
    planned = api.plan("digits", recipe="vae", images=100, set=["generator.name=mlp", "generator.latent=9"])
    assert (planned.settings.generator.name, planned.settings.generator.latent) == ("mlp", 9)
    assert planned.settings.encoder.name == "conv"
    assert planned.settings.autoencoder_optimizer.decay_images == 100


def test_a_task_that_is_not_the_recipes_is_answered():
    assert api.plan("digits", recipe="vae", task="autoencode").settings.task == "autoencode"
    with pytest.raises(api.errors.UsageError, match="vae is for the task autoencode, not generate"):
        api.plan("digits", recipe="vae", task="generate")
    with pytest.raises(api.errors.UsageError, match="quick is for the task generate, not autoencode"):
        api.plan("digits", recipe="quick", task="autoencode")
    assert api.plan("digits", task="autoencode").settings.recipe == "vae"
