"""What keeps a game of generation stable, each a setting: against values computed here."""

import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict
from ganvas.losses.adversarial import best
from ganvas.tasks.generate_settings import GenerateSettings, TopKSettings
from ganvas.training.clock import Clock

WHOLE = slice(0, 8)
STYLES = (
    'generator={name="stylegan2", latent=6, w_width=6, max_width=8, mapping_layers=2, embedding=4}',
    'discriminator={name="stylegan2", max_width=8}',
)


def play(game, clock, *, step=True):
    """One round without a trainer: each player's terms, and steps that follow no gradient but do what follows one."""
    seen = {}
    for player in game.players:
        batch = game.draw(player, 0, clock, WHOLE)
        for other in game.players:
            other.networks.requires_grad_(other is player)
        seen[player.name] = player.objective(batch, clock), batch
        if step:
            player.take_gradients([torch.zeros_like(weight) for weight in player.networks.parameters()])
            player.step(0.0, torch.ones(()))
    return seen


def logits_of(game, batch):
    with torch.no_grad():
        real = game.discriminator(batch.real.float() / 127.5 - 1, batch.labels)
        return real, game.discriminator(game.generator(batch.latents, batch.labels), batch.labels)


def test_lecam_anchors_are_the_means_of_earlier_rounds(make_game):
    game = make_game("loss.lecam.weight=0.3", "loss.lecam.decay=0.9")
    means = []
    for round in range(3):
        terms, batch = play(game, Clock(8 * round, round))["discriminator"]
        real, fake = logits_of(game, batch)
        a_real, a_fake = (sum(column) / len(column) for column in zip(*means, strict=True)) if means else (0.0, 0.0)
        expected = 0.3 * ((real - a_fake).square().mean() + (fake - a_real).square().mean())
        torch.testing.assert_close(terms["lecam"].detach(), expected, rtol=1e-3, atol=1e-4)
        means.append((real.mean().item(), fake.mean().item()))


def test_lecams_anchors_are_kept_in_a_checkpoint_and_absent_without_it(make_game):
    assert "anchors.real" in make_game("loss.lecam.weight=0.3").players[0].networks.state_dict()
    assert not any("anchors" in name for name in make_game().players[0].networks.state_dict())


def test_consistency_compares_with_the_same_picture_shifted(make_game):
    game = make_game("loss.consistency.real=10", "loss.consistency.fake=5")
    terms, batch = play(game, Clock())["discriminator"]
    real, fake = logits_of(game, batch)
    shift = game._shifting
    with torch.no_grad():
        seen = batch.real.float() / 127.5 - 1
        moved = shift(seen, batch.real_shifts, Clock())
        assert not torch.equal(moved, seen)
        expected = 10 * (real - game.discriminator(moved, None)).square().mean()
        torch.testing.assert_close(terms["consistency_real"].detach(), expected)
        moved = shift(game.generator(batch.latents, None), batch.fake_shifts, Clock())
        expected = 5 * (fake - game.discriminator(moved, None)).square().mean()
    torch.testing.assert_close(terms["consistency_fake"].detach(), expected)


def test_consistency_on_real_pictures_alone_leaves_the_other_term_out(make_game):
    terms, _ = play(make_game("loss.consistency.real=10"), Clock())["discriminator"]
    assert set(terms) == {"adversarial", "consistency_real"}


def test_the_best_rows_are_those_with_the_highest_logits_in_their_order():
    logits = torch.tensor([0.1, 3.0, -1.0, 2.0, 0.2])
    assert best(logits, 0.4).tolist() == [1, 3]
    assert best(logits, 0.6).tolist() == [1, 3, 4]
    assert best(logits, 0.01).tolist() == [1]
    patches = torch.tensor([[[[5.0, -5.0]]], [[[1.0, 1.0]]]])
    assert best(patches, 0.5).tolist() == [1]


def test_top_k_falls_in_a_straight_line_and_stays():
    chosen = TopKSettings(final=0.5, decay_images=1000)
    assert [chosen.at(images) for images in (0, 500, 1000, 5000)] == [1.0, 0.75, 0.5, 0.5]


@pytest.mark.parametrize("loss", ["logistic", "relativistic"])
def test_the_generator_follows_the_best_of_its_pictures(make_game, loss):
    game = make_game(f"loss.adversarial={loss}", "loss.top_k.final=0.5", "loss.top_k.decay_images=80")
    (terms, batch) = play(game, Clock(80, 10), step=False)["generator"]
    with torch.no_grad():
        fake = game.discriminator(game.generator(batch.latents, None), None)
        order = fake.argsort(descending=True)[:4]
        pairs = fake[order]
        if loss == "relativistic":
            pairs = pairs - game.discriminator(batch.real.float() / 127.5 - 1, None)[order]
    torch.testing.assert_close(terms["adversarial"].detach(), torch.nn.functional.softplus(-pairs).mean())


def test_gradients_are_scaled_down_to_the_norm_they_may_have(make_game):
    game = make_game("generator_optimizer.clip=0.5")
    player = game.players[1]
    for norm, left in ((2.0, 0.5), (0.3, 0.3)):
        gradients = [torch.randn_like(weight) for weight in player.networks.parameters()]
        total = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        player.take_gradients([gradient * (norm / total) for gradient in gradients])
        player.step(0.0, torch.tensor(norm))
        assert torch.cat([gradient.flatten() for gradient in player.gradients()]).norm().item() == pytest.approx(left)


def test_styles_are_mixed_as_often_as_asked_and_the_layers_are_those_drawn(make_game, make_data):
    game = make_game(*STYLES, "style_mixing=0.5", "training.batch=400", data=make_data(20, size=16))
    batch = game.draw(game.players[1], 0, Clock(), slice(0, 400))
    layers = game.generator.mapping.copies
    mixed = batch.crossover < layers
    assert 0.4 < mixed.float().mean() < 0.6
    assert batch.crossover.min() == 1
    assert batch.crossover[mixed].max() == layers - 1
    assert not torch.equal(batch.others, batch.latents)
    with torch.no_grad():
        some = batch.rows(0, 8)
        ws, others = (game.generator.mapping(latents) for latents in (some.latents, some.others))
        for row, crossover in enumerate(some.crossover.tolist()):
            ws = ws.clone()
            ws[row, crossover:] = others[row, crossover:]
        torch.testing.assert_close(game._generate(some), game.generator.synthesis(ws))


def test_path_lengths_are_measured_when_due_against_the_mean_of_earlier_ones(make_game, make_data):
    game = make_game(*STYLES, "loss.path_length.weight=2", "loss.path_length.every=2", data=make_data(20, size=16))
    means = []
    for round in range(5):
        terms, batch = play(game, Clock(8 * round, round))["generator"]
        assert ("path_length" in terms) == (round % 2 == 0)
        if round % 2:
            continue
        w = game.generator.mapping.to_w(batch.latents[:4]).detach().requires_grad_()
        pictures = game.generator.synthesis(w.unsqueeze(1).expand(-1, game.generator.mapping.copies, -1))
        (slopes,) = torch.autograd.grad((pictures * batch.directions[:4] / 16).sum(), w)
        lengths = slopes.norm(dim=1)
        mean = sum(means) / len(means) if means else 0.0
        expected = 2 * 2 * (lengths - mean).square().mean()
        torch.testing.assert_close(terms["path_length"].detach(), expected, rtol=2e-3, atol=1e-4)
        means.append(lengths.mean().item())
    assert "lengths.length" in game.players[1].networks.state_dict()


@pytest.mark.parametrize("asked", ["style_mixing", "path_length"])
def test_a_generator_without_styles_is_answered_before_training(make_game, asked):
    values = {
        "data": {"where": "x", "size": 16, "channels": 1},
        "generator": {"name": "dcgan"},
        "discriminator": {"name": "dcgan"},
    }
    values |= {"style_mixing": 0.9} if asked == "style_mixing" else {"loss": {"path_length": {"weight": 2.0}}}
    with pytest.raises(UsageError, match="styles"):
        from_dict(GenerateSettings, values).check_networks()


@pytest.mark.parametrize(
    ("asked", "compares"),
    [((), False), (("loss.top_k.final=0.5",), True), (("loss.lecam.weight=0.1",), False), (STYLES, True)],
)
def test_a_game_says_whether_its_rows_are_compared(make_game, make_data, asked, compares):
    assert make_game(*asked, data=make_data(20, size=16)).compares_rows is compares
