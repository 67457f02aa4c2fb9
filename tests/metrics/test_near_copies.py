"""Near-copies, told part by part: as the measure of whole sets tells them."""

import pytest
import torch

from ganvas.core.errors import DataError
from ganvas.metrics.memorization import memorization
from ganvas.metrics.near_copies import TrainingPictures, limit_of


def sample(count, seed, dimensions=8):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def test_parts_are_judged_as_the_whole_is():
    train, held_out = sample(600, 0), sample(300, 1)
    fake = torch.cat([sample(150, 2), train[:30] + 0.02 * sample(30, 3)])
    whole, known = memorization(fake, train, held_out), TrainingPictures(train)
    limit = limit_of(known.ratios(held_out)[0])
    parts = [known.ratios(part) for part in fake.split(37)]
    ratios, nearest = (torch.cat(found) for found in zip(*parts, strict=True))
    assert torch.equal(nearest, whole.nearest)
    assert torch.allclose(ratios, whole.ratios, rtol=1e-9)
    assert torch.equal(ratios < limit, whole.flagged)
    assert (ratios < limit)[150:].all()


def test_a_training_picture_with_a_twin_does_not_hide_its_copies():
    train = torch.cat([sample(200, 0), sample(1, 9), sample(1, 9)])
    known = TrainingPictures(train)
    limit = limit_of(known.ratios(sample(200, 1))[0])
    ratios, nearest = known.ratios(train[-1:] + 1e-4)
    assert int(nearest) in (200, 201)
    assert float(ratios) < limit


def test_with_few_real_pictures_a_copy_is_nearer_than_any_of_them():
    ratios = torch.tensor([0.9, 0.7, 1.2], dtype=torch.float64)
    assert limit_of(ratios) == 0.7
    twins = torch.cat([torch.zeros(5, dtype=ratios.dtype), ratios])
    assert limit_of(twins) == 0.7, "a copy of a training picture says nothing of what is near"
    with pytest.raises(DataError, match="are the same as training pictures"):
        limit_of(torch.zeros(5))


def test_features_of_another_extractor_are_refused():
    with pytest.raises(DataError, match="8 dimensions"):
        TrainingPictures(sample(20, 0)).ratios(sample(5, 1, dimensions=9))
