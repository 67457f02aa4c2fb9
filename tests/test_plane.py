"""The plane's modes are counted right, and its game follows the rules that a recipe plays by."""

import dataclasses
import itertools

import pytest
import torch
from torch.nn.functional import softplus

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override, to_dict
from ganvas.losses import adversarial_loss, penalties
from ganvas.networks.layers import SpectralLinear
from ganvas.plane import MIXTURES, Plane, Rules
from ganvas.recipes import recipe
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import PenaltySettings
from ganvas.tasks.generate_settings import GenerateSettings, LossSettings, TopKSettings
from ganvas.training.clock import Clock
from ganvas.training.draws import Draws
from ganvas.training.trainer import TrainingSettings

GRID = MIXTURES["grid"]


def rules_of(name: str) -> Rules:
    return Rules.of(recipe(name)(DataSettings(where="plane", size=32, channels=3)))


def game_of(rules: Rules, batch: int = 16) -> Plane:
    return Plane(TrainingSettings(batch=batch), GRID, rules)


def batch_of(game: Plane, role: int, move: int = 0, images: int = 0):
    player = game.players[role]
    return game.draw(player, move, Clock(images=images), slice(0, 16))


def test_the_grid_is_five_by_five_two_apart_around_the_middle():
    assert sorted({round(value, 6) for value in GRID.centres.flatten().tolist()}) == [-4, -2, 0, 2, 4]
    assert len(GRID) == len(GRID.centres.unique(dim=0)) == 25
    assert GRID.spread == 0.05


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_points_are_counted_at_the_modes_that_they_are_near(mixture):
    assert mixture.counts(mixture.centres.repeat(10, 1)).tolist() == [10] * len(mixture)
    one = mixture.centres[3:4].repeat(10, 1)
    assert mixture.counts(one).tolist() == [10 * (mode == 3) for mode in range(len(mixture))]
    sideways = torch.tensor([[1.0, 0.0]]) * mixture.spread
    assert mixture.counts(mixture.centres + 2.9 * sideways).sum() == len(mixture)
    assert mixture.counts(mixture.centres + 3.1 * sideways).sum() == 0


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_modes_are_covered_only_with_their_due_of_near_points(mixture):
    centres = mixture.centres
    assert mixture.covered(centres.repeat(10, 1)) == len(mixture)
    assert mixture.covered(centres[:5].repeat(10, 1)) == 5
    assert mixture.covered(centres.repeat(10, 1) + 5 * mixture.spread) == 0
    unfair = torch.cat([centres[:1].repeat(1_000, 1), centres[1:].repeat(5, 1)])
    assert mixture.covered(unfair) == 1


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_the_points_drawn_are_those_of_the_mixture(mixture):
    points = mixture.drawn(Draws(0), "held-out", 0, 20_000)
    counts = mixture.counts(points)
    assert counts.sum() / 20_000 == pytest.approx(1 - 2.718281828**-4.5, abs=0.003)  # within 3 sd, in two dimensions
    assert counts.min() > 0.85 * 20_000 / len(mixture)
    assert torch.equal(points, mixture.drawn(Draws(0), "held-out", 0, 20_000))


def test_the_rules_are_those_of_the_recipe():
    rules = rules_of("wgan-gp")
    assert (rules.loss.adversarial, rules.loss.gradient_penalty.weight) == ("wasserstein", 10.0)
    assert (rules.discriminator_moves, rules.generator_optimizer.lr, rules.shared_draws) == (5, 1e-4, False)
    assert [player.moves for player in game_of(rules).players] == [5, 1]
    assert rules_of("quick").shared_draws
    for name, spectral in (("hinge", True), ("sngan", True), ("dcgan", False), ("stylegan2", False)):
        layers = list(game_of(rules_of(name)).discriminator.modules())
        assert any(isinstance(layer, SpectralLinear) for layer in layers) == spectral, name


@pytest.mark.parametrize("name", ["quick", "r3gan-slim", "wgan-gp", "dcgan", "stylegan2"])
def test_the_discriminators_terms_are_the_rules_loss_and_penalties(name):
    rules = rules_of(name)
    game = game_of(rules)
    batch, loss = batch_of(game, 0), rules.loss
    terms = game._discriminator_terms(batch, Clock())
    real = batch.real.detach().clone().requires_grad_()
    fake = game.generator(batch.latents).detach().requires_grad_()
    wanted = {"adversarial": adversarial_loss(loss.adversarial).discriminator(game.judge(real), game.judge(fake))}
    if loss.r1.weight:
        wanted["r1"] = loss.r1.weight * loss.r1.every * penalties.r1(game.judge(real), real)
    if loss.r2.weight:
        wanted["r2"] = loss.r2.weight * loss.r2.every * penalties.r2(game.judge(fake), fake)
    if loss.gradient_penalty.weight:
        wanted["gradient_penalty"] = 10.0 * penalties.gradient_penalty(game.judge, real, fake, batch.mix)
    assert terms.keys() == wanted.keys()
    for term, value in wanted.items():
        torch.testing.assert_close(terms[term], value)


def test_a_lazy_penalty_is_absent_between_its_rounds():
    game = game_of(Rules(loss=LossSettings(r1=PenaltySettings(weight=0.1, every=4))))
    there = ["r1" in game._discriminator_terms(batch_of(game, 0), Clock(rounds=rounds)) for rounds in range(5)]
    assert there == [True, False, False, False, True]


def test_the_relativistic_generator_reads_the_real_points():
    game = game_of(rules_of("quick"))
    batch = batch_of(game, 1)
    term = game._generator_terms(batch, Clock())["adversarial"]
    elsewhere = dataclasses.replace(batch, real=batch.real + 1)
    assert term != game._generator_terms(elsewhere, Clock())["adversarial"]


def test_with_shared_draws_the_generator_gets_the_discriminators_last_draw():
    shared = game_of(Rules(discriminator_moves=2, shared_draws=True))
    last, of_generator = batch_of(shared, 0, move=1, images=16), batch_of(shared, 1, images=16)
    assert torch.equal(last.latents, of_generator.latents)
    assert torch.equal(last.real, of_generator.real)
    assert not torch.equal(batch_of(shared, 0, move=0, images=16).latents, last.latents)
    own = game_of(Rules(discriminator_moves=2))
    assert not torch.equal(batch_of(own, 0, move=1, images=16).latents, batch_of(own, 1, images=16).latents)


@pytest.mark.parametrize("cuts", [(0, 16), (0, 5, 16)])
def test_with_shared_draws_real_points_are_judged_before_the_discriminators_step(cuts):
    game = game_of(Rules(loss=LossSettings(adversarial="relativistic"), shared_draws=True))
    whole = batch_of(game, 0)
    before = game.judge(whole.real).detach()
    for start, stop in reversed(list(itertools.pairwise(cuts))):
        game._discriminator_terms(whole.rows(start, stop), Clock())
    with torch.no_grad():
        for weight in game.discriminator.parameters():
            weight.mul_(1.5)
    batch = batch_of(game, 1)
    fake = game.judge(game.generator(batch.latents))
    for rows in (slice(0, 16), slice(4, 12)):
        term = game._generator_terms(batch.rows(rows.start, rows.stop), Clock())["adversarial"]
        torch.testing.assert_close(term, softplus(before[rows] - fake[rows]).mean())
    assert batch_of(game, 0, images=16).real_logits is None
    assert batch_of(game, 1, images=16).real_logits is None, "those of another round are forgotten"


def test_the_generator_follows_its_best_points_alone():
    half = TopKSettings(final=0.5, decay_images=100)
    game = game_of(Rules(loss=LossSettings(top_k=half)))
    assert game.compares_rows
    assert not game_of(Rules()).compares_rows
    batch = batch_of(game, 1)
    logits = game.judge(game.generator(batch.latents))
    for images, wanted in ((0, logits), (100, logits.topk(8).values)):
        term = game._generator_terms(batch, Clock(images=images))["adversarial"]
        torch.testing.assert_close(term, softplus(-wanted).mean())


@pytest.mark.parametrize(
    "setting",
    [
        "loss.lecam.weight=0.1",
        "loss.consistency.real=10.0",
        "loss.consistency.fake=10.0",
        "loss.path_length.weight=2.0",
        "loss.classification=1.0",
        "loss.reconstruction=1.0",
        "style_mixing=0.9",
    ],
)
def test_what_the_plane_does_not_play_is_refused_by_name(setting):
    quick = to_dict(recipe("quick")(DataSettings(where="plane", size=32, channels=3)))
    with pytest.raises(UsageError, match=rf"^{setting} is not played in the plane"):
        Rules.of(from_dict(GenerateSettings, override(quick, [setting])))


@pytest.mark.parametrize(
    ("name", "why"), [("vae", "task=autoencode"), ("stylegan2-ada", "augment.name"), ("fastgan", "augment.name")]
)
def test_recipes_that_are_of_pictures_alone_are_refused(name, why):
    with pytest.raises(UsageError, match=why):
        rules_of(name)


def test_weights_are_clipped_after_the_discriminators_step():
    game = game_of(rules_of("wgan"))
    weights = [weight.detach() for weight in game.discriminator.parameters()]
    assert max(weight.abs().max() for weight in weights) > 0.01
    game.players[0].step(0.0, torch.ones(()))
    assert max(weight.abs().max().item() for weight in weights) == pytest.approx(0.01)
