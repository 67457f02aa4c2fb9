"""Games of two kinds of pictures: terms by hand, both ways, the pool, what is drawn, shown and scored."""

import numpy as np
import pytest
import torch
from tests_games import Half, Judge, batch_of, gradient_of, made_up, parts_of, player_of, terms_of, unpaired

from ganvas.core.errors import UsageError
from ganvas.training.clock import Clock

CUT = ("loss.cycle=0", "loss.identity=0", "loss.contrastive=2.0", "loss.contrastive_identity=3.0", "loss.pool=0")
FACTORS = {"there": 0.5, "back": 0.8}
GAMES = {"cyclegan": (), "cut": CUT, "both": ("loss.contrastive=1.0",)}
MODERN = ("loss.adversarial=relativistic", "loss.r1.weight=1.0", "loss.r2.weight=0.5")


def with_stubs(*assignments):
    """A game whose networks are `Half`, with another factor each way, and `Judge`."""
    game = unpaired("loss.adversarial=lsgan", *assignments)
    for way in game._ways:
        game._translators[way] = Half(3, factor=FACTORS[way])
        game._discriminators[way] = Judge(shift={"there": 0.0, "back": 0.3}[way])
    return game


def logits_of(pictures, shift):
    return sum(pictures[:, channel].square() * (channel + 1) / 10 for channel in range(3)) - shift


def in_8_bits(pictures):
    return (((pictures + 1) * 127.5).round() / 127.5) - 1


def mean_square(values):
    return values.square().mean().item()


def test_there_and_back_the_terms_are_those_of_cyclegan():
    game = with_stubs("loss.weight=1.5", "loss.cycle=10", "loss.identity=5")
    batch = batch_of(game, "translator")
    x, y = batch.pictures["there"], batch.pictures["back"]
    assert not torch.equal(x, y)
    assert terms_of(game, "translator", batch) == {
        "adversarial": pytest.approx(1.5 * mean_square(logits_of(x / 2, 0.0) - 1) / 2),
        "adversarial_back": pytest.approx(1.5 * mean_square(logits_of(y * 0.8, 0.3) - 1) / 2),
        "cycle": pytest.approx(10 * (x * 0.4 - x).abs().mean().item()),
        "cycle_back": pytest.approx(10 * (y * 0.4 - y).abs().mean().item()),
        "identity": pytest.approx(5 * (y / 2 - y).abs().mean().item()),  # G is to leave as it is what it makes
        "identity_back": pytest.approx(5 * (x * 0.8 - x).abs().mean().item()),
    }
    batch = batch_of(game, "discriminator")
    fake, fake_back = in_8_bits(x / 2), in_8_bits(y * 0.8)
    for pool in game._pools.values():
        assert not pool.held
    assert terms_of(game, "discriminator", batch) == {
        "adversarial": pytest.approx((mean_square(logits_of(y, 0.0) - 1) + mean_square(logits_of(fake, 0.0))) / 2),
        "adversarial_back": pytest.approx(
            (mean_square(logits_of(x, 0.3) - 1) + mean_square(logits_of(fake_back, 0.3))) / 2
        ),
    }


def test_the_relativistic_loss_compares_with_true_pictures_of_the_kind_that_is_made():
    game = with_stubs("loss.weight=2.0", "loss.adversarial=relativistic", "loss.r1.weight=0.5", "loss.r2.weight=0.25")
    batch = batch_of(game, "translator")
    x, y = batch.pictures["there"], batch.pictures["back"]
    found = terms_of(game, "translator", batch)
    ways = {"": (x / 2, y, 0.0), "_back": (y * 0.8, x, 0.3)}
    for way, (made, true, shift) in ways.items():
        difference = logits_of(true, shift) - logits_of(made, shift)
        assert found[f"adversarial{way}"] == pytest.approx(2 * torch.log1p(difference.exp()).mean().item())
    found = terms_of(game, "discriminator", batch_of(game, "discriminator"))
    slopes = torch.tensor([0.2, 0.4, 0.6], dtype=torch.float64).view(3, 1, 1)  # of weight * x^2, 2 * weight * x
    for way, (made, true, shift) in ways.items():
        made = in_8_bits(made)
        difference = logits_of(made, shift) - logits_of(true, shift)
        assert found[f"adversarial{way}"] == pytest.approx(torch.log1p(difference.exp()).mean().item())
        for term, weight, pictures in (("r1", 0.5, true), ("r2", 0.25, made)):
            expected = weight * (slopes * pictures).square().sum(dim=(1, 2, 3)).mean().item() / 2
            assert found[f"{term}{way}"] == pytest.approx(expected)


class FirstPlaces(torch.nn.Module):
    """Stands for features: the colours of five places of the first row, of length 1."""

    def forward(self, maps, places):
        return [torch.nn.functional.normalize(some[:, :, 0, :5].transpose(1, 2), dim=2) for some in maps]


class Contrasted(Half):
    """Half of a picture and a twentieth of the picture upside down; hands out one map."""

    def forward(self, given):
        return super().forward(given) + given.flip(2) / 20

    def encoded(self, images):
        return [images]


def nce(query, key):
    """The mean over pictures and places of -log P(own place), term by term."""
    parts = []
    for one, other in zip(query, key, strict=True):
        for place in range(len(one)):
            alike = [float(one[place] @ other[k]) / 0.07 for k in range(len(other))]
            parts.append(np.log(np.exp(alike).sum()) - alike[place])
    return np.mean(parts)


def test_one_way_the_terms_are_those_of_cut():
    game = with_stubs(*CUT, "loss.weight=1.0")
    assert game._ways == ("there",)
    game.translator = game._translators["there"] = Contrasted(3)
    game._features = FirstPlaces()
    batch = batch_of(game, "translator")
    x, y = batch.pictures["there"], batch.pictures["back"]

    def vectors(pictures):
        return FirstPlaces()([pictures], None)[0]

    made, same = (some / 2 + some.flip(2) / 20 for some in (x, y))
    assert terms_of(game, "translator", batch) == {
        "adversarial": pytest.approx(mean_square(logits_of(made, 0.0) - 1) / 2),
        "contrastive": pytest.approx(2 * nce(vectors(made), vectors(x))),
        "contrastive_identity": pytest.approx(3 * nce(vectors(same), vectors(y))),
    }
    assert terms_of(game, "discriminator", batch_of(game, "discriminator")).keys() == {"adversarial"}
    assert game.averaged.keys() == {"translator"}
    assert game.publish({"translator": unpaired(*CUT).translator}, Clock()).keys() == {"translator"}


def test_what_contrasts_learns_its_features_too_and_a_game_without_has_none():
    names = {name.split(".")[0] for name in player_of(unpaired(*CUT), "translator").learned}
    assert names == {"translator", "features"}
    names = {name.split(".")[0] for name in player_of(unpaired(), "translator").learned}
    assert names == {"translator", "translator_back"}
    judges = {name.split(".")[0] for name in player_of(unpaired(), "discriminator").learned}
    assert judges == {"discriminator", "discriminator_back"}


def test_networks_of_the_two_ways_begin_unlike():
    game = unpaired()
    for pair in (game._translators, game._discriminators):
        there, back = (next(pair[way].parameters()) for way in ("there", "back"))
        assert there.shape == back.shape
        assert not torch.equal(there, back)


def test_before_a_number_of_images_there_is_no_adversarial_term():
    game = unpaired("loss.after=8")
    assert player_of(game, "discriminator").after == 8
    for images, there in ((0, False), (4, False), (8, True)):
        found = terms_of(game, "translator", batch_of(game, "translator", images), images)
        assert ("adversarial" in found) == there
        assert ("adversarial_back" in found) == there
        assert "cycle" in found


@pytest.mark.parametrize("kind", GAMES)
@pytest.mark.parametrize("more", [(), MODERN, ("translator.norm=instance",)], ids=["own", "modern", "normed"])
def test_micro_batches_give_the_gradient_of_the_whole_batch(kind, more):
    game = unpaired(*GAMES[kind], *more)
    found = {}
    for cuts in ((), (2,), (1, 2, 3)):
        for name in ("translator", "discriminator"):
            gradient = gradient_of(game, name, parts_of(batch_of(game, name), *cuts))
            assert gradient.abs().max() > 0
            torch.testing.assert_close(gradient, found.setdefault(name, gradient), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["translator", "discriminator"])
def test_a_player_moves_all_its_weights_and_no_others(name):
    game = unpaired("loss.contrastive=1.0", *MODERN)
    batch_of(game, "translator")
    gradient_of(game, "translator", [batch_of(game, "translator")])
    gradient_of(game, name, [batch_of(game, name)])
    total = sum(player_of(game, name).objective(batch_of(game, name), Clock()).values())
    for player in game.players:
        assert all(weight.requires_grad == (player.name == name) for weight in player.parameters())
    found = torch.autograd.grad(total, player_of(game, name).parameters())
    assert sum(gradient.abs().max() > 0 for gradient in found) > 0.8 * len(found)


def kinds_seen(game, rounds, start=0):
    """The numbers of the pictures that were drawn, by way."""
    seen = {"there": [], "back": []}
    for k in range(start, rounds):
        for way, pictures in batch_of(game, "translator", 4 * k).pictures.items():
            seen[way] += ((pictures[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
    return seen


def test_each_kind_is_read_again_and_again_by_itself():
    game = unpaired()
    seen = kinds_seen(game, 7)
    assert game.chosen.domains == ("photo", "painting")
    assert {number: seen["there"].count(number) for number in set(seen["there"])} == dict.fromkeys(range(0, 14, 2), 4)
    assert {number: seen["back"].count(number) for number in set(seen["back"])} == dict.fromkeys(range(1, 14, 2), 4)
    paired = list(zip(seen["there"], seen["back"], strict=True))
    assert len(set(paired)) > 14, "not always the same two"
    turned = unpaired("backwards=true")
    assert turned.chosen.domains == ("painting", "photo")
    assert all(number % 2 for number in kinds_seen(turned, 3)["there"])


def test_kinds_of_unequal_number_are_both_read_to_the_end():
    data = made_up(20, classes=("few", "many"), labelled=True)
    data.labels[:] = [0] * 3 + [1] * 17
    seen = kinds_seen(unpaired(data=data), 17)
    assert {seen["there"].count(number) for number in range(3)} == {22, 23}
    assert {seen["back"].count(number) for number in range(3, 20)} == {4}


def test_pictures_that_are_held_out_are_never_drawn_and_are_what_is_shown():
    groups = np.repeat(np.arange(7), 4)
    data = made_up(28, classes=("photo", "painting"), labelled=True, groups=groups)
    data.labels[:] = (groups >= 4).astype(np.int64)
    data.images[:] = (groups * 10)[:, None, None, None]
    game = unpaired("data.held_out=3", data=data)
    held_out = set(groups[game._unseen[1]].tolist())
    assert len(held_out) == 3
    seen = kinds_seen(game, 10)
    drawn = {number // 10 for numbers in seen.values() for number in numbers}
    assert drawn == set(range(7)) - held_out
    shown = {int(value) // 10 for way in ("there", "back") for value in game._examples_of(way, 99)[:, 0, 0, 0]}
    assert shown == held_out


def test_a_kind_of_which_training_sees_no_picture_is_refused():
    data = made_up(9, classes=("photo", "painting"), labelled=True)
    alone = unpaired("data.held_out=1", data=data)._unseen[1][0]
    data.labels[:] = 0
    data.labels[alone] = 1
    assert set(kinds_seen(unpaired(data=data), 2)["back"]) == {alone}
    with pytest.raises(UsageError, match=r"no picture of painting.*data\.held_out=0"):
        unpaired("data.held_out=1", data=data)
    data.labels[:] = 0
    with pytest.raises(UsageError, match="no picture of painting"):
        unpaired(data=data)


@pytest.mark.parametrize("kind", GAMES)
def test_a_process_draws_its_rows_of_the_batch_that_is_a_function_of_the_images_seen(kind):
    data = made_up(14, classes=("photo", "painting"), labelled=True, size=24)
    one, other = (unpaired(*GAMES[kind], "data.mirror=true", data=data) for _ in range(2))
    whole, part = batch_of(one, "translator", 20), batch_of(other, "translator", 20, slice(1, 3))
    for way in ("there", "back"):
        assert torch.equal(whole.pictures[way][1:3], part.pictures[way])
        assert torch.equal(whole.rows(1, 3).pictures[way], part.pictures[way])
        assert not torch.equal(whole.pictures[way], batch_of(one, "translator", 24).pictures[way])
    assert (whole.places is None) == (kind == "cyclegan")
    if whole.places is not None:
        assert torch.equal(whole.places[1:3], part.places)
        assert torch.equal(whole.rows(1, 3).places, part.places)


def play(game, rounds, start=0):
    """Rounds without steps: what the discriminators were shown, by round."""
    shown = []
    for k in range(start, rounds):
        terms_of(game, "translator", batch_of(game, "translator", 4 * k), 4 * k)
        batch = batch_of(game, "discriminator", 4 * k)
        shown.append({way: some.clone() for way, some in batch.made.items()})
        game._after_discriminators_step()
    return shown


def test_the_discriminators_are_shown_pictures_of_the_pool_once_it_is_full():
    game = unpaired("loss.pool=6")
    fresh = play(unpaired("loss.pool=0"), 30)
    shown = play(game, 30)
    for way in ("there", "back"):
        old = [
            [not torch.equal(*pair) for pair in zip(now[way], new[way], strict=True)]
            for now, new in zip(shown, fresh, strict=True)
        ]
        assert not any(old[0] + old[1]), "4 pictures, then 8, of which 6 are kept, from the next round on"
        assert 0.35 < np.mean(old[2:]) < 0.65
        before = {row.numpy().tobytes() for new in fresh for row in new[way]}
        assert all(row.numpy().tobytes() in before for now in shown for row in now[way])


def test_the_pool_is_a_function_of_the_seed_and_the_images_seen():
    one, same, other = unpaired(), unpaired(), unpaired("training.seed=1")
    play(one, 12), play(same, 12), play(other, 12)
    for way in ("there", "back"):
        assert torch.equal(one._pools[way].pictures, same._pools[way].pictures)
        assert not torch.equal(one._pools[way].pictures, other._pools[way].pictures)
    assert not torch.equal(one._pools["there"].pictures, one._pools["back"].pictures)


def test_a_preview_shows_both_ways_or_one():
    game = unpaired("data.held_out=6")
    shown = game.preview(game.averaged)
    assert (shown.dtype, shown.shape) == (np.uint8, (12, 3, 16, 16))
    examples = {way: game._examples_of(way, 16).numpy() for way in ("there", "back")}
    assert np.array_equal(shown[::4], examples["there"])
    assert np.array_equal(shown[2::4], examples["back"])
    one_way = unpaired(*CUT)
    assert len(one_way.preview(one_way.averaged)) == 14


def test_translations_are_compared_with_as_many_pictures_of_the_other_kind():
    data = made_up(40, classes=("photo", "painting"), labelled=True)
    game = unpaired("data.held_out=6", data=data)
    assert 2 <= len(game._examples_of("there", 99)) <= 6
    with torch.no_grad():
        for weight in game.translator.parameters():
            weight.zero_()
    assert game.diagnose()["diversity"] == pytest.approx(0.0, abs=1e-6), "all translations are alike"
    game = unpaired("data.held_out=6", data=data)
    game._translated = lambda network, pictures: game._looked_at_equally[1]
    assert game.diagnose()["diversity"] == pytest.approx(1.0), "as various as real ones"
    alone = made_up(12, classes=("photo", "painting"), labelled=True)
    alone.labels[:] = [1, *[0] * 11]
    assert unpaired(data=alone).diagnose() == {}, "one picture has no neighbour"


def test_the_score_is_the_distance_to_the_kind_that_is_made():
    data = made_up(40, classes=("dark", "light"), labelled=True, size=32)
    data.labels[:] = [0] * 20 + [1] * 20
    data.images[:20] = data.images[:20] // 4
    game = unpaired("data.held_out=10", data=data, size=32)

    class Light(torch.nn.Module):
        def forward(self, given):
            return (given + 1) * 4 - 1

    name, of_light = game.score({"translator": Light()})
    assert of_light < 0.5 * game.score({"translator": torch.nn.Identity()})[1]
    assert game.score({"translator": Light()}) == (name, of_light)
    assert game.protocol()["count"] == 5


def test_what_is_shared_are_both_directions():
    game = unpaired()
    shared = game.publish(game.averaged, Clock(4_000, 1_000, 1.0))
    assert shared.keys() == {"translator", "back"}
    assert shared["translator"][1]["domains"] == ["photo", "painting"]
    assert shared["back"][1]["domains"] == ["painting", "photo"]
    for name, way in (("translator", "there"), ("back", "back")):
        own = game._translators[way].state_dict()
        assert all(torch.equal(weights, own[key].float()) for key, weights in shared[name][0].items())
        assert (shared[name][1]["kind"], shared[name][1]["mode"]) == ("translator", "rgb")


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (("loss.weight=0",), "without a discriminator"),
        (("data.pairs=true",), "take the task paired"),
        (("loss.pool=-1",), "loss.pool"),
        (("loss.places=0", "loss.contrastive=1"), "loss.places"),
        (("translator={name='unet', halvings=2}", "loss.contrastive=1"), "translator.name=resnet"),
        (("translator={name='srresnet', scale=2}",), "stays as large as it is"),
        (("discriminator.layers=3",), "from 24 pixels a side on"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(assignments, told):
    with pytest.raises(UsageError) as caught:
        unpaired(*assignments)
    assert told in str(caught.value)
