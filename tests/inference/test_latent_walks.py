"""Walks through latent space: closed, even, and as far from the middle as latents are."""

import math

import pytest
import torch

from ganvas.core.errors import UsageError
from ganvas.inference.latent import slerp, walk
from ganvas.training.draws import latents_of_seeds


def test_slerp_goes_along_the_great_circle():
    start, end = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    for part in (0.0, 0.25, 1 / 3, 1.0):
        angle = part * math.pi / 2
        expected = torch.tensor([[math.cos(angle), math.sin(angle)]])
        torch.testing.assert_close(slerp(start, end, torch.tensor([[part]])), expected)


def test_slerp_keeps_the_norm_of_its_ends():
    dice = torch.Generator().manual_seed(0)
    ends = torch.nn.functional.normalize(torch.randn(2, 50, 100, generator=dice), dim=2) * 10
    between = slerp(ends[0], ends[1], torch.rand(50, 1, generator=dice))
    torch.testing.assert_close(between.norm(dim=1), torch.full((50,), 10.0))


def test_between_latents_of_seeds_the_norm_stays_within_their_range():
    ends = latents_of_seeds([1, 5], 100)
    parts = torch.linspace(0, 1, 21)[:, None]
    norms = slerp(ends[:1].expand(21, -1), ends[1:].expand(21, -1), parts).norm(dim=1)
    assert norms.min() > 0.97 * ends.norm(dim=1).min()
    assert norms.max() < 1.03 * ends.norm(dim=1).max()
    straight = torch.lerp(ends[0], ends[1], 0.5).norm()
    assert straight < 0.8 * ends.norm(dim=1).min(), "which a straight line would not do"


@pytest.mark.parametrize("end", [[2.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
def test_slerp_of_ends_on_one_line_is_finite_and_begins_and_ends_there(end):
    ends = torch.tensor([[1.0, 0.0], end])
    path = slerp(ends[:1].expand(5, -1), ends[1:].expand(5, -1), torch.linspace(0, 1, 5)[:, None])
    assert path.isfinite().all()
    torch.testing.assert_close(path[0], ends[0])
    torch.testing.assert_close(path[-1], ends[1])


def test_a_walk_passes_its_points_at_even_times_and_is_closed():
    points = latents_of_seeds([1, 5, 9], 64)
    path = walk(points, 60)
    assert path.shape == (60, 64)
    torch.testing.assert_close(path[[0, 20, 40]], points)
    steps = (path - path.roll(-1, 0)).norm(dim=1)  # the last goes from the last frame back to the first
    assert steps.max() < 1.3 * steps.min()


def test_a_walk_there_and_back_is_the_same_path_both_ways():
    path = walk(latents_of_seeds([1, 5], 64), 40)
    torch.testing.assert_close(path[1:20], path.flip(0)[:19], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("frames", [3, 4, 7, 100])
def test_a_walk_has_the_asked_number_of_frames(frames):
    assert walk(latents_of_seeds([1, 5, 9], 8), frames).shape == (frames, 8)


def test_a_walk_of_a_truncated_nothing_stays_in_the_middle():
    assert torch.equal(walk(torch.zeros(3, 8), 9), torch.zeros(9, 8))


@pytest.mark.parametrize(
    ("seeds", "frames", "told"),
    [([1], 60, "at least two"), ([1, 5, 9], 2, "at least 3 frames"), ([1, 5], 0, "frames"), ([1, 5], -4, "frames")],
)
def test_a_walk_that_cannot_be_is_refused(seeds, frames, told):
    with pytest.raises(UsageError, match=told):
        walk(latents_of_seeds(seeds, 8), frames)
