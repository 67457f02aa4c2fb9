"""What a variational autoencoder descends: the two parts of the negative evidence lower bound, in nats a picture.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes": log p(x) >= E_q log p(x|z) - KL(q(z|x) || p(z)), eq. 3. Sums
over a picture or a latent, means over the batch; in float32 or better.
"""

import math

from torch import Tensor


def gaussian(pictures: Tensor, means: Tensor, log_sd: Tensor) -> Tensor:
    """mean of -log N(x; means, sd^2), one sd for all numbers of all pictures. Appendix C.2.

    With D numbers in a picture: |x - means|^2 / (2 sd^2) + D (log sd + log(2 pi) / 2). pictures, means: [N, C, H, W].
    log_sd: a scalar. With a fixed sd this is a squared error; a learned one settles at the root of its mean.
    """
    numbers = pictures[0].numel()
    errors = (pictures - means).square().flatten(1).sum(dim=1) / 2
    return errors.mean() * (-2 * log_sd).exp() + numbers * (log_sd + math.log(2 * math.pi) / 2)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """mean of KL(N(mean, exp(log_variance)) || N(0, I)) = sum (mean^2 + variance - log variance - 1) / 2. Appendix B.

    mean, log_variance: [N, Z].
    """
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1).mean() / 2
