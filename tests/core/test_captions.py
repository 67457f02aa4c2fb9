"""Words above and beside sheets."""

import numpy as np
import pytest

from ganvas.core.captions import captioned
from ganvas.core.images import grid


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_words_stand_above_columns_and_before_rows_and_leave_the_pictures_as_they_are(channels):
    pictures = np.full((6, channels, 24, 40), 100, np.uint8)
    sheet = grid(pictures, 3)
    found = captioned(sheet, ["given", "", "true"], ["a", "b"])
    pixels, plain = np.asarray(found), np.asarray(sheet)
    left, top = pixels.shape[1] - plain.shape[1], pixels.shape[0] - plain.shape[0]
    assert found.mode == sheet.mode
    assert np.array_equal(pixels[top:, left:], plain)
    inked = (pixels if channels == 1 else pixels[..., 0]) < 90
    assert inked[:top, left : left + 40].any()
    assert not inked[:top, left + 42 : left + 82].any(), "the middle column has no head"
    assert inked[:top, left + 84 :].any()
    assert inked[top : top + 24, :left].any()
    assert inked[top + 26 :, :left].any()
    if channels in (2, 4):
        assert (pixels[:top, ..., -1] == 255).all(), "what is written is opaque"


def test_a_head_that_is_too_wide_is_broken_between_words_and_cut_within_one():
    sheet = grid(np.zeros((2, 1, 32, 32), np.uint8), 2)
    heights = {
        head: captioned(sheet, [head, ""]).height - sheet.height
        for head in ("made", "extraordinary", "made of it", "made of something else")
    }
    assert heights["made"] == heights["extraordinary"] < heights["made of it"] < heights["made of something else"]
    cut = np.asarray(captioned(sheet, ["extraordinary", ""]))
    assert (cut[: heights["made"], 33:] == 255).all(), "it does not reach into the next column"
