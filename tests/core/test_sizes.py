"""Sizes of pictures: how they are written, compared, and kept in settings."""

import tomllib

import pytest

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, settings, to_dict, to_toml
from ganvas.core.sizes import Size


@settings
class Pictures:
    size: Size


@pytest.mark.parametrize(
    ("written", "height", "width", "text"),
    [
        (64, 64, 64, "64"),
        ("64", 64, 64, "64"),
        ("64x64", 64, 64, "64"),
        ("96x64", 64, 96, "96x64"),
        (" 24 X 32 ", 32, 24, "24x32"),
        ("96×64", 64, 96, "96x64"),
        (Size(2, 3), 2, 3, "3x2"),
    ],
)
def test_a_size_is_written_as_picture_programs_print_it(written, height, width, text):
    size = Size.of(written)
    assert (size.height, size.width, str(size)) == (height, width, text)
    assert Size.of(str(size)) == size


@pytest.mark.parametrize(
    "written", ["32by64", "96x", "x64", "", "0", "0x4", "4x0", "-8", "6.5", 0, -8, 6.5, True, None, "1e2"]
)
def test_what_is_no_size_is_answered_with_how_to_write_one(written):
    with pytest.raises(UsageError, match=r"size .*: write it like 64, or like 96x64"):
        Size.of(written)


def test_a_square_equals_its_side_and_no_other_size_does():
    assert Size(8, 8) == 8
    assert hash(Size(8, 8)) == hash(8)
    assert Size(8, 8) in (4, 8)
    assert Size(8, 6) != 8
    assert Size(8, 6) != Size(6, 8)
    assert {Size(8, 6), Size(8, 6)} == {Size(8, 6)}


def test_what_recipes_and_networks_ask_of_a_size():
    size = Size.of("96x64")
    assert (size.hw, size.shorter, size.longer, size.area, size.square) == ((64, 96), 64, 96, 6144, False)
    assert size.side**2 == pytest.approx(6144)
    assert [Size(n, n).side for n in (3, 28, 100, 1024)] == [3, 28, 100, 1024]
    assert (size.turned, size.times(2), size.over(16)) == (Size(96, 64), Size(128, 192), Size(4, 6))
    assert (size.words, size.plain, size.simplest) == ("96 x 64", "96x64", size)
    assert (Size(8, 8).plain, type(Size(8, 8).simplest)) == (8, int)
    assert [str(size.within(limit)) for limit in (200, 96, 48)] == ["96x64", "96x64", "48x32"]


@pytest.mark.parametrize(
    ("shape", "shorter", "found"),
    [
        ((64, 32), 32, "64x32"),
        ((178, 218), 64, "64x80"),
        ((4000, 3000), 64, "80x64"),
        ((99, 100), 32, "32"),
        ((900, 9), 8, "32x8"),
    ],
)
def test_the_size_of_a_like_shape_has_quarters_of_its_shorter_side(shape, shorter, found):
    assert str(Size(shape[1], shape[0]).like(shorter)) == found


@pytest.mark.parametrize(("value", "line"), [(64, "size = 64\n"), ("96x64", 'size = "96x64"\n'), ("8x8", "size = 8\n")])
def test_settings_keep_a_square_as_a_number_and_others_as_text(value, line):
    kept = Pictures(size=value)
    assert to_toml(kept) == line
    assert from_dict(Pictures, tomllib.loads(line)) == kept
    assert to_dict(kept) == {"size": kept.size.plain}


@pytest.mark.parametrize("value", ["96x", 0, [96, 64]])
def test_settings_answer_what_is_no_size_with_their_name(value):
    with pytest.raises(UsageError, match=r"data\.size: .*write it like 64"):
        from_dict(Pictures, {"size": value}, "data")
