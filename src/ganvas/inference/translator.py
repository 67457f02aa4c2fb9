"""A trained network from pictures to pictures ready for use, on pictures of any size."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core import devices, files
from ganvas.core.errors import DataError, MemoryExhausted, UsageError
from ganvas.core.images import to_pillow
from ganvas.core.sizes import Size
from ganvas.data.decode import Unreadable, orientation_of, quiet_pillow
from ganvas.data.fit import eight_bits, upright
from ganvas.inference import guides, tiles
from ganvas.inference import rows as writing
from ganvas.inference.coarse import Coarse
from ganvas.inference.fast_translator import fast_translator
from ganvas.inference.generator import PRECISIONS
from ganvas.inference.guides import Guide
from ganvas.inference.modes import Colorize, luma, mode
from ganvas.inference.photo import Photo, read_photo
from ganvas.inference.seen import Seen, bytes_for_a_pixel, seen
from ganvas.inference.tiles import Tiling
from ganvas.networks.translating import Translator as Network

MEMORY = 512 * 2**20  # bytes for the network's work on a tile
MOST_MARGIN = 128  # pixels at the edge of a tile that are thrown away
COLOURED_AT, _USUAL_SIZE = 4, 64  # times what training saw: pictures for which colours are made; such a size
GLOBAL_MARGIN = 32  # the same where a network looks at all of a tile, so that no margin is enough
GLOBAL_MEMORY = 4  # times as much for these, so that tiles are as like the whole as may be
LEAST_MEMORY = 2**20  # below it a smaller tile does not help
_ALPHA_ROWS = 4  # on either side, that Lanczos reads

Progress = Callable[[float], None]
"""Told from 0 to 1 how much of a picture is done."""


def silent(part: float) -> None:
    """Progress that nobody looks at."""


class Translator:
    """A network from pictures to pictures ready for use.

    card: what it is, as in `core.card`; mode: how pictures become what it reads and back. hinted: whether it takes
    hints of colours. scale: how many times larger what it makes is. network: in float32 and evaluation mode, on
    `device`; in another `precision` pictures come from a copy that is made at the first of them. memory: bytes for the
    work on one tile, about; less once it did not suffice. at: of a network of colours, pixels of the shorter side that
    larger pictures are at least made to have for it; None: as many as in their files. A picture with 16 bits is worked
    on in float32 unless bfloat16 was asked for, whose steps would be seen in it.
    """

    def __init__(
        self,
        network: Network,
        card: dict[str, Any],
        device: torch.device,
        precision: str = "auto",
        *,
        memory: int = MEMORY,
        at: int | None = None,
    ) -> None:
        """precision: auto, float32 or bfloat16. at: 0: full size; None: usual, which is COLOURED_AT times training's.

        Raises UsageError for another precision, and for an `at` of a network without colours; DataError for a mode it
        cannot be of.
        """
        if precision not in PRECISIONS:
            raise UsageError(f"--precision {precision}: pictures are made in {', '.join(PRECISIONS)}")
        self.card = card
        self.mode = mode(str(card.get("mode")), network.inputs, network.outputs)
        self.hinted = self.mode.hinted and network.inputs > 1
        self.scale: int = network.scale
        self.device = device
        self.memory = memory
        coloured = isinstance(self.mode, Colorize)
        if at is not None and (at < 0 or not coloured):
            raise UsageError(f"--at {at}: it is for networks of colours, 0 or more; leave it out")
        usual = COLOURED_AT * self._trained_at if coloured else 0
        self.at = (usual if at is None else at) or None
        self._coarse: dict[int, Translator] = {}
        self._bytes: dict[int, int] = {}
        self.precision = str(devices.choose_precision(precision, device)).removeprefix("torch.")
        self._precision_of_16 = "bfloat16" if precision == "bfloat16" else "float32"
        network = network.eval().requires_grad_(False).float()
        self.network: Network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def _trained_at(self) -> int:
        """Pixels of the shorter side of what training saw; a usual number where the card does not say."""
        size = self.card.get("size")
        return _USUAL_SIZE if size is None else Size.of(size).shorter

    def in_float32(self) -> "Translator":
        """The same as evaluations work it: what PyTorch makes in float32."""
        found = Translator(self.network, self.card, self.device, "float32", memory=self.memory)
        found.at = self.at
        return found

    def check_guides(self, masks: Any, hints: Any) -> None:
        """Raise UsageError for masks or hints, each None where there are none, that the network does not take."""
        if masks is not None and not self.mode.masked:
            raise UsageError("This network takes no masks: it changes the whole of a picture")
        if hints is not None and not self.hinted:
            raise UsageError("This network takes no hints of colours: only one that was trained with them does")

    def _for(self, height: int, width: int) -> "Translator":
        """The translator that a picture is made by: this one, or the same worked on smaller pictures."""
        factor = 1 if self.at is None else max(1, min(height, width) // self.at)
        if factor == 1:
            return self
        if factor not in self._coarse:
            self._coarse = {factor: _Smaller(self, factor)}  # pictures of one size come together
        self._coarse[factor].memory = self.memory
        return self._coarse[factor]

    def __repr__(self) -> str:
        """What it does, in a few words."""
        larger = f", {self.scale} times larger" if self.scale > 1 else ""
        task = self.card.get("task") or self.card.get("mode")
        return f"Translator({task}{larger}, {type(self.network).__name__}, {self.precision} on {self.device})"

    def __call__(self, picture: Any, mask: Any = None, *, hints: Any = None) -> Any:
        """What becomes of a picture.

        picture: a file or a Pillow image, whose result is a Pillow image with 8 bits a channel; or an array [C, H, W],
        uint8 or uint16 with 1 to 4 channels, whose result is one of its type. mask: for `inpaint`, a file or an array
        [H, W], where it is white (an array: not 0) the picture is unknown; without it, where the picture is
        transparent. hints: of colours, where `hinted`: a file or an array [4, H, W], transparent but where it says a
        colour; without it, none. Either may be a Pillow image, too.
        Raises DataError for a picture, a mask or hints that cannot be used; UsageError for an array of another kind,
        and for a mask or hints that the network does not take.
        """
        if isinstance(picture, Image.Image | np.ndarray):
            try:
                return self._of_memory(picture, mask, hints)
            except (Unreadable, DataError) as error:
                raise DataError(f"The picture {error}") from None
        name = Path(picture)
        try:
            with quiet_pillow():
                photo = read_photo(name)
            worker = self._for(photo.height, photo.width)
            made = np.concatenate(list(worker._made(photo, mask, hints, silent)))
        except (Unreadable, DataError) as error:
            raise DataError(f"{name} {error}") from None
        if made.dtype == np.uint16:
            made = ((made.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return Image.fromarray(made[:, :, 0] if made.shape[2] == 1 else made)

    def _of_memory(self, picture: Any, mask: Any, hints: Any) -> Any:
        """What becomes of a Pillow image or an array; messages end a sentence that begins with "The picture"."""
        if isinstance(picture, Image.Image):
            pixels = np.atleast_3d(np.asarray(upright(eight_bits(picture), orientation_of(picture))))
            return to_pillow(self._of_memory(pixels.transpose(2, 0, 1), mask, hints))
        photo = guides.photo_of_array(picture)
        worker = self._for(photo.height, photo.width)
        return np.concatenate(list(worker._made(photo, mask, hints, silent))).transpose(2, 0, 1)

    def write(
        self, picture: Path, out: Path, *, mask: Any = None, hints: Any = None, progress: Progress = silent
    ) -> list[str]:
        """Make a file of a file, in the format that the ending of `out` means, with all that the format can keep.

        Tiles are made smaller while memory does not suffice. However it ends, `out` is whole or as it was. Returns what
        could not be kept as it was, each the end of a sentence that begins with the picture's name; so do messages of
        the Unreadable or DataError that is raised for a picture that cannot be used, and of MemoryExhausted.
        """
        format = writing.FORMATS.get(out.suffix.lower())
        if format is None:
            raise DataError(f"cannot be written as {out.name}: end it with {', '.join(writing.FORMATS)}")
        photo = read_photo(picture)
        while True:
            try:
                worker = self._for(photo.height, photo.width)
                return worker._write(photo, out, format, mask, hints, progress)
            except Exception as error:
                if not devices.is_out_of_memory(error):
                    raise
                if self.memory <= LEAST_MEMORY:
                    raise MemoryExhausted("does not fit into memory, even in the smallest tiles") from None
            self.memory //= 2

    def save(self, folder: str | Path, *, precision: str = "float32", licence: str | None = None) -> Path:
        """Write the translator as a folder that `ganvas.load` and hubs of models read; see `saving.save`."""
        from ganvas.inference.saving import save  # which needs this class

        return save(self, Path(folder), precision=precision, licence=licence)

    def push(self, name: str, *, precision: str = "float32", licence: str | None = None, private: bool = False) -> str:
        """Put the translator on the hub as "user/name" and return its address; see `hub.push`."""
        from ganvas.inference.hub import push  # which needs this class

        return push(self, name, precision=precision, licence=licence, private=private)

    def note_on(self, photo: Photo) -> str | None:
        """What there is to be said of the tiles of a picture; None where they are as the whole."""
        if (worker := self._for(photo.height, photo.width)) is not self:
            return worker.note_on(photo)
        chosen = self._tiling(photo)
        if tiles.count_tiles((photo.height, photo.width), chosen) == 1:
            return None
        if self.network.reach is None:
            return (
                f"is made in parts of {chosen.width} x {chosen.height} pixels, and this network looks at all of each: "
                "they may differ in colour and contrast"
            )
        found = self._seen
        if found.difference > 2 / 255:
            return (
                f"is made in parts, and this network looks further than the {found.margin} pixels by which they "
                f"overlap: beside a seam single values may be {found.difference * 127.5:.0f} of 255 off"
            )
        return None

    def _write(self, photo: Photo, out: Path, format: str, mask: Any, hints: Any, progress: Progress) -> list[str]:
        made = self._shape(photo, holes_by_alpha=self.mode.masked and mask is None)
        shape, lost = writing.written_as(format, made)
        kept, left_out = writing.kept_in(format, photo.kept, made)
        note = self.note_on(photo)
        notes = [*photo.notes, *lost, *left_out, *([note] if note else [])]
        if self.network.outputs == 1 and self.mode.keeps_grey and not photo.grey:
            notes.append("comes out grey, as the network makes grey pictures")
        if photo.transparent and self.mode.on_white:
            notes.append("keeps its transparency, below which what was made is not seen")
        with files.replacing(out) as partial, writing.sink(partial, format, shape, kept) as sink:
            for band in self._made(photo, mask, hints, progress):
                sink.add(writing.fitted(band, shape))
        return notes

    def _made(self, photo: Photo, mask: Any, hints: Any, progress: Progress) -> Iterator[np.ndarray]:
        """Bands [rows, W, C] from the top, with alpha where the picture has it."""
        guide = self._guide(photo, mask, hints)
        holes_by_alpha = self.mode.masked and mask is None
        size, chosen = (photo.height, photo.width), self._tiling(photo)
        made = self._drawing(photo.bits)
        total, done = tiles.count_tiles(size, chosen), 0
        full = 2.0**photo.bits - 1
        grey = self.mode.keeps_grey and photo.grey
        colours = 1 if photo.grey else 3
        keeps_alpha = photo.transparent and not holes_by_alpha
        laid_on_white = keeps_alpha and self.mode.on_white

        def draw(rows: slice, columns: slice) -> Tensor:
            nonlocal done
            pixels = photo.cut(rows, columns)
            picture = guides.as_pictures(pixels[:, :, :colours], photo.bits)
            if laid_on_white:  # as in training
                opaque = torch.from_numpy(pixels[:, :, -1].astype(np.float32) / full)
                picture = picture * opaque + (1 - opaque)
            if guide is not None:
                picture = torch.cat([picture, guide.cut(rows, columns)], dim=1)
            with torch.inference_mode():
                picture = picture.to(self.device)
                given = self.mode.given(picture, self.network.inputs).contiguous(memory_format=torch.channels_last)
                found = self.mode.made(picture, made(given))
                found = luma(found) if grey and found.shape[1] == 3 else found
                if not found.isfinite().all():
                    raise DataError("comes out as no numbers (NaN): the network's weights are not sound")
            done += 1
            progress(done / total)
            return found[0].float().cpu()

        def finish(part: Tensor) -> np.ndarray:
            whole = part.add(1).mul_(full / 2).round_().clamp_(0, full).permute(1, 2, 0).numpy()
            return whole.astype(np.uint8 if photo.bits == 8 else np.uint16)

        top = 0
        for band in tiles.bands(draw, finish, size, self.scale, chosen):
            if keeps_alpha:
                alpha = self._alpha(photo, top, len(band))
                band = np.concatenate([_off_white(band, alpha) if laid_on_white else band, alpha], axis=2)
            top += len(band)
            yield band

    def _alpha(self, photo: Photo, top: int, rows: int) -> np.ndarray:
        """Rows of the alpha of the result, [rows, W, 1]: the picture's, enlarged by Lanczos."""
        scale, width = self.scale, photo.width
        first, last = top // scale, (top + rows) // scale
        if scale == 1:
            return photo.cut(slice(first, last), slice(0, width))[:, :, -1:]
        low, high = max(0, first - _ALPHA_ROWS), min(photo.height, last + _ALPHA_ROWS)
        held = photo.cut(slice(low, high), slice(0, width))[:, :, -1]
        image = Image.fromarray(held.astype(np.float32))
        box = (0, first - low, width, last - low)
        made = np.asarray(image.resize((width * scale, rows), Image.Resampling.LANCZOS, box=box))
        return np.rint(made).clip(0, 2**photo.bits - 1).astype(held.dtype)[:, :, None]

    def _shape(self, photo: Photo, *, holes_by_alpha: bool) -> writing.Shape:
        """Of the result."""
        grey = self.network.outputs == 1 or (self.mode.keeps_grey and photo.grey)
        alpha = photo.transparent and not holes_by_alpha
        height, width = photo.height * self.scale, photo.width * self.scale
        return writing.Shape(height, width, (1 if grey else 3) + alpha, photo.bits)

    def _guide(self, photo: Photo, mask: Any, hints: Any) -> Guide | None:
        """What the network reads beside the picture; None where nothing. Raises DataError, and UsageError for more."""
        self.check_guides(mask, hints)
        if self.mode.masked:
            return guides.holes(photo, mask)
        return guides.hints(photo, hints) if self.hinted else None

    def drawn(self, given: Tensor) -> Tensor:
        """What the network makes of what it reads, worked on as a picture of that size with 8 bits would be.

        float [1, inputs, H, W] -> float32 [1, outputs, H * scale, W * scale] on the CPU, as the network made it.
        """
        size = (given.shape[2], given.shape[3])
        worker = self._for(*size)
        made = worker._drawing(8)

        def draw(rows: slice, columns: slice) -> Tensor:
            part = given[:, :, rows, columns].float().to(self.device)
            with torch.inference_mode():
                return made(part.contiguous(memory_format=torch.channels_last))[0].float().cpu()

        bands = tiles.bands(draw, lambda part: part.permute(1, 2, 0).numpy(), size, self.scale, worker._tiles(*size, 8))
        return torch.from_numpy(np.concatenate(list(bands))).permute(2, 0, 1)[None].contiguous()

    def _tiling(self, photo: Photo) -> Tiling:
        return self._tiles(photo.height, photo.width, photo.bits)

    def _tiles(self, height: int, width: int, bits: int) -> Tiling:
        everywhere = self.network.reach is None
        pixels = self.memory * (GLOBAL_MEMORY if everywhere else 1) // self._bytes_for_a_pixel(bits)
        multiple = self.network.multiple
        if height * width <= pixels:
            return Tiling(height, width, 0, multiple)
        margin = GLOBAL_MARGIN if everywhere else self._seen.margin
        return tiles.tiling(height, width, pixels=pixels, margin=margin, multiple=multiple, scale=self.scale)

    @functools.cached_property
    def _seen(self) -> Seen:
        return seen(self.network, MOST_MARGIN, self.device)

    @functools.cached_property
    def _fast(self) -> Network:
        return fast_translator(self.network)

    def _drawing(self, bits: int) -> Network:
        precision = self.precision if bits == 8 else self._precision_of_16
        return self.network if precision == "float32" else self._fast

    def _measured(self, bits: int) -> Network:
        """What the memory of drawing is measured on."""
        return self._drawing(bits)

    def _bytes_for_a_pixel(self, bits: int) -> int:
        if bits not in self._bytes:
            measured = self._measured(bits)
            self._bytes[bits] = bytes_for_a_pixel(measured, self.network.inputs, self.network.least, self.device)
        return self._bytes[bits]


class _Smaller(Translator):
    """A translator worked on a whole number of times smaller pictures, by what works it on whole ones."""

    def __init__(self, whole: Translator, factor: int) -> None:
        super().__init__(Coarse(whole.network, factor), whole.card, whole.device, at=0)
        self._whole, self._factor = whole, factor

    def _drawing(self, bits: int) -> Network:
        return Coarse(self._whole._drawing(bits), self._factor)

    def _measured(self, bits: int) -> Network:
        return Coarse(self._whole._measured(bits), self._factor)


def _off_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours [rows, W, C] that with an alpha [rows, W, 1] look on white as these do; below an alpha of 0 these."""
    full = float(np.iinfo(pixels.dtype).max)
    part = alpha.astype(np.float32) / full
    own = full - (full - pixels) / np.where(part > 0, part, 1)
    return np.rint(own).clip(0, full).astype(pixels.dtype)
