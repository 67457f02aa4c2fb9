"""The auxiliary-classifier game: what its terms are, that it learns the classes, what it refuses."""

import math

import numpy as np
import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict
from ganvas.data import Dataset, Report
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.training.clock import Clock

WHOLE = slice(0, 8)


@pytest.fixture
def classifying(make_game, make_data):
    """Makes games with a classification of weight 0.7 on noise in three classes."""
    return lambda *assignments: make_game("loss.classification=0.7", *assignments, data=make_data(classes=3))


def drawn(game, place):
    return game.draw(game.players[place], 0, Clock(), WHOLE)


def cost(class_logits, labels):
    probabilities = class_logits.exp() / class_logits.exp().sum(dim=1, keepdim=True)
    return -probabilities[torch.arange(len(labels)), labels].log().mean()


def test_both_players_judge_without_the_class_and_pay_for_telling_it(classifying):
    game = classifying("loss.adversarial=wasserstein")
    critics, generators = drawn(game, 0), drawn(game, 1)
    with torch.no_grad():
        real, real_classes = game.discriminator.classify(critics.real.float() / 127.5 - 1)
        fake, fake_classes = game.discriminator.classify(game.generator(critics.latents, critics.labels))
        own, own_classes = game.discriminator.classify(game.generator(generators.latents, generators.labels))
    terms = game.players[0].objective(critics, Clock())
    assert list(terms) == ["adversarial", "classification"]
    torch.testing.assert_close(terms["adversarial"].detach(), fake.mean() - real.mean())
    expected = 0.7 * (cost(real_classes, critics.labels) + cost(fake_classes, critics.labels))
    torch.testing.assert_close(terms["classification"].detach(), expected)
    terms = game.players[1].objective(generators, Clock())
    torch.testing.assert_close(terms["adversarial"].detach(), -own.mean())
    torch.testing.assert_close(terms["classification"].detach(), 0.7 * cost(own_classes, generators.labels))


def test_penalties_are_on_the_logits_without_the_class(classifying):
    game = classifying("loss.r1.weight=2.0", "loss.gradient_penalty.weight=3.0")
    batch = drawn(game, 0)

    def slopes(pictures):
        pictures = pictures.clone().requires_grad_()
        game.discriminator.classify(pictures)[0].sum().backward()
        return pictures.grad.flatten(1).norm(dim=1)

    with torch.no_grad():
        fake = game.generator(batch.latents, batch.labels)
    real, share = batch.real.float() / 127.5 - 1, batch.mix[:, None, None, None]
    terms = game.players[0].objective(batch, Clock())
    torch.testing.assert_close(terms["r1"].detach(), slopes(real).square().mean())
    between = slopes(share * real + (1 - share) * fake)
    torch.testing.assert_close(terms["gradient_penalty"].detach(), 3 * (between - 1).square().mean())


def test_the_watch_looks_at_the_logits_that_training_descends(classifying):
    game = classifying()
    with torch.no_grad():
        pictures = torch.from_numpy(game.data.images).float() / 127.5 - 1
        expected = game.discriminator.classify(pictures)[0].mean().item()
    assert game.diagnose()["logit/real"] == pytest.approx(expected, abs=1e-5)


def test_it_learns_to_tell_dark_from_bright_and_to_paint_them(make_game):
    labels = np.arange(40, dtype=np.int64) % 2
    images = np.random.default_rng(0).integers(0, 60, (40, 1, 8, 8), dtype=np.uint8)
    images += (180 * labels).astype(np.uint8)[:, None, None, None]
    squares = Dataset("squares", "squares", images, labels, ("dark", "bright"), Report(40), "squares")
    game = make_game("loss.classification=1.0", data=squares)
    history = []
    for round in range(40):
        clock = Clock(round * 8, round)
        for player in game.players:
            for other in game.players:
                other.networks.requires_grad_(other is player)
            player.networks.zero_grad()
            terms = player.objective(game.draw(player, 0, clock, WHOLE), clock)
            sum(terms.values()).backward()
            player.step(5e-3, torch.ones(()))
        history.append(terms["classification"].item())
    assert history[0] > math.log(2) / 2, "it knew before it learned"
    assert np.mean(history[-10:]) < math.log(2) / 4
    with torch.no_grad():
        dark, bright = (game.generator(torch.randn(16, 6), torch.full((16,), label)) for label in (0, 1))
    assert bright.mean() - dark.mean() > 0.5


@pytest.mark.parametrize("classes", [(), ("alone",)])
def test_a_classification_with_nothing_to_tell_is_refused_before_training(classes):
    values = {
        "data": {"where": "x", "size": 8, "channels": 1, "classes": list(classes)},
        "generator": {"name": "dcgan"},
        "discriminator": {"name": "dcgan"},
        "loss": {"classification": 0.5},
    }
    with pytest.raises(UsageError, match=rf"loss.classification=0.5 needs two classes or more, not {len(classes)}"):
        from_dict(GenerateSettings, values).check_networks()


@pytest.mark.parametrize("held_out", [20, 21, 1000])
def test_a_run_that_would_hold_all_its_pictures_out_is_refused(make_game, held_out):
    with pytest.raises(UsageError, match=f"held_out={held_out} leaves nothing to train on"):
        make_game(f"data.held_out={held_out}")
    assert make_game("data.held_out=19").chosen.data.held_out == 19
