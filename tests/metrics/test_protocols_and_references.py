"""The record that travels with a score, and the cache of reference statistics."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from ganvas.core.errors import DataError
from ganvas.metrics import references
from ganvas.metrics.frechet import frechet_distance, statistics
from ganvas.metrics.protocol import Protocol, Score, differences

PROTOCOL = Protocol(
    metric="fd",
    extractor="pixels",
    weights_sha256=None,
    layer="areas",
    resize="none",
    input="pixels / 255",
    channels=1,
    fit="as they are",
    count=100,
    reference="clothes",
    reference_sha256="abc",
    reference_part="all",
    reference_count=200,
    seeds="0 onwards",
)


def test_a_score_survives_a_file():
    score = Score("fd (pixels)", 1.5, "lower", PROTOCOL, spread=0.1, floor=0.2, floor_count=50, warnings=("few",))
    assert Score.from_dict(json.loads(json.dumps(score.as_dict()))) == score


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("extractor", "imagenet"),
        ("weights_sha256", "123"),
        ("layer", "pool"),
        ("resize", "clean"),
        ("input", "(x - 127) / 128"),
        ("channels", 3),
        ("fit", "centre squares, by Lanczos"),
        ("rounding", "truncated"),
        ("count", 99),
        ("reference_sha256", "abd"),
        ("reference_part", "each tenth"),
        ("parameters", {"k": 3}),
    ],
)
def test_what_differs_makes_scores_unlike(field, value):
    other = dataclasses.replace(PROTOCOL, **{field: value})
    assert differences([PROTOCOL, other]) == {field: [getattr(PROTOCOL, field), value]}


def test_other_seeds_and_versions_may_be_compared():
    assert differences([PROTOCOL, dataclasses.replace(PROTOCOL, seeds="1000000 onwards", version="9")]) == {}


def test_a_file_of_before_is_read_and_what_it_does_not_tell_counts_as_differing():
    former = Score("fd (pixels)", 1.5, "lower", PROTOCOL, found={"p_value": 0.1}).as_dict()
    for field in ("input", "channels", "fit"):
        del former["protocol"][field]
    former["protocol"]["parameters"] = {"k": 3, **former.pop("found")}  # where that used to be
    old = Score.from_dict(former)
    assert (old.protocol.parameters, old.found) == ({"k": 3}, {"p_value": 0.1})
    known = dataclasses.replace(PROTOCOL, parameters={"k": 3})
    assert differences([old.protocol, known]) == {
        "input": ["unknown", "pixels / 255"],
        "channels": ["unknown", 1],
        "fit": ["unknown", "as they are"],
    }
    assert differences([old.protocol, old.protocol]).keys() == {"input", "channels", "fit"}
    assert Score.from_dict(old.as_dict()) == old


KEY = {"extractor": "pixels", "reference_sha256": "abc", "reference_count": 40}


@pytest.fixture
def held():
    return statistics(torch.randn(40, 6, generator=torch.Generator().manual_seed(0)))


def test_statistics_come_back_as_they_were(tmp_path, held):
    path = references.path_of(tmp_path / "cache", KEY)
    references.write(path, held, KEY)
    again = references.read(path, KEY)
    assert again.count == 40
    assert torch.equal(again.mean, held.mean)
    assert torch.allclose(again.covariance, held.covariance, atol=1e-14)
    assert frechet_distance(again, held) < 1e-9


def test_other_tools_read_mu_and_sigma_without_a_pickle(tmp_path, held):
    path = references.path_of(tmp_path, KEY)
    references.write(path, held, KEY)
    with np.load(path, allow_pickle=False) as file:
        assert file["mu"].shape == (6,)
        assert np.allclose(file["sigma"], held.covariance.numpy())
        assert {file[name].dtype.kind for name in file.files} <= set("fiU")


def test_each_key_has_a_file_of_its_own(tmp_path):
    others = [KEY | {"reference_count": 41}, KEY | {"reference_sha256": "x"}, KEY | {"extractor": "fashion"}]
    assert len({references.path_of(tmp_path, key) for key in [KEY, *others]}) == 4


def test_another_protocol_is_an_error_that_names_the_field(tmp_path, held):
    path = tmp_path / "real.npz"
    references.write(path, held, KEY)
    with pytest.raises(DataError, match="reference_count is 40 there and 41 here"):
        references.read(path, KEY | {"reference_count": 41})


@pytest.mark.parametrize("harm", ["cut", "empty", "pickle", "nan", "shape"])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path, held, harm):
    path = tmp_path / "real.npz"
    references.write(path, held, KEY)
    with np.load(path) as file:
        arrays = dict(file)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "pickle":
        np.savez(path, **arrays | {"mu": np.array([{"a": 1}], dtype=object)})
    elif harm == "nan":
        np.savez(path, **arrays | {"mu": np.full(6, np.nan)})
    else:
        np.savez(path, **arrays | {"sigma": np.eye(5)})
    with pytest.raises(DataError, match=r"[Dd]elete the file"):
        references.read(path, KEY)
