"""Writing generated pictures: one grid, a folder of files, an animation."""

import io
import os
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.core.errors import UsageError
from ganvas.core.files import check_writable, remove_abandoned, replacing, write_unflushed, written_to
from ganvas.core.images import to_pillow

_FILES = {
    ".png": "PNG",
    ".webp": "WEBP",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_LEVEL = 1  # of compression: at 6 files of 32 to 64 pixels a side are 5 to 7 % smaller and take up to 1.6 times as long
_FRAMES_PER_SECOND = 20
_ANIMATIONS = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG", ".mp4": "MP4"}


def is_folder(out: str | Path) -> bool:
    """Whether a name is a folder's: without an ending, with a "/" at its end, or of a folder that is there."""
    return not Path(out).suffix or Path(out).is_dir() or str(out).endswith(("/", "\\"))


def path_of(seed: int, folder: Path) -> Path:
    """The file of a seed's picture, 000000.png."""
    return folder / f"{seed:06d}.png"


def check_new(seeds: Iterable[int], folder: Path) -> None:
    """Raise UsageError if the picture of one of these seeds is in a folder already."""
    if folder.is_dir() and (there := next((path for seed in seeds if (path := path_of(seed, folder)).exists()), None)):
        raise UsageError(f"{there} is there already: --replace writes it anew, or choose another --out")


def write_each(batches: Iterable[tuple[Sequence[int], np.ndarray]], out: str | Path) -> None:
    """Write pictures as PNG files 000000.png ... named by their seeds, in threads, while the next batch is drawn.

    batches: (seeds, uint8 [N, C, H, W]), as `Generator.batches` gives them. As many wait to be written as there are
    threads, so memory does not grow with their number. However it ends, each file is whole or not there; what a kill
    left half-written is removed some time later. Raises DataError where that cannot be.
    """
    folder, threads = Path(out), os.cpu_count() or 1
    waiting: deque[Future[None]] = deque()
    with written_to(out):
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, "*.png")
    with ThreadPoolExecutor(threads) as pool:
        try:
            for seeds, pictures in batches:
                paths = [path_of(seed, folder) for seed in seeds]
                for part in range(threads):
                    waiting.append(pool.submit(write_pngs, pictures[part::threads], paths[part::threads]))
                while len(waiting) > 2 * threads:
                    waiting.popleft().result()
            for one in waiting:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write_pngs(pictures: np.ndarray, paths: Sequence[Path]) -> None:
    """Write uint8 [N, C, H, W], each to its path, whole or not at all. Raises DataError where that cannot be."""
    for picture, path in zip(pictures, paths, strict=True):
        content = io.BytesIO()
        to_pillow(picture).save(content, format="PNG", compress_level=_LEVEL)
        with written_to(path.parent):
            write_unflushed(path, content.getvalue())


def write_picture(image: Image.Image, out: Path) -> None:
    """Write one picture. Raises UsageError for an ending that is no picture's, DataError where it cannot be written."""
    with written_to(out):
        _save(image, out, _format(out, _FILES))


def check_picture(out: Path) -> None:
    """Raise UsageError or DataError, before there is a picture, if it can be foreseen that none can be written."""
    _format(out, _FILES)
    with written_to(out):
        check_writable(out)


def check_animation(out: Path) -> None:
    """Raise UsageError, before there are frames, if an animation could not be written to a file of this ending."""
    if _format(out, _ANIMATIONS) == "MP4" and find_spec("av") is None:
        raise UsageError(
            f'{out}: .mp4 needs the extra `video`: pip install "ganvas[video]"; .webp and .gif need nothing'
        )


def write_animation(frames: np.ndarray, out: Path, *, enlarge_to: int = 128) -> None:
    """Write uint8 [N, C, H, W] as an endless animation; small frames are enlarged in whole steps to be seen.

    Raises UsageError as `check_animation` does.
    """
    check_animation(out)
    kind = _format(out, _ANIMATIONS)
    scale = max(1, enlarge_to // max(frames.shape[2:]))
    pictures = [to_pillow(frame) for frame in frames.repeat(scale, axis=2).repeat(scale, axis=3)]
    with written_to(out), replacing(out) as partial:
        if kind == "MP4":
            _film(pictures, partial)
            return
        pictures[0].save(
            partial,
            format=kind,
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / _FRAMES_PER_SECOND),
            loop=0,
        )


def _film(pictures: Sequence[Image.Image], path: Path) -> None:
    """An H.264 film whose sides are even, as its halved colours need: an odd one loses a row or column of pixels."""
    import av

    width, height = (side // 2 * 2 for side in pictures[0].size)
    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=_FRAMES_PER_SECOND, options={"crf": "18"})
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
