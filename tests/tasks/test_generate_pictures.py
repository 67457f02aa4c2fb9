"""Previews, scores and what a run shares."""

import dataclasses

import numpy as np
import torch

from ganvas.metrics.protocol import Protocol
from ganvas.training.clock import Clock


def test_a_preview_shows_the_seeds_0_to_63_and_the_classes_in_turn(make_game, make_data):
    game = make_game(data=make_data(classes=3))
    with torch.no_grad():
        game.generator.input.embedding.weight.mul_(10)
    game.generator.eval()
    preview = game.preview({"generator": game.generator})
    assert (preview.shape, preview.dtype) == ((64, 1, 8, 8), np.uint8)
    again = np.concatenate([part.numpy() for part in game.sample(game.generator, 6, torch.arange(6) % 3)])
    assert np.array_equal(again, preview[:6])
    fixed = make_game("data.classes=[]", data=make_data(classes=3))
    assert not np.array_equal(fixed.preview({"generator": fixed.generator.eval()}), preview)


def test_a_score_is_small_for_the_data_itself_and_absent_for_a_single_picture(make_game, make_data):
    data = make_data(count=50)
    game = make_game(data=data)
    game.sample = lambda generator, count, labels: [torch.from_numpy(data.images[np.arange(count) % 50])]
    name, value = game.score({"generator": game.generator})
    assert "pixels" in name
    protocol = Protocol(**game.protocol())
    assert (protocol.extractor, protocol.count, protocol.reference_count) == ("pixels", 5_000, 50)
    assert protocol.reference_sha256 == data.fingerprint
    assert abs(value) < 0.05
    game.sample = lambda generator, count, labels: [torch.from_numpy(255 - data.images[:1].repeat(count, 0))]
    assert game.score({"generator": game.generator})[1] > 1
    alone = make_game(data=make_data(count=1))
    assert alone.score({"generator": alone.generator}) is None


def test_scored_pictures_have_each_class_as_often_as_the_data(make_game, make_data):
    data = make_data(count=40, classes=2)
    data = dataclasses.replace(data, labels=np.array([0] * 30 + [1] * 10)[np.argsort(np.arange(40) % 7)])
    game, seen = make_game(data=data), []

    def sample(generator, count, labels):
        seen.append(labels)
        return [torch.from_numpy(data.images[np.arange(count) % 40])]

    game.sample = sample
    game.score({"generator": game.generator})
    assert abs(seen[0].double().mean().item() - 0.25) < 0.001


def test_sampling_takes_fewer_at_once_when_memory_runs_out_and_gives_the_same(make_game, monkeypatch):
    game = make_game()
    generator = game.generator.eval()
    whole = torch.cat(list(game.sample(generator, 20, None)))
    forward = generator.forward

    def limited(latents, labels):
        if len(latents) > 6:
            raise torch.OutOfMemoryError("out of memory")
        return forward(latents, labels)

    monkeypatch.setattr(generator, "forward", limited)
    parts = list(game.sample(generator, 20, None))
    assert max(map(len, parts)) <= 6
    assert (torch.cat(parts).int() - whole.int()).abs().max() <= 1


def test_what_is_shared_is_the_average_and_a_card_that_rebuilds_it(make_game, make_data):
    game, other = make_game(data=make_data(classes=2)), make_game("training.seed=9", data=make_data(classes=2))
    weights, card = game.publish({"generator": other.generator}, Clock(4_000, 500, 1.0))["generator"]
    assert torch.equal(weights["project.weight"], other.generator.project.weight)
    assert card["kind"] == "generator"
    assert (card["size"], card["channels"], card["classes"]) == (8, 1, ["class 0", "class 1"])
    assert card["generator"] == {
        "name": "dcgan", "latent": 6, "width": 8, "max_width": 512, "norm": "none", "embedding": 32
    }  # fmt: skip
    assert card["images_seen"] == 4_000
    assert card["source_sha256"] is None
