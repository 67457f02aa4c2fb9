"""FFHQ by name: found, never downloaded, because it is handed out through a drive that limits how much it gives.

Karras, Laine and Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019, appendix A.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ganvas.core.errors import DataError
from ganvas.core.places import places_of, user_cache
from ganvas.data.archive import ZipFormat
from ganvas.data.folder import FolderFormat
from ganvas.data.named.published import NamedSet
from ganvas.data.source import Say, Source

_KEPT = {"1024": "images1024x1024", "128": "thumbnails128x128"}  # as published: a folder, or a zip of one


@dataclass(frozen=True, kw_only=True)
class Ffhq(NamedSet):
    """FFHQ; its numbered folders of a thousand pictures each are no classes."""

    def open(self, part: str, say: Say) -> Source:
        """Open the pictures of a size, the largest that is there if none is named."""
        self.check_part(part)
        found = self._find(part)
        if not found:
            names = " or ".join(f"{name}/ (or .zip)" for key, name in _KEPT.items() if part in ("", key))
            raise DataError(
                f"ffhq cannot be downloaded by itself. Get {names} from\n"
                f"https://github.com/NVlabs/ffhq-dataset and put it into {user_cache() / self.name}"
            )
        key, path = found
        source = (FolderFormat if path.is_dir() else ZipFormat).open(path)
        return replace(
            source, where=f"{self.name}/{key}", name=self.name, kind="FFHQ", labels=None, classes=(), notes=()
        )

    def state(self) -> str:
        """Where it lies, or that it has to be put there."""
        found = self._find("")
        return f"found at {found[1]}" if found else "to put there by hand"

    def _find(self, part: str) -> tuple[str, Path] | None:
        wanted = [(key, name) for key, name in _KEPT.items() if part in ("", key)]
        places = [
            (key, place / f"{name}{end}")
            for key, name in wanted
            for place in places_of(self.name)
            for end in ("", ".zip")
        ]
        return next(((key, path) for key, path in places if path.exists()), None)


FFHQ = Ffhq(
    name="ffhq",
    description="faces: 70,000 colour pictures of 1024 x 1024, or ffhq/128 of 128 x 128",
    licence="CC BY-NC-SA 4.0, NVIDIA; each picture under its own Creative Commons licence",
    megabytes=95_600,
    parts=tuple(_KEPT),
)
