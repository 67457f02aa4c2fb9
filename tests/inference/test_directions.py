"""Directions along which pictures change most."""

import numpy as np
import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.inference import directions
from ganvas.inference.directions import find
from ganvas.inference.space import steering_weights


@pytest.mark.parametrize("method", directions.METHODS)
def test_directions_have_length_one_a_spread_and_falling_shares(varied, styled, method):
    for generator in (varied, styled):
        found = find(generator, method, 5)
        assert found.vectors.shape == (5, generator.space.width)
        torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(5))
        assert (found.spreads > 0).all()
        shares = found.shares.tolist()
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1 + 1e-5
        again = find(generator, method, 5)
        torch.testing.assert_close(found.vectors, again.vectors, rtol=0, atol=1e-4)
        assert (found.vectors.gather(1, found.vectors.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_sefa_gives_the_right_singular_vectors_of_the_first_map(styled):
    weights = steering_weights(styled.network, range(styled.space.layers)).double()
    _, values, vectors = torch.linalg.svd(weights)
    found = find(styled, "sefa", 4)
    torch.testing.assert_close((found.vectors.double() * vectors[:4]).sum(dim=1).abs(), torch.ones(4).double())
    torch.testing.assert_close(found.shares.double(), (values.square() / values.square().sum())[:4])


def test_the_first_principal_component_of_w_is_where_it_spreads_most(styled):
    found = find(styled, "pca", 10)
    ws = styled.points(styled.latents(range(2_000)), range(2_000))[:, 0]
    assert found.spreads[0] == found.spreads.max()
    random = torch.nn.functional.normalize(torch.randn(200, 10, generator=torch.Generator().manual_seed(0)), dim=1)
    assert (ws @ found.vectors[0]).std() > (ws @ random.T).std(dim=0).max()


def test_few_pictures_are_held_in_full(varied, monkeypatch):
    held, pictures = [], varied.pictures

    def watched(latents, labels):
        held.append(len(latents))
        return pictures(latents, labels)

    expected = find(varied, "pca", 3).vectors
    monkeypatch.setattr(varied, "pictures", watched)
    torch.testing.assert_close(find(varied, "pca", 3).vectors, expected, rtol=0, atol=1e-4)
    assert (max(held), sum(held)) == (64, 3_000)


def test_principal_components_change_pictures_more_than_directions_at_random(varied):
    points = varied.points(varied.latents(range(40)), [0] * 40)
    plain = varied.pictures_of_points(points, [0] * 40).astype(float)

    def change(vector: torch.Tensor) -> float:
        return float(np.abs(varied.pictures_of_points(points + 2 * vector, [0] * 40) - plain).mean())

    first = find(varied, "pca", 1)
    dice = torch.Generator().manual_seed(0)
    random = torch.nn.functional.normalize(torch.randn(12, varied.space.width, generator=dice), dim=1)
    assert change(first.vectors[0]) > max(change(vector) for vector in random)


def test_moving_is_in_standard_deviations_and_only_in_the_chosen_layers(styled):
    found = find(styled, "pca", 3, range(1, 3))
    points = styled.points(styled.latents([4]), [0])
    moved = found.moved(points, {0: 2.0, 2: -1.0})
    expected = 2 * found.spreads[0] * found.vectors[0] - found.spreads[2] * found.vectors[2]
    torch.testing.assert_close(moved[:, 1:3] - points[:, 1:3], expected.expand(1, 2, -1))
    assert torch.equal(moved[:, [0, 3]], points[:, [0, 3]])
    assert torch.equal(found.moved(points, {}), points)


def test_what_cannot_be_found_is_refused(varied):
    with pytest.raises(UsageError, match=r"no method 'pcs'.*pca"):
        find(varied, "pcs")
    for count in (0, 65):
        with pytest.raises(UsageError, match="there can be 1 to"):
            find(varied, "sefa", count)
    with pytest.raises(UsageError, match="There is no direction 2; there are 0-1"):
        find(varied, "sefa", 2).moved(torch.zeros(1, 1, varied.space.width), {2: 1.0})
