import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from ganvas import metrics
from ganvas.core.errors import DataError, UsageError
from ganvas.metrics import fashion
from ganvas.metrics.extractors import Extractor, exact_float32
from ganvas.metrics.fashion import load_classifier

SHIPPED = Path(fashion.__file__).with_name("weights") / fashion.WEIGHTS


@pytest.fixture
def opened(inception_file, domain_file) -> Callable[[str], Extractor]:
    """Opens any extractor for grey pictures, with weights for those that would have to be given them."""
    weights = {"inception": inception_file, "domain": domain_file}
    return lambda name: metrics.extractor(name, channels=1, weights=weights.get(name))


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_every_extractor_keeps_what_it_says(name, opened, noise):
    extractor = opened(name)
    pictures = noise(3, 1, 32, 32)
    features = extractor(pictures)
    assert extractor.name == name
    assert features.dtype == torch.float32
    assert features.shape == (3, extractor.dimensions)
    assert len(features.unique(dim=0)) == 3
    assert not features.requires_grad
    protocol = extractor.protocol
    assert protocol["extractor"] == name
    for field in ("weights_sha256", "layer", "resize", "input", "channels"):
        assert protocol[field] == getattr(extractor, field)


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_logits_have_a_row_of_classes_for_each_picture_or_are_none(name, opened, noise):
    extractor = opened(name)
    logits = extractor.logits(extractor(noise(2, 1, 32, 32)))
    classes = {"pixels": None, "fashion": 10, "imagenet": 1000, "inception": 1008, "domain": 4}[name]
    assert (None if logits is None else tuple(logits.shape)) == (None if classes is None else (2, classes))


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_a_feature_does_not_depend_on_the_pictures_beside_it(name, opened, noise, monkeypatch):
    extractor = opened(name)
    monkeypatch.setattr(extractor, "at_once", 2)
    pictures = noise(3, 1, 32, 32)
    in_batches = extractor(pictures)
    for index in range(3):
        torch.testing.assert_close(in_batches[index], extractor(pictures[index : index + 1])[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", metrics.EXTRACTORS)
def test_anything_but_uint8_pictures_of_its_channels_is_refused(name, opened, noise):
    extractor = opened(name)
    for pictures in (torch.zeros(2, 1, 32, 32), noise(1, 32, 32), noise(0, 1, 32, 32)):
        with pytest.raises(DataError, match="uint8 pictures"):
            extractor(pictures)
    with pytest.raises(DataError, match="of 1 channels, not 3"):
        extractor(noise(2, 3, 32, 32))


@pytest.mark.parametrize("name", ["pixels", "fashion"])
def test_an_extractor_without_a_choice_refuses_one(name, tmp_path):
    with pytest.raises(UsageError, match="no weights file"):
        metrics.extractor(name, channels=1, weights=tmp_path / "other.pth")
    with pytest.raises(UsageError, match="no resize to choose"):
        metrics.extractor(name, channels=1, resize="clean")


def test_weights_that_are_not_there_are_named(tmp_path):
    for name in ("imagenet", "inception", "domain"):
        with pytest.raises(DataError, match=r"absent\.pth"):
            metrics.extractor(name, channels=3, weights=tmp_path / "absent.pth")


@pytest.mark.parametrize("setting", ["tf32", "ieee"])
def test_arithmetic_inside_is_exact_and_put_back_afterwards(setting):
    parts = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    before = [part.fp32_precision for part in parts]
    try:
        for part in parts:
            part.fp32_precision = setting
        with exact_float32(torch.device("cpu")):
            assert [part.fp32_precision for part in parts] == ["ieee", "ieee"]
        assert [part.fp32_precision for part in parts] == [setting, setting]
    finally:
        for part, precision in zip(parts, before, strict=True):
            part.fp32_precision = precision


def test_pixel_features_are_the_means_of_areas_in_unit_range():
    picture = torch.zeros(1, 2, 16, 16, dtype=torch.uint8)
    picture[0, 0, :2, :2] = 255
    picture[0, 1, -2:, -1] = 255
    features = metrics.extractor("pixels", channels=2)(picture)
    expected = torch.zeros(128)
    expected[0], expected[127] = 1, 0.5
    assert torch.equal(features[0], expected)


def test_pixels_takes_pictures_of_any_size_but_not_of_other_channels(noise):
    extractor = metrics.extractor("pixels", channels=3)
    assert extractor(noise(2, 3, 5, 37)).shape == (2, 192)
    with pytest.raises(DataError, match="of 3 channels, not 1"):
        extractor(noise(2, 1, 8, 8))


def test_fashion_cuts_the_border_off_pictures_of_32(noise):
    extractor = metrics.extractor("fashion", channels=1)
    pictures = noise(4, 1, 28, 28)
    padded = functional.pad(pictures, [2, 2, 2, 2], value=77)
    assert torch.equal(extractor(pictures), extractor(padded))


@pytest.mark.parametrize("shape", [(2, 1, 64, 64), (2, 1, 28, 32)])
def test_fashion_refuses_pictures_of_other_sizes(shape, noise):
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
    assert extractor.logits(extractor(pictures)).argmax(1).tolist() == [trousers, bag]


def test_weights_that_were_changed_are_refused(tmp_path):
    content = bytearray(SHIPPED.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "fashion.safetensors"
    changed.write_bytes(content)
    with pytest.raises(DataError, match=r"not the file that this extractor is defined by(.|\n)*Install ganvas again"):
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
