import numpy as np
import pytest
import torch
from torch import nn

from ganvas.core.images import to_float
from ganvas.tasks.diagnostics import Diagnostics, Labelled, even_parts
from ganvas.training.clock import Clock


def noise(count, seed=0, size=16):
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 1, size, size), generator=dice, dtype=torch.uint8)


def brightness(pictures, labels=None):
    pictures = to_float(pictures) if pictures.dtype == torch.uint8 else pictures
    return pictures.mean((1, 2, 3))


def diagnostics(fakes, seen, unseen=None, training=None, judge=brightness, batch=64):
    """Signs of a generator that gives these pictures, uint8, and of a discriminator that judges so."""
    return Diagnostics(
        (nn.Identity(), nn.Identity()),
        lambda seeds, labels: to_float(fakes[seeds.start : seeds.stop]),
        judge,
        batch,
        Labelled(seen),
        Labelled(noise(0) if unseen is None else unseen),
        [seen if training is None else training],
    )


def test_a_discriminator_that_tells_real_from_generated_separates_them_all():
    signs = diagnostics(noise(32) // 4, 128 + noise(32, 1) // 4)()
    assert signs["separation"] == 1
    assert signs["logit/real"] > 0 > signs["logit/fake"]


def test_a_discriminator_that_sees_no_difference_separates_by_chance():
    assert diagnostics(noise(32), noise(32, 1), judge=lambda pictures, labels: torch.zeros(len(pictures)))()[
        "separation"
    ] == pytest.approx(0.5)


@pytest.mark.parametrize(("unseen_is_judged", "overfit"), [("real", 0.0), ("halfway", 0.5), ("fake", 1.0)])
def test_overfitting_is_how_far_unseen_pictures_fall_towards_generated_ones(unseen_is_judged, overfit):
    grey = {"real": 200, "halfway": 100, "fake": 0}
    pictures = {name: torch.full((32, 1, 16, 16), value, dtype=torch.uint8) for name, value in grey.items()}
    signs = diagnostics(pictures["fake"], pictures["real"], pictures[unseen_is_judged], noise(32))()
    assert signs["overfit"] == pytest.approx(overfit, abs=1e-4)


def test_overfitting_is_not_told_without_unseen_pictures():
    assert not {"overfit", "logit/held_out"} & diagnostics(noise(32), noise(32, 1))().keys()


def test_generated_pictures_like_real_ones_are_as_diverse_and_equal_ones_are_not():
    assert diagnostics(noise(64), noise(64, 1))()["diversity"] == pytest.approx(1, abs=0.05)
    assert diagnostics(noise(1).expand(64, -1, -1, -1), noise(64, 1))()["diversity"] == 0


def test_two_generated_pictures_over_and_over_are_not_diverse_though_they_differ():
    assert diagnostics(noise(2).repeat(32, 1, 1, 1), noise(64, 1))()["diversity"] == 0


def test_copies_of_training_pictures_are_seen_also_with_noise_on_them():
    training = noise(500)
    copies = (training[:64].int() + noise(64, 1).int() // 8 - 16).clamp(0, 255).to(torch.uint8)
    assert diagnostics(copies, training[100:164], training=training)()["copies"] == 1
    assert diagnostics(noise(64, 2), training[100:164], training=training)()["copies"] == 0


def test_near_twins_among_the_data_itself_are_not_counted_as_copies():
    """Unseen pictures that have a twin in the training set say how usual that is here."""
    training = noise(500)
    twins = (training[:64].int() + noise(64, 1).int() // 8 - 16).clamp(0, 255).to(torch.uint8)
    assert diagnostics(twins, training[100:164], unseen=twins[:32], training=training)()["copies"] == 0


def test_copies_are_seen_where_each_training_picture_is_there_twice():
    training = noise(300)
    assert diagnostics(training[:64], training[100:164], training=training.repeat(2, 1, 1, 1))()["copies"] == 1


def test_a_difference_that_few_pictures_may_make_by_chance_has_a_small_z():
    alike = [
        diagnostics(noise(64) // 2, noise(64, 1), noise(10, seed), noise(64))()["overfit_z"] for seed in range(2, 8)
    ]
    assert max(map(abs, alike)) < 3
    dark = torch.zeros(10, 1, 16, 16, dtype=torch.uint8)
    assert diagnostics(noise(64) // 2, noise(64, 1), dark, noise(64))()["overfit_z"] > 10


def test_pictures_that_stay_have_not_changed_and_others_have():
    fakes = noise(64)
    look = diagnostics(fakes, noise(64, 1))
    assert "change" not in look()
    assert look()["change"] == 0
    fakes[:] = noise(64, 2)
    assert look()["change"] == pytest.approx(1, abs=0.05)


def test_the_batch_changes_nothing_where_pictures_do_not_see_each_other():
    both = [diagnostics(noise(40), noise(40, 1), noise(17, 2), batch=batch)() for batch in (7, 64)]
    assert both[0] == pytest.approx(both[1])


def test_seen_and_unseen_pictures_share_their_batches():
    """A discriminator with BatchNorm would otherwise take a batch of unseen pictures for the usual."""
    seen, unseen = torch.full((64, 1, 16, 16), 200, dtype=torch.uint8), torch.zeros(16, 1, 16, 16, dtype=torch.uint8)
    judged = []

    def judge(pictures, labels):
        if pictures.dtype == torch.uint8:
            judged.append((pictures == 0).flatten(1).all(1).sum().item())
        return brightness(pictures)

    diagnostics(noise(64), seen, unseen, noise(64), judge, batch=20)()
    assert all(count == pytest.approx(4, abs=1) for count in judged)


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_a_look_leaves_networks_and_draws_as_they_were(make_game, norm):
    game = make_game(f"discriminator.norm={norm}", "generator.norm=batch", "data.held_out=4")
    before = {name: tensor.clone() for player in game.players for name, tensor in player.networks.state_dict().items()}
    game.diagnose()
    after = {name: tensor for player in game.players for name, tensor in player.networks.state_dict().items()}
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for player in game.players for parameter in player.networks.parameters())


def test_held_out_pictures_are_never_drawn_and_all_others_are(make_game, make_data):
    game = make_game("data.held_out=5", data=make_data(20))
    drawn = set()
    for images in range(0, 80, 8):
        batch = game.draw(game.players[0], 0, Clock(images=images), slice(0, 8))
        drawn |= set(batch.real[:, 0, 0, 0].tolist())
    assert len(drawn) == 15
    assert not drawn & set(game._unseen[1].tolist())


def test_the_watch_of_a_conditional_game_judges_pictures_as_their_classes(make_game, make_data):
    game = make_game("data.held_out=4", data=make_data(24, classes=3))
    asked = []
    judge = game._judge
    game._judge = lambda pictures, labels: asked.append(labels) or judge(pictures, labels)
    game.diagnose()
    numbers = np.concatenate([labels.numpy() for labels in asked])
    assert set(numbers.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(("count", "batch"), [(3, 2), (17, 8), (9, 4), (1, 2)])
def test_no_part_is_so_small_that_batch_normalisation_refuses_it(make_game, make_data, count, batch):
    assert all(len(part) >= min(count, batch) for part in even_parts(count, batch))
    game = make_game("generator.norm=batch", f"training.batch={batch}", data=make_data(count))
    assert bool(game.diagnose()) == (count > 1)


def test_each_picture_is_judged_as_its_own_class():
    seen, unseen = noise(24, 1), noise(8, 2)
    labels = torch.arange(24) % 3, torch.arange(8) % 3
    every = zip(torch.cat([seen, unseen]), torch.cat(labels).tolist(), strict=True)
    of = {picture.numpy().tobytes(): label for picture, label in every}
    judged = []

    def judge(pictures, its):
        if pictures.dtype == torch.uint8:
            pairs = zip(pictures, its.tolist(), strict=True)
            judged.extend(of[picture.numpy().tobytes()] == label for picture, label in pairs)
        return brightness(pictures)

    Diagnostics(
        (nn.Identity(), nn.Identity()), lambda seeds, its: to_float(noise(24)[seeds.start : seeds.stop]), judge, 10,
        Labelled(seen, labels[0]), Labelled(unseen, labels[1]), [seen],
    )()  # fmt: skip
    assert len(judged) == 32
    assert all(judged)


def test_the_logits_of_a_pictures_parts_are_averaged():
    def judge(pictures, labels):
        whole = brightness(pictures)
        return torch.stack([whole - 1, whole + 1], dim=1)[:, None, None]  # [N, 1, 1, 2]

    seen = noise(32, 1)
    patches, pictures = (diagnostics(noise(32), seen, judge=kind)() for kind in (judge, brightness))
    assert patches["logit/real"] == pytest.approx(pictures["logit/real"], abs=1e-5)
