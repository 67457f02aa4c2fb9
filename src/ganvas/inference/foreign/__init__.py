"""Weights of well-known public programs, by family. A family is one file, the facts of its layout, and a line here."""

from ganvas.core.parts import load
from ganvas.inference.foreign.family import Family

FAMILIES = {
    "pix2pix": "ganvas.inference.foreign.pix2pix:PIX2PIX",
    "cyclegan": "ganvas.inference.foreign.cyclegan:CYCLEGAN",
    "realesrgan": "ganvas.inference.foreign.realesrgan:REALESRGAN",
    "dcgan": "ganvas.inference.foreign.dcgan:DCGAN",
}


def family(name: str) -> Family:
    """The family of a name. Raises UsageError with the nearest names if there is none."""
    found: Family = load(FAMILIES, name, "family of weights to import")
    return found
