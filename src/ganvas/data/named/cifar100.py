"""CIFAR-100, with its hundred fine classes."""

from ganvas.core.download import RemoteFile
from ganvas.data.named.cifar10 import CifarSet

CIFAR100 = CifarSet(
    name="cifar100",
    description="animals, plants, things, scenes: 50,000 colour pictures of 32 x 32 in 100 classes",
    licence="none stated; A. Krizhevsky asks to be cited",
    megabytes=168.5,
    parts=("train", "test"),
    folders=("cifar-100-binary", "cifar-100-python"),
    archive=RemoteFile(
        "cifar-100-binary.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        168513733,
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
)
