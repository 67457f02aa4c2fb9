import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UsageError
from ganvas.metrics.resizing import RESIZES, resize

SIZES = [(32, 48, 299), (28, 28, 224), (64, 40, 33), (301, 37, 299)]


def tf1_pixel(picture: np.ndarray, row: int, column: int, size: int) -> float:
    """One pixel of TensorFlow 1's bilinear resize without half-pixel centres, written out."""
    height, width = picture.shape
    y, x = row * height / size, column * width / size
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = picture[top, left] + (picture[top, right] - picture[top, left]) * (x - left)
    lower = picture[bottom, left] + (picture[bottom, right] - picture[bottom, left]) * (x - left)
    return upper + (lower - upper) * (y - top)


@pytest.mark.parametrize(("height", "width", "size"), SIZES)
def test_tf1_bilinear_is_what_a_loop_over_pixels_gives(height, width, size, noise):
    pictures = noise(1, 2, height, width).float()
    resized = resize(pictures, size, "tf1-bilinear")
    assert resized.shape == (1, 2, size, size)
    picture = pictures[0, 1].double().numpy()
    rows = range(0, size, 7)
    expected = [[tf1_pixel(picture, row, column, size) for column in range(size)] for row in rows]
    np.testing.assert_allclose(resized[0, 1, ::7].numpy(), expected, atol=1e-3)


@pytest.mark.parametrize(("height", "width", "size"), SIZES)
def test_clean_is_pillows_bicubic_of_one_float_channel(height, width, size, noise):
    pictures = noise(1, 2, height, width).float()
    resized = resize(pictures, size, "clean")
    for channel in range(2):
        pillow = Image.fromarray(pictures[0, channel].numpy()).resize((size, size), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(resized[0, channel].numpy(), np.asarray(pillow), atol=1e-3)


def test_clean_averages_where_tf1_bilinear_skips():
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::4] = 255
    assert resize(stripes, 16, "tf1-bilinear").std() == 0
    assert resize(stripes, 16, "tf1-bilinear").mean() == 255
    assert resize(stripes, 16, "clean")[..., 2:-2].mean() == pytest.approx(255 / 4, abs=1)


@pytest.mark.parametrize("name", RESIZES)
def test_a_picture_of_the_size_already_is_left_as_it_is(name, noise):
    pictures = noise(2, 3, 40, 40).float()
    torch.testing.assert_close(resize(pictures, 40, name), pictures, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", RESIZES)
def test_flat_pictures_stay_flat(name):
    torch.testing.assert_close(resize(torch.full((1, 1, 29, 31), 77.0), 100, name), torch.full((1, 1, 100, 100), 77.0))


def test_an_unknown_resize_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean tf1-bilinear"):
        resize(torch.zeros(1, 1, 8, 8), 16, "bilinear")
