"""The plain enlargement that a network can add its part to.

Then it begins with a picture that is right but for its details (after Kim, Lee & Lee 2016, "Accurate Image
Super-Resolution Using Very Deep Convolutional Networks"). Without, a small network spends its first
thousands of steps on learning what a picture is: after 770 of them on photos it was 7 dB worse.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.networks.layers import full_precision
from ganvas.networks.translating import in_full

Enlargement = Literal["bicubic", "bilinear", "none"]

TOUCH = 0.001  # of its usual size: the last layer's first weights on top of an enlargement


def check_enlargement(family: str, enlargement: Enlargement, inputs: int, outputs: int) -> None:
    """Raise UsageError for an enlargement to other channels."""
    if enlargement != "none" and inputs != outputs:
        raise UsageError(
            f"{family} cannot add its {outputs} channels to an enlargement of {inputs}: set enlargement=none"
        )


def enlarged(images: Tensor, scale: int, mode: str) -> Tensor:
    """[N, C, H, W] -> [N, C, H * scale, W * scale] in float32 or better; bicubic with Pillow's kernel (Keys 1981)."""
    size = [side * scale for side in images.shape[2:]]
    with full_precision(images):
        return functional.interpolate(in_full(images), size=size, mode=mode, antialias=True)
