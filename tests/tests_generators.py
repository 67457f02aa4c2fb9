"""A small generator of every family, as after training."""

import dataclasses

import torch

from ganvas import networks
from ganvas.core.settings import to_dict
from ganvas.core.sizes import Size
from ganvas.inference.generator import Generator

SMALL = {
    "latent": 7,
    "width": 8,
    "max_width": 16,
    "hidden": (12, 9),
    "embedding": 3,
    "wide": 16,
    "group": 4,
    "w_width": 6,
    "mapping_layers": 2,
    "channel_base": 128,
}
OTHERS = [
    ("dcgan", {"norm": "none"}),
    ("r3gan", {"group": 0}),
    ("resnet", {"spectral": True, "attention": 8}),
    ("resnet", {"embedding": None}),
]
EVERY_FAMILY = [(name, {}) for name in networks.GENERATORS] + OTHERS


def generator_of(name, *, classes=("a", "b", "c"), size=32, **own):
    """A small generator of a family as after training: no bias, gain, mean or variance is what it began with."""
    family = networks.generator(name)
    fields = {field.name for field in dataclasses.fields(family.Settings)}
    settings = family.Settings(**{key: value for key, value in SMALL.items() if key in fields} | own)
    torch.manual_seed(0)
    network = family(settings, size=Size.of(size), channels=3, classes=len(classes))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        for _ in range(30):
            for module in network.modules():
                getattr(module, "begin_move", int)()
            network(torch.randn(16, settings.latent), torch.randint(max(1, len(classes)), (16,)))
    card = {"format": 1, "kind": "generator", "generator": to_dict(settings), "size": size, "channels": 3}
    return Generator(network, card | {"classes": list(classes)}, torch.device("cpu"))
