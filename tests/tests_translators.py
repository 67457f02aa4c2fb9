"""Networks from pictures to pictures, and pictures for them, that several test files use."""

import numpy as np
import torch
from torch.nn import functional

from ganvas import networks
from ganvas.core import cardfile, files
from ganvas.core.card import write
from ganvas.core.settings import to_dict
from ganvas.inference.translator import Translator
from ganvas.networks.translating import Translator as Network
from ganvas.training.folder import RunFolder

CPU = torch.device("cpu")
SMALL = [  # (family, settings, inputs, outputs, mode)
    ("unet", {"width": 4, "halvings": 3, "norm": "none"}, 3, 3, "rgb"),
    ("unet", {"width": 4, "halvings": 4, "norm": "batch", "upsample": "resize"}, 1, 2, "lab-colorize"),
    ("resnet", {"width": 4, "blocks": 2, "norm": "none"}, 3, 3, "rgb"),
    ("resnet", {"width": 4, "blocks": 1, "norm": "batch", "upsample": "resize"}, 3, 1, "grey"),
    ("srresnet", {"width": 8, "blocks": 2, "scale": 4}, 3, 3, "restore"),
    ("srresnet", {"width": 8, "blocks": 2, "scale": 3, "enlargement": "none"}, 3, 3, "restore"),
    ("rrdb", {"width": 8, "growth": 4, "blocks": 1, "scale": 1}, 3, 3, "restore"),
    ("rrdb", {"width": 8, "growth": 4, "blocks": 1, "scale": 4}, 1, 1, "restore"),
    ("gated", {"width": 4, "dilations": (2, 4)}, 4, 3, "inpaint"),
]


LARGER = {"unet": 1.5, "resnet": 1.0, "srresnet": 1.5, "rrdb": 1.25, "gated": 1.0}


def network_of(name, chosen, inputs, outputs):
    """With weights and running means as after training, so that what is made has a contrast."""
    torch.manual_seed(0)
    family = networks.translator(name)
    network = family(family.Settings(**chosen), inputs=inputs, outputs=outputs)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(LARGER[name]).add_(torch.randn_like(parameter) * 0.02)
        if (name, chosen.get("norm")) == ("resnet", "batch"):
            network.last.weight.mul_(8)  # the first ones make nearly one grey
        if chosen.get("norm") == "batch":
            network.train()
            for _ in range(30):
                network(torch.rand(4, inputs, 32, 32) * 2 - 1)
    return network.eval()


def translator_of(name, chosen, inputs, outputs, mode, **more):
    network = network_of(name, chosen, inputs, outputs)
    return Translator(network, {"mode": mode}, CPU, more.pop("precision", "float32"), **more)


HINTED = ("unet", {"width": 4, "halvings": 3, "norm": "none"}, 4, 2, "lab-colorize")
TASKS = {"rgb": "paired", "grey": "paired", "restore": "superres", "inpaint": "inpaint", "lab-colorize": "colorize"}


def card_of(name, chosen, inputs, outputs, mode, **more):
    """As a run writes it."""
    settings = networks.translator(name).Settings(**chosen)
    return {
        "format": 1,
        "kind": "translator",
        "mode": mode,
        "task": TASKS[mode],
        "translator": to_dict(settings),
        "inputs": inputs,
        "outputs": outputs,
        "scale": getattr(settings, "scale", 1),
        "size": 64,
        "channels": 3,
        "domains": [],
        "data": "facades",
        "data_sha256": "ab" * 32,
        "recipe": "pix2pix",
        "images_seen": 400,
        "ganvas": "0.9",
        "scores": [],
        "licence": None,
    } | more


def run_of(folder, what, back=None):
    """A run's folder with the files that use needs, and its network; back: the network of the other direction."""
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    run.settings.write_text(f'task = "{TASKS[what[4]]}"\n\n[translator]\nname = "{what[0]}"\n')
    network, card = network_of(*what[:4]), card_of(*what)
    files.write_bytes(run.translator, cardfile.as_bytes(network.state_dict(), card))
    files.write_text(run.card, write(card))
    if back is not None:
        files.write_bytes(run.translator_back, cardfile.as_bytes(network_of(*back[:4]).state_dict(), card_of(*back)))
        files.write_text(run.translator_back_card, write(card_of(*back)))
    return folder, network


def photo(height, width, seed=0):
    """uint8 [3, H, W]: edges and slopes, and a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [
        np.sin(rows / a + columns / b) + ((rows // 9 + columns // c) % 2)
        for a, b, c in ((7, 19, 5), (13, 5, 11), (29, 31, 17))
    ]
    return (np.stack(waves) * 60 + 70 + rng.normal(0, 8, (3, height, width))).clip(0, 255).astype(np.uint8)


class Same(Network):
    """What comes in, larger by repeating."""

    reach = 0

    def __init__(self, scale=1, inputs=3, outputs=3):
        super().__init__()
        self.scale, self.inputs, self.outputs = scale, inputs, outputs
        self.weight = torch.nn.Parameter(torch.ones(1))

    def translate(self, images):
        return functional.interpolate(images, scale_factor=self.scale, mode="nearest")[:, : self.outputs]


def same(scale=1, mode="restore", memory=2**30, **channels):
    return Translator(Same(scale, **channels), {"mode": mode}, CPU, memory=memory)


def wide(channels, height=60, width=47):
    """uint16 [H, W, C] of all values."""
    return np.random.default_rng(channels).integers(0, 65536, (height, width, channels)).astype(np.uint16)
