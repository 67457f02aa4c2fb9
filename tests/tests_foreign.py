"""Generators as other programs lay them out, written anew from their papers, small and with random weights."""

import itertools

import torch
from torch import nn
from torch.nn import functional


class Nested(nn.Module):
    """A side of pix2pix's U-Net and all below it. widths: of this side and of those below."""

    def __init__(self, before, widths, outputs, norm, outermost=False, dropout=False):
        super().__init__()
        width, *deeper = widths
        innermost, bias = not deeper, norm is nn.InstanceNorm2d
        down = [nn.Conv2d(before, width, 4, 2, 1, bias=bias)]
        up = [nn.ReLU(True), nn.ConvTranspose2d(width * (1 if innermost else 2), outputs, 4, 2, 1, bias=bias)]
        if outermost:
            up = [nn.ReLU(True), nn.ConvTranspose2d(width * 2, outputs, 4, 2, 1), nn.Tanh()]
        else:
            down = [nn.LeakyReLU(0.2, True), *down, *([] if innermost else [norm(width)])]
            up = [*up, norm(outputs)]
        inside = [] if innermost else [Nested(width, deeper, width, norm, dropout=dropout)]
        drop = [nn.Dropout(0.5)] if dropout and not innermost and not outermost else []
        self.model = nn.Sequential(*down, *inside, *up, *drop)
        self.outermost = outermost

    def forward(self, maps):
        return self.model(maps) if self.outermost else torch.cat([maps, self.model(maps)], dim=1)


class Pix2pix(nn.Module):
    def __init__(self, width=4, halvings=4, inputs=3, outputs=3, norm=nn.BatchNorm2d, dropout=False):
        super().__init__()
        widths = [min(8, 2**number) * width for number in range(halvings)]
        self.model = Nested(inputs, widths, outputs, norm, outermost=True, dropout=dropout)

    def forward(self, images):
        return self.model(images)


class Block(nn.Module):
    def __init__(self, width, norm, dropout):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        first = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width), nn.ReLU(True)]
        second = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width)]
        self.conv_block = nn.Sequential(*first, *([nn.Dropout(0.5)] if dropout else []), *second)

    def forward(self, maps):
        return maps + self.conv_block(maps)


class CycleGAN(nn.Module):
    def __init__(self, width=4, blocks=2, inputs=3, outputs=3, norm=nn.InstanceNorm2d, dropout=False):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, width, 7, bias=bias), norm(width), nn.ReLU(True)]
        for some in (width, 2 * width):
            layers += [nn.Conv2d(some, 2 * some, 3, 2, 1, bias=bias), norm(2 * some), nn.ReLU(True)]
        layers += [Block(4 * width, norm, dropout) for _ in range(blocks)]
        for some in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(some, some // 2, 3, 2, 1, output_padding=1, bias=bias)]
            layers += [norm(some // 2), nn.ReLU(True)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, outputs, 7), nn.Tanh())

    def forward(self, images):
        return self.model(images)


class Dense(nn.Module):
    def __init__(self, width, growth):
        super().__init__()
        for number in range(1, 6):
            after = width if number == 5 else growth
            setattr(self, f"conv{number}", nn.Conv2d(width + (number - 1) * growth, after, 3, 1, 1))

    def forward(self, maps):
        known = maps
        for number in range(1, 5):
            made = functional.leaky_relu(getattr(self, f"conv{number}")(known), 0.2)
            known = torch.cat([known, made], dim=1)
        return maps + 0.2 * self.conv5(known)


class ThreeDense(nn.Module):
    def __init__(self, width, growth):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (Dense(width, growth) for _ in range(3))

    def forward(self, maps):
        return maps + 0.2 * self.rdb3(self.rdb2(self.rdb1(maps)))


class RealESRGAN(nn.Module):
    """[N, 3, H, W] in [0, 1] -> [N, 3, H * scale, W * scale] in about [0, 1]."""

    def __init__(self, width=8, growth=4, blocks=2, scale=4, channels=3):
        super().__init__()
        self.fold = 4 // scale
        self.conv_first = nn.Conv2d(channels * self.fold**2, width, 3, 1, 1)
        self.body = nn.Sequential(*(ThreeDense(width, growth) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (nn.Conv2d(width, width, 3, 1, 1) for _ in "1234")
        self.conv_last = nn.Conv2d(width, channels, 3, 1, 1)

    def forward(self, images):
        count, channels, height, width = images.shape
        fold = self.fold
        parts = images.view(count, channels, height // fold, fold, width // fold, fold).permute(0, 1, 3, 5, 2, 4)
        first = self.conv_first(parts.reshape(count, channels * fold**2, height // fold, width // fold))
        maps = first + self.conv_body(self.body(first))
        for conv in (self.conv_up1, self.conv_up2):
            maps = maps.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            maps = functional.leaky_relu(conv(maps), 0.2)
        return self.conv_last(functional.leaky_relu(self.conv_hr(maps), 0.2))


def in_names_of_esrgan(weights):
    """The tensors of Real-ESRGAN under ESRGAN's names."""
    words = {"conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv", "body.": "RRDB_trunk.", "rdb": "RDB"}
    found = {}
    for name, tensor in weights.items():
        for before, after in words.items():
            name = name.replace(before, after)
        found[name] = tensor
    return found


def in_old_names_of_esrgan(weights, blocks):
    """The tensors of Real-ESRGAN under the names of ESRGAN before 2019."""
    places = {
        "conv_first": "model.0",
        "conv_body": f"model.1.sub.{blocks}",
        "conv_up1": "model.3",
        "conv_up2": "model.6",
    }
    places |= {"conv_hr": "model.8", "conv_last": "model.10"}
    found = {}
    for name, tensor in weights.items():
        layer, part = name.rsplit(".", 1)
        if layer.startswith("body."):
            layer = f"model.1.sub.{layer.removeprefix('body.').replace('rdb', 'RDB')}.0"
        found[f"{places.get(layer, layer)}.{part}"] = tensor
    return found


class DCGAN(nn.Module):
    """[N, latent, 1, 1] -> [N, channels, size, size]."""

    def __init__(self, width=4, latent=7, size=32, channels=3):
        super().__init__()
        doublings = size.bit_length() - 3
        widths = [width * 2**number for number in reversed(range(doublings))]
        layers = [nn.ConvTranspose2d(latent, widths[0], 4, 1, 0, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(True)]
        for before, after in itertools.pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, latents):
        return self.main(latents)


class Patch(nn.Module):
    """The discriminator of pix2pix and CycleGAN; with another name of its sequence DCGAN's."""

    def __init__(self, width=4):
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for some in (width, 2 * width):
            layers += [nn.Conv2d(some, 2 * some, 4, 2, 1), nn.BatchNorm2d(2 * some), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4, 1, 1))


def trained(network, given=(4, 3, 32, 32)):
    """With weights, biases and averages that are not what they began with, and outputs that are not flat."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.mul_(1.5)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.1)
        network.train()
        for _ in range(10):
            network(torch.rand(given) * 2 - 0.7)
    return network.eval()
