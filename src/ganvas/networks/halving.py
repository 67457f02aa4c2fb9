"""What networks have in common that halve the sides of pictures, of any size, until the shorter has 4 to 7 pixels."""

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size

SMALLEST, LARGEST = 4, 1024  # pixels of the shorter side
LONGEST = 4  # times the shorter side


def halving_widths(channels: int, width: int, max_width: int, size: Size, verb: str) -> tuple[list[int], Size]:
    """Channels of the pictures and after each halving, of which there is one at least; and the size that is left.

    width: channels after the first halving, which double up to max_width. verb: what is done to pictures, for messages.
    Raises UsageError for a size whose shorter side is not from 4 to 1024 or whose longer is above 4 times that.
    """
    if not SMALLEST <= size.shorter <= LARGEST or size.longer > LONGEST * size.shorter:
        longest = "" if size.square else f", the longer side at most {LONGEST} times the shorter"
        raise UsageError(f"conv {verb} pictures of {SMALLEST} to {LARGEST} pixels a side{longest}, not {size}")
    widths = [channels]
    while size.shorter >= 2 * SMALLEST or len(widths) == 1:
        widths.append(min(max_width, width * 2 ** (len(widths) - 1)))
        size = size.over(2)
    return widths, size
