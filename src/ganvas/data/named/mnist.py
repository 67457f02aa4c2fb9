"""MNIST, and the form that its family has: gzipped IDX files, two for training and two for testing."""

from dataclasses import dataclass
from pathlib import Path

from ganvas.core.download import RemoteFile
from ganvas.data.idx import image_files, open_idx
from ganvas.data.named.published import PublishedSet
from ganvas.data.source import Say, Source

PREFIXES = {"": "train", "train": "train", "test": "t10k"}


@dataclass(frozen=True, kw_only=True)
class IdxSet(PublishedSet):
    """A data set of the MNIST family. published: its four files."""

    published: tuple[RemoteFile, ...]
    classes: tuple[str, ...]

    def open(self, part: str, say: Say) -> Source:
        """Open the training pictures, or those of "test"."""
        self.check_part(part)
        where = f"{self.name}/{part}" if part else self.name
        return open_idx(self.find_or_fetch(part, say), where, self.name, self.classes)

    def files(self, part: str) -> tuple[RemoteFile, ...]:
        """The two files of a part, images and labels."""
        return tuple(file for file in self.published if file.name.startswith(PREFIXES[part]))

    def inside(self, place: Path, part: str) -> Path | None:
        """The file of images in a folder, or in its subfolder `raw`."""
        found = [path for folder in (place, place / "raw") for path in image_files(folder)]
        return next((path for path in found if path.name.startswith(PREFIXES[part])), None)


_FROM = "https://ossci-datasets.s3.amazonaws.com/mnist/"

MNIST = IdxSet(
    name="mnist",
    description="handwritten digits: 60,000 grey pictures of 28 x 28 in 10 classes",
    licence="CC BY-SA 3.0, Y. LeCun and C. Cortes",
    megabytes=11.6,
    parts=("train", "test"),
    classes=tuple("0123456789"),
    published=(
        RemoteFile(
            "train-images-idx3-ubyte.gz",
            _FROM + "train-images-idx3-ubyte.gz",
            9912422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        RemoteFile(
            "train-labels-idx1-ubyte.gz",
            _FROM + "train-labels-idx1-ubyte.gz",
            28881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        RemoteFile(
            "t10k-images-idx3-ubyte.gz",
            _FROM + "t10k-images-idx3-ubyte.gz",
            1648877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        RemoteFile(
            "t10k-labels-idx1-ubyte.gz",
            _FROM + "t10k-labels-idx1-ubyte.gz",
            4542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
)
