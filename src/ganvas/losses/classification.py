"""What a discriminator that also tells the class of a picture is asked beside real or generated."""

import torch
from torch import Tensor
from torch.nn import functional


def class_cross_entropy(class_logits: Tensor, labels: Tensor) -> Tensor:
    """mean -log P(class | picture), for real or for generated pictures. Odena, Olah & Shlens 2017, eq. 3.

    class_logits: [N, K], of which a softmax makes P. labels: int64 [N] in 0..K-1, the class a real picture has or a
    generated one was asked to have. Both players descend it; log K where nothing is known. Scalar, in float32, or
    float64 if the logits are.
    """
    raised = class_logits.to(torch.promote_types(class_logits.dtype, torch.float32))
    return functional.cross_entropy(raised, labels)
