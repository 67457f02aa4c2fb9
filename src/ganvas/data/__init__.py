"""Data sets: any folder, archive or name becomes uint8 pictures [N, C, H, W] with class labels where there are any."""

from ganvas.core.parts import load
from ganvas.data.checks import Check, check, few_in_class
from ganvas.data.dataset import Dataset, held_out_indices, held_out_rows
from ganvas.data.named.published import Listing
from ganvas.data.opening import open_data, open_paired, open_pieces, survey_paired
from ganvas.data.pairs import Pairs, open_pairs
from ganvas.data.report import Report, SetAside
from ganvas.data.surveys import Survey, survey

# How data may be kept; what a path holds is tried in this order.
SOURCES = {
    "idx": "ganvas.data.idx:IdxFormat",
    "cifar": "ganvas.data.cifar:CifarFormat",
    "celeba": "ganvas.data.celeba:CelebaFormat",
    "lsun": "ganvas.data.lsun:LsunFormat",
    "zip": "ganvas.data.archive:ZipFormat",
    "folder": "ganvas.data.folder:FolderFormat",
}

# Data sets that go by a name.
NAMES = {
    "fashion-mnist": "ganvas.data.named.fashion_mnist:FASHION_MNIST",
    "mnist": "ganvas.data.named.mnist:MNIST",
    "cifar10": "ganvas.data.named.cifar10:CIFAR10",
    "cifar100": "ganvas.data.named.cifar100:CIFAR100",
    "celeba": "ganvas.data.named.celeba:CELEBA",
    "ffhq": "ganvas.data.named.ffhq:FFHQ",
    "lsun": "ganvas.data.named.lsun:LSUN",
    "digits": "ganvas.data.named.digits:DIGITS",
    "stacked-digits": "ganvas.data.named.stacked_digits:STACKED_DIGITS",
}


def named_sets() -> list[Listing]:
    """Every data set that goes by a name, and whether it is here; nothing is downloaded."""
    return [load(NAMES, name, "data set").listing() for name in NAMES]


def test_part(where: str) -> str | None:
    """The test part that belongs to an opened named set, as it is opened; None for other data and for a test part."""
    name, _, part = where.partition("/")
    if name not in NAMES or "test" in part:
        return None
    parts = load(NAMES, name, "data set").parts
    return next((f"{name}/{test}" for test in (f"{part}-test", "test") if test in parts), None)


__all__ = [
    "NAMES",
    "SOURCES",
    "Check",
    "Dataset",
    "Listing",
    "Pairs",
    "Report",
    "SetAside",
    "Survey",
    "check",
    "few_in_class",
    "held_out_indices",
    "held_out_rows",
    "named_sets",
    "open_data",
    "open_paired",
    "open_pairs",
    "open_pieces",
    "survey",
    "survey_paired",
    "test_part",
]
