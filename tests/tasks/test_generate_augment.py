"""An augmented game: what the discriminator sees, what the penalties are taken of, and how p is steered."""

import pytest
import torch
from torch.nn.functional import softplus

from ganvas import augment
from ganvas.core.errors import UsageError
from ganvas.training.clock import Clock

WHOLE, START = slice(0, 8), Clock()
DIFFAUG = ("augment.name=diffaug", "augment.p=1.0")
STEERED = ("augment.name=ada", "augment.target=0.6", "augment.images=64")


def drawn(game, name, clock=START):
    player = next(one for one in game.players if one.name == name)
    return player, game.draw(player, 0, clock, WHOLE)


def diffaug(pictures, numbers, p=1.0):
    cls = augment.augmentation("diffaug")
    return cls(cls.Settings(), size=8, channels=1)(pictures, numbers, p)


def real_of(batch):
    return batch.real.float() / 127.5 - 1


def test_both_players_judge_augmented_pictures_each_with_its_own_numbers(make_game):
    game = make_game("loss.adversarial=relativistic", *DIFFAUG)
    player, batch = drawn(game, "discriminator")
    with torch.no_grad():
        real = game.discriminator(diffaug(real_of(batch), batch.real_changes), None)
        fake = game.discriminator(diffaug(game.generator(batch.latents, None), batch.fake_changes), None)
    torch.testing.assert_close(player.objective(batch, START)["adversarial"].detach(), softplus(fake - real).mean())
    assert not torch.equal(batch.real_changes, batch.fake_changes)
    seen = batch
    player, batch = drawn(game, "generator")
    with torch.no_grad():
        real = game.discriminator(diffaug(real_of(batch), batch.real_changes), None)
        fake = game.discriminator(diffaug(game.generator(batch.latents, None), batch.fake_changes), None)
    torch.testing.assert_close(player.objective(batch, START)["adversarial"].detach(), softplus(real - fake).mean())
    assert not torch.equal(batch.fake_changes, seen.fake_changes)


def test_r1_is_of_the_pixels_before_augmentation(make_game):
    game = make_game("loss.r1.weight=1.0", *DIFFAUG)
    player, batch = drawn(game, "discriminator")
    total = 0.0
    for row in range(8):
        picture = real_of(batch)[row : row + 1].requires_grad_()
        game.discriminator(diffaug(picture, batch.real_changes[row : row + 1]), None).sum().backward()
        total += picture.grad.square().sum().item()
    assert player.objective(batch, START)["r1"].item() == pytest.approx(total / 8 / 2, rel=1e-4)


def test_a_penalised_augmented_game_teaches_both_players(make_game):
    game = make_game("loss.r1.weight=1.0", "loss.gradient_penalty.weight=1.0", *STEERED, "augment.p=0.9")
    for player in game.players:
        _, batch = drawn(game, player.name)
        for other in game.players:
            other.networks.requires_grad_(other is player)
        sum(player.objective(batch, START).values()).backward()
        assert all(weight.grad.isfinite().all() for weight in player.networks.parameters())


def test_numbers_are_the_global_batchs_cut_to_rows(make_game):
    game = make_game("loss.adversarial=relativistic", *DIFFAUG)
    for name in ("discriminator", "generator"):
        player, whole = drawn(game, name)
        part = game.draw(player, 0, START, slice(3, 7))
        for field in ("real_changes", "fake_changes"):
            assert torch.equal(getattr(part, field), getattr(whole, field)[3:7])
            assert torch.equal(getattr(whole.rows(3, 7), field), getattr(whole, field)[3:7])
        later = game.draw(player, 0, Clock(8, 1), WHOLE)
        assert not torch.equal(later.fake_changes, whole.fake_changes)


def test_without_an_augmentation_nothing_is_drawn_or_kept(make_game):
    game = make_game()
    _, batch = drawn(game, "discriminator")
    assert batch.real_changes is batch.fake_changes is None
    assert set(game.players[0].networks) == {"discriminator"}


def test_what_the_watch_and_the_score_look_at_is_not_augmented(make_game):
    plain, augmented = make_game(), make_game(*DIFFAUG)
    assert plain.diagnose() == augmented.diagnose()


def moved(game, logit):
    """A move of a discriminator that gives every picture this logit."""
    player, batch = drawn(game, "discriminator")
    player.begin_move()
    with torch.no_grad():
        for weight in player.networks.parameters():
            weight.zero_()
        game.discriminator.head.linear.bias.fill_(logit)
    for rows in (batch.rows(0, 3), batch.rows(3, 8)):
        sum(player.objective(rows, START).values()).backward()
    player.step(0.0, torch.zeros(()))


def test_p_is_steered_by_the_signs_of_real_logits(make_game):
    game = make_game(*STEERED)
    strength = game.players[0].networks["strength"]
    for _ in range(4):
        moved(game, 1.0)
    assert strength.p == 0, "what a round saw counts from the next on"
    moved(game, -1.0)
    assert strength.p.item() == pytest.approx(0.5), "4 batches of 8 in 64 images"
    assert game.diagnose()["augment/p"] == pytest.approx(0.5)
    for _ in range(4):
        moved(game, -1.0)
    assert strength.p == 0


def test_the_generators_move_does_not_begin_a_round_when_it_shares_the_discriminators_draw(make_game):
    game = make_game("shared_draws=true", *STEERED)
    moved(game, 1.0)
    drawn(game, "generator")
    assert game.players[0].networks["strength"].seen == 8


def test_a_move_that_is_played_again_is_counted_once(make_game):
    game = make_game(*STEERED)
    player, batch = drawn(game, "discriminator")
    player.objective(batch.rows(0, 5), START)
    moved(game, 1.0)
    strength = game.players[0].networks["strength"]
    assert (strength.signs.item(), strength.seen.item()) == (8, 8)


def test_p_can_follow_a_plan(make_game):
    game = make_game("augment.name=diffaug", "augment.final=1.0", "augment.images=800")
    player, batch = drawn(game, "discriminator")
    terms = [player.objective(batch, Clock(images))["adversarial"].item() for images in (0, 800, 1600)]
    assert terms[0] == pytest.approx(make_game_term(make_game(), batch), rel=1e-6)
    assert terms[1] == terms[2] != terms[0]


def make_game_term(game, batch):
    return game.players[0].objective(batch, START)["adversarial"].item()


@pytest.mark.parametrize(
    ("assignments", "answer"),
    [
        (["augment.name=adda", "augment.p=1.0"], "ada"),
        (["augment.name=ada"], "target"),
        (["augment.p=0.5"], "name"),
        (["augment.name=ada", "augment.p=1.5"], r"augment\.p"),
        (["augment.name=ada", "augment.target=0.6", "augment.final=0.5"], "either"),
        (["augment.name=ada", "augment.p=0.5", 'augment.stages=["cutout"]'], r"augment\.stages"),
    ],
)
def test_settings_that_mean_nothing_are_answered(make_game, assignments, answer):
    with pytest.raises(UsageError, match=answer):
        make_game(*assignments)
