"""Moving pixels: exact copies (blitting) and one affine map with one resampling. Karras et al. 2020, appendix B.

Beyond its border a picture goes on as its mirror image, the pixels at the border twice.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.augment.pipeline import Dice, Stage, for_pictures
from ganvas.core.sizes import Size

_RADIUS = 3  # of the Lanczos kernel, in pixels
_MARGIN = 2 * _RADIUS - 1  # half pixels beyond the border that the last filter reads


class Blit(Stage):
    """Mirroring left to right, quarter turns, shifts by whole pixels, to 1/8 of height and width: pixels are copied.

    In this order, each with probability p; a picture that is met is mirrored half of the time, and turned by 0, 1, 2 or
    3 quarters alike. One that is not square does not fit into itself after a quarter, and is turned by 0 or 2.
    """

    draws = 7

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        height, width = pictures.shape[2:]
        turns, step = (4, 1) if height == width else (2, 2)
        mirrored = dice.happens(p) & (dice.uniform() < 0.5)
        quarters = dice.happens(p) * (turns * dice.uniform()).long() * step
        shifted = dice.happens(p)
        down, right = (shifted * (side * dice.uniform(-1 / 8, 1 / 8)).round().long() for side in (height, width))
        return blit(pictures, mirrored, quarters, down, right)


def blit(pictures: Tensor, mirrored: Tensor, quarters: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Mirror left to right, turn counterclockwise, shift.

    pictures: [N, C, H, W]. mirrored: bool [N]. quarters of a turn (0 or 2 unless H = W), down, right (in
    pixels): int64 [N].
    """
    height, width = pictures.shape[2:]
    rows = torch.arange(height, device=pictures.device) - down[:, None]
    columns = torch.arange(width, device=pictures.device) - right[:, None]
    # From where a pixel is shown back to where it is read; turns are about the middle, in half pixels.
    y = 2 * _reflected(rows, height)[:, :, None] - (height - 1)  # [N, H, 1]
    x = 2 * _reflected(columns, width)[:, None, :] - (width - 1)  # [N, 1, W]
    cosine = ((quarters == 0).long() - (quarters == 2).long())[:, None, None]
    sine = ((quarters == 1).long() - (quarters == 3).long())[:, None, None]
    y, x = cosine * y + sine * x, cosine * x - sine * y  # [N, H, W]
    x = torch.where(mirrored[:, None, None], -x, x)
    source = (y + height - 1) // 2 * width + (x + width - 1) // 2
    flat = source.flatten(1)[:, None].expand(-1, pictures.shape[1], -1)
    return pictures.flatten(2).gather(2, flat).view(pictures.shape)


class Affine(Stage):
    """Scaling, turning, stretching, turning again and shifting as one affine map, resampled once.

    Scale exp N(0, (0.2 ln 2)^2); both angles U(-pi, pi), each with probability 1 - sqrt(1 - p), so that p is that of
    either; stretch exp N(0, (0.2 ln 2)^2) across and its inverse down; shifts N(0, (1/8)^2)
    of width and height. The picture is brought to twice its size (Lanczos), read bilinearly at half pixels, and brought
    back (Lanczos).
    """

    draws = 11
    up_rows: Tensor
    up_columns: Tensor
    down_rows: Tensor
    down_columns: Tensor

    def __init__(self, size: int | Size) -> None:
        super().__init__()
        height, width = Size.of(size).hw
        self.register_buffer("up_rows", _doubling(height), persistent=False)
        self.register_buffer("up_columns", _doubling(width), persistent=False)
        self.register_buffer("down_rows", _halving(height), persistent=False)
        self.register_buffer("down_columns", _halving(width), persistent=False)

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        of_a_turn = 1 - (1 - p) ** 0.5
        scaled, scale = dice.happens(p), dice.lognormal(0.2 * math.log(2))
        turned, angle = dice.happens(of_a_turn), dice.uniform(-math.pi, math.pi)
        stretched, stretch = dice.happens(p), dice.lognormal(0.2 * math.log(2))
        again, other = dice.happens(of_a_turn), dice.uniform(-math.pi, math.pi)
        shifted, shift = dice.happens(p), torch.stack([dice.normal(1 / 8), dice.normal(1 / 8)], dim=1)
        scale, stretch = torch.where(scaled, scale, 1), torch.where(stretched, stretch, 1)
        stretching = torch.diag_embed(torch.stack([scale * stretch, scale / stretch], dim=1))
        matrix = _turn(other * again) @ stretching @ _turn(angle * turned)
        moved = self.resample(pictures, matrix, shift * shifted[:, None])
        met = scaled | turned | stretched | again | shifted
        return torch.where(for_pictures(met), moved, pictures)

    def resample(self, pictures: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
        """The pictures under position -> matrix position + shift, about their middle.

        pictures: [N, C, H, W]. matrix: [N, 2, 2], for positions (x, y) in pixels, x to the right, y down. shift:
        [N, 2], parts of the width and of the height.
        """
        height, width = pictures.shape[2:]
        places = (_half_pixels(side, pictures) for side in (width, height))
        shown = torch.stack(torch.meshgrid(*places, indexing="xy"), dim=-1) - 2 * shift[:, None, None]
        # The picture is from -1 to 1 both ways; the matrix is for positions with one unit, half of the width.
        unit = pictures.new_tensor([1.0, height / width])
        read = (shown * unit) @ _inverse(matrix).mT[:, None] / unit  # [N, 2 H + 2 margins, 2 W + 2 margins, 2]
        rows, columns = self.up_rows.to(pictures.dtype), self.up_columns.to(pictures.dtype)
        fine: Tensor = _Read.apply(rows @ pictures @ columns.mT, read)
        return self.down_rows.to(pictures.dtype) @ fine @ self.down_columns.to(pictures.dtype).mT


class _Read(torch.autograd.Function):
    """Bilinear reading at given places, linear in the pictures; PyTorch's own cannot be differentiated twice."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.size = pictures.shape[2:]
        return functional.grid_sample(pictures, places, padding_mode="reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (places,) = ctx.saved_tensors
        return _Spread.apply(gradients[0], places, ctx.size), None


class _Spread(torch.autograd.Function):
    """The transpose of `_Read`: each value goes to the four pixels that it would be read from."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, places: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(places)
        pictures = values.new_empty(*values.shape[:2], *size)  # only its shape matters
        bilinear, reflection, wanted = 0, 2, (True, False)
        backward = torch.ops.aten.grid_sampler_2d_backward
        spread: Tensor = backward(values, pictures, places, bilinear, reflection, False, wanted)[0]
        return spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (places,) = ctx.saved_tensors
        return _Read.apply(gradients[0], places), None, None


def _half_pixels(side: int, like: Tensor) -> Tensor:
    """Where the half pixels of a side lie, with the margins, if the picture is from -1 to 1."""
    places = torch.arange(-_MARGIN, 2 * side + _MARGIN, device=like.device, dtype=like.dtype)
    return (places + 0.5) / side - 1


def _turn(angle: Tensor) -> Tensor:
    """Rotations [N, 2, 2] by angles [N], clockwise as seen, since y goes down."""
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)


def _inverse(matrix: Tensor) -> Tensor:
    """Of [N, 2, 2], by the formula: a solver would wait for an accelerator to say whether there is one."""
    (a, b), (c, d) = matrix.permute(1, 2, 0)
    return torch.stack([d, -b, -c, a], dim=1).view(-1, 2, 2) / (a * d - b * c)[:, None, None]


def _reflected(places: Tensor, size: int) -> Tensor:
    """Whole places anywhere -> places in 0..size-1, mirrored at the borders."""
    inside = places % (2 * size)
    return torch.minimum(inside, 2 * size - 1 - inside)


def _doubling(size: int) -> Tensor:
    """[2 S, S]: Lanczos interpolation of a mirrored row of pixels at the middles of their halves."""
    middles = (torch.arange(2 * size, dtype=torch.float64) + 0.5) / 2 - 0.5
    pixels = torch.arange(-_RADIUS, size + _RADIUS)
    weights = _lanczos(middles[:, None] - pixels)
    weights = weights / weights.sum(dim=1, keepdim=True)
    matrix = torch.zeros(2 * size, size, dtype=torch.float64)
    return matrix.index_add_(1, _reflected(pixels, size), weights).float()


def _halving(size: int) -> Tensor:
    """[S, 2 S + 2 margins]: half pixels, read beyond the borders, to pixels, with what is too fine filtered out."""
    middles = (torch.arange(-_MARGIN, 2 * size + _MARGIN, dtype=torch.float64) + 0.5) / 2 - 0.5
    weights = _lanczos(middles - torch.arange(size)[:, None])
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def _lanczos(distance: Tensor) -> Tensor:
    return torch.where(distance.abs() < _RADIUS, torch.sinc(distance) * torch.sinc(distance / _RADIUS), 0)
