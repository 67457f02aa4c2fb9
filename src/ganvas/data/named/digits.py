"""Small handwritten digits, bundled whole.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
"""

from dataclasses import dataclass
from pathlib import Path

from ganvas.data.idx import open_idx
from ganvas.data.named.published import NamedSet
from ganvas.data.source import Say, Source

BUNDLED = Path(__file__).parents[1] / "bundled" / "digits" / "digits-images-idx3-ubyte.gz"


@dataclass(frozen=True, kw_only=True)
class Digits(NamedSet):
    """The digits; they have no parts."""

    def open(self, part: str, say: Say) -> Source:
        """Open all pictures."""
        self.check_part(part)
        return open_idx(BUNDLED, self.name, self.name, tuple("0123456789"))

    def state(self) -> str:
        """They are always there."""
        return "bundled"


DIGITS = Digits(
    name="digits",
    description="small handwritten digits: 1,797 grey pictures of 8 x 8 in 10 classes",
    licence="CC BY 4.0, E. Alpaydin and C. Kaynak",
    megabytes=0.1,
)
