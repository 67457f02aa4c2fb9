"""Writing generated pictures: one grid, a folder of files, an animation."""

from collections.abc import Sequence
from importlib.util import find_spec
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
_ANIMATIONS = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG", ".mp4": "MP4"}


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


def write_picture(image: Image.Image, out: Path) -> None:
    """Write one picture. Raises UsageError for an ending that is no picture's, DataError where it cannot be written."""
    try:
        _save(image, out, _format(out, _FILES))
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}. Choose another --out") from None


def check_animation(out: Path) -> None:
    """Raise UsageError, before there are frames, if an animation could not be written to a file of this ending."""
    if _format(out, _ANIMATIONS) == "MP4" and find_spec("av") is None:
        raise UsageError(
            f'{out}: .mp4 needs the extra `video`: pip install "ganvas[video]"; .webp and .gif need nothing'
        )


def write_animation(frames: np.ndarray, out: Path, *, frames_per_second: int = 20, enlarge_to: int = 128) -> None:
    """Write uint8 [N, C, H, W] as an endless animation; small frames are enlarged in whole steps to be seen.

    Raises UsageError as `check_animation` does.
    """
    check_animation(out)
    kind = _format(out, _ANIMATIONS)
    scale = max(1, enlarge_to // max(frames.shape[2:]))
    pictures = [to_pillow(frame) for frame in frames.repeat(scale, axis=2).repeat(scale, axis=3)]
    try:
        with replacing(out) as partial:
            if kind == "MP4":
                _film(pictures, partial, frames_per_second)
                return
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


def _film(pictures: Sequence[Image.Image], path: Path, frames_per_second: int) -> None:
    """An H.264 film whose sides are even, as its halved colours need: an odd one loses a row or column of pixels."""
    import av

    width, height = (side // 2 * 2 for side in pictures[0].size)
    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=frames_per_second, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_image(picture.convert("RGB").crop((0, 0, width, height)))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


def _format(out: Path, formats: dict[str, str]) -> str:
    if out.suffix.lower() not in formats:
        raise UsageError(f"{out}: the file must end in one of {', '.join(formats)}")
    return formats[out.suffix.lower()]


def _save(image: Image.Image, path: Path, kind: str) -> None:
    if kind == "JPEG" and image.mode not in ("L", "RGB"):
        raise UsageError(f"{path}: JPEG holds no transparency; write a .png")
    with replacing(path) as partial:
        image.save(partial, format=kind)
