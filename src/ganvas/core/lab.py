"""Pictures as lightness and colour: CIELAB (CIE 1976) of sRGB (IEC 61966-2-1) under daylight D65, and back.

L is from 0 (black) to 100 (white), a from green to red, b from blue to yellow, both about -108 to 98 for colours that a
screen shows. Computed in float32 or better, also under autocast; gradients are finite everywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional

LIGHTNESS = 50.0  # L / this - 1 is in [-1, 1]
COLOUR = 110.0  # a and b over this are in [-1, 1]

# Linear sRGB to XYZ, the middle row Y. IEC 61966-2-1; XYZ are divided by those of white, so that grey has a = b = 0.
_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.95047, 1.0, 1.08883)
_EDGE = 6 / 29  # below it the cube root of CIELAB is a line


def rgb_to_lab(pictures: Tensor) -> Tensor:
    """[N, 3, H, W] in [-1, 1], cut off there -> [N, 3, H, W]: L, a, b."""
    pictures = _precise(pictures)
    encoded = (pictures.clamp(-1, 1) + 1) / 2
    curved = ((encoded.clamp(min=0.04) + 0.055) / 1.055).pow(2.4)
    linear = torch.where(encoded > 0.04045, curved, encoded / 12.92)
    x, y, z = _colour_map(linear, _scaled_matrix(pictures)).unbind(1)
    fx, fy, fz = (_root(value) for value in (x, y, z))
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """[N, 3, H, W]: L, a, b -> pictures [N, 3, H, W] in [-1, 1]; colours that no screen shows are cut off there."""
    lab = _precise(lab)
    lightness, a, b = lab.unbind(1)
    fy = (lightness + 16) / 116
    xyz = torch.stack([_cube(some) for some in (fy + a / 500, fy, (fy - b / 200).clamp(min=0))], dim=1)
    linear = _colour_map(xyz, _scaled_matrix(lab).inverse()).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=0.003).pow(1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, curved, linear * 12.92) * 2 - 1


def apart(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, H, W] in [-1, 1] -> lightness [N, 1, H, W] and colour [N, 2, H, W], both in [-1, 1]."""
    lab = rgb_to_lab(pictures)
    return lab[:, :1] / LIGHTNESS - 1, lab[:, 1:] / COLOUR


def together(lightness: Tensor, colour: Tensor) -> Tensor:
    """Lightness [N, 1, H, W] and colour [N, 2, H, W], as `apart` gives them -> pictures [N, 3, H, W] in [-1, 1]."""
    return lab_to_rgb(torch.cat([(_precise(lightness) + 1) * LIGHTNESS, _precise(colour) * COLOUR], dim=1))


def _root(value: Tensor) -> Tensor:
    """The cube root, and below _EDGE^3 the line that continues it."""
    return torch.where(value > _EDGE**3, value.clamp(min=_EDGE**3).pow(1 / 3), value / (3 * _EDGE**2) + 4 / 29)


def _cube(value: Tensor) -> Tensor:
    return torch.where(value > _EDGE, value**3, 3 * _EDGE**2 * (value - 4 / 29))


def _scaled_matrix(like: Tensor) -> Tensor:
    return like.new_tensor(_TO_XYZ) / like.new_tensor(_WHITE)[:, None]


def _colour_map(pictures: Tensor, matrix: Tensor) -> Tensor:
    with torch.autocast(pictures.device.type, enabled=False):
        return functional.conv2d(pictures, matrix[:, :, None, None])


def _precise(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
