"""Parts of generators in bfloat16, for drawing alone: each takes a part's weights and does as it does.

They are smaller than what they stand for where training asks for more: activations work in place, sums that depend on
weights alone are taken once, and styles are multiplied into weights where that is less.
"""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.networks import fastgan, r3gan, resnet, stylegan2
from ganvas.networks.conditioning import ClassNorm

NARROW = torch.bfloat16


class Narrow(nn.Module):
    """A linear map or a convolution in bfloat16, whatever comes in."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.to(NARROW)

    def forward(self, features: Tensor) -> Tensor:
        """As the layer's."""
        narrow: Tensor = self.layer(features.to(NARROW))
        return narrow


class Shuffled(nn.Module):
    """A transposed convolution of stride 2 as one of stride 1 and a shuffle: [N, C, H, W] -> [N, C', 2H, 2W].

    Output 2 i + a is the sum over d in -1, 0, 1 of input i + d times the kernel at a + padding - 2 d, if it has one.
    """

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        kernel, padding = layer.kernel_size[0], int(layer.padding[0])
        weight = layer.weight.new_zeros(layer.out_channels, 2, 2, layer.in_channels, 3, 3)
        places = [
            (a, d + 1, a + padding - 2 * d) for a in (0, 1) for d in (-1, 0, 1) if 0 <= a + padding - 2 * d < kernel
        ]
        for a, row, from_row in places:
            for b, column, from_column in places:
                weight[:, a, b, :, row, column] = layer.weight[:, :, from_row, from_column].T
        self.conv = nn.Conv2d(layer.in_channels, 4 * layer.out_channels, 3, padding=1, bias=layer.bias is not None)
        self.conv.weight = nn.Parameter(weight.flatten(0, 2), requires_grad=False)
        if layer.bias is not None:
            self.conv.bias = nn.Parameter(layer.bias.repeat_interleave(4), requires_grad=False)
        self.to(NARROW)

    def forward(self, maps: Tensor) -> Tensor:
        """As the layer's."""
        return functional.pixel_shuffle(self.conv(maps.to(NARROW)), 2)


class Doubled(nn.Module):
    """Nearest x2 and a 3x3 convolution as one transposed convolution: 4 products for each output in place of 9.

    Two of the three places along a side fall on the same input, so the kernel is [w2, w1 + w2, w0 + w1, w0] along each.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        weight = layer.weight
        for dim in (2, 3):
            first, second, third = weight.unbind(dim)
            weight = torch.stack([third, second + third, first + second, first], dim)
        turned = nn.ConvTranspose2d(layer.in_channels, layer.out_channels, 4, 2, 1, bias=layer.bias is not None)
        turned.weight = nn.Parameter(weight.transpose(0, 1), requires_grad=False)
        turned.bias = layer.bias
        self.conv = Narrow(turned)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2H, 2W]."""
        doubled: Tensor = self.conv(maps)
        return doubled


class NarrowResidual(nn.Module):
    """`resnet.UpBlock`."""

    def __init__(self, block: resnet.UpBlock) -> None:
        super().__init__()
        self.norm1, self.norm2 = narrow_norm(block.norm1), narrow_norm(block.norm2)
        self.conv1, self.conv2, self.shortcut = Doubled(block.conv1), Narrow(block.conv2), Narrow(block.shortcut)

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """[N, before, S, S], what `ClassCondition` gives -> [N, after, 2S, 2S]."""
        maps = maps.to(NARROW)
        branch = self.conv1(functional.relu(self.norm1(maps, condition)))
        branch = self.conv2(functional.relu(self.norm2(branch, condition)))
        summed: Tensor = branch.add_(functional.interpolate(self.shortcut(maps), scale_factor=2, mode="nearest"))
        return summed


class NarrowGated(nn.Module):
    """`fastgan.UpBlock`, gates and what they gate from a convolution each: halves of maps are slow to multiply."""

    def __init__(self, block: fastgan.UpBlock) -> None:
        super().__init__()
        whole: Any = block.conv[0]
        halves = []
        for part in (slice(None, whole.out_channels // 2), slice(whole.out_channels // 2, None)):
            half = nn.Conv2d(whole.in_channels, whole.out_channels // 2, 3, padding=1)
            half.weight = nn.Parameter(whole.weight[part], requires_grad=False)
            half.bias = None if whole.bias is None else nn.Parameter(whole.bias[part], requires_grad=False)
            halves.append(Doubled(half))
        self.gated, self.gates = halves

    def forward(self, maps: Tensor) -> Tensor:
        """[N, before, S, S] -> [N, after, 2S, 2S]."""
        return self.gates(maps).sigmoid_().mul_(self.gated(maps))


def narrow_norm(norm: ClassNorm) -> nn.Module:
    """A class's scale and shift in bfloat16; without classes the norm as it is, which takes maps of either kind."""
    return norm if norm.scale is None else Rescaled(norm)


class Rescaled(nn.Module):
    """`ClassNorm` with its means and variances taken into the scales and shifts of the classes."""

    def __init__(self, norm: ClassNorm) -> None:
        super().__init__()
        scale: Any = copy.deepcopy(norm.scale)
        shift: Any = copy.deepcopy(norm.shift)
        tables = isinstance(scale, nn.Embedding)
        constant = scale.weight if tables else scale.bias
        constant += 1
        if isinstance(norm.norm, nn.BatchNorm2d):  # (maps - mean) * inverse * scale + shift
            batch: Any = norm.norm
            mean, inverse = batch.running_mean, (batch.running_var + batch.eps).rsqrt()
            scale.weight *= inverse if tables else inverse[:, None]
            shift.weight -= scale.weight * (mean if tables else mean[:, None])
            if not tables:
                scale.bias *= inverse
                shift.bias -= scale.bias * mean
        self.scale, self.shift = scale, shift
        self.to(NARROW)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """[N, C, H, W], int64 [N] or [N, embedding] -> [N, C, H, W]."""
        if condition.is_floating_point():
            condition = condition.to(NARROW)
        return torch.addcmul(self.shift(condition)[:, :, None, None], maps, self.scale(condition)[:, :, None, None])


class NarrowBlock(nn.Module):
    """`r3gan.Block`."""

    def __init__(self, block: r3gan.Block) -> None:
        super().__init__()
        self.widen, self.mix, self.narrow = Narrow(block.widen), Narrow(block.mix), Narrow(block.narrow)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, H, W] -> the same shape."""
        inside = functional.leaky_relu_(self.mix(functional.leaky_relu_(self.widen(maps), r3gan.SLOPE)), r3gan.SLOPE)
        narrowed: Tensor = self.narrow(inside).add_(maps)
        return narrowed


class NarrowDouble(nn.Module):
    """`r3gan.Double`: the means are written between what is there, and nothing is put together afterwards."""

    def __init__(self, double: r3gan.Double) -> None:
        super().__init__()
        self.change = double.change if isinstance(double.change, nn.Identity) else Narrow(double.change)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, H, W] -> [N, out_width, 2H, 2W]."""
        changed: Tensor = self.change(maps)
        return _doubled(_doubled(changed.permute(0, 2, 3, 1), 2), 1).permute(0, 3, 1, 2)


def _doubled(maps: Tensor, dim: int) -> Tensor:
    """As `r3gan._doubled`."""
    side = maps.shape[dim]
    doubled = maps.new_empty([2 * size if place == dim else size for place, size in enumerate(maps.shape)])
    kept, means = doubled.unflatten(dim, (side, 2)).unbind(dim + 1)
    kept.copy_(maps)
    torch.lerp(maps.narrow(dim, 0, side - 1), maps.narrow(dim, 1, side - 1), 0.5, out=means.narrow(dim, 0, side - 1))
    means.narrow(dim, side - 1, 1).copy_(maps.narrow(dim, side - 1, 1))
    return doubled


class NarrowSynthesis(nn.Module):
    """`stylegan2.Synthesis`: styles and demodulation in float32, maps in bfloat16, pictures in float32."""

    def __init__(self, synthesis: stylegan2.Synthesis) -> None:
        super().__init__()
        self.constant = nn.Parameter(synthesis.constant.to(NARROW), requires_grad=False)
        self.doubling = nn.ModuleList(map(NarrowStyledConv, synthesis.doubling))
        self.keeping = nn.ModuleList(map(NarrowStyledConv, synthesis.keeping))
        self.to_pictures = nn.ModuleList(map(NarrowToPictures, synthesis.to_pictures))

    def forward(self, ws: Tensor) -> Tensor:
        """[N, L, w_width] -> [N, C, H, W], float32."""
        styles = ws.unbind(dim=1)
        maps = self.keeping[0](self.constant.expand(len(ws), -1, -1, -1), styles[0])
        pictures = self.to_pictures[0](maps, styles[1])
        layers = zip(self.doubling, self.keeping[1:], self.to_pictures[1:], strict=True)
        for level, (doubling, keeping, to_pictures) in enumerate(layers):
            maps = doubling(maps, styles[2 * level + 1])
            maps = keeping(maps, styles[2 * level + 2])
            pictures = _upsample(pictures).add_(to_pictures(maps, styles[2 * level + 3]))
        return pictures


def _upsample(pictures: Tensor) -> Tensor:
    """As `resampling.upsample`, whose filter is that of bilinear interpolation: [N, C, H, W] -> [N, C, 2H, 2W]."""
    framed = functional.pad(pictures, (1, 1, 1, 1))
    return functional.interpolate(framed, scale_factor=2, mode="bilinear")[:, :, 2:-2, 2:-2].contiguous()


class NarrowStyledConv(nn.Module):
    """`stylegan2.StyledConv`: noise and bias are one map, and the squares of the weights are summed once."""

    squares: Tensor
    little: Tensor
    shift: Tensor

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.style = _scaled(layer.style, layer.scale)
        self.weight = nn.Parameter(layer.weight.to(NARROW), requires_grad=False)
        self.convolve = layer.convolve
        gain = stylegan2.GAIN  # under the root, where it divides
        self.register_buffer("squares", layer.weight.square().sum(dim=(2, 3)) / gain**2)
        self.register_buffer("little", self.squares.new_full((len(self.squares),), 1e-8 / gain**2))
        shift = layer.noise[:, :, None] * (layer.strength * gain) + layer.bias.flatten() * gain
        self.register_buffer("shift", shift.flatten(1).to(NARROW))  # [side, side C']

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W], [N, w_width] -> [N, C', side, side]."""
        style = self.style(w)
        factors = functional.linear(style.square(), self.squares, self.little).rsqrt()
        rows = _rows(maps)
        styled = (rows * _for_rows(style, maps)).view(len(rows), *maps.shape[2:], -1).permute(0, 3, 1, 2)
        maps = self.convolve(styled, self.weight)
        rows = torch.addcmul(self.shift, _rows(maps), _for_rows(factors, maps))
        rows = functional.leaky_relu_(rows, stylegan2.SLOPE)
        return rows.view(len(rows), *maps.shape[2:], -1).permute(0, 3, 1, 2)


# A channel's factor for a whole row of places: elementwise work goes along the innermost dimension, and the few
# channels of high maps would leave most of a vector unit empty.


def _rows(maps: Tensor) -> Tensor:
    """[N, C, H, W], channels last in memory -> [N, H, W C]."""
    return maps.permute(0, 2, 3, 1).flatten(2)


def _for_rows(factors: Tensor, maps: Tensor) -> Tensor:
    """[N, C] -> [N, 1, W C]."""
    return factors.to(NARROW).repeat(1, maps.shape[-1])[:, None, :]


class NarrowToPictures(nn.Module):
    """`stylegan2.ToPictures` as a product of the maps with each picture's own small matrix."""

    weight: Tensor
    bias: Tensor

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.style = _scaled(layer.style, layer.scale)
        self.register_buffer("weight", layer.weight.flatten(1))  # [C', C]
        self.register_buffer("bias", layer.bias)

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W], [N, w_width] -> [N, C', H, W], float32."""
        matrices = (self.style(w)[:, None, :] * self.weight).to(NARROW)  # [N, C', C]
        pictures = matrices @ maps.flatten(2)  # [N, C', H W]
        return pictures.unflatten(2, maps.shape[2:]).float() + self.bias


def _scaled(layer: Any, scale: float) -> nn.Linear:
    """`equalised.EqualLinear` times a factor, all of it in the weights."""
    plain = nn.Linear(layer.in_features, layer.out_features)
    plain.weight = nn.Parameter(layer.weight * (scale * layer.rate / math.sqrt(layer.in_features)), requires_grad=False)
    plain.bias = nn.Parameter(layer.bias * (scale * layer.rate), requires_grad=False)
    return plain
