"""The Inception-style score where its value is known, and against torchmetrics."""

import pytest
import torch
from torchmetrics.image.inception import InceptionScore as Theirs

from ganvas.core.errors import DataError
from ganvas.metrics.inception_score import inception_score


@pytest.mark.parametrize("classes", [2, 10])
def test_sure_and_balanced_predictions_score_the_number_of_classes(classes):
    logits = torch.eye(classes).repeat(20, 1) * 200
    found = inception_score(logits, splits=4)
    assert found.mean == pytest.approx(classes, rel=1e-9)
    assert found.spread == pytest.approx(0, abs=1e-9)


def test_the_same_prediction_for_all_scores_one():
    assert inception_score(torch.randn(1, 10).repeat(50, 1), splits=5).mean == pytest.approx(1, abs=1e-12)


def test_splits_are_taken_in_order_and_have_marginals_of_their_own():
    logits = torch.eye(4).repeat_interleave(25, 0) * 200  # each quarter is of one class
    assert inception_score(logits, splits=4).mean == pytest.approx(1)
    assert inception_score(logits, splits=1).mean == pytest.approx(4)


class Itself(torch.nn.Module):
    num_features = 7

    def forward(self, pictures):
        return pictures.flatten(1)[:, :7].float()


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save", "ignore:std")
def test_it_agrees_with_torchmetrics_on_one_split():
    """Theirs shuffles before it splits, so that only one split is alike."""
    logits = torch.randn(60, 7, generator=torch.Generator().manual_seed(0))
    theirs = Theirs(feature=Itself(), splits=1, normalize=False)
    theirs.update(logits[:, :, None, None])
    assert inception_score(logits, splits=1).mean == pytest.approx(theirs.compute()[0].item(), rel=1e-5)


def test_fewer_pictures_than_splits_are_told():
    with pytest.raises(DataError, match="10 or more pictures, and there are 9"):
        inception_score(torch.zeros(9, 3))
