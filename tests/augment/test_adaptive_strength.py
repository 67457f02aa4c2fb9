import pytest
import torch

from ganvas.augment.strength import AdaptiveStrength, mean_sign


def after(steps, sign, start=0.0, count=250, target=0.6, images=500_000):
    strength = AdaptiveStrength(start, target, images)
    for _ in range(steps):
        strength.observe(torch.tensor(sign), count)
        strength.adjust()
    return strength.p.item()


def test_p_rises_from_0_to_1_in_so_many_images_and_stays_there():
    assert after(1000, 0.9) == pytest.approx(0.5, abs=1e-4)
    assert after(2000, 0.9) == pytest.approx(1, abs=1e-4)
    assert after(2500, 0.9) == 1


def test_p_falls_as_fast_and_not_below_0():
    assert after(1000, 0.1, start=0.7) == pytest.approx(0.2, abs=1e-4)
    assert after(2000, -1.0, start=0.7) == 0


def test_on_the_target_it_stays():
    assert after(10, 0.5, start=0.3, target=0.5) == pytest.approx(0.3)


def test_all_that_was_observed_since_counts_by_its_number():
    strength = AdaptiveStrength(0.5, 0.6, 1000)
    strength.observe(torch.tensor(1.0), 30)
    strength.observe(torch.tensor(0.0), 10)  # 0.75 together
    strength.adjust()
    assert strength.p.item() == pytest.approx(0.54)
    strength.observe(torch.tensor(1.0), 10)
    strength.observe(torch.tensor(0.0), 30)  # 0.25: what was before is forgotten
    strength.adjust()
    assert strength.p.item() == pytest.approx(0.5)
    strength.adjust()
    assert strength.p.item() == pytest.approx(0.5), "nothing was observed"


def test_its_state_goes_through_a_state_dict():
    one, other = AdaptiveStrength(0.5, 0.6, 1000), AdaptiveStrength(0.0, 0.6, 1000)
    one.observe(torch.tensor(1.0), 30)
    other.load_state_dict(one.state_dict())
    for strength in (one, other):
        strength.adjust()
    assert torch.equal(one.p, other.p)
    assert other.p.item() == pytest.approx(0.53)


def test_the_mean_sign_counts_zeros_as_neither_and_takes_maps():
    assert mean_sign(torch.tensor([3.0, 0.1, -2.0, 0.0])).item() == pytest.approx(0.25)
    assert mean_sign(torch.tensor([[[[1.0, -1.0], [1.0, 1.0]]]], requires_grad=True)).item() == pytest.approx(0.5)
