"""Fashion-MNIST: whole where it is found or can be fetched, else the subset that the package brings along.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017.
"""

from dataclasses import dataclass
from pathlib import Path

from ganvas.core.download import RemoteFile, reachable
from ganvas.core.errors import DataError
from ganvas.core.places import is_offline, user_cache
from ganvas.data.idx import open_idx
from ganvas.data.named.mnist import IdxSet
from ganvas.data.source import Say, Source

BUNDLED = Path(__file__).parents[1] / "bundled" / "fashion-mnist"
_BUNDLED_FILES = {"bundled": "train-images-idx3-ubyte.gz", "bundled-test": "t10k-images-idx3-ubyte.gz"}


@dataclass(frozen=True, kw_only=True)
class FashionMnist(IdxSet):
    """Fashion-MNIST; without a part, `whole` if it can be had and `bundled` otherwise, and it says which."""

    def open(self, part: str, say: Say) -> Source:
        """Open a part; the canonical place names the one that it came to."""
        self.check_part(part)
        part = part or self._whole_or_bundled(say)
        if part in _BUNDLED_FILES:
            return open_idx(BUNDLED / _BUNDLED_FILES[part], f"{self.name}/{part}", self.name, self.classes)
        images = self.find_or_fetch("test" if part == "test" else "train", say)
        return open_idx(images, f"{self.name}/{part}", self.name, self.classes)

    def state(self) -> str:
        """The whole set's place, or that the subset is bundled."""
        found = self.find("train")
        if found:
            return f"whole set found at {found.parent}"
        return f"10,000 bundled; the whole to download, {self.megabytes:,.0f} MB"

    def _whole_or_bundled(self, say: Say) -> str:
        if self.find("train"):
            return "whole"
        try:
            if not is_offline() and reachable(self.published[0].url):
                self.find_or_fetch("train", say)
                return "whole"
        except DataError as error:
            say(str(error))
        place = user_cache() / self.name
        say(f"Using the 10,000 bundled pictures of Fashion-MNIST; the whole 60,000 are used once they lie in {place}.")
        return "bundled"


_FROM = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"

FASHION_MNIST = FashionMnist(
    name="fashion-mnist",
    description="pieces of clothing: 60,000 grey pictures of 28 x 28 in 10 classes, 10,000 of them bundled",
    licence="MIT, Zalando SE",
    megabytes=30.9,
    parts=("whole", "bundled", "test", "bundled-test"),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    published=(
        RemoteFile(
            "train-images-idx3-ubyte.gz",
            _FROM + "train-images-idx3-ubyte.gz",
            26421880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        RemoteFile(
            "train-labels-idx1-ubyte.gz",
            _FROM + "train-labels-idx1-ubyte.gz",
            29515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        RemoteFile(
            "t10k-images-idx3-ubyte.gz",
            _FROM + "t10k-images-idx3-ubyte.gz",
            4422102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        RemoteFile(
            "t10k-labels-idx1-ubyte.gz",
            _FROM + "t10k-labels-idx1-ubyte.gz",
            5148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
)
