"""What transfer asks of a network: the settings with which it grows, and which tensors one of another size has too."""

import dataclasses
from typing import Any

from torch import nn

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size


class Growing(nn.Module):
    """A generator or a discriminator, as one of its family for larger pictures sees it.

    Here: of a family whose layers all belong to one size, and which does not grow.
    """

    @classmethod
    def grown(cls, settings: Any, before: Size, after: Size) -> Any:
        """The settings for pictures of `after` pixels, of a network whose lower maps are as for `before`.

        Raises UsageError if there are none.
        """
        if before != after:
            raise UsageError(
                f"{settings.name} does not grow: its layers are made for one size. Use --size {before}, which is what "
                "the source makes"
            )
        return settings

    def place(self, key: str) -> str:
        """The name of a tensor that has the same place in a network of the family for any size of pictures."""
        return key


def halved_width(settings: Any, before: Size, after: Size) -> Any:
    """Settings whose width belongs to the picture's end, so that the maps at every side keep theirs.

    Raises UsageError for a width that cannot be halved so often.
    """
    factor = max(1, after.shorter // before.shorter)
    if settings.width % factor:
        raise UsageError(
            f"{settings.name} of width {settings.width} at {before} pixels cannot grow to {after}: each doubling of "
            f"the side halves the width. Use --size {before}, or a size as near to it as its width can be halved"
        )
    return dataclasses.replace(settings, width=settings.width // factor)


def at_the_picture(key: str, ends: tuple[str, ...], size: int | Size) -> str:
    """The place of a tensor; those of layers that meet the picture (`ends`, prefixes of keys) belong to its side."""
    return f"{key} at {Size.of(size).shorter}" if key.startswith(ends) else key


def from_the_end(key: str, stack: str, count: int) -> str:
    """The place of a tensor in a stack of `count` layers that begins at the picture: counted from its other end."""
    if not key.startswith(f"{stack}."):
        return key
    _, index, rest = key.split(".", 2)
    return f"{stack}.{int(index) - count}.{rest}"
