"""R3GAN: residual stacks without normalisation, for the relativistic loss that R1 and R2 hold.

Huang, Gokaslan, Kuleshov & Tompkin 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline", section 3 and
appendix: grouped bottleneck-free blocks, filtered resampling, the first weights of Fixup (Zhang et al. 2019).
"""

import math
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import ClassedLatent, check_channels_and_classes, class_logits, present_labels
from ganvas.networks.doublings import Doublings
from ganvas.networks.layers import Width

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
SLOPE = 0.2


class R3GANGenerator(nn.Module):
    """A learned 4x4 map, scaled by a linear map of the latent, then blocks and doublings; no tanh at the end.

    Pictures are about [-1, 1] and not bounded. Of those that are not square the smallest map is not either. Raises
    UsageError for a size that `Doublings` from 8 to 1024 pixels do not make, for a width that groups do not divide, and
    for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["r3gan"] = "r3gan"
        # Numbers in a latent.
        latent: Width = 64
        # Channels of maps up to `wide` pixels on the shorter side; they halve with each doubling above.
        width: Width = 768
        # Pixels of the shorter side up to which maps have the full width.
        wide: Width = 32
        # Blocks at each side.
        blocks: Width = 2
        # Channels inside a block, as a multiple of those outside.
        expansion: Width = 2
        # Channels of a group of the 3x3 convolution inside a block; 0: all in one group.
        group: Annotated[int, Field(ge=0)] = 16
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 64

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = _widths(settings, made)
        self.latent, self.size, self.channels, self.classes = settings.latent, made.size.simplest, channels, classes
        self.input = ClassedLatent(settings.latent, classes, settings.embedding)
        self.basis = nn.Parameter(torch.randn(widths[0], *made.base.hw))
        self.project = _plain(nn.Linear(self.input.features, widths[0], bias=False))
        stages: list[nn.Module] = []
        for number, width in enumerate(widths):
            if number:
                stages.append(Double(widths[number - 1], width))
            stages += _blocks(settings, width, len(widths))
        self.stages = nn.Sequential(*stages)
        self.to_picture = _plain(Pointwise(widths[-1], channels, bias=False))

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W], about [-1, 1]; labels are not read without classes."""
        scale = self.project(self.input(latents, labels))  # [N, widths[0]]
        pictures: Tensor = self.to_picture(self.stages(self.basis * scale[:, :, None, None]))
        return pictures.to(torch.promote_types(pictures.dtype, torch.float32))


class R3GANDiscriminator(nn.Module):
    """The generator's mirror: blocks and halvings down to 4x4, a depthwise 4x4 convolution and a linear map.

    A class enters as the inner product of its embedding with what that map gives (Miyato & Koyama 2018); no part of the
    logit is without a class. Raises as the generator does.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["r3gan"] = "r3gan"
        # Channels of maps up to `wide` pixels on the shorter side; they halve with each doubling above.
        width: Width = 768
        # Pixels of the shorter side up to which maps have the full width.
        wide: Width = 32
        # Blocks at each side.
        blocks: Width = 2
        # Channels inside a block, as a multiple of those outside.
        expansion: Width = 2
        # Channels of a group of the 3x3 convolution inside a block; 0: all in one group.
        group: Annotated[int, Field(ge=0)] = 16

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = _widths(settings, made)[::-1]
        self.size, self.channels, self.classes = made.size.simplest, channels, classes
        self.from_picture = _plain(Pointwise(channels, widths[0], bias=False))
        stages: list[nn.Module] = []
        for number, width in enumerate(widths):
            if number:
                stages.append(Halve(widths[number - 1], width))
            stages += _blocks(settings, width, len(widths))
        self.stages = nn.Sequential(*stages)
        last = widths[-1]
        self.basis = nn.Parameter(torch.randn(last, *made.base.hw) / made.base.side)
        self.linear = _plain(nn.Linear(last, last if classes else 1, bias=False))
        self.embedding = nn.Embedding(classes, last) if classes else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, C, H, W] in [-1, 1], int64 [N] -> logits [N]; labels are not read without classes."""
        features = self.features(images)
        if self.embedding is None:
            return features.squeeze(1)
        classes = self.embedding(present_labels(labels, self.classes))
        return (features * classes).sum(dim=1) / math.sqrt(features.shape[1])

    def classify(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[N, C, H, W] in [-1, 1] -> the mean of all classes' logits [N], and how theirs differ from it [N, K].

        Their sum is `forward`'s. Raises UsageError without classes.
        """
        features = self.features(images)
        logits = class_logits(features, self.embedding) / math.sqrt(features.shape[1])
        mean = logits.mean(dim=1)
        return mean, logits - mean[:, None]

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, width]; without classes [N, 1], the logit."""
        # A product and a sum: the second derivatives of a depthwise convolution are taken channel by channel.
        features: Tensor = self.linear((self.stages(self.from_picture(images)) * self.basis).sum(dim=(2, 3)))
        return features


Settings = R3GANGenerator.Settings | R3GANDiscriminator.Settings


class Block(nn.Module):
    """x + 1x1(lrelu(grouped 3x3(lrelu(1x1(x))))), wider inside than outside; begins as the identity. Section 3.3.

    blocks: how many there are in the whole network, for the first weights.
    """

    def __init__(self, width: int, expansion: int, group: int, blocks: int) -> None:
        super().__init__()
        inside = width * expansion
        if inside % (group or inside):
            raise UsageError(
                f"r3gan: {inside} channels inside a block are not divided by groups of {group}: choose a width whose "
                f"{expansion}-fold is a multiple of {group}, or group=0"
            )
        groups = inside // group if group else 1
        self.widen = Pointwise(width, inside, bias=True)
        self.mix = nn.Conv2d(inside, inside, 3, padding=1, groups=groups)
        self.narrow = Pointwise(inside, width, bias=False)
        gain = math.sqrt(2 / (1 + SLOPE**2)) * blocks**-0.25  # three layers a block: L^(-1 / (2 * 3 - 2))
        for layer in (self.widen, self.mix):
            nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
            layer.bias.data.zero_()  # type: ignore[union-attr]  # they have one
        nn.init.zeros_(self.narrow.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, H, W] -> the same shape."""
        inside = functional.leaky_relu(self.widen(maps), SLOPE)
        return maps + self.narrow(functional.leaky_relu(self.mix(inside), SLOPE))


class Pointwise(nn.Conv2d):
    """A 1x1 convolution as a linear map at each place: [N, C, H, W] -> [N, C', H, W].

    On a CPU in bfloat16 its second derivatives take a third to a half of the time of the convolution's.
    """

    def __init__(self, width: int, out_width: int, *, bias: bool) -> None:
        super().__init__(width, out_width, 1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """The convolution."""
        return functional.linear(input.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class Double(nn.Module):
    """Twice the side: zeros between the pixels, filtered by [1, 2, 1] / 2 each way; a 1x1 where the width changes.

    The filter is that of Zhang 2019, "Making Convolutional Networks Shift-Invariant Again", section 3.2. Edges are
    repeated. The 1x1 goes first, which is the same and cheaper.
    """

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.change = _change(width, out_width)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, H, W] -> [N, out_width, 2H, 2W]: every other pixel is as it was."""
        maps = self.change(maps).permute(0, 2, 3, 1)
        return _doubled(_doubled(maps, 2), 1).permute(0, 3, 1, 2)


class Halve(nn.Module):
    """Half the side: filtered by [1, 2, 1] / 4 each way, then every other pixel; a 1x1 where the width changes."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.change = _change(width, out_width)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, width, 2H, 2W] -> [N, out_width, H, W]."""
        halved: Tensor = self.change(_halved(_halved(maps.permute(0, 2, 3, 1), 1), 2).permute(0, 3, 1, 2))
        return halved


# Sums of neighbours, channels last: on a CPU, with first and second derivatives, they take half the time of pooling
# and a quarter of that of a depthwise convolution.


def _doubled(maps: Tensor, dim: int) -> Tensor:
    """Between each two places along a dimension the mean of both, after the last the last again."""
    side = maps.shape[dim]
    following = torch.cat([maps.narrow(dim, 1, side - 1), maps.narrow(dim, side - 1, 1)], dim)
    return torch.stack([maps, (maps + following) / 2], dim + 1).flatten(dim, dim + 1)


def _halved(maps: Tensor, dim: int) -> Tensor:
    """The places 0, 2, 4, ... along a dimension with half their weight, their neighbours with a quarter each."""
    kept, right = maps.unflatten(dim, (-1, 2)).unbind(dim + 1)
    left = torch.cat([kept.narrow(dim, 0, 1), right.narrow(dim, 0, right.shape[dim] - 1)], dim)
    return kept / 2 + (left + right) / 4


def _change(width: int, out_width: int) -> nn.Module:
    return nn.Identity() if width == out_width else _plain(Pointwise(width, out_width, bias=False))


def _plain(layer: Layer) -> Layer:
    """First weights from N(0, 1 / fan_in), where no ReLU follows."""
    nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.weight[0].numel()))
    return layer


def _blocks(
    settings: R3GANGenerator.Settings | R3GANDiscriminator.Settings, width: int, stages: int
) -> list[nn.Module]:
    count = settings.blocks
    return [Block(width, settings.expansion, settings.group, count * stages) for _ in range(count)]


def _made(size: int | Size) -> Doublings:
    return Doublings.of(size, "r3gan", 8, 1024, "mlp up to 128")


def _widths(settings: Settings, made: Doublings) -> list[int]:
    """The channels of the maps, from the base to the picture."""
    return [max(1, settings.width * settings.wide // max(settings.wide, size.shorter)) for size in made.sizes]
