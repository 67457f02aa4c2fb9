"""What the players of generation see: a pure function of seed, player, move, clock and rows."""

import dataclasses

import numpy as np
import pytest
import torch

from ganvas.training.clock import Clock

WHOLE = slice(0, 8)


def fields(batch):
    """The tensors of a batch by name."""
    every = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    return {name: value for name, value in every.items() if isinstance(value, torch.Tensor)}


def assert_same(one, other):
    assert fields(one).keys() == fields(other).keys()
    for name, value in fields(one).items():
        assert torch.equal(value, getattr(other, name)), name


def numbers(batch) -> list[int]:
    """Which pictures these are, as the made-up data marks them."""
    return batch.real[:, 0, 0, 0].tolist()


def player(game, name):
    return next(one for one in game.players if one.name == name)


@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_a_draw_depends_on_its_arguments_and_the_seed_alone(make_game, make_data, name):
    data = make_data(classes=3)
    first, second = (make_game("loss.adversarial=relativistic", "data.mirror=true", data=data) for _ in range(2))
    torch.randn(5)
    second.draw(second.players[0], 0, Clock(images=800), WHOLE)  # what was drawn before does not matter
    drawn = first.draw(player(first, name), 0, Clock(16, 2, 1.0), WHOLE)
    again = second.draw(player(second, name), 0, Clock(16, 2, 99.0), WHOLE)
    assert_same(drawn, again)
    other_seed = make_game("loss.adversarial=relativistic", "training.seed=1", data=data)
    other = other_seed.draw(player(other_seed, name), 0, Clock(16, 2), WHOLE)
    assert not torch.equal(drawn.latents, other.latents)
    assert numbers(drawn) != numbers(other)


def test_the_rows_of_all_processes_together_are_the_global_batch(make_game, make_data):
    game = make_game("data.mirror=true", data=make_data(classes=3))
    whole = game.draw(game.players[0], 0, Clock(24, 3), WHOLE)
    assert {"latents", "mix", "real", "labels"} <= fields(whole).keys()
    parts = [game.draw(game.players[0], 0, Clock(24, 3), rows) for rows in (slice(0, 2), slice(2, 5), slice(5, 8))]
    for name, value in fields(whole).items():
        assert torch.equal(value, torch.cat([getattr(part, name) for part in parts])), name
    for start, stop in ((0, 3), (3, 8)):
        assert_same(whole.rows(start, stop), game.draw(game.players[0], 0, Clock(24, 3), slice(start, stop)))


def test_labels_are_those_of_the_pictures(make_game, make_data):
    game = make_game(data=make_data(count=21, classes=3))
    for round in range(5):
        batch = game.draw(game.players[0], 0, Clock(round * 8, round), WHOLE)
        assert batch.labels.tolist() == [number % 3 for number in numbers(batch)]


@pytest.mark.parametrize("moves", [1, 3])
def test_each_player_sees_every_picture_once_an_epoch_in_orders_of_its_own(make_game, moves):
    game = make_game("loss.adversarial=relativistic", f"discriminator_moves={moves}")  # 20 pictures
    seen = {"discriminator": [], "generator": []}
    for round in range(10):
        for one in game.players:
            for move in range(one.moves):
                seen[one.name] += numbers(game.draw(one, move, Clock(round * 8, round), WHOLE))
    assert len(seen["discriminator"]) == moves * len(seen["generator"]) == moves * 80
    for read in seen.values():
        epochs = np.array(read).reshape(-1, 20)
        assert all(sorted(epoch) == list(range(20)) for epoch in epochs.tolist())
        assert len({tuple(epoch) for epoch in epochs.tolist()}) == len(epochs)
    assert seen["discriminator"][:20] != seen["generator"][:20]


def test_moves_rounds_and_players_have_latents_of_their_own(make_game):
    game = make_game("discriminator_moves=2")
    critic, generator = player(game, "discriminator"), player(game, "generator")
    drawn = [
        game.draw(critic, 0, Clock(), WHOLE),
        game.draw(critic, 1, Clock(), WHOLE),
        game.draw(critic, 0, Clock(8, 1), WHOLE),
        game.draw(generator, 0, Clock(), WHOLE),
    ]
    rows = torch.cat([batch.latents for batch in drawn])
    assert rows.shape == (32, 6)
    assert len({tuple(row) for row in rows.tolist()}) == 32


def test_mirrored_pictures_are_turned_left_to_right_about_half_of_the_time(make_game, make_data):
    data = make_data(count=200)
    game, plain = make_game("data.mirror=true", data=data), make_game(data=data)
    turned = 0
    for round in range(25):
        clock = Clock(round * 8, round)
        for picture, original in zip(
            game.draw(game.players[0], 0, clock, WHOLE).real,
            plain.draw(plain.players[0], 0, clock, WHOLE).real,
            strict=True,
        ):
            is_turned = torch.equal(picture, original.flip(-1))
            assert is_turned or torch.equal(picture, original)
            turned += is_turned
    assert 70 <= turned <= 130


def test_in_a_second_epoch_other_pictures_are_mirrored(make_game, make_data):
    game = make_game("data.mirror=true", data=make_data(count=8))

    def as_shown(round):
        batch = game.draw(game.players[0], 0, Clock(round * 8, round), WHOLE)
        return {int(max(picture[0, 0, 0], 0)) for picture in batch.real}

    assert len({frozenset(as_shown(round)) for round in range(4)}) > 1


def test_drawing_leaves_the_data_as_it_is(make_game, make_data):
    data = make_data()
    before = data.images.copy()
    game = make_game("data.mirror=true", data=data)
    game.draw(game.players[0], 0, Clock(), WHOLE).real.zero_()
    assert np.array_equal(data.images, before)


def test_only_a_loss_that_reads_reals_in_the_generators_move_draws_them_there(make_game):
    for loss, reads in (("relativistic", True), ("logistic", False), ("hinge", False), ("wasserstein", False)):
        game = make_game(f"loss.adversarial={loss}")
        batch = game.draw(player(game, "generator"), 0, Clock(), WHOLE)
        assert (batch.real is not None) == reads
        assert game.draw(player(game, "discriminator"), 0, Clock(), WHOLE).real is not None


def test_without_classes_there_are_no_labels_even_where_the_data_has_them(make_game, make_data):
    game = make_game("data.classes=[]", data=make_data(classes=3))
    assert game.draw(game.players[0], 0, Clock(), WHOLE).labels is None
