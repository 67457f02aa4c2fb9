"""What keeps networks smooth: penalties on gradients as functions of tensors, and weight clipping.

Gradients are in float32 or better, and the penalties are means over the batch that stay differentiable in the network's
weights. Those of a discriminator are with respect to the pictures, summed over C, H and W. The caller multiplies by the
weight (gamma, lambda). Logits: higher is more real; [N] or [N, 1, h, w], the latter summed over its positions.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def gradient_penalty(discriminate: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """mean (|grad D(x)| - 1)^2 at points x between real and fake. Gulrajani et al. 2017, eq. 3, without lambda.

    discriminate: pictures -> logits, each from its own picture alone (no batch normalisation).
    real, fake: [N, C, H, W], neither gets a gradient. mix: [N] uniform in [0, 1], the share of the real picture.
    """
    share = mix.view(-1, *[1] * (real.ndim - 1))
    between = (share * real.detach() + (1 - share) * fake.detach()).requires_grad_()
    # vector_norm has derivative 0 at 0, where the root of a sum of squares would give NaN.
    norms = torch.linalg.vector_norm(_gradients(discriminate(between), between), dim=1)
    return (norms - 1).square().mean()


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """mean |grad D(x)|^2 / 2 at real pictures. Mescheder et al. 2018, eq. 9, without gamma.

    logits: D(real), computed from `real` [N, C, H, W], which requires grad.
    Raises RuntimeError (PyTorch's) if the logits do not depend on `real` or it requires no grad.
    """
    return _gradients(logits, real).square().sum(dim=1).mean() / 2


def r2(logits: Tensor, fake: Tensor) -> Tensor:
    """`r1` at generated pictures: D(fake) and `fake` detached from the generator, then requiring grad. Eq. 10."""
    return r1(logits, fake)


def path_length(images: Tensor, w: Tensor, noise: Tensor, mean: Tensor, decay: float) -> tuple[Tensor, Tensor]:
    """mean (|J^T y| - a)^2 with J = d images / d w, and the next a. Karras et al. 2020, eq. 4, without its weight.

    A generator's penalty: a step of w changes the picture by as much everywhere. images: [N, C, H, W], computed from
    `w` [N, ...], which requires grad; |J^T y| is over all of a picture's row of w. noise: y [N, C, H, W] from N(0, 1);
    divided by the root of H * W it makes lengths that do not depend on the resolution. mean: a, scalar, 0 at first.
    decay: the part of a that stays (0.99 in the paper's appendix B). The next a is decay * a + (1 - decay) * mean
    length, without a gradient; the penalty compares with the a that was given, so that the parts of a batch, given
    the same one and weighed by their shares, add up to the whole in both values.
    Raises RuntimeError (PyTorch's) if the images do not depend on `w` or it requires no grad.
    """
    lengths = torch.linalg.vector_norm(_gradients(images * noise, w), dim=1)
    return (lengths - mean).square().mean(), torch.lerp(lengths.detach().mean(), mean, decay)


@torch.no_grad()
def clip_weights(module: nn.Module, limit: float) -> None:
    """Clamp every parameter to [-limit, limit] in place. Arjovsky et al. 2017, algorithm 1, line 7."""
    for parameter in module.parameters():
        parameter.clamp_(-limit, limit)


def _gradients(outputs: Tensor, inputs: Tensor) -> Tensor:
    """d sum(outputs) / d inputs [N, ...], one row for each of the N: [N, values], differentiable."""
    (gradients,) = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)
    return gradients.to(torch.promote_types(gradients.dtype, torch.float32)).flatten(1)
