"""The crossing between float32 in [-1, 1] and uint8, and grids."""

import numpy as np
import pytest
import torch

from ganvas.core.images import grid, to_float, to_pillow, to_uint8


def test_all_256_values_come_back_exactly():
    values = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(to_uint8(to_float(values)), values)


def test_black_is_minus_one_white_is_one_and_the_steps_are_even():
    inside = to_float(torch.arange(256, dtype=torch.uint8))
    assert inside.dtype == torch.float32
    assert (inside[0].item(), inside[-1].item()) == (-1.0, 1.0)
    torch.testing.assert_close(inside.diff(), torch.full((255,), 2 / 255))


def test_the_way_out_rounds_to_the_nearest_and_never_truncates():
    values = torch.arange(255, dtype=torch.float64)
    above = ((values + 0.6) / 127.5 - 1).float()
    below = ((values + 0.4) / 127.5 - 1).float()
    assert torch.equal(to_uint8(above).double(), values + 1)
    assert torch.equal(to_uint8(below).double(), values)


def test_what_lies_outside_is_clamped_and_does_not_wrap_around():
    assert to_uint8(torch.tensor([-3.0, -1.01, 1.01, 50.0])).tolist() == [0, 0, 255, 255]


def test_bfloat16_is_brought_to_float_before_it_is_scaled():
    exact = torch.tensor([0.25, -0.5], dtype=torch.bfloat16)
    assert to_uint8(exact).tolist() == [159, 64]  # 1.25 * 127.5 = 159.375; 0.5 * 127.5 = 63.75


def numbered(count: int, channels: int = 1, height: int = 3, width: int = 4) -> np.ndarray:
    """Pictures of which each is filled with its own number, from 1."""
    levels = np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(levels, (count, channels, height, width))


def test_a_grid_goes_row_by_row_with_white_between():
    sheet = np.asarray(grid(numbered(5), columns=2, gap=1))
    assert sheet.shape == (3 * 3 + 2, 2 * 4 + 1)
    assert [sheet[4 * row + 1, 5 * column + 1] for row in range(3) for column in range(2)] == [1, 2, 3, 4, 5, 255]
    assert (sheet[3] == 255).all()
    assert (sheet[:, 4] == 255).all()


def test_a_grid_is_as_square_as_it_goes_by_itself():
    assert grid(numbered(64), gap=0).size == (8 * 4, 8 * 3)
    assert grid(numbered(5), gap=0).size == (3 * 4, 2 * 3)
    assert grid(numbered(1), gap=2).size == (4, 3)


def test_fewer_pictures_than_columns_make_one_row_without_empty_places():
    assert grid(numbered(3), columns=10, gap=2).size == (3 * 4 + 2 * 2, 3)


def test_a_grid_takes_tensors():
    assert np.array_equal(np.asarray(grid(torch.tensor(numbered(4)))), np.asarray(grid(numbered(4))))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_each_number_of_channels_becomes_its_mode(channels, mode):
    picture = np.random.default_rng(0).integers(0, 256, (channels, 3, 4), dtype=np.uint8)
    image = to_pillow(picture)
    assert (image.mode, image.size) == (mode, (4, 3))
    back = np.asarray(image)
    assert np.array_equal(back[None] if channels == 1 else back.transpose(2, 0, 1), picture)


def test_a_grid_with_transparency_keeps_it_and_is_opaque_white_between():
    sheet = grid(np.zeros((2, 4, 3, 4), np.uint8), gap=1)
    assert sheet.mode == "RGBA"
    assert sheet.getpixel((0, 0)) == (0, 0, 0, 0)
    assert sheet.getpixel((4, 1)) == (255, 255, 255, 255)
