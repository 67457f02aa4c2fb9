"""StyleGAN2: a generator steered layer by layer by styles, and a residual discriminator. Karras et al. 2020.

"Analyzing and Improving the Image Quality of StyleGAN", sections 2 to 4 and appendix B; the mapping network and
truncation are those of Karras et al. 2019, "A Style-Based Generator Architecture". Every activation is LeakyReLU 0.2
times sqrt(2), which keeps the signal's size; the factor is folded into the layer before.
"""

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import (
    ClassedLatent,
    ProjectionDiscriminator,
    ProjectionHead,
    check_channels_and_classes,
)
from ganvas.networks.doublings import Doublings
from ganvas.networks.equalised import EqualConv2d, EqualEmbedding, EqualLinear
from ganvas.networks.growing import Growing, at_the_picture, from_the_end
from ganvas.networks.layers import MinibatchDeviation, Width, full_precision
from ganvas.networks.resampling import convolve, downsampling_convolve, upsample, upsampling_convolve

SLOPE = 0.2
GAIN = math.sqrt(2)  # of every activation
PROBES = 1024  # latents whose w are averaged

ChannelBase = Annotated[int, Field(ge=1, le=2**20)]


class StyleGAN2Generator(Growing):
    """Latents become w, one for each layer; a learned 4x4 constant becomes a picture under their styles. Figure 2d, 7b.

    mapping: latents -> ws. synthesis: ws -> pictures, about [-1, 1] but not bounded by a tanh. In between ws may be
    truncated (`mapping.truncate`) or mixed along their second dimension.
    Raises UsageError for a size that `Doublings` from 16 to 1024 pixels do not make, and for impossible channels or
    classes.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["stylegan2"] = "stylegan2"
        # Numbers in a latent.
        latent: Width = 512
        # Numbers in a w.
        w_width: Width = 512
        # Layers from latent to w.
        mapping_layers: Annotated[int, Field(ge=1, le=64)] = 8
        # Channels of a map are this over its shorter side.
        channel_base: ChannelBase = 32768
        # Channels never exceed this.
        max_width: Width = 512
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 512

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = _widths(settings.channel_base, settings.max_width, made)
        self.latent, self.size, self.channels, self.classes = settings.latent, made.size.simplest, channels, classes
        entry = ClassedLatent(settings.latent, classes, settings.embedding)
        self.mapping = Mapping(entry, settings.latent, settings.mapping_layers, settings.w_width, 2 * len(widths))
        self.synthesis = Synthesis(settings.w_width, widths, made.sizes, channels)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] about [-1, 1]; labels are not read without classes."""
        return self.synthesis(self.mapping(latents, labels))

    def mixed(self, latents: Tensor, others: Tensor, crossover: Tensor, labels: Tensor | None = None) -> Tensor:
        """Pictures whose layers from `crossover` on have the styles of other latents. Karras et al. 2019, section 3.1.

        latents, others: [N, latent]. crossover: int64 [N]; `mapping.copies` or more leaves a picture as it is.
        """
        first = torch.arange(self.mapping.copies, device=crossover.device) < crossover[:, None]
        ws, other_ws = self.mapping(latents, labels), self.mapping(others, labels)
        return self.synthesis(torch.where(first[:, :, None], ws, other_ws))

    @classmethod
    def grown(cls, settings: Settings, before: Size, after: Size) -> Settings:
        """As they are: a width belongs to the side of its maps."""
        return settings


class Mapping(nn.Module):
    """Latents -> w by fully connected layers with a hundredth of the learning rate. Karras et al. 2019, section 2.

    A latent and the embedding of its class are each normalised before they are joined (Karras et al. 2020, ADA).
    w_average [w_width] is the middle of all w, for truncation: the mean over `PROBES` latents and all classes in turn.
    Those latents are drawn at construction and stay. `begin_move` brings the mean up to date; `forward` does not
    touch it, so that lanes, micro-batches and processes leave the same one.
    """

    w_average: Tensor
    probes: Tensor

    def __init__(self, entry: ClassedLatent, latent: int, layers: int, w_width: int, copies: int) -> None:
        super().__init__()
        self.copies = copies
        self.entry = entry
        widths = [entry.features] + [w_width] * layers
        self.layers = nn.ModuleList(EqualLinear(*pair, rate=0.01) for pair in itertools.pairwise(widths))
        self.register_buffer("w_average", torch.zeros(w_width))
        self.register_buffer("probes", torch.randn(PROBES, latent), persistent=False)
        self.begin_move()

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> ws [N, L, w_width], the same w for all L layers.

        Raises UsageError if labels are missing.
        """
        return self.for_layers(self.to_w(latents, labels))

    def for_layers(self, w: Tensor) -> Tensor:
        """[N, w_width] -> [N, L, w_width], the same for all L layers."""
        return w.unsqueeze(1).expand(-1, self.copies, -1)

    def truncate(self, ws: Tensor, truncation: Tensor | float) -> Tensor:
        """ws drawn towards their average: 1 changes nothing, 0 leaves the average. Karras et al. 2019, appendix B."""
        return torch.lerp(self.w_average.to(ws.dtype), ws, truncation)

    @torch.no_grad()
    def begin_move(self) -> None:
        """Take the average of w as the weights now have it."""
        classes = self.entry.classes
        labels = torch.arange(PROBES, device=self.probes.device) % classes if classes else None
        self.w_average.copy_(self.to_w(self.probes, labels).mean(dim=0))

    def to_w(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, w_width]."""
        w = torch.cat([_normalised(part) for part in self.entry.parts(latents, labels)], dim=1)
        for layer in self.layers:
            w = functional.leaky_relu(layer(w), SLOPE) * GAIN
        return w


def _normalised(vectors: Tensor) -> Tensor:
    """[N, F] -> the same directions with a mean square of 1."""
    return vectors * (vectors.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Synthesis(nn.Module):
    """ws -> pictures: at each side two styled convolutions, and a picture that is added to that from below. Figure 7b.

    widths: channels of the maps of these sizes, each twice the one before, up to the picture's. L = 2 * len(widths): a
    picture's layer shares its w with the next size's first convolution.
    """

    def __init__(self, w_width: int, widths: list[int], sizes: list[Size], channels: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, widths[0], *sizes[0].hw))
        self.doubling = nn.ModuleList(  # from the base on: there the first of the two is the constant itself
            StyledConv(w_width, before, after, size, upsampling_convolve)
            for size, (before, after) in zip(sizes[1:], itertools.pairwise(widths), strict=True)
        )
        self.keeping = nn.ModuleList(
            StyledConv(w_width, width, width, size, convolve) for size, width in zip(sizes, widths, strict=True)
        )
        self.to_pictures = nn.ModuleList(ToPictures(w_width, width, channels) for width in widths)

    def style_weights(self, layer: int) -> Tensor:
        """[styles, w_width]: the weights of all maps from a layer's w to styles, one below the other."""
        level, second = divmod(layer, 2)
        layers = [self.to_pictures[level], *self.doubling[level : level + 1]] if second else [self.keeping[level]]
        return torch.cat([layer.get_parameter("style.weight") for layer in layers])

    def forward(self, ws: Tensor) -> Tensor:
        """[N, L, w_width] -> [N, C, H, W], float32 or better."""
        styles = ws.unbind(dim=1)
        maps = self.keeping[0](self.constant.expand(ws.shape[0], -1, -1, -1), styles[0])
        pictures = self.to_pictures[0](maps, styles[1])
        layers = zip(self.doubling, self.keeping[1:], self.to_pictures[1:], strict=True)
        for level, (doubling, keeping, to_pictures) in enumerate(layers):
            maps = doubling(maps, styles[2 * level + 1])
            maps = keeping(maps, styles[2 * level + 2])
            pictures = upsample(pictures) + to_pictures(maps, styles[2 * level + 3])
        return pictures


class StyledConv(nn.Module):
    """A 3x3 convolution whose weight a style scales and normalises, noise, bias, LeakyReLU. Section 2.2, eq. 1 and 3.

    The style scales the maps that go in and the norms divide those that come out: the same as a weight for each
    picture, which the paper computes with grouped convolutions (appendix B), and one convolution for all.
    The noise [H', W'] is one for all pictures, drawn at construction and kept, because no pass through a network
    draws; its learned strength starts at 0. size: H', W', of the maps that come out.
    """

    noise: Tensor

    def __init__(
        self, w_width: int, channels: int, out: int, size: int | Size, convolve: Callable[..., Tensor]
    ) -> None:
        super().__init__()
        self.style = EqualLinear(w_width, channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(out, channels, 3, 3))
        self.scale = 1 / math.sqrt(channels * 9)
        self.bias = nn.Parameter(torch.zeros(out, 1, 1))
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(Size.of(size).hw))
        self.convolve = convolve

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W], [N, w_width] -> [N, C', H', W']."""
        style = self.style(w) * self.scale
        maps = self.convolve(maps * _by_channel(style, maps), self.weight).permute(0, 2, 3, 1)
        # Channels last: with [C', H', W'] as the first summand all that follows would be laid out anew, at 10 times
        # the cost, and its gradient's sum over the pictures would be as slow.
        shift = self.noise[:, :, None] * (self.strength * GAIN) + self.bias.flatten() * GAIN  # [H', W', C']
        factors = (demodulation(self.weight, style) * GAIN).to(maps.dtype)[:, None, None, :]
        maps = functional.leaky_relu_(torch.addcmul(shift.to(maps.dtype), maps, factors), SLOPE)
        return maps.permute(0, 3, 1, 2)


class ToPictures(nn.Module):
    """A 1x1 convolution from maps to pictures whose weight a style scales, without normalisation. Figure 7b, "tRGB"."""

    def __init__(self, w_width: int, channels: int, out: int) -> None:
        super().__init__()
        self.style = EqualLinear(w_width, channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(out, channels, 1, 1))
        self.scale = 1 / math.sqrt(channels)
        self.bias = nn.Parameter(torch.zeros(out, 1, 1))

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W], [N, w_width] -> [N, C', H, W], float32 or better."""
        pictures = convolve(maps * _by_channel(self.style(w) * self.scale, maps), self.weight)
        return pictures.to(self.bias.dtype) + self.bias


def demodulation(weight: Tensor, style: Tensor) -> Tensor:
    """One over the norm of each output's weights under a style, eq. 3: [C', C, k, k], [N, C] -> [N, C'].

    In float32 also under autocast.
    """
    with full_precision(style):
        return (functional.linear(style.square(), weight.square().sum(dim=(2, 3))) + 1e-8).rsqrt()


def _by_channel(factors: Tensor, maps: Tensor) -> Tensor:
    """[N, C] -> [N, C, 1, 1] in the maps' precision."""
    return factors.to(maps.dtype)[:, :, None, None]


class StyleGAN2Discriminator(ProjectionDiscriminator):
    """Residual blocks that halve the side down to 4x4, two dense layers, one logit. Section 4, figure 7c.

    In training a picture's logit depends on its group: the rows 0 to group - 1, the next as many, and so on. A batch
    that is cut into lanes and micro-batches of whole groups is judged as if it had not been; rows that are left over
    are a smaller group. In evaluation mode each picture is a group of its own, so its statistic is 0, and logits can
    be compared with each other but not with those in training. A class enters by projection.
    Raises UsageError for a size that `Doublings` from 16 to 1024 pixels do not make, and for impossible channels or
    classes.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["stylegan2"] = "stylegan2"
        # Channels of a map are this over its shorter side.
        channel_base: ChannelBase = 32768
        # Channels never exceed this.
        max_width: Width = 512
        # Pictures whose features are compared with each other; 1: each is judged by itself.
        group: Annotated[int, Field(ge=1)] = 4

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = _widths(settings.channel_base, settings.max_width, made)[::-1]
        self.size, self.channels, self.classes = made.size.simplest, channels, classes
        last = widths[-1]
        self.from_pictures = EqualConv2d(channels, widths[0], 1, convolve, gain=GAIN, bias=True)
        self.blocks = nn.Sequential(*(HalvingBlock(*pair) for pair in itertools.pairwise(widths)))
        self.deviation = MinibatchDeviation(settings.group)
        self.conv = EqualConv2d(last + 1, last, 3, convolve, gain=GAIN, bias=True)
        self.dense = EqualLinear(last * made.base.area, last)
        self.head = ProjectionHead(
            EqualLinear(last, 1), EqualEmbedding(classes, last) if classes else None, positions=1
        )

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, features, 1, 1]."""
        maps = self.blocks(functional.leaky_relu_(self.from_pictures(images), SLOPE))
        maps = torch.cat([maps, self.deviation(maps).to(maps.dtype).expand(-1, -1, *maps.shape[2:])], dim=1)
        maps = functional.leaky_relu_(self.conv(maps), SLOPE)
        return (functional.leaky_relu(self.dense(maps.flatten(1)), SLOPE) * GAIN)[:, :, None, None]

    def levels(self) -> list[list[nn.Module]]:
        """Each block, the first with what makes maps of pictures."""
        first, *others = self.blocks
        return [[self.from_pictures, first], *([block] for block in others)]

    @classmethod
    def grown(cls, settings: Settings, before: Size, after: Size) -> Settings:
        """As they are: a width belongs to the side of its maps."""
        return settings

    def place(self, key: str) -> str:
        """Counted from the 4x4 maps on; the layer that meets the picture belongs to its size."""
        return from_the_end(at_the_picture(key, ("from_pictures.",), self.size), "blocks", len(self.blocks))


class HalvingBlock(nn.Module):
    """Two 3x3 convolutions, the second at half the side, beside a 1x1: (their sum) / sqrt(2). Section 4, figure 7c."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.first = EqualConv2d(channels, channels, 3, convolve, gain=GAIN, bias=True)
        self.second = EqualConv2d(channels, out, 3, downsampling_convolve, gain=GAIN / math.sqrt(2), bias=True)
        self.skip = EqualConv2d(channels, out, 1, downsampling_convolve, gain=1 / math.sqrt(2), bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H/2, W/2]."""
        inner = functional.leaky_relu_(self.first(maps), SLOPE)
        return functional.leaky_relu_(self.second(inner), SLOPE) + self.skip(maps)


def _made(size: int | Size) -> Doublings:
    return Doublings.of(size, "stylegan2", 16, 1024, "mlp up to 128")


def _widths(channel_base: int, max_width: int, made: Doublings) -> list[int]:
    """The channels of the maps, from the base to the picture. Raises UsageError for too small a channel_base."""
    if channel_base < made.size.shorter:
        raise UsageError(f"stylegan2's channel_base {channel_base} leaves no channel at {made.size} pixels: raise it")
    return [min(max_width, channel_base // size.shorter) for size in made.sizes]
