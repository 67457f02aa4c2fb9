"""CelebA by name: found, never downloaded, because its terms have to be agreed to."""

from dataclasses import dataclass
from pathlib import Path

from ganvas.core.errors import DataError
from ganvas.core.places import places_of, user_cache
from ganvas.data.celeba import find_pictures, open_celeba
from ganvas.data.named.published import NamedSet
from ganvas.data.source import Say, Source


@dataclass(frozen=True, kw_only=True)
class Celeba(NamedSet):
    """CelebA; what follows the name is an attribute, by which the pictures get two classes."""

    def open(self, part: str, say: Say) -> Source:
        """Open all pictures, with classes by an attribute if one is named."""
        folder = self._find()
        if not folder:
            raise DataError(
                "celeba cannot be downloaded by itself. Get img_align_celeba.zip and list_attr_celeba.txt from\n"
                f"https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and put both into {user_cache() / self.name}"
            )
        where, name = (f"{self.name}/{part}", f"{self.name}-{part}") if part else (self.name, self.name)
        return open_celeba(folder, part or None, where, name)

    def state(self) -> str:
        """Where it lies, or that it has to be put there."""
        found = self._find()
        return f"found at {found}" if found else "to put there by hand"

    def _find(self) -> Path | None:
        return next((place for place in places_of(self.name) if find_pictures(place)), None)


CELEBA = Celeba(
    name="celeba",
    description="faces: 202,599 colour pictures of 178 x 218; celeba/Smiling has that attribute as its classes",
    licence="non-commercial research only, MMLAB, CUHK",
    megabytes=1443.5,
)
