"""Writing generated pictures: one grid, a folder of files, an animation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.core.errors import DataError, UsageError
from ganvas.core.files import replacing
from ganvas.core.images import grid, to_pillow

_FILES = {
    ".png": "PNG",
    ".webp": "WEBP",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_ANIMATIONS = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG"}


def write(pictures: np.ndarray, seeds: Sequence[int], out: str | Path) -> list[Path]:
    """Write uint8 [N, C, H, W] as one grid if `out` names a picture file, else as a file a seed into the folder `out`.

    A name without an ending, with a "/" at its end, or of a folder that is there is a folder. Returns what was
    written. Raises UsageError for an ending that is no picture's.
    """
    path = Path(out)
    try:
        if not path.suffix or path.is_dir() or str(out).endswith(("/", "\\")):
            files = [path / f"{seed:06d}.png" for seed in seeds]
            for file, picture in zip(files, pictures, strict=True):
                _save(to_pillow(picture), file, "PNG")
            return files
        _save(grid(pictures), path, _format(path, _FILES))
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}. Choose another --out") from None
    return [path]


def write_animation(frames: np.ndarray, out: Path, *, frames_per_second: int = 20, enlarge_to: int = 128) -> None:
    """Write uint8 [N, C, H, W] as an endless animation; small frames are enlarged in whole steps to be seen.

    Raises UsageError if the file's ending is not .webp, .gif or .png.
    """
    kind = _format(out, _ANIMATIONS)
    scale = max(1, enlarge_to // max(frames.shape[2:]))
    pictures = [to_pillow(frame) for frame in frames.repeat(scale, axis=2).repeat(scale, axis=3)]
    try:
        with replacing(out) as partial:
            pictures[0].save(
                partial,
                format=kind,
                save_all=True,
                append_images=pictures[1:],
                duration=round(1000 / frames_per_second),
                loop=0,
            )
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}. Choose another --out") from None


def _format(out: Path, formats: dict[str, str]) -> str:
    if out.suffix.lower() not in formats:
        raise UsageError(f"{out}: the file must end in one of {', '.join(formats)}")
    return formats[out.suffix.lower()]


def _save(image: Image.Image, path: Path, kind: str) -> None:
    if kind == "JPEG" and image.mode not in ("L", "RGB"):
        raise UsageError(f"{path}: JPEG holds no transparency; write a .png")
    with replacing(path) as partial:
        image.save(partial, format=kind)
