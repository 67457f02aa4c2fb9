import pytest

from ganvas.training.averages import Averages, AverageSettings
from ganvas.training.clock import Clock, crossed, decayed
from ganvas.training.players import OptimizerSettings


def test_a_round_advances_the_clock_by_the_batch():
    clock = Clock().advanced(64, 0.5).advanced(64, 0.25)
    assert (clock.images, clock.rounds, clock.seconds) == (128, 2, 0.75)


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(0, 64, False), (64, 128, True), (128, 192, False), (90, 310, True)]
)
def test_an_interval_is_crossed_once(before, after, expected):
    assert crossed(before, after, 100) is expected


@pytest.mark.parametrize(
    ("shape", "images", "expected"),
    [("constant", 500, 1.0), ("linear", 250, 0.775), ("cosine", 500, 0.55), ("cosine", 5000, 0.1), ("linear", 0, 1.0)],
)
def test_decay_follows_its_shape_and_then_stays(shape, images, expected):
    assert decayed(1.0, 0.1, images, 1000, shape) == pytest.approx(expected)


def test_a_held_decay_begins_late_and_ends_on_time():
    values = [decayed(1.0, 0.0, images, 1000, "linear", hold=0.5) for images in (0, 500, 750, 1000, 2000)]
    assert values == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])


def test_an_optimizer_without_a_decay_length_keeps_its_rate():
    assert OptimizerSettings(lr=0.1, decay="cosine").rate(10**9) == 0.1
    assert OptimizerSettings(lr=0.1, decay="linear", decay_images=100, final=0.5).rate(50) == pytest.approx(0.075)


def test_betas_go_the_way_of_the_rate():
    falling = OptimizerSettings(betas=(0.0, 0.9), decay="linear", decay_images=100, final_betas=(0.5, 0.99))
    assert [falling.betas_after(images) for images in (0, 50, 200)] == [
        pytest.approx((0.0, 0.9)),
        pytest.approx((0.25, 0.945)),
        pytest.approx((0.5, 0.99)),
    ]
    assert OptimizerSettings(betas=(0.5, 0.9), decay="linear", decay_images=100).betas_after(200) == (0.5, 0.9)


@pytest.mark.parametrize("unfit", [{"name": "rmsprop", "decay": "linear"}, {"decay": "constant"}])
def test_betas_that_could_not_go_anywhere_are_refused(unfit):
    with pytest.raises(ValueError, match="final_betas needs name=adam, and a decay"):
        OptimizerSettings(final_betas=(0.0, 0.99), **unfit)


def test_after_one_half_life_of_images_the_past_weighs_one_half_whatever_the_batch():
    averages = Averages({}, AverageSettings(half_life=1000, ramp_up=1.0))
    assert averages.decay(10**6, 100) ** 10 == pytest.approx(0.5)
    assert averages.decay(10**6, 50) ** 20 == pytest.approx(0.5)


def test_early_averages_remember_no_more_than_a_part_of_what_was_seen():
    averages = Averages({}, AverageSettings(half_life=10_000, ramp_up=0.05))
    assert averages.decay(2_000, 100) == pytest.approx(0.5)
    assert Averages({}, AverageSettings(half_life=0)).decay(2_000, 100) == 0.0
