"""The Inception network against one written out, on made-up weights; published figures on the real ones."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ganvas import data, metrics
from ganvas.core.errors import DataError, UsageError
from ganvas.metrics import inception
from ganvas.metrics.inception import PUBLISHED, InceptionExtractor

State = dict[str, Tensor]


def convolved(state: State, name: str, x: Tensor, stride: int = 1, valid: bool = False) -> Tensor:
    """Convolution, batch normalisation and ReLU by the published names; "SAME" padding unless valid."""
    weight = state[f"{name}.conv.weight"]
    padding = 0 if valid else (weight.shape[2] // 2, weight.shape[3] // 2)
    x = functional.conv2d(x, weight, None, stride, padding)
    statistics = [state[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return functional.batch_norm(x, *statistics, eps=1e-3).relu()


def chain(state: State, block: str, x: Tensor, *names: str) -> Tensor:
    for name in names:
        x = convolved(state, f"{block}.{name}", x)
    return x


def average(x: Tensor) -> Tensor:
    """The mean of the pixels there are: padding counts in neither sum nor number."""
    ones = torch.ones_like(x[:1, :1])
    return functional.avg_pool2d(x, 3, 1, 1) / functional.avg_pool2d(ones, 3, 1, 1)


def block_e(state: State, block: str, x: Tensor, pooled: Tensor) -> Tensor:
    three = chain(state, block, x, "branch3x3_1")
    double = chain(state, block, x, "branch3x3dbl_1", "branch3x3dbl_2")
    parts = [
        chain(state, block, x, "branch1x1"),
        chain(state, block, three, "branch3x3_2a"),
        chain(state, block, three, "branch3x3_2b"),
        chain(state, block, double, "branch3x3dbl_3a"),
        chain(state, block, double, "branch3x3dbl_3b"),
        chain(state, block, pooled, "branch_pool"),
    ]
    return torch.cat(parts, 1)


def written_out(state: State, x: Tensor) -> Tensor:
    """The published network, block by block, from pictures in [-1, 1] to its 2,048 features."""
    x = convolved(state, "Conv2d_1a_3x3", x, stride=2, valid=True)
    x = convolved(state, "Conv2d_2a_3x3", x, valid=True)
    x = functional.max_pool2d(convolved(state, "Conv2d_2b_3x3", x), 3, 2)
    x = convolved(state, "Conv2d_4a_3x3", convolved(state, "Conv2d_3b_1x1", x), valid=True)
    x = functional.max_pool2d(x, 3, 2)
    for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        parts = [
            chain(state, block, x, "branch1x1"),
            chain(state, block, x, "branch5x5_1", "branch5x5_2"),
            chain(state, block, x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
            chain(state, block, average(x), "branch_pool"),
        ]
        x = torch.cat(parts, 1)
    double = chain(state, "Mixed_6a", x, "branch3x3dbl_1", "branch3x3dbl_2")
    parts = [
        convolved(state, "Mixed_6a.branch3x3", x, 2, valid=True),
        convolved(state, "Mixed_6a.branch3x3dbl_3", double, 2, valid=True),
    ]
    x = torch.cat([*parts, functional.max_pool2d(x, 3, 2)], 1)
    for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        parts = [
            chain(state, block, x, "branch1x1"),
            chain(state, block, x, *(f"branch7x7_{n}" for n in (1, 2, 3))),
            chain(state, block, x, *(f"branch7x7dbl_{n}" for n in (1, 2, 3, 4, 5))),
            chain(state, block, average(x), "branch_pool"),
        ]
        x = torch.cat(parts, 1)
    three = chain(state, "Mixed_7a", x, "branch3x3_1")
    seven = chain(state, "Mixed_7a", x, *(f"branch7x7x3_{n}" for n in (1, 2, 3)))
    parts = [
        convolved(state, "Mixed_7a.branch3x3_2", three, 2, valid=True),
        convolved(state, "Mixed_7a.branch7x7x3_4", seven, 2, valid=True),
    ]
    x = torch.cat([*parts, functional.max_pool2d(x, 3, 2)], 1)
    x = block_e(state, "Mixed_7b", x, average(x))
    return block_e(state, "Mixed_7c", x, functional.max_pool2d(x, 3, 1, 1)).mean((2, 3))


def test_the_layout_is_that_of_the_published_file(inception_state):
    """23,850,960 parameters: torchvision's 27,161,264 without the auxiliary head, and 8 more classes."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(t.numel() for name, t in inception_state.items() if not name.endswith(statistics)) == 23_850_960
    assert len([name for name in inception_state if name.endswith("conv.weight")]) == 94


def test_features_are_those_of_the_network_written_out(inception_file, inception_state, noise):
    extractor = InceptionExtractor(3, inception_file)
    pictures = noise(2, 3, 299, 299)
    expected = written_out(inception_state, (pictures.float() - 128) / 128)
    torch.testing.assert_close(extractor(pictures), expected, rtol=1e-4, atol=1e-5)
    assert extractor.dimensions == 2048
    assert expected.std() > 0.01


def test_logits_leave_the_bias_out(inception_file, inception_state):
    features = torch.rand(3, 2048)
    logits = InceptionExtractor(3, inception_file).logits(features)
    torch.testing.assert_close(logits, features @ inception_state["fc.weight"].T)


def test_the_resize_is_named_and_matters(inception_file, noise):
    pictures = noise(1, 3, 32, 32)
    default = InceptionExtractor(3, inception_file)
    clean = InceptionExtractor(3, inception_file, "clean")
    assert (default.resize, clean.resize) == ("tf1-bilinear", "clean")
    assert not torch.allclose(default(pictures), clean(pictures), rtol=1e-2)
    with pytest.raises(UsageError, match="tf1-bilinear"):
        InceptionExtractor(3, inception_file, "bilinear")


def test_a_file_with_another_hash_is_refused(tmp_path):
    other = tmp_path / PUBLISHED.file.name
    other.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"SHA-256 is [0-9a-f]{12}\.\.\., not 6726825d0af5(.|\n)*Take pt_inception"):
        metrics.extractor("inception", 3, weights=other)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place without any weights, and no downloads."""
    for name, folder in (("XDG_CACHE_HOME", "cache"), ("TORCH_HOME", "torch"), ("GANVAS_DATA", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("GANVAS_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_weights_the_error_says_which_from_where_and_to_where(nowhere):
    with pytest.raises(DataError) as caught:
        metrics.extractor("inception", 3)
    said = str(caught.value)
    assert "pt_inception-2015-12-05-6726825d.pth" in said
    assert "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" in said
    assert str(nowhere / "cache" / "ganvas" / "inception") in said


def test_a_download_is_told_to_whoever_asked_and_to_nobody_else(nowhere, inception_file, monkeypatch, capfd):
    def fetch(files, folder, say):
        say(f"Downloading {files[0].name}")
        folder.mkdir(parents=True)
        (folder / files[0].name).symlink_to(inception_file)

    monkeypatch.setattr("ganvas.metrics.weights.fetch", fetch)
    said: list[str] = []
    with pytest.raises(UsageError, match="no resize named"):
        metrics.extractor("inception", 3, resize="bilinear", say=said.append)
    assert said == [], "what cannot be meant is told before 96 MB are fetched for it"
    assert metrics.extractor("inception", 3, say=said.append).name == "inception"
    assert said == ["Downloading pt_inception-2015-12-05-6726825d.pth"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "place",
    [
        "data/inception/pt_inception-2015-12-05-6726825d.pth",
        "cache/ganvas/inception/weights-inception-2015-12-05-6726825d.pth",
        "torch/hub/checkpoints/pt_inception-2015-12-05-6726825d.pth",
    ],
)
def test_weights_are_found_where_people_have_them(place, nowhere, inception_file):
    (nowhere / place).parent.mkdir(parents=True)
    (nowhere / place).symlink_to(inception_file)
    assert inception.PUBLISHED.find_or_fetch(print) == nowhere / place


@pytest.fixture
def real_weights(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The published file, else the test is skipped."""
    monkeypatch.setenv("GANVAS_OFFLINE", "1")
    try:
        return PUBLISHED.find_or_fetch(print)
    except DataError as error:
        pytest.skip(f"the published Inception weights are not here: {error}")


def cifar10(part: str) -> data.Dataset:
    """CIFAR-10, else the test is skipped."""
    try:
        return data.open_data(f"cifar10/{part}")
    except DataError as error:
        pytest.skip(f"CIFAR-10 is not here: {error}")


def test_the_published_figures_of_cifar10(real_weights):
    """FID of the 50,000 to train on to the 10,000 to test on 3.15, IS of the former 11.24 (20 minutes on a GPU)."""
    train, test = cifar10("train"), cifar10("test")
    if not torch.cuda.is_available():
        pytest.skip("60,000 pictures through the Inception network take hours without a GPU")
    extractor = InceptionExtractor(3, real_weights)
    features = [
        torch.cat([extractor(part.cuda()).cpu() for part in torch.from_numpy(pictures.images).split(1000)])
        for pictures in (train, test)
    ]
    a, b = (metrics.statistics(part) for part in features)
    assert metrics.frechet_distance(a, b) == pytest.approx(3.15, abs=0.02)
    shares = extractor.logits(features[0]).double().softmax(1).chunk(10)
    scores = [(p * (p.log() - p.mean(0).log())).sum(1).mean().exp() for p in shares]
    assert float(torch.stack(scores).mean()) == pytest.approx(11.24, abs=0.2)
