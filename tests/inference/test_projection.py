"""A given picture in a generator's space."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float, to_pillow
from ganvas.inference import closeness
from ganvas.inference.closeness import Closeness
from ganvas.inference.given import POINT, Point, load_point, read_picture, save_point
from ganvas.inference.projection import nearest, project
from ganvas.metrics.imagenet import find_weights


@pytest.fixture
def by_pixels(monkeypatch):
    """As on a machine without ImageNet's weights."""
    monkeypatch.setattr(closeness, "find_weights", lambda: None)


@pytest.mark.usefixtures("by_pixels")
def test_the_seed_of_a_generated_picture_is_found_again(varied, styled):
    for generator in (varied, styled):
        picture = generator.sample([137], label=2)[0]
        found = nearest(generator, picture, range(100, 200), count=3, label=2)
        assert (found[0].seed, found[0].label) == (137, 2)
        assert found[0].distance == 0
        assert 0 < found[1].distance <= found[2].distance


@pytest.mark.usefixtures("by_pixels")
def test_without_a_class_each_seed_is_tried_with_its_own(varied):
    picture = varied.sample([14])[0]
    assert (nearest(varied, picture, range(40), count=1)[0].seed, 14 % 10) == (14, 4)
    assert nearest(varied, picture, range(40), count=1)[0].label == 4


@pytest.mark.parametrize("asked", [{"count": 0}, {"count": -1}, {"seeds": []}])
def test_no_seeds_and_no_results_are_refused(varied, asked):
    with pytest.raises(UsageError, match="try one seed or more, and ask for one or more"):
        nearest(varied, varied.sample([0])[0], **asked)


@pytest.mark.usefixtures("by_pixels")
def test_a_projection_comes_closer_than_the_nearest_seed_and_says_how_close(varied, styled):
    for generator in (varied, styled):
        picture = generator.sample([2_345], label=1)[0]
        told: list[tuple[int, float]] = []
        found = project(generator, picture, steps=60, label=1, on_step=lambda *step, told=told: told.append(step))
        assert found.measure == "pyramid of pixels"
        assert found.label == 1
        assert found.distance < 0.5 * found.first
        assert [step for step, _ in told] == list(range(1, 61))
        distances = [distance for _, distance in told]
        assert distances == sorted(distances, reverse=True)
        assert distances[-1] == found.distance
        drawn = generator.pictures_of_points(found.point[None], [found.label])[0]
        assert np.array_equal(drawn, found.picture)
        again = float(Closeness(to_float(torch.from_numpy(picture)))(to_float(torch.from_numpy(drawn))[None]))
        assert again == pytest.approx(found.distance, abs=0.01), "rounding to 8 bits apart"


def test_a_perceptual_distance_is_used_where_its_weights_are(styled):
    if not find_weights():
        pytest.skip("the weights of the extra `scores` are not installed")
    picture = styled.sample([2_345], label=1)[0]
    found = project(styled, picture, steps=10)
    assert found.measure == "perceptual-imagenet"
    assert found.distance < found.first


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradients_lead_towards_the_target(channels):
    target = torch.rand(channels, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    measure = Closeness(target)
    assert float(measure(target[None])) == pytest.approx(0, abs=1e-6)
    pictures = torch.zeros(2, channels, 32, 32, requires_grad=True)
    before = measure(pictures)
    before.sum().backward()
    after = measure((pictures - 20 * pictures.grad).detach())
    assert (after < before).all()


def test_a_picture_of_another_shape_is_refused(varied):
    with pytest.raises(UsageError, match=r"makes uint8 pictures \[1, 8, 8\], and this is uint8 \[3, 8, 8\]"):
        project(varied, np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(UsageError, match="float32"):
        nearest(varied, np.zeros((1, 8, 8), np.float32))
    with pytest.raises(UsageError, match="1 steps: a projection needs 2"):
        project(varied, np.zeros((1, 8, 8), np.uint8), steps=1)


def test_a_file_is_read_as_the_generator_makes_pictures(varied, styled, tmp_path):
    picture = styled.sample([3])[0]
    to_pillow(picture).save(tmp_path / "own.png")
    assert np.array_equal(read_picture(tmp_path / "own.png", styled), picture)
    Image.new("RGB", (40, 20), "red").save(tmp_path / "other.png")
    with pytest.raises(UsageError, match=r"other.png is 40 x 20 pixels, and the generator makes 16 x 16\. --fit"):
        read_picture(tmp_path / "other.png", styled)
    fitted = read_picture(tmp_path / "other.png", styled, fit=True)
    assert fitted.shape == (3, 16, 16)
    assert (fitted[0] == 255).all()
    assert not fitted[1:].any()
    assert read_picture(tmp_path / "other.png", varied, fit=True).shape == (1, 8, 8)


def test_what_is_no_picture_is_refused(styled, tmp_path):
    (tmp_path / "words.png").write_text("words")
    whole = to_pillow(styled.sample([3])[0])
    whole.save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:300])
    for name in ("words.png", "cut.png", "none.png", ""):
        with pytest.raises(DataError):
            read_picture(tmp_path / name, styled, fit=True)


def test_a_point_is_kept_for_its_generator_alone(varied, styled, tmp_path):
    place = torch.randn(styled.space.layers, styled.space.width)
    file = save_point(tmp_path, Point(place, 2), styled)
    for path in (tmp_path, file):
        found = load_point(path, styled)
        assert torch.equal(found.place, place)
        assert found.label == 2
    with pytest.raises(DataError, match="of another generator"):
        load_point(tmp_path, varied)


def test_a_point_of_a_newer_version_is_refused_with_what_helps(styled, tmp_path):
    card = {"kind": "point", "label": 0, "space": "w", "generator": styled.fingerprint}
    place = torch.zeros(styled.space.layers, styled.space.width)
    save_file({"point": place}, tmp_path / POINT, {"ganvas": json.dumps(card)})  # the first did not say
    assert torch.equal(load_point(tmp_path, styled).place, place)
    save_file({"point": place}, tmp_path / POINT, {"ganvas": json.dumps(card | {"format": 2})})
    with pytest.raises(DataError, match=r"newer Ganvas\. Update with"):
        load_point(tmp_path, styled)


def test_a_damaged_point_is_refused(styled, tmp_path):
    with pytest.raises(DataError, match="There is no point"):
        load_point(tmp_path, styled)
    (tmp_path / POINT).write_bytes(b"no such thing")
    with pytest.raises(DataError, match="is no point"):
        load_point(tmp_path, styled)
    save_file({"other": torch.zeros(3)}, tmp_path / POINT)
    with pytest.raises(DataError, match="is no point"):
        load_point(tmp_path, styled)
    wrong = Point(torch.zeros(1, 3), 0)
    save_point(tmp_path, wrong, styled)
    with pytest.raises(DataError, match="is damaged"):
        load_point(tmp_path, styled)
    assert load_file(tmp_path / POINT)["point"].shape == (1, 3)


@pytest.mark.usefixtures("by_pixels")
def test_a_projection_is_the_same_each_time(styled):
    picture = styled.sample([7])[0]
    one, other = (project(styled, picture, steps=4) for _ in range(2))
    assert torch.equal(one.point, other.point)
    assert one.distance == other.distance
