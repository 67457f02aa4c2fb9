"""What keeps networks smooth: penalties on gradients as functions of tensors, and weight clipping.

Gradients are in float32 or better, and the penalties are means over the batch that stay differentiable in the network's
weights. Those of a discriminator are with respect to the pictures, summed over C, H and W. The caller multiplies by the
weight (gamma, lambda). Logits: higher is more real; [N] or [N, 1, h, w], the latter summed over its positions.
"""

import math
from collections.abc import Callable, Iterable

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


def path_length(images: Tensor, w: Tensor, directions: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """mean (|J^T y| - a)^2 with J = d images / d w, and the lengths. Karras et al. 2020, eq. 4, without its weight.

    A generator's penalty: a step of w changes the picture by as much everywhere. images: [N, C, H, W], computed from
    `w` [N, ...], which requires grad; |J^T y| is over all of a picture's row of w. directions: y [N, C, H, W] from
    N(0, 1); they are divided by the root of H * W, so that lengths do not depend on the resolution. mean: a, scalar,
    the running mean of the lengths before this round. lengths: [N], without a gradient, for the next a.
    Raises RuntimeError (PyTorch's) if the images do not depend on `w` or it requires no grad.
    """
    scale = math.sqrt(images.shape[-1] * images.shape[-2])
    lengths = torch.linalg.vector_norm(_gradients(images * directions / scale, w), dim=1)
    return (lengths - mean).square().mean(), lengths.detach()


def lecam(real_logits: Tensor, fake_logits: Tensor, real_mean: Tensor, fake_mean: Tensor) -> Tensor:
    """mean (D(x) - a_F)^2 + mean (D(G(z)) - a_R)^2. Tseng et al. 2021, eq. 4, without lambda.

    For few pictures: it draws each side's logits to the other side's running mean. real_mean, fake_mean: a_R and a_F,
    scalars, the running means of logits on real and generated pictures before this round.
    """
    real, fake = _precise(real_logits), _precise(fake_logits)
    return (real - fake_mean).square().mean() + (fake - real_mean).square().mean()


def consistency(logits: Tensor, changed: Tensor) -> Tensor:
    """mean (D(x) - D(T(x)))^2: a change T that says nothing about realness changes no logit. Zhang et al. 2020, eq. 2.

    logits: of pictures; changed: of the same pictures after T; both [N] or [N, 1, h, w]. On real pictures; for
    generated ones as well see Zhao et al. 2021, section 3.1.
    """
    return (_precise(logits) - _precise(changed)).square().mean()


@torch.no_grad()
def clip_weights(parameters: Iterable[nn.Parameter], limit: float) -> None:
    """Clamp every parameter to [-limit, limit] in place. Arjovsky et al. 2017, algorithm 1, line 7."""
    for parameter in parameters:
        parameter.clamp_(-limit, limit)


def _gradients(outputs: Tensor, inputs: Tensor) -> Tensor:
    """d sum(outputs) / d inputs [N, ...], one row for each of the N: [N, values], differentiable."""
    (gradients,) = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)
    return _precise(gradients).flatten(1)


def _precise(values: Tensor) -> Tensor:
    """In float32, or float64 if they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
