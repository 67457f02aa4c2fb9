import hashlib
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from ganvas import metrics
from ganvas.core.errors import DataError, UsageError
from ganvas.metrics import fashion
from ganvas.metrics.fashion import load_classifier

SHIPPED = Path(fashion.__file__).with_name("weights") / fashion.WEIGHTS


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_every_extractor_keeps_what_it_says(name):
    extractor = metrics.extractor(name, channels=1)
    pictures = noise(3, 1, 32, 32)
    features = extractor(pictures)
    assert extractor.name == name
    assert features.dtype == torch.float32
    assert features.shape == (3, extractor.dimensions)
    assert len(features.unique(dim=0)) == 3
    assert not features.requires_grad


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_a_feature_does_not_depend_on_the_pictures_beside_it(name):
    extractor = metrics.extractor(name, channels=1)
    pictures = noise(503, 1, 28, 28)
    torch.testing.assert_close(extractor(pictures)[500:], extractor(pictures[500:]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
@pytest.mark.parametrize("pictures", [torch.zeros(2, 1, 28, 28), noise(1, 28, 28), noise(0, 1, 28, 28)])
def test_anything_but_uint8_pictures_is_refused(name, pictures):
    with pytest.raises(DataError, match="uint8 pictures"):
        metrics.extractor(name, channels=1)(pictures)


def test_pixel_features_are_the_means_of_areas_in_unit_range():
    picture = torch.zeros(1, 2, 16, 16, dtype=torch.uint8)
    picture[0, 0, :2, :2] = 255
    picture[0, 1, -2:, -1] = 255
    features = metrics.extractor("pixels", channels=2)(picture)
    expected = torch.zeros(128)
    expected[0], expected[127] = 1, 0.5
    assert torch.equal(features[0], expected)


def test_pixels_takes_pictures_of_any_size_but_not_of_other_channels():
    extractor = metrics.extractor("pixels", channels=3)
    assert extractor(noise(2, 3, 5, 37)).shape == (2, 192)
    with pytest.raises(DataError, match="of 3 channels, not 1"):
        extractor(noise(2, 1, 8, 8))


def test_fashion_cuts_the_border_off_pictures_of_32():
    extractor = metrics.extractor("fashion", channels=1)
    pictures = noise(4, 1, 28, 28)
    padded = functional.pad(pictures, [2, 2, 2, 2], value=77)
    assert torch.equal(extractor(pictures), extractor(padded))


@pytest.mark.parametrize("shape", [(2, 3, 28, 28), (2, 1, 64, 64), (2, 1, 28, 32)])
def test_fashion_refuses_other_pictures(shape):
    with pytest.raises(DataError, match="28 x 28 or 32 x 32"):
        metrics.extractor("fashion", channels=1)(noise(*shape))


def test_fashion_is_not_made_for_colour():
    with pytest.raises(DataError, match="grey"):
        metrics.extractor("fashion", channels=3)


def test_fashion_names_the_weights_it_used():
    digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert metrics.extractor("fashion", channels=1).weights_sha256 == digest
    assert SHIPPED.stat().st_size < 1_000_000


def test_fashion_knows_garments_apart():
    """A frame like a bag, two bars like trousers and a long low shape like a shoe, drawn with flat grey."""
    pictures = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    pictures[0, 0, 2:26, 8:13] = pictures[0, 0, 2:26, 15:20] = pictures[0, 0, 2:8, 8:20] = 180
    pictures[1, 0, 9:24, 3:25] = 180
    trousers, bag = 1, 8
    extractor = metrics.extractor("fashion", channels=1)
    logits = load_classifier(SHIPPED).head(extractor(pictures))
    assert logits.argmax(1).tolist() == [trousers, bag]


def test_weights_that_were_changed_are_refused(tmp_path):
    content = bytearray(SHIPPED.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "fashion.safetensors"
    changed.write_bytes(content)
    with pytest.raises(DataError, match="not the file that the fashion extractor was made with"):
        load_classifier(changed)


def test_an_unknown_extractor_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean fashion"):
        metrics.extractor("fashions", channels=1)


@pytest.mark.parametrize(
    ("channels", "size", "name", "chosen"),
    [
        (1, 32, "fashion-mnist", "fashion"),
        (1, 28, "fashion-mnist", "fashion"),
        (1, 64, "fashion-mnist", "pixels"),
        (3, 32, "fashion-mnist", "pixels"),
        (1, 28, "mnist", "pixels"),
        (3, 32, "my-photos", "pixels"),
    ],
)
def test_auto_takes_fashion_for_fashion_mnist_alone(channels, size, name, chosen):
    assert metrics.choose(channels, size, name) == chosen
