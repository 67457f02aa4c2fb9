"""What a discriminator with K classes and a fake one is asked, and what its generator follows.

Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen 2016, "Improved Techniques for Training GANs".
"""

import torch
from torch import Tensor
from torch.nn import functional


def real_logit(class_logits: Tensor) -> Tensor:
    """The logit of a picture being real, log sum_k exp l_k: [N, K] -> [N]. Section 5.

    K + 1 classes of which the fake one's logit is fixed to 0: P(real) = Z / (Z + 1) with Z = sum_k exp l_k, which is a
    sigmoid of log Z; so the logistic loss of this logit is the paper's unsupervised one. In float32 or better.
    """
    raised = class_logits.to(torch.promote_types(class_logits.dtype, torch.float32))
    return raised.logsumexp(dim=1)


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """|mean f(real) - mean f(fake)|^2, which the generator descends. Section 3.1.

    real, fake: features [N, F] and [M, F]. The mean square over the features in place of the sum, so that a wider
    network does not ask for another learning rate. Scalar, in float32 or better.
    """
    real, fake = (some.to(torch.promote_types(some.dtype, torch.float32)) for some in (real, fake))
    return functional.mse_loss(fake.mean(dim=0), real.mean(dim=0))


def pseudo_label(sure: Tensor, changed: Tensor, confidence: float) -> Tensor:
    """The cross-entropy to the class that a picture is taken for, where that is beyond doubt. Sohn et al. 2020, eq. 4.

    sure: logits [N, K] of pictures changed a little, of which no gradient is taken; changed: [N, K], of the same
    pictures changed a lot. Pictures whose highest probability is below `confidence` count as 0. Scalar, in float32 or
    better.
    """
    raised = changed.to(torch.promote_types(changed.dtype, torch.float32))
    highest, labels = sure.detach().to(raised.dtype).softmax(dim=1).max(dim=1)
    each = functional.cross_entropy(raised, labels, reduction="none")
    return (each * (highest >= confidence)).mean()
