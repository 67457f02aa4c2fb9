"""Generators that come with the package: each is a file in `bundled/`, and goes by its name without the ending."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "bundled"


def packaged() -> dict[str, Path]:
    """Name -> file of every generator in the package."""
    return {file.stem: file for file in sorted(_FOLDER.glob("*.safetensors"))}
