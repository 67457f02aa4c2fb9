"""CIFAR-10, and what it shares with CIFAR-100: one archive that holds both parts."""

from dataclasses import dataclass
from pathlib import Path

from ganvas.core.download import RemoteFile
from ganvas.data.cifar import CifarFormat, open_cifar
from ganvas.data.named.published import PublishedSet
from ganvas.data.source import Say, Source


@dataclass(frozen=True, kw_only=True)
class CifarSet(PublishedSet):
    """One of the two sets. archive: the binary version. folders: what its archives unpack to."""

    archive: RemoteFile
    folders: tuple[str, ...]

    def open(self, part: str, say: Say) -> Source:
        """Open the training pictures, or those of "test"."""
        self.check_part(part)
        where = f"{self.name}/{part}" if part else self.name
        return open_cifar(self.find_or_fetch(part, say), part or "train", where, self.name)

    def files(self, part: str) -> tuple[RemoteFile, ...]:
        """The archive; it holds both parts."""
        return (self.archive,)

    def inside(self, place: Path, part: str) -> Path | None:
        """The unpacked files, or an archive, in a folder."""
        archives = [place / self.archive.name, place / self.archive.name.replace("binary", "python")]
        folders = [place, *(place / folder for folder in self.folders)]
        found = [path for path in folders if path.is_dir() and CifarFormat.recognises(path)]
        return next(iter([*found, *(path for path in archives if path.is_file())]), None)


CIFAR10 = CifarSet(
    name="cifar10",
    description="animals and vehicles: 50,000 colour pictures of 32 x 32 in 10 classes",
    licence="none stated; A. Krizhevsky asks to be cited",
    megabytes=170.1,
    parts=("train", "test"),
    folders=("cifar-10-batches-bin", "cifar-10-batches-py"),
    archive=RemoteFile(
        "cifar-10-binary.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        170052171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
)
