"""Scores of pairs of pictures by their pixels: PSNR, SSIM and MS-SSIM, and diversity as the MS-SSIM between pictures.

Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", with a Gaussian window
of 11 pixels and sigma 1.5, over windows that lie wholly inside; K1 = 0.01, K2 = 0.03, range 255. In colour every
channel is compared and the channels are averaged. float64 throughout.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import DataError

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
_C1, _C2 = (K1 * 255) ** 2, (K2 * 255) ** 2
# Wang et al. 2003, "Multi-Scale Structural Similarity for Image Quality Assessment", section 3.2, finest first.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_BELL = [math.exp(-((offset - WINDOW // 2) ** 2) / (2 * SIGMA**2)) for offset in range(WINDOW)]
_WINDOW = [height / sum(_BELL) for height in _BELL]
_PIXELS_AT_ONCE = 1_000_000  # about 100 MB on the way


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """The peak signal-to-noise ratio in dB of pairs, uint8 [N, C, H, W] -> float64 [N]; infinite for equal pictures.

    Raises DataError if the two are not of one shape.
    """
    _check(a, b, least=1)
    return torch.cat([_psnr(x, y) for x, y in _parts(a, b)])


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """The structural similarity of pairs, uint8 [N, C, H, W] -> float64 [N], at most 1.

    Raises DataError if the two are not of one shape, or smaller than the window of 11 x 11.
    """
    _check(a, b, least=WINDOW)
    return torch.cat([_comparisons(x, y)[0].mean(1) for x, y in _parts(a, b)])


def ms_ssim(a: Tensor, b: Tensor, scales: int | None = None) -> Tensor:
    """The multi-scale structural similarity (Wang et al. 2003, eq. 7) of pairs, uint8 [N, C, H, W] -> float64 [N].

    scales: each of half the size of the one before, by averages of 2 x 2 in which an odd last row or column is left
    out; None takes as many, up to the paper's five, as leave the window inside (see `scales_of`). With fewer than five
    the paper's first weights are divided by their sum: scores with unlike numbers of scales cannot be compared.
    Negative contrast-structure terms count as 0. Raises DataError if the two are not of one shape, or too small.
    """
    _check(a, b, least=WINDOW)
    most = scales_of(*a.shape[2:])
    scales = most if scales is None else scales
    if not 1 <= scales <= most:
        raise DataError(
            f"Pictures of {a.shape[3]} x {a.shape[2]} have 1 to {most} scales that hold the window of {WINDOW} x "
            f"{WINDOW}, not {scales}: take fewer, or larger pictures"
        )
    return torch.cat([_ms_ssim(x, y, scales) for x, y in _parts(a, b)])


def scales_of(height: int, width: int) -> int:
    """How many scales pictures of this size have: five from 176 pixels on, four from 88, three from 44, two from 22."""
    return sum(min(height, width) >> scale >= WINDOW for scale in range(len(SCALE_WEIGHTS)))


def diversity(pictures: Tensor, pairs: int, seed: int) -> float:
    """The mean MS-SSIM between random pairs of uint8 pictures [N, C, H, W]: lower is more diverse, 1 is one picture.

    Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", section 4.2. The two of a pair are
    never the same index. Raises DataError if there are fewer than two pictures, or they are too small.
    """
    if len(pictures) < 2 or pairs < 1:
        raise DataError(
            f"Diversity is measured between pairs of pictures: it needs 2 pictures and 1 pair, not {len(pictures)} and "
            f"{pairs}"
        )
    dice = torch.Generator().manual_seed(seed)
    first = torch.randint(len(pictures), (pairs,), generator=dice)
    second = (first + torch.randint(1, len(pictures), (pairs,), generator=dice)) % len(pictures)
    at_once = _at_once(pictures)
    scores = [
        ms_ssim(pictures[a.to(pictures.device)], pictures[b.to(pictures.device)])
        for a, b in zip(first.split(at_once), second.split(at_once), strict=True)
    ]
    return float(torch.cat(scores).mean())


def _psnr(a: Tensor, b: Tensor) -> Tensor:
    error = (a - b).square().flatten(1).mean(1)
    return 10 * torch.log10(255**2 / error)


def _ms_ssim(a: Tensor, b: Tensor, scales: int) -> Tensor:
    whole_weight = sum(SCALE_WEIGHTS[:scales]) if scales < len(SCALE_WEIGHTS) else 1  # the five sum up to 1.0001
    product = torch.ones(a.shape[:2], dtype=torch.float64, device=a.device)
    for scale, weight in enumerate(SCALE_WEIGHTS[:scales]):
        whole, contrast = _comparisons(a, b)
        product *= (whole if scale == scales - 1 else contrast).clamp(min=0) ** (weight / whole_weight)
        if scale < scales - 1:
            a, b = functional.avg_pool2d(a, 2), functional.avg_pool2d(b, 2)
    return product.mean(1)


def _comparisons(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM (2004, eq. 13) and its contrast-structure factor alone, of each channel: two float64 [N, C]."""
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a = _blurred(a * a) - mean_a**2
    variance_b = _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    contrast = (2 * covariance + _C2) / (variance_a + variance_b + _C2)
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return (luminance * contrast).mean((2, 3)), contrast.mean((2, 3))


def _blurred(x: Tensor) -> Tensor:
    """Means under the window, float64 [N, C, H, W] -> [N, C, H - 10, W - 10]; sums of slices outran convolutions."""
    for axis in (2, 3):
        length = x.shape[axis] - WINDOW + 1
        mean = x.narrow(axis, 0, length) * _WINDOW[0]
        for offset in range(1, WINDOW):
            mean.add_(x.narrow(axis, offset, length), alpha=_WINDOW[offset])
        x = mean
    return x


def _parts(a: Tensor, b: Tensor) -> list[tuple[Tensor, Tensor]]:
    at_once = _at_once(a)
    return [(x.double(), y.double()) for x, y in zip(a.split(at_once), b.split(at_once), strict=True)]


def _at_once(pictures: Tensor) -> int:
    return max(1, _PIXELS_AT_ONCE // max(1, pictures[0].numel()))


def _check(a: Tensor, b: Tensor, least: int) -> None:
    for pictures in (a, b):
        if pictures.dtype != torch.uint8 or pictures.ndim != 4 or not pictures.numel():
            raise DataError(
                f"Pairs are uint8 pictures [N, C, H, W], N >= 1, not {pictures.dtype} of shape {list(pictures.shape)}"
            )
    if a.shape != b.shape:
        raise DataError(
            f"The two of a pair are compared pixel by pixel, so both sets need one shape; they have {list(a.shape)} "
            f"and {list(b.shape)}: bring them to one count, size and number of channels"
        )
    if min(a.shape[2:]) < least:
        raise DataError(f"Pictures of {a.shape[3]} x {a.shape[2]} are smaller than the window of {least} x {least}")
