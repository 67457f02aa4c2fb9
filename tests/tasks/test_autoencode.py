"""The variational autoencoder: its terms, its draws, what it shows of itself."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override
from ganvas.tasks.autoencode import Autoencode
from ganvas.tasks.autoencode_settings import AutoencodeSettings
from ganvas.training.clock import Clock

WHOLE, START = slice(0, 8), Clock()


@pytest.fixture
def make(make_data):
    """Makes a small game: latent 6, width 8, batch 8; assignments change its settings."""

    def game(*assignments, data=None, unseen=None):
        dataset = data or make_data()
        values = {
            "data": {
                "where": "made-up",
                "size": dataset.size,
                "channels": dataset.channels,
                "classes": list(dataset.classes),
            },
            "generator": {"name": "dcgan", "width": 8, "norm": "none", "latent": 6},
            "encoder": {"width": 8},
            "training": {"batch": 8},
        }
        return Autoencode(from_dict(AutoencodeSettings, override(values, assignments)), dataset, unseen)

    return game


def batch_of(game, clock=START, rows=WHOLE):
    return game.draw(game.players[0], 0, clock, rows)


def gradient(game, *batches):
    player = game.players[0]
    player.optimizer.zero_grad()
    for batch in batches:
        (sum(player.objective(batch, START).values()) * len(batch) / 8).backward()
    return torch.cat([weight.grad.flatten() for weight in player.networks.parameters()])


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_terms_are_minus_the_log_likelihood_and_the_kl_times_beta(make, make_data, beta):
    game = make(f"loss.beta={beta}", "loss.sd=0.3", data=make_data(classes=2))
    batch = batch_of(game)
    terms = game.players[0].objective(batch, START)
    with torch.no_grad():
        real = batch.real.float() / 127.5 - 1
        mean, log_variance = game.encoder(real, batch.labels)
        posterior = Normal(mean, (log_variance / 2).exp())
        decoded = game.generator(mean + posterior.stddev * batch.noise, batch.labels)
    log_density = Normal(decoded, 0.3).log_prob(real).flatten(1).sum(dim=1)
    torch.testing.assert_close(terms["reconstruction"].detach(), -log_density.mean())
    kl = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(terms["kl"].detach(), beta * kl)


def test_a_learned_noise_is_learned_with_the_networks_and_a_fixed_one_is_not(make):
    learned, fixed = make(), make("loss.sd=0.5")
    assert "noise.log_sd" in learned.players[0].networks.state_dict()
    assert "noise.log_sd" not in fixed.players[0].networks.state_dict()
    terms = [game.players[0].objective(batch_of(game), START)["reconstruction"] for game in (learned, fixed)]
    torch.testing.assert_close(*terms)  # which begins as 0.5
    gradient(learned, batch_of(learned))
    assert learned.players[0].networks["noise"].log_sd.grad.abs() > 0


def test_both_networks_get_a_gradient_through_the_drawn_latents(make):
    game = make("loss.beta=0")
    gradient(game, batch_of(game))
    for network in (game.encoder, game.generator):
        assert all(weight.grad.abs().max() > 0 for weight in network.parameters())


def test_micro_batches_give_the_gradient_of_the_whole_batch(make, make_data):
    game = make(data=make_data(classes=2))
    batch = batch_of(game)
    whole = gradient(game, batch)
    parts = gradient(game, *(batch.rows(start, stop) for start, stop in ((0, 3), (3, 6), (6, 8))))
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)


def test_a_process_draws_its_rows_of_the_global_batch_and_a_round_its_own(make, make_data):
    game = make("data.mirror=true", data=make_data(classes=2))
    whole, part = batch_of(game), batch_of(game, rows=slice(2, 5))
    for name in ("real", "labels", "noise"):
        assert torch.equal(getattr(whole, name)[2:5], getattr(part, name)), name
        assert torch.equal(getattr(whole.rows(2, 5), name), getattr(part, name)), name
    assert len(part) == 3
    later = batch_of(game, Clock(8, 1, 0.0))
    assert not torch.equal(later.noise, whole.noise)
    assert not set(later.real[:, 0, 0, 0].tolist()) & set(whole.real[:, 0, 0, 0].tolist())


def test_its_signs_are_the_bound_of_pictures_it_sees_and_does_not_and_leave_no_trace(make, make_data):
    game = make("loss.beta=3", "generator.norm=batch", unseen=make_data(count=12))
    before = {key: value.clone() for key, value in game.players[0].networks.state_dict().items()}
    signs = game.diagnose()
    assert {"diversity", "copies", "kl", "elbo/seen", "elbo/held_out"} == signs.keys()
    again = game.diagnose()
    assert again.pop("change") == 0
    assert again == signs
    assert all(torch.equal(before[key], value) for key, value in game.players[0].networks.state_dict().items())


def test_the_bound_in_its_signs_is_that_of_all_pictures_without_beta(make, make_data):
    game = make("loss.beta=3", "loss.sd=0.5", unseen=make_data(count=12))
    signs = game.diagnose()
    with torch.no_grad():
        mean, log_variance = game.encoder(torch.from_numpy(game.data.images).float() / 127.5 - 1)
        kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1).mean().item()
    assert signs["kl"] == pytest.approx(kl, rel=1e-4)
    floor = 64 * (math.log(0.5) + math.log(2 * math.pi) / 2)  # with pictures decoded without an error
    assert signs["elbo/seen"] < -kl - floor
    assert "elbo/held_out" not in make().diagnose()
    assert make(data=make_data(count=1)).diagnose() == {}


def test_what_is_shared_is_the_decoder_as_a_generator(make):
    game = make()
    weights, card = game.publish(game.averaged, Clock(4_000, 500, 1.0))["generator"]
    assert torch.equal(weights["project.weight"], game.generator.project.weight)
    assert (card["kind"], card["generator"]["name"], card["generator"]["latent"]) == ("generator", "dcgan", 6)
    assert game.preview({"generator": game.generator}).dtype == np.uint8


def test_networks_that_cannot_be_built_are_answered_before_training():
    values = {"data": {"where": "x", "size": 6, "channels": 1}, "generator": {}, "encoder": {}}
    with pytest.raises(UsageError, match="not 6"):
        from_dict(AutoencodeSettings, values).check_networks()
    from_dict(AutoencodeSettings, override(values, ["generator.name=mlp"])).check_networks()


@pytest.mark.parametrize("assignment", ["loss.sd=0", "loss.beta=-1", "encoder.name=cnv", "loss.adversarial=hinge"])
def test_impossible_settings_are_refused(make, assignment):
    with pytest.raises(UsageError):
        make(assignment)


def test_a_handful_of_pictures_is_warned_of_and_more_are_not(make):
    assert "collect a hundred" in make().chosen.care_with(5)
    assert make().chosen.care_with(50) is None


def test_narrower_networks_are_named_by_their_own_settings(make):
    assert make().narrower.split()[:1] == ["generator.width=4"]
    assert "encoder.width=4" in make().narrower
