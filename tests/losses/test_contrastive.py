"""PatchNCE by hand, and with the features that it compares."""

import math

import pytest
import torch
from torch.nn import functional

from ganvas.losses.contrastive import patch_nce
from ganvas.networks import translator
from ganvas.networks.patch_features import PatchFeatures, spread_places


def vectors(pictures, places, features=6, seed=0):
    drawn = torch.randn(pictures, places, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(drawn, dim=2)


def test_it_is_the_log_of_the_places_where_all_are_alike():
    same = vectors(1, 1).expand(3, 8, 6)
    assert patch_nce([same], [same]).item() == pytest.approx(math.log(8))


def test_it_is_nearly_0_where_each_place_is_like_itself_alone():
    own = torch.eye(6, dtype=torch.float64)[None]
    assert patch_nce([own], [own]).item() == pytest.approx(math.log(1 + 5 * math.exp(-1 / 0.07)), rel=1e-6)
    assert patch_nce([own], [own.roll(1, dims=1)]).item() == pytest.approx(1 / 0.07, rel=1e-3)


def test_it_is_the_mean_over_maps_pictures_and_places():
    made, given = [vectors(2, 5), vectors(2, 3, 4)], [vectors(2, 5, seed=1), vectors(2, 3, 4, seed=1)]
    by_hand = []
    for ours, theirs in zip(made, given, strict=True):
        values = []
        for picture in range(2):
            for place in range(ours.shape[1]):
                alike = [float(ours[picture, place] @ other) / 0.2 for other in theirs[picture]]
                values.append(math.log(sum(map(math.exp, alike))) - alike[place])
        by_hand.append(sum(values) / len(values))
    assert patch_nce(made, given, temperature=0.2).item() == pytest.approx(sum(by_hand) / 2)


def test_only_what_was_made_gets_a_gradient_and_it_is_that_of_finite_differences():
    made, given = vectors(2, 4).requires_grad_(), vectors(2, 4, seed=1).requires_grad_()
    patch_nce([made], [given]).backward()
    assert made.grad.abs().sum() > 0
    assert given.grad is None
    assert torch.autograd.gradcheck(lambda some: patch_nce([some], [given]), made)


def test_features_of_other_places_are_refused():
    with pytest.raises(ValueError, match="compared place by place"):
        patch_nce([vectors(2, 4)], [vectors(2, 3)])


def test_places_are_different_one_in_each_part_and_all_where_there_are_few():
    uniform = torch.rand(3, 10, generator=torch.Generator().manual_seed(0))
    places = spread_places(uniform, 64)
    assert places.dtype == torch.int64
    assert all(len(set(row)) == 10 for row in places.tolist())
    assert spread_places(torch.zeros(1, 4), 10).tolist() == [[0, 2, 5, 7]]
    assert spread_places(torch.full((1, 4), 1 - 2**-24), 10).tolist() == [[1, 4, 6, 9]]
    assert spread_places(uniform, 10).tolist() == [list(range(10))] * 3
    assert spread_places(uniform, 7).shape == (3, 7)


def test_every_place_comes_as_often():
    places = spread_places(torch.rand(4000, 4, generator=torch.Generator().manual_seed(0)), 16)
    counts = torch.bincount(places.flatten(), minlength=16)
    assert counts.min() > 850
    assert counts.max() < 1150


def test_features_have_length_1_and_are_those_of_their_places():
    torch.manual_seed(0)
    heads = PatchFeatures((3, 5), features=8)
    maps = [torch.rand(2, 3, 6, 4), torch.rand(2, 5, 3, 2)]
    uniform = torch.rand(2, 9)
    found = heads(maps, uniform)
    assert [tuple(some.shape) for some in found] == [(2, 9, 8), (2, 6, 8)]
    for some in found:
        torch.testing.assert_close(some.norm(dim=2), torch.ones(some.shape[:2]))
    place = int(spread_places(uniform, 24)[1, 4])
    pixel = maps[0][1, :, place // 4, place % 4]
    torch.testing.assert_close(found[0][1, 4], functional.normalize(heads.heads[0](pixel), dim=0))


def test_a_translation_is_trained_by_the_features_of_its_own_encoder_also_in_bfloat16():
    torch.manual_seed(0)
    network = translator("resnet")(translator("resnet").Settings(width=4, blocks=2), inputs=3, outputs=3)
    heads = PatchFeatures(network.widths, features=16)
    images, uniform = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, 8)
    with torch.autocast("cpu", torch.bfloat16):
        made = network(images)
        loss = patch_nce(heads(network.encoded(made), uniform), heads(network.encoded(images), uniform))
    assert loss.dtype == torch.float32
    assert 0 < loss.item() < 3 * math.log(8)
    loss.backward()
    assert all(weight.grad.isfinite().all() for weight in (*network.parameters(), *heads.parameters()))
    assert all(weight.grad.abs().sum() > 0 for weight in (network.last.weight, heads.heads[0][0].weight))
