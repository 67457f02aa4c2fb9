"""Residual networks: the bodies of WGAN-GP, SNGAN, SAGAN and BigGAN.

Gulrajani et al. 2017, appendix; Miyato et al. 2018, appendix, tables 3 and 4; Zhang et al. 2019; Brock,
Donahue & Simonyan 2019, appendix B. All weights start orthogonal, as BigGAN's, with a size that each block hands on.
"""

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.attention import SelfAttention
from ganvas.networks.conditioning import (
    ClassCondition,
    ClassNorm,
    ProjectionDiscriminator,
    check_channels_and_classes,
    plain_head,
    spectral_head,
    table_norm,
)
from ganvas.networks.doublings import Doublings
from ganvas.networks.growing import Growing, at_the_picture, halved_width
from ganvas.networks.layers import (
    SpectralConv2d,
    SpectralLinear,
    Width,
    doubling_widths,
    initialise_orthogonal,
    to_pictures,
)

# Gains of first weights: after a ReLU the first keeps a signal's variance; the others halve it, for a sum of two.
KEEP, HALVE_AFTER_RELU, HALVE = math.sqrt(2), 1.0, math.sqrt(0.5)

Side = Annotated[int, Field(ge=0)]


class ResNetGenerator(Growing):
    """A linear map to 4x4, residual blocks that double the side, then norm, ReLU, 3x3 and tanh.

    With width and max_width 256 at 32 pixels it is SNGAN's for CIFAR-10 (Miyato et al. 2018, table 3); with 64 and 1024
    at 128 pixels the one for ImageNet. A class enters by the scale and shift of every normalisation.
    Raises UsageError for a size that `Doublings` from 16 to 1024 pixels do not make, impossible channels, classes or
    widths, and attention at a side that no block ends with.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["resnet"] = "resnet"
        # Numbers in a latent.
        latent: Width = 128
        # Channels at the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 1024
        # Before each ReLU: "batch" normalisation, or "none".
        norm: Literal["batch", "none"] = "batch"
        # Numbers in an embedding of the class, of which every layer's scale and shift are linear maps (BigGAN); without
        # it each layer has a scale and a shift for each class (SNGAN). Not used without classes.
        embedding: Width | None = None
        # Spectral norm of every linear map and convolution (SAGAN, BigGAN).
        spectral: bool = False
        # Pixels a side, the shorter one, of the map that self-attention sees; 0: no self-attention.
        attention: Side = 0

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        sides = [one.shorter for one in made.sizes]  # 4, 8, ...
        widths = doubling_widths("resnet", settings.width, settings.max_width, len(sides))[::-1]
        _check_attention(settings.attention, sides[1:])
        self.latent, self.size, self.channels, self.classes = settings.latent, made.size.simplest, channels, classes
        conv = SpectralConv2d if settings.spectral else nn.Conv2d
        linear = SpectralLinear if settings.spectral else nn.Linear
        norm = _generator_norm(settings, linear, classes)
        self.base = made.base
        self.condition = ClassCondition(classes, settings.embedding)
        self.project = linear(settings.latent, widths[0] * made.base.area)
        self.blocks = nn.ModuleList(UpBlock(*pair, conv, norm) for pair in itertools.pairwise(widths))
        self.attended = settings.attention
        attended = widths[sides.index(settings.attention)] if settings.attention else 0
        self.attention = SelfAttention(attended, conv) if attended else nn.Identity()
        self.norm = norm(widths[-1])
        self.last = conv(widths[-1], channels, 3, padding=1)
        initialise_orthogonal(self.project, gain=1.0)
        initialise_orthogonal(self.last, gain=1.0)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] in [-1, 1]; labels are not read without classes."""
        condition = self.condition(labels)
        maps = self.project(latents).unflatten(1, (-1, *self.base.hw))  # [N, widths[0], 4, 4]
        for block in self.blocks:
            maps = block(maps, condition)
            if min(maps.shape[2:]) == self.attended:
                maps = self.attention(maps)
        return to_pictures(self.last(functional.relu(self.norm(maps, condition))))

    @classmethod
    def grown(cls, settings: Settings, before: Size, after: Size) -> Settings:
        """With the width of the picture's end halved for each doubling."""
        return halved_width(settings, before, after)

    def place(self, key: str) -> str:
        """Counted from the 4x4 maps on; the last layers belong to the picture's size."""
        return at_the_picture(key, ("norm.", "last."), self.size)


class ResNetDiscriminator(ProjectionDiscriminator):
    """Residual blocks that halve the side, one or two that keep it, ReLU, a sum over the positions, a linear map.

    Up to 32 pixels the side ends at 8 and two blocks keep it, as in SNGAN's network for CIFAR-10 (Miyato et al. 2018,
    table 3; width and max_width 128); above it ends at 4 and one block keeps it, as in the one for ImageNet. A class
    enters by projection. Of pictures that are not square all this is about the shorter side. Raises UsageError for a
    size that `Doublings` from 16 to 1024 pixels do not make, impossible channels, classes or widths, and attention at a
    side that no block ends with.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["resnet"] = "resnet"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 1024
        # "spectral" norm of every weight; "layer" normalisation before each ReLU within a block (WGAN-GP: unlike batch
        # normalisation it judges each picture by itself); or "none".
        norm: Literal["spectral", "layer", "none"] = "spectral"
        # Pixels a side, the shorter one, of the map that self-attention sees; 0: no self-attention.
        attention: Side = 0

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        first, kept = (1, 2) if made.size.shorter <= 32 else (0, 1)
        last = made.sizes[first]
        sides = [one.shorter for one in made.sizes[first:-1]][::-1]  # from half the picture's down to the last
        widths = doubling_widths("resnet", settings.width, settings.max_width, len(sides))
        _check_attention(settings.attention, sides)
        self.size, self.channels, self.classes = made.size.simplest, channels, classes
        conv = SpectralConv2d if settings.norm == "spectral" else nn.Conv2d
        norm = _layer_norm if settings.norm == "layer" else _no_norm
        blocks: list[nn.Module] = [first_block(channels, widths[0], conv)]
        blocks += [down_block(*pair, conv, norm) for pair in itertools.pairwise(widths)]
        blocks += [flat_block(widths[-1], conv, norm) for _ in range(kept)]
        self._places = [f"from {made.size.shorter}", *(f"to {side}" for side in sides[1:])]
        self._places += [f"{last.shorter}, {number}" for number in range(kept)]
        if settings.attention:
            place = sides.index(settings.attention)
            blocks.insert(place + 1, SelfAttention(widths[place], conv))
            self._places.insert(place + 1, f"attention at {settings.attention}")
        self.layers = nn.Sequential(*blocks, nn.ReLU(inplace=True))
        if settings.norm == "spectral":
            self.head = spectral_head(widths[-1], 1, classes)
        else:
            self.head = plain_head(widths[-1], 1, classes, bias=True)
        # A sum over n positions has about root n times their size; under spectral norm such a factor has no effect.
        initialise_orthogonal(self.head.linear, gain=1 / last.side)
        if self.head.embedding is not None:
            self.head.embedding.weight.data.div_(last.side)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, features, 1, 1]."""
        return self.layers(images).sum(dim=(2, 3), keepdim=True)

    def levels(self) -> list[list[nn.Module]]:
        """Each block, self-attention among them."""
        return [[block] for block in list(self.layers)[:-1]]

    @classmethod
    def grown(cls, settings: Settings, before: Size, after: Size) -> Settings:
        """With the width of the picture's end halved for each doubling."""
        return halved_width(settings, before, after)

    def place(self, key: str) -> str:
        """By the side that a block leads to; the first one belongs to the picture's size."""
        if not key.startswith("layers."):
            return key
        _, index, rest = key.split(".", 2)
        return f"{self._places[int(index)]}: {rest}"


class UpBlock(nn.Module):
    """norm, ReLU, nearest x2, 3x3, norm, ReLU, 3x3; beside it a 1x1. [N, before, H, W] -> [N, after, 2H, 2W].

    Gulrajani et al. 2017, appendix; Brock et al. 2019, figure 15b. norm: makes a normalisation of so many channels.
    """

    def __init__(self, before: int, after: int, conv: type[nn.Conv2d], norm: Callable[[int], ClassNorm]) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(before), norm(after)
        self.conv1 = conv(before, after, 3, padding=1)
        self.conv2 = conv(after, after, 3, padding=1)
        self.shortcut = conv(before, after, 1)
        initialise_orthogonal(self.conv1, KEEP)
        initialise_orthogonal(self.conv2, HALVE_AFTER_RELU)
        initialise_orthogonal(self.shortcut, HALVE)

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """[N, before, H, W], what `ClassCondition` gives -> [N, after, 2H, 2W]."""
        branch = self.conv1(_doubled(functional.relu(self.norm1(maps, condition))))
        branch = self.conv2(functional.relu(self.norm2(branch, condition)))
        # The papers double the side before the 1x1, which gives the same for four times the work.
        return branch + _doubled(self.shortcut(maps))


class Residual(nn.Module):
    """branch(maps) + shortcut(maps). He et al. 2016."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, maps: Tensor) -> Tensor:
        """The sum of both."""
        return self.branch(maps) + self.shortcut(maps)


def first_block(channels: int, width: int, conv: type[nn.Conv2d]) -> Residual:
    """The optimised block for pictures, with no ReLU before them: [N, C, H, W] -> [N, width, H/2, W/2]."""
    first, second, across = (
        conv(channels, width, 3, padding=1),
        conv(width, width, 3, padding=1),
        conv(channels, width, 1),
    )
    initialise_orthogonal(first, gain=1.0)
    initialise_orthogonal(second, HALVE_AFTER_RELU)
    initialise_orthogonal(across, HALVE)
    branch = nn.Sequential(first, nn.ReLU(inplace=True), second, nn.AvgPool2d(2))
    return Residual(branch, nn.Sequential(nn.AvgPool2d(2), across))


def down_block(before: int, after: int, conv: type[nn.Conv2d], norm: Callable[[int], nn.Module]) -> Residual:
    """ReLU, 3x3, ReLU, 3x3, mean over 2x2; beside it a 1x1. [N, before, H, W] -> [N, after, H/2, W/2]."""
    across = conv(before, after, 1)
    initialise_orthogonal(across, HALVE)
    branch = nn.Sequential(*_branch(before, after, conv, norm), nn.AvgPool2d(2))
    return Residual(branch, nn.Sequential(nn.AvgPool2d(2), across))


def flat_block(width: int, conv: type[nn.Conv2d], norm: Callable[[int], nn.Module]) -> Residual:
    """ReLU, 3x3, ReLU, 3x3; beside it the maps themselves. [N, width, H, W] -> the same shape."""
    return Residual(nn.Sequential(*_branch(width, width, conv, norm)), nn.Identity())


def _branch(before: int, after: int, conv: type[nn.Conv2d], norm: Callable[[int], nn.Module]) -> list[nn.Module]:
    first, second = conv(before, after, 3, padding=1), conv(after, after, 3, padding=1)
    initialise_orthogonal(first, KEEP)
    initialise_orthogonal(second, HALVE_AFTER_RELU)
    # The first ReLU may not work in place: without a norm before it, its input is the shortcut's too.
    return [norm(before), nn.ReLU(), first, norm(after), nn.ReLU(inplace=True), second]


def _generator_norm(
    settings: ResNetGenerator.Settings, linear: type[nn.Linear], classes: int
) -> Callable[[int], ClassNorm]:
    """What makes the generator's normalisation for so many channels."""

    def make(channels: int) -> ClassNorm:
        norm = nn.BatchNorm2d(channels, affine=not classes) if settings.norm == "batch" else nn.Identity()
        if not classes:
            return ClassNorm(norm)
        if settings.embedding is None:
            return table_norm(norm, channels, classes)
        scale, shift = linear(settings.embedding, channels), linear(settings.embedding, channels)
        initialise_orthogonal(scale, gain=1.0)
        initialise_orthogonal(shift, gain=1.0)
        return ClassNorm(norm, scale, shift)

    return make


def _layer_norm(channels: int) -> nn.Module:
    """Over all of a picture's channels and positions; a scale and a shift a channel. Ba, Kiros & Hinton 2016."""
    return nn.GroupNorm(1, channels)


def _no_norm(channels: int) -> nn.Module:
    return nn.Identity()


def _doubled(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2, mode="nearest")


def _made(size: int | Size) -> Doublings:
    return Doublings.of(size, "resnet", 16, 1024, "mlp up to 128")


def _check_attention(side: int, sides: list[int]) -> None:
    """Raise UsageError unless self-attention has a map of its side to stand on."""
    if side and side not in sides:
        known = ", ".join(map(str, sorted(sides)))
        raise UsageError(f"resnet's attention of {side} has no map: choose one of {known} here, or 0 for none")
