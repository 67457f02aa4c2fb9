"""Points of a generator's space: what they are, how they are truncated, drawn and mixed."""

import numpy as np
import pytest
import torch
from tests_generators import EVERY_FAMILY, generator_of

from ganvas.core.errors import UsageError
from ganvas.inference.latent import mixed_styles, straight_walk, style_layers, walk_between
from ganvas.inference.loading import load
from ganvas.inference.space import steering_weights


def test_drawing_the_points_of_seeds_is_sampling(varied, styled):
    for generator in (varied, styled):
        points = generator.points(generator.latents(range(5)), range(5), truncation=0.6)
        assert points.shape == (5, generator.space.layers, generator.space.width)
        drawn = generator.pictures_of_points(points, range(5))
        assert np.array_equal(drawn, generator.sample(range(5), truncation=0.6))


def test_a_stylegan2_is_steered_by_a_w_for_each_layer_and_others_by_their_latent(varied, styled):
    assert (styled.space.name, styled.space.layers, styled.space.width) == ("w", styled.network.mapping.copies, 10)
    assert (varied.space.name, varied.space.layers, varied.space.width) == ("z", 1, varied.network.latent)


def test_styles_taken_in_all_layers_are_the_other_picture_and_in_none_its_own(styled):
    points = styled.points(styled.latents([1, 2]), [0, 2])
    one, other = points[:1], points[1:]
    layers = styled.space.layers
    assert torch.equal(mixed_styles(one, other, range(layers)), other)
    assert torch.equal(mixed_styles(one, other, range(0)), one)
    some = mixed_styles(one, other, range(2, 4))
    assert torch.equal(some[:, 2:4], other[:, 2:4])
    assert torch.equal(some[:, [0, 1, *range(4, layers)]], one[:, [0, 1, *range(4, layers)]])
    assert torch.equal(one, points[:1]), "and nothing is changed in place"


def test_early_styles_change_more_of_the_layout_than_late_ones(styled):
    points = styled.points(styled.latents(range(20)), [0] * 20)
    others = points.roll(1, 0)
    plain = styled.pictures_of_points(points, [0] * 20).astype(float)

    def changed(layers: range) -> float:
        mixed = styled.pictures_of_points(mixed_styles(points, others, layers), [0] * 20)
        return float(np.abs(mixed - plain).mean())

    assert changed(range(styled.space.layers)) > changed(range(2)) > 0


def test_layers_can_be_chosen_only_where_there_are_some(varied, styled):
    count = styled.space.layers
    assert style_layers(styled, None) == range(count)
    assert style_layers(styled, range(1, count)) == range(1, count)
    assert style_layers(varied, None) == range(1)
    with pytest.raises(UsageError, match=f"this generator has 0-{count - 1}"):
        style_layers(styled, range(2, count + 1))
    with pytest.raises(UsageError, match="dcgan generator has one latent"):
        style_layers(varied, range(1))


def test_what_steers_first_is_the_linear_map_that_a_point_goes_through(varied, styled):
    network = varied.network
    assert torch.equal(steering_weights(network, range(1)), network.project.weight[:, : network.latent])
    synthesis = styled.network.synthesis
    maps = [synthesis.keeping[0].style, synthesis.to_pictures[0].style, synthesis.doubling[0].style]
    expected = torch.cat([linear.weight for linear in maps])
    assert torch.equal(steering_weights(styled.network, range(2)), expected)
    every = steering_weights(styled.network, range(styled.space.layers))
    assert len(every) == sum(len(part.weight) for name, part in synthesis.named_modules() if name.endswith("style"))


def test_a_walk_through_classes_begins_in_each_and_mixes_them_between(varied):
    points = varied.points(varied.latents([1]), [0]).expand(2, -1, -1)
    frames = walk_between(varied, points, [3, 8], 10)
    assert np.array_equal(frames[[0, 5]], [varied.sample([1], label=label)[0] for label in (3, 8)])
    between = frames[2].astype(float)
    assert np.abs(between - frames[0]).mean() > 0
    assert np.abs(between - frames[5]).mean() > 0


def test_a_walk_of_styles_passes_its_pictures_and_is_closed(styled):
    points = styled.points(styled.latents([1, 2, 3]), [0, 1, 2])
    frames = walk_between(styled, points, [0, 1, 2], 12)
    assert np.array_equal(frames[[0, 4, 8]], styled.pictures_of_points(points, [0, 1, 2]))
    steps = np.abs(frames.astype(float) - np.roll(frames, -1, axis=0)).mean(axis=(1, 2, 3))
    legs = steps.reshape(3, 4).sum(axis=1)
    assert (steps.reshape(3, 4) < 0.6 * legs[:, None]).all(), (
        "no frame makes most of a leg's way, the last to the first too"
    )


def test_a_straight_walk_is_even_and_keeps_weights_a_mixture():
    weights = torch.eye(3)
    path = straight_walk(weights, 12)
    torch.testing.assert_close(path.sum(dim=1), torch.ones(12))
    torch.testing.assert_close(path[2], torch.tensor([0.5, 0.5, 0.0]))
    torch.testing.assert_close(path[10], torch.tensor([0.5, 0.0, 0.5]))


def test_a_fingerprint_is_of_the_weights(run):
    one, other = load(run), load(run)
    assert one.fingerprint == other.fingerprint
    with torch.inference_mode():
        next(iter(other.network.state_dict().values())).flatten()[0] += 1e-3
    assert one.fingerprint == other.__class__(one.network, one.card, one.device).fingerprint
    assert one.fingerprint != other.__class__(other.network, other.card, other.device).fingerprint


@pytest.mark.parametrize(("name", "own"), EVERY_FAMILY)
def test_points_and_mixtures_have_the_same_picture_in_any_company(name, own):
    generator = generator_of(name, **own)
    seeds = range(70)
    together = generator.points(generator.latents(seeds), seeds, truncation=0.7)
    for seed in (0, 5, 64, 69):
        alone = generator.points(generator.latents([seed]), [seed], truncation=0.7)
        torch.testing.assert_close(alone[0], together[seed])
    moved = together + 0.1
    pictures = generator.pictures_of_points(moved, seeds)
    assert np.array_equal(generator.pictures_of_points(moved[66:67], [66])[0], pictures[66])
    mixed = generator.sample(seeds, label={0: 0.3, 1: 0.7}) if generator.classes else generator.sample(seeds)
    alone = generator.sample([66], label={0: 0.3, 1: 0.7}) if generator.classes else generator.sample([66])
    assert np.array_equal(alone[0], mixed[66])
