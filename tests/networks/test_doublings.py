"""Which sizes come of a small map by doublings, and what is answered to others."""

import pytest

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.networks.doublings import Doublings, is_made, nearest_made


def made(size, smallest=8, largest=1024):
    return Doublings.of(Size.of(size), "some", smallest, largest, "mlp")


@pytest.mark.parametrize(
    ("size", "base", "count"),
    [("8", "4", 1), ("64", "4", 4), ("96x64", "6x4", 4), ("64x96", "4x6", 4), ("80x64", "5x4", 4), ("32x8", "16x4", 1)],
)
def test_the_base_has_4_pixels_on_its_shorter_side(size, base, count):
    found = made(size)
    assert (str(found.base), found.count) == (base, count)
    assert [str(one) for one in found.sizes][:: found.count] == [base, size]


@pytest.mark.parametrize("size", ["48", "96x60", "100x64", "260x64", "4x8", "2048x1024x", "4096x2048"])
def test_other_sizes_are_refused(size):
    with pytest.raises(UsageError):
        made(size)


def test_the_nearest_sizes_of_the_same_orientation_are_named():
    for size, named in (("100x60", "96x64 or 112x64"), ("60x100", "64x96 or 64x112"), ("300x64", "256x64 or 240x64")):
        with pytest.raises(UsageError, match=rf"not {size}: take {named}$"):
            made(size)
    assert str(nearest_made(Size.of("2000x1500"))) == "1536x1024"
    assert is_made(Size.of("96x64"))
    assert not is_made(Size.of("96x60"))
