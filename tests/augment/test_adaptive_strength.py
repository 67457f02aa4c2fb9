import copy

import pytest
import torch

from ganvas.augment.strength import AdaptiveStrength


def logits(mean_sign, count):
    """So many logits of either sign that the mean of their signs is this."""
    positive = round(count * (1 + mean_sign) / 2)
    return torch.tensor([0.3] * positive + [-7.0] * (count - positive))


def after(rounds, sign, start=0.0, target=0.6):
    strength = AdaptiveStrength(start, target, images=500_000, batch=250)
    for _ in range(rounds):
        strength.observe(logits(sign, 20))
        strength.begin_round()
    return strength.p.item()


def test_p_rises_from_0_to_1_in_so_many_images_and_stays_there():
    assert after(1000, 0.9) == pytest.approx(0.5, abs=1e-4)
    assert after(2000, 0.9) == pytest.approx(1, abs=1e-4)
    assert after(2500, 0.9) == 1


def test_p_falls_as_fast_and_not_below_0():
    assert after(1000, 0.1, start=0.7) == pytest.approx(0.2, abs=1e-4)
    assert after(2000, -1.0, start=0.7) == 0


def test_on_the_target_it_stays():
    assert after(12, 0.5, start=0.3, target=0.5) == pytest.approx(0.3)


def test_it_moves_every_four_rounds_by_the_mean_of_all_four():
    strength = AdaptiveStrength(0.5, 0.6, images=1000, batch=10)
    values = []
    for sign in (1.0, 1.0, 1.0, -0.4, 1.0, 0.4, 0.4, 0.4):  # means 0.65 and 0.55: what was before is forgotten
        strength.observe(logits(sign, 10))
        for _ in range(2):  # the second finds nothing new
            strength.begin_round()
        values.append(strength.p.item())
    assert values == pytest.approx([0.5] * 3 + [0.54] * 4 + [0.5])


def test_its_state_goes_through_a_state_dict():
    one, other = (AdaptiveStrength(start, 0.6, images=1000, batch=10) for start in (0.5, 0.0))
    for _ in range(3):
        one.begin_round()
        one.observe(logits(1.0, 10))
    other.load_state_dict(one.state_dict())
    for strength in (one, other):
        for _ in range(2):
            strength.begin_round()
            strength.observe(logits(1.0, 10))
    assert torch.equal(one.p, other.p)
    assert other.p.item() == pytest.approx(0.54)


@pytest.mark.parametrize("moves", [1, 3])
def test_processes_that_average_their_buffers_come_to_the_p_of_one_to_the_bit(moves):
    dice = torch.Generator().manual_seed(0)
    one = AdaptiveStrength(0.5, 0.1, images=1000, batch=10)
    two = [copy.deepcopy(one) for _ in range(2)]
    seen = set()
    for _ in range(40):
        for strength in (one, *two):
            strength.begin_round()
        for _ in range(moves):
            whole = torch.randn(10, generator=dice) + 0.1
            one.observe(whole)
            for process, part in zip(two, (whole[:6], whole[6:]), strict=True):
                process.observe(part)
        for pair in zip(*(process.buffers() for process in two), strict=True):
            mean = (pair[0] + pair[1]) / 2
            for buffer in pair:
                buffer.copy_(mean)
        assert torch.equal(one.p, two[0].p)
        assert torch.equal(one.p, two[1].p)
        seen.add(one.p.item())
    assert len(seen) > 3


def test_signs_of_zero_count_as_neither_and_maps_are_taken():
    strength = AdaptiveStrength(0.0, 0.6, images=1000, batch=1)
    strength.observe(torch.tensor([[[[1.0, -1.0], [1.0, 0.0]]]], requires_grad=True))
    assert (strength.signs.item(), strength.seen.item()) == (1, 4)
