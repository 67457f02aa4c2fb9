import pytest
import skimage.data
import torch
from torch.nn import functional

from ganvas.core.errors import DataError
from ganvas.metrics import imagenet
from ganvas.metrics.perceptual import PerceptualDistance


@pytest.fixture(scope="module")
def distance() -> PerceptualDistance:
    return PerceptualDistance()


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    """Two parts of a photograph of a cat, uint8 [2, 3, 96, 96]."""
    picture = torch.from_numpy(skimage.data.chelsea()).permute(2, 0, 1)
    return torch.stack([picture[:, 60:156, 100:196], picture[:, 150:246, 250:346]])


def test_it_is_the_mean_over_stages_of_unit_features_apart(distance, photos):
    found = distance(photos[:1], photos[1:])
    assert (found.dtype, found.shape) == (torch.float64, (1,))
    network = imagenet.load_network(None)
    stages = [network.stages(imagenet.scaled(picture[None].float())) for picture in photos]
    apart = [
        2 - 2 * functional.cosine_similarity(x.double(), y.double(), dim=1).mean() for x, y in zip(*stages, strict=True)
    ]
    assert found.item() == pytest.approx(float(sum(apart) / 5), abs=1e-6)


def test_equal_pictures_are_at_zero_and_more_noise_is_farther(distance, photos):
    dice = torch.Generator().manual_seed(0)
    noise = torch.randn(photos.shape, generator=dice)
    far = [
        distance(photos, (photos + strength * noise).clamp(0, 255).to(torch.uint8)).mean().item()
        for strength in (0, 10, 30, 90)
    ]
    assert far[0] == 0
    assert far == sorted(far)
    assert distance(photos[:1], photos[1:]).item() > far[1]


def test_a_shift_of_a_pixel_counts_less_than_a_blur(distance, photos):
    shifted = functional.pad(photos[..., 1:].float(), (0, 1, 0, 0), mode="replicate").to(torch.uint8)
    blurred = functional.avg_pool2d(photos.float(), 7, 1, 3, count_include_pad=False).round().to(torch.uint8)
    assert (distance(photos, shifted) < distance(photos, blurred)).all()


def test_grey_and_small_pictures_are_read_in_any_batch(distance, noise, monkeypatch):
    a, b = noise(5, 1, 28, 28), noise(5, 1, 28, 28, seed=1)
    whole = distance(a, b)
    monkeypatch.setattr("ganvas.metrics.perceptual._PIXELS_AT_ONCE", 2 * 28 * 28)
    torch.testing.assert_close(distance(a, b), whole, rtol=1e-4, atol=1e-6)


def test_it_says_what_it_is_and_not_lpips(distance):
    assert distance.name == "perceptual-imagenet"
    assert distance.protocol["weights_sha256"] == imagenet.WEIGHTS_SHA256
    assert not any("lpips" in str(value).lower() for value in distance.protocol.values())


def test_unlike_and_too_small_pairs_are_refused(distance, noise):
    for a, b in ((noise(1, 3, 32, 32), noise(1, 1, 32, 32)), (noise(1, 3, 15, 32), noise(1, 3, 15, 32))):
        with pytest.raises(DataError, match="from 16 x 16 pixels on"):
            distance(a, b)
    with pytest.raises(DataError, match="uint8"):
        distance(noise(1, 3, 32, 32).float(), noise(1, 3, 32, 32))
