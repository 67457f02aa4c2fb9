import math

import pytest
import torch

from ganvas.losses.classification import class_cross_entropy

LABELS = torch.tensor([2, 0, 1])


def logits(dtype=torch.float64):
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_knowing_nothing_costs_the_logarithm_of_the_classes(classes):
    assert class_cross_entropy(torch.full((5, classes), 3.0), torch.zeros(5, dtype=torch.int64)).item() == (
        pytest.approx(math.log(classes))
    )


def test_it_is_the_mean_negative_log_probability_of_the_right_class():
    probabilities = logits().exp() / logits().exp().sum(dim=1, keepdim=True)
    expected = -sum(probabilities[row, label].log() for row, label in enumerate(LABELS)) / 3
    assert class_cross_entropy(logits(), LABELS).item() == pytest.approx(expected.item())


def test_gradients_are_right_and_what_all_classes_share_costs_nothing():
    values = logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: class_cross_entropy(x, LABELS), values)
    shifted = class_cross_entropy(logits() + 7, LABELS)
    assert shifted.item() == pytest.approx(class_cross_entropy(logits(), LABELS).item())


@pytest.mark.parametrize(
    ("given", "computed"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)],
)
def test_it_is_computed_in_float32_or_better(given, computed):
    assert class_cross_entropy(logits(given), LABELS).dtype == computed
