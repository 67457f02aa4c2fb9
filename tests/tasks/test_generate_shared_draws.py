"""Shared draws: the generator's move goes on with what the discriminator's move saw and computed."""

import dataclasses
import itertools

import pytest
import torch
from torch.nn.functional import softplus

from ganvas.training.clock import Clock

WHOLE, START = slice(0, 8), Clock()


@pytest.fixture
def shared(make_game, make_data):
    def make(*assignments):
        return make_game("shared_draws=true", "loss.adversarial=relativistic", *assignments, data=make_data(classes=2))

    return make


def discriminator_moves(game, cuts=(0, 8)):
    """The discriminator's move in one or more micro-batches, its step included; returns its batch."""
    player = game.players[0]
    player.optimizer.zero_grad()
    batch = game.draw(player, player.moves - 1, START, WHOLE)
    for start, stop in itertools.pairwise(cuts):
        sum(player.objective(batch.rows(start, stop), START).values()).backward()
    player.step(0.01, torch.ones(()))
    game.discriminator.requires_grad_(False)
    return batch


def generator_gradient(game, *batches):
    game.players[1].optimizer.zero_grad()
    for batch in batches:
        (game.players[1].objective(batch, START)["adversarial"] * len(batch) / 8).backward()
    return torch.cat([weight.grad.flatten() for weight in game.generator.parameters()])


def test_the_generator_gets_the_discriminators_last_draw_of_the_round(shared):
    game = shared("discriminator_moves=2", "data.mirror=true")
    game.draw(game.players[0], 0, START, WHOLE)
    seen = discriminator_moves(game)
    batch = game.draw(game.players[1], 0, START, WHOLE)
    for name in ("latents", "real", "labels", "mix"):
        assert torch.equal(getattr(batch, name), getattr(seen, name)), name


def test_what_was_kept_gives_the_gradient_that_is_computed_afresh(shared):
    game = shared()
    discriminator_moves(game)
    batch = game.draw(game.players[1], 0, START, WHOLE)
    assert batch.fake is not None
    kept = generator_gradient(game, batch)
    afresh = generator_gradient(game, dataclasses.replace(batch, fakes={}))
    assert afresh.abs().max() > 0
    torch.testing.assert_close(kept, afresh)


def test_the_moved_discriminator_judges_the_fakes_beside_the_reals_as_they_were_judged(shared):
    game = shared()
    player = game.players[0]
    with torch.no_grad():
        batch = game.draw(player, 0, START, WHOLE)
        before = game.discriminator(batch.real.float() / 127.5 - 1, batch.labels)
    discriminator_moves(game)
    batch = game.draw(game.players[1], 0, START, WHOLE)
    with torch.no_grad():
        fake = game.discriminator(game.generator(batch.latents, batch.labels), batch.labels)
    term = game.players[1].objective(batch, START)["adversarial"].detach()
    torch.testing.assert_close(term, softplus(before - fake).mean())


def test_a_move_that_is_played_again_is_the_same(shared):
    game = shared()
    discriminator_moves(game)
    first = generator_gradient(game, game.draw(game.players[1], 0, START, WHOLE))
    again = generator_gradient(game, game.draw(game.players[1], 0, START, WHOLE))
    torch.testing.assert_close(first, again)


def test_micro_batches_of_both_players_give_the_gradient_of_the_whole_batch(shared):
    whole, parts = shared(), shared()
    discriminator_moves(whole)
    expected = generator_gradient(whole, whole.draw(whole.players[1], 0, START, WHOLE))
    discriminator_moves(parts, (0, 3, 6, 8))
    parts.discriminator.load_state_dict(whole.discriminator.state_dict())  # its own step is not what is tried here
    batch = parts.draw(parts.players[1], 0, START, WHOLE)
    gradient = generator_gradient(parts, *(batch.rows(start, start + 3) for start in (0, 3, 6)))
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-7)


def test_the_discriminators_move_leaves_no_gradient_in_the_generator(shared):
    game = shared("loss.r1.weight=1.0", "loss.r2.weight=1.0")
    discriminator_moves(game)
    assert all(weight.grad is None for weight in game.generator.parameters())


def test_each_lane_goes_on_with_its_own_pictures_and_no_more_than_the_lanes_are_kept(shared):
    game = shared("training.lanes=2")
    discriminator_moves(game, (0, 4, 8))
    batch = game.draw(game.players[1], 0, START, WHOLE)
    assert [batch.rows(start, start + 4).fake is not None for start in (0, 4)] == [True, True]
    for start in (0, 4):
        rows = batch.rows(start, start + 4)
        torch.testing.assert_close(rows.fake, game.generator(rows.latents, rows.labels))
    assert batch.fake is None
    assert batch.rows(0, 2).fake is None
    game = shared("training.lanes=2")
    discriminator_moves(game, (0, 2, 4, 6, 8))
    batch = game.draw(game.players[1], 0, START, WHOLE)
    assert [batch.rows(start, start + 2).fake is not None for start in (0, 2, 4, 6)] == [False, False, True, True]
