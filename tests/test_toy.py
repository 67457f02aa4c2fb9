"""The toy reaches what the theory says: all modes, and a discriminator that cannot tell (Goodfellow et al. 2014)."""

import numpy as np
import pytest
import torch

from ganvas import plane, toy
from ganvas.training.folder import RunFolder


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The ring as `python -m ganvas.toy` learns it: the logistic loss and R1, with the defaults."""
    return toy.train(RunFolder.create(tmp_path_factory.mktemp("toy") / "run", ""))


def test_all_eight_modes_are_covered(learned):
    points = plane.generated(learned.generator, 4_000).double().numpy()
    angles = np.arange(8) * np.pi / 4
    modes = 2.0 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(points[:, None] - modes, axis=2)
    close = distances.min(axis=1) < 0.3  # three standard deviations
    counts = np.bincount(distances.argmin(axis=1)[close], minlength=8)
    assert (counts > 4_000 / 8 / 4).all(), counts
    assert close.mean() > 0.7
    assert learned.mixture.covered(torch.from_numpy(points).float()) == 8


def test_the_discriminator_says_one_half_on_real_and_on_generated_points(learned):
    on_real, on_fake = toy.beliefs(learned)
    assert abs(on_real - 0.5) < 0.1
    assert abs(on_fake - 0.5) < 0.1


def test_the_picture_shows_the_field_and_the_points(learned):
    picture = plane.draw_picture(learned, learned.generator, size=120)
    assert (picture.shape, picture.dtype) == ((3, 120, 120), np.uint8)
    dark = (picture < 20).all(axis=0)
    down, across = np.nonzero(dark)
    from_middle = np.hypot(across - 60, down - 60) / 120 * 6
    assert dark.sum() > 50
    assert abs(np.median(from_middle) - 2.0) < 0.2, "the points lie on the ring"


@pytest.mark.parametrize(("modes", "count"), [("ring", 8), ("grid", 25)])
def test_the_command_writes_its_picture_and_says_what_came_of_it(tmp_path, monkeypatch, capsys, modes, count):
    asked = ["--modes", modes, "--images", "512", "--out", str(tmp_path / "toy.png")]
    monkeypatch.setattr("sys.argv", ["toy", *asked])
    toy.main()
    said = capsys.readouterr().out
    assert f" of {count}\n" in said
    assert "at the equilibrium both are 0.5" in said
    assert (tmp_path / "toy.png").read_bytes().startswith(b"\x89PNG")
