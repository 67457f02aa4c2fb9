"""Previews, scores and what a run shares."""

import numpy as np
import torch

from ganvas.training.clock import Clock


def test_a_preview_shows_the_seeds_0_to_63_and_the_classes_in_turn(make_game, make_data):
    game = make_game(data=make_data(classes=3))
    with torch.no_grad():
        game.generator.input.embedding.weight.mul_(10)
    game.generator.eval()
    preview = game.preview({"generator": game.generator})
    assert (preview.shape, preview.dtype) == ((64, 1, 8, 8), np.uint8)
    assert np.array_equal(game.sample(game.generator, range(3, 6)).numpy(), preview[3:6])
    fixed = make_game("data.classes=[]", data=make_data(classes=3))
    assert not np.array_equal(fixed.preview({"generator": fixed.generator.eval()}), preview)


def test_a_score_is_small_for_the_data_itself_and_absent_for_a_single_picture(make_game, make_data):
    data = make_data(count=50)
    game = make_game(data=data)
    game.sample = lambda generator, seeds: torch.from_numpy(data.images[np.arange(len(seeds)) % 50])
    name, value = game.score({"generator": game.generator})
    assert "pixels" in name
    assert abs(value) < 0.05
    game.sample = lambda generator, seeds: torch.from_numpy(255 - data.images[:1].repeat(len(seeds), 0))
    assert make_game(data=data).score({"generator": game.generator})[1] > 1
    alone = make_game(data=make_data(count=1))
    assert alone.score({"generator": alone.generator}) is None


def test_what_is_shared_is_the_average_and_a_card_that_rebuilds_it(make_game, make_data):
    game, other = make_game(data=make_data(classes=2)), make_game("training.seed=9", data=make_data(classes=2))
    weights, card = game.publish({"generator": other.generator}, Clock(4_000, 500, 1.0))
    assert torch.equal(weights["project.weight"], other.generator.project.weight)
    assert card["kind"] == "generator"
    assert (card["size"], card["channels"], card["classes"]) == (8, 1, ["class 0", "class 1"])
    assert card["generator"] == {
        "name": "dcgan", "latent": 6, "width": 8, "max_width": 512, "norm": "none", "embedding": 32
    }  # fmt: skip
    assert card["images_seen"] == 4_000
