"""Blitting against the operations it stands for, resampling against pictures known everywhere."""

import math

import numpy as np
import pytest
import torch

from ganvas.augment.diffaug import Translation, shifted
from ganvas.augment.geometry import Affine, Blit, blit
from ganvas.augment.pipeline import Dice
from ganvas.core.sizes import Size


def noise(count, size, channels=3):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def whole(count, **chosen):
    zero = torch.zeros(count, dtype=torch.int64)
    given = {"mirrored": zero.bool(), "quarters": zero, "down": zero, "right": zero}
    return given | {name: torch.tensor(values) for name, values in chosen.items()}


@pytest.mark.parametrize("size", [7, 8])
def test_mirroring_and_quarter_turns_are_flip_and_rot90(size):
    pictures = noise(8, size)
    mirrored, quarters = [False, True] * 4, [0, 0, 1, 1, 2, 2, 3, 3]
    turned = blit(pictures, **whole(8, mirrored=mirrored, quarters=quarters))
    for row in range(8):
        expected = pictures[row].flip(-1) if mirrored[row] else pictures[row]
        assert torch.equal(turned[row], torch.rot90(expected, quarters[row], (1, 2)))


@pytest.mark.parametrize("size", [5, 8])
def test_shifts_are_roll_with_the_mirror_image_moving_in(size):
    pictures = noise(4, size)
    down, right = [0, 2, -1, -size - 3], [1, 0, 3, 2 * size]
    moved = blit(pictures, **whole(4, down=down, right=right))
    for row in range(4):
        wide = np.pad(pictures[row].numpy(), ((0, 0), (20, 20), (20, 20)), mode="symmetric")
        rolled = np.roll(wide, (down[row], right[row]), axis=(1, 2))[:, 20:-20, 20:-20]
        assert np.array_equal(moved[row].numpy(), rolled)


def test_all_of_blitting_is_in_the_order_mirror_turn_shift():
    pictures = noise(1, 8)
    moved = blit(pictures, **whole(1, mirrored=[True], quarters=[1], down=[1], right=[0]))
    expected = torch.rot90(pictures.flip(-1), 1, (2, 3))
    assert torch.equal(moved[..., 1:, :], expected[..., :-1, :])
    assert torch.equal(moved[..., :1, :], expected[..., :1, :])


def test_pictures_that_are_not_square_are_turned_by_halves_alone():
    count, height = 400, 8
    uniform = torch.rand(count, Blit.draws, generator=torch.Generator().manual_seed(0))
    uniform[:, 4] = 0.999  # no shift
    picture = noise(1, 12)[:, :, :height]
    moved = Blit()(picture.repeat(count, 1, 1, 1), Dice(uniform, torch.float32), 0.9)
    flipped = [picture, picture.flip(-1), picture.flip(-1, -2), picture.flip(-2)]
    found = torch.stack([(moved == one).flatten(1).all(dim=1) for one in flipped])
    assert found.sum(dim=0).eq(1).all(), "each is one of the four that fit into their frame"
    assert found.sum(dim=1).min() > 50


def test_shifts_reach_an_eighth_of_the_height_and_of_the_width():
    count, height, width = 2000, 16, 48
    uniform = torch.rand(count, Blit.draws, generator=torch.Generator().manual_seed(0))
    uniform[:, [0, 2]] = 0.999  # no mirroring, no turn
    pictures = torch.arange(height * width, dtype=torch.float32).view(1, 1, height, width).repeat(count, 1, 1, 1)
    read = Blit()(pictures, Dice(uniform, torch.float32), 0.9)[:, 0, 8, 24].long()
    down, right = 8 - read // width, 24 - read % width
    assert (down.abs().max(), right.abs().max()) == (2, 6)


def test_blitting_draws_each_turn_as_often_and_shifts_of_an_eighth_at_most():
    count, size = 2000, 16
    uniform = torch.rand(count, Blit.draws, generator=torch.Generator().manual_seed(0))
    pictures = torch.arange(size * size, dtype=torch.float32).view(1, 1, size, size).repeat(count, 1, 1, 1)
    results = Blit()(pictures, Dice(uniform, torch.float32), 1.0)
    inner = results[:, 0, 4:12, 4:12]
    right, below = inner[:, 0, 1] - inner[:, 0, 0], inner[:, 1, 0] - inner[:, 0, 0]
    kinds, counts = torch.unique(torch.stack([right, below]), dim=1, return_counts=True)
    assert kinds.shape[1] == 8, "four turns, mirrored or not"
    assert counts.min() > 180
    read = results[:, 0, 8, 8].long()  # half a pixel from the middle
    away = torch.stack([read // size, read % size]) - 7.5
    assert away.abs().max() == 2.5


def waves(size, x, y):
    """A smooth picture at any positions, -1 to 1 across it, whose slope is 0 at the border: its mirror images fit."""
    return 0.6 * torch.cos(math.pi * (x + 1) / 2) * torch.cos(math.pi * (y + 1)) + 0.3 * torch.cos(math.pi * (x + 1))


def positions(size):
    places = (torch.arange(size, dtype=torch.float64) + 0.5) * 2 / size - 1
    return torch.meshgrid(places, places, indexing="xy")


def matrix_of(angle=0.0, scale=1.0, stretch=1.0):
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float64)
        * scale
        @ torch.diag(torch.tensor([stretch, 1 / stretch], dtype=torch.float64))
    )


@pytest.mark.parametrize(
    ("matrix", "shift"),
    [
        (matrix_of(), (0.0, 0.0)),
        (matrix_of(), (0.0371, -0.123)),
        (matrix_of(angle=0.7), (0.0, 0.0)),
        (matrix_of(scale=1.3), (0.0, 0.0)),
        (matrix_of(scale=0.8), (0.3, 0.0)),
        (matrix_of(angle=-2.1, scale=1.1, stretch=1.2), (0.05, 0.1)),
    ],
)
def test_resampling_gives_a_smooth_picture_at_its_moved_places(matrix, shift):
    size = 64
    x, y = positions(size)
    pictures = waves(size, x, y)[None, None]
    moved = Affine(size).resample(pictures, matrix[None], torch.tensor([shift], dtype=torch.float64))[0, 0]
    shown = torch.stack([x - 2 * shift[0], y - 2 * shift[1]], dim=-1) @ torch.linalg.inv(matrix).T
    torch.testing.assert_close(moved, waves(size, shown[..., 0], shown[..., 1]), rtol=0, atol=4e-3)


def test_turning_a_picture_that_is_not_square_keeps_shapes_in_pixels():
    height, width = 32, 64
    stage = Affine(Size(height, width))
    rows, columns = torch.arange(height) - 15.5, torch.arange(width) - 31.5
    inside = rows[:, None] ** 2 + columns**2 < 14**2  # beyond are mirror images
    blob = torch.exp(-((rows[:, None] - 2) ** 2 + (columns - 9) ** 2) / 8)[None, None]
    for angle in (0.6, math.pi / 2, -2.0):
        moved = stage.resample(blob, matrix_of(angle=angle).float()[None], torch.zeros(1, 2))[0, 0]
        x, y = 9 * math.cos(angle) - 2 * math.sin(angle), 9 * math.sin(angle) + 2 * math.cos(angle)
        expected = torch.exp(-((rows[:, None] - y) ** 2 + (columns - x) ** 2) / 8)
        torch.testing.assert_close(moved * inside, expected * inside, rtol=0, atol=0.02)
    shifted_right = stage.resample(blob, matrix_of().float()[None], torch.tensor([[0.125, 0.25]]))[0, 0]
    expected = torch.exp(-((rows[:, None] - 2 - 8) ** 2 + (columns - 9 - 8) ** 2) / 8)
    torch.testing.assert_close(shifted_right, expected, rtol=0, atol=0.01)


def test_turning_is_clockwise_and_a_shift_goes_right_and_down():
    size = 32
    picture = torch.full((1, 1, size, size), -1.0)
    picture[..., 14:18, 24:28] = 1.0  # to the right of the middle

    def middle(matrix, shift):
        moved = Affine(size).resample(picture, matrix.float()[None], torch.tensor([shift]))[0, 0] + 1
        places = torch.arange(size) - 15.5
        return (moved.sum(dim=1) @ places / moved.sum()).item(), (moved.sum(dim=0) @ places / moved.sum()).item()

    assert middle(matrix_of(), (0.0, 0.0)) == pytest.approx((0, 10), abs=0.1)
    assert middle(matrix_of(angle=math.pi / 2), (0.0, 0.0)) == pytest.approx((10, 0), abs=0.1)
    assert middle(matrix_of(), (-0.125, 0.25)) == pytest.approx((8, 6), abs=0.1)


def test_flat_pictures_stay_flat_and_fine_stripes_do_not_alias():
    size = 32
    stage = Affine(size)
    matrix, shift = matrix_of(angle=0.4, scale=0.55).float()[None], torch.tensor([[0.1, 0.0]])
    flat = torch.full((1, 2, size, size), 0.3)
    torch.testing.assert_close(stage.resample(flat, matrix, shift), flat, rtol=0, atol=1e-5)
    stripes = (torch.arange(size) % 2 * 2.0 - 1).expand(1, 1, size, size).contiguous()
    assert stage.resample(stripes, matrix, shift).abs().mean() < 0.1, "they are too fine to be seen"


def test_a_reading_and_its_transpose_fit():
    generator = torch.Generator().manual_seed(0)
    stage = Affine(8)
    matrix, shift = matrix_of(angle=0.3, scale=1.2)[None], torch.tensor([[0.2, -0.1]], dtype=torch.float64)
    pictures = torch.rand(1, 1, 8, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(1, 1, 8, 8, generator=generator, dtype=torch.float64)
    result = stage.resample(pictures, matrix, shift)
    (gradient,) = torch.autograd.grad((result * weights).sum(), pictures)
    torch.testing.assert_close((gradient * pictures).sum(), (result * weights).sum())


def test_either_turn_meets_a_picture_with_probability_p():
    count = 4000
    uniform = torch.rand(count, Affine.draws, generator=torch.Generator().manual_seed(0))
    uniform[:, [0, 4, 8]] = 0.999  # no scale, no stretch, no shift
    pictures = noise(1, 4, 1).repeat(count, 1, 1, 1)
    met = (Affine(4)(pictures, Dice(uniform, torch.float32), 0.36) != pictures).flatten(1).any(dim=1)
    assert met.float().mean().item() == pytest.approx(0.36, abs=0.03)


def test_translation_moves_zeros_in():
    pictures = noise(3, 8)
    moved = shifted(pictures, torch.tensor([0, 1, -2]), torch.tensor([0, -1, 0]))
    assert torch.equal(moved[0], pictures[0])
    assert torch.equal(moved[1, :, 1:, :-1], pictures[1, :, :-1, 1:])
    assert torch.equal(moved[2, :, :-2], pictures[2, :, 2:])
    assert not moved[1, :, 0].any()
    assert not moved[1, :, :, -1].any()
    assert not moved[2, :, -2:].any()


def test_translation_reaches_an_eighth_of_the_side_each_way_alike():
    uniform = torch.rand(3000, Translation.draws, generator=torch.Generator().manual_seed(0))
    pictures = torch.ones(3000, 1, 16, 16)
    moved = Translation()(pictures, Dice(uniform, torch.float32), 1.0)[:, 0]
    top, bottom = ((1 - part).sum(dim=1) for part in (moved[:, :8, 8], moved[:, 8:, 8]))
    counts = torch.bincount((top - bottom).long() + 2)
    assert len(counts) == 5
    assert counts.min() > 500


def test_translation_reaches_an_eighth_of_each_side():
    uniform = torch.rand(2000, Translation.draws, generator=torch.Generator().manual_seed(0))
    places = torch.arange(1, 8 * 32 + 1, dtype=torch.float32).view(1, 1, 8, 32).repeat(2000, 1, 1, 1)
    read = Translation()(places, Dice(uniform, torch.float32), 1.0)[:, 0, 4, 16].long() - 1
    down, right = 4 - read // 32, 16 - read % 32
    assert (down.min(), down.max(), right.min(), right.max()) == (-1, 1, -4, 4)
    moved = shifted(noise(1, 8)[..., :5], torch.tensor([1]), torch.tensor([-2]))
    assert torch.equal(moved[..., 1:, :3], noise(1, 8)[..., :-1, 2:5])
    assert not moved[..., 0, :].any()
    assert not moved[..., 3:].any()
