"""Pairs: two folders with the same names, or two halves of one picture; both are cut alike, and errors name them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.core.sizes import Size

LARGE = 2**30


def noise(seed: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four pairs of several sizes, with unlike endings, one in a folder below; each partner is the inverse."""
    for number, (width, height) in enumerate([(40, 30), (64, 20), (33, 47), (24, 24)]):
        name = f"{'deep/' if number == 1 else ''}{number}"
        save(noise(number, width, height), tmp_path / "pairs" / "A" / f"{name}.png")
        save(255 - noise(number, width, height), tmp_path / "pairs" / "b" / f"{name}.BMP")
    return tmp_path / "pairs"


@pytest.fixture
def halves(tmp_path: Path, folders: Path) -> Path:
    """The same pairs, side by side, without the one that would not be wider than high."""
    for name in ("0", "1", "3"):
        (first,), (second,) = folders.glob(f"A/**/{name}.png"), folders.glob(f"b/**/{name}.BMP")
        save(np.concatenate([Image.open(first), Image.open(second)], axis=1), tmp_path / "halves" / f"{name}.png")
    return tmp_path / "halves"


def opened(where: Path, **options) -> data.Dataset:
    return data.open_paired(where, **{"size": 16, "channels": 3, "memory": LARGE, **options})


def test_two_folders_pair_by_name_and_are_cut_alike(folders: Path) -> None:
    found = opened(folders)
    assert (found.images.shape, found.classes, found.labels) == ((4, 6, 16, 16), ("A", "b"), None)
    for side, title in enumerate("Ab"):
        alone = data.open_data(folders / title, size=16, channels=3, memory=LARGE)
        assert np.array_equal(alone.images, found.images[:, 3 * side : 3 * side + 3])
    assert np.abs(found.images[:, :3].astype(int) + found.images[:, 3:] - 255).max() <= 2, "place by place"
    assert (found.report.read, found.groups, found.fit) == (8, None, "centre squares, by Lanczos")


def test_halves_give_what_folders_give(folders: Path, halves: Path) -> None:
    said: list[str] = []
    found = opened(halves, say=said.append)
    of_folders = opened(folders).images
    assert (found.classes, found.report.read) == (("left", "right"), 3)
    assert {bytes(one) for one in found.images} < {bytes(one) for one in of_folders}
    assert said == ["3 pictures, each a pair: the first in the left half, the second in the right half"]


@pytest.mark.parametrize("layout", ["folders", "halves"])
def test_a_zip_threads_and_a_cache_give_the_same(layout: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    where = request.getfixturevalue(layout)
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", where))
    for scales in ((), (1.0, 0.5)):
        prints = {
            opened(place, scales=scales, threads=threads, memory=memory).fingerprint
            for place in (where, packed)
            for threads in (1, 3)
            for memory in (LARGE, 0)
        }
        assert len(prints) == 1
    kept = list((tmp_path / "cache" / "ganvas" / "decoded").glob("*.pixels"))
    data.open_data(where, size=16, memory=0)
    assert (len(kept), len(list(kept[0].parent.glob("*.pixels")))) == (4, 5), "each reading has its own"


@pytest.mark.parametrize("layout", ["folders", "halves"])
def test_pieces_of_both_are_cut_from_the_same_place(layout: str, request: pytest.FixtureRequest) -> None:
    found = opened(request.getfixturevalue(layout), scales=(1.0, 0.5))
    assert found.groups is not None
    assert len(found) > found.groups[-1] + 1 >= 3
    assert np.abs(found.images[:, :3].astype(int) + found.images[:, 3:] - 255).max() <= 2
    assert np.array_equal(found.images[found.groups == 0][0, :3], noise(0, 40, 30)[:16, :16].transpose(2, 0, 1))


def test_the_fingerprint_sees_either_side(folders: Path) -> None:
    prints = [opened(folders).fingerprint, opened(folders, scales=(1.0,)).fingerprint]
    save(noise(9, 40, 30), folders / "b" / "0.BMP")
    prints += [opened(folders).fingerprint, opened(folders, scales=(1.0,)).fingerprint]
    (folders / "b").rename(folders / "other")
    assert len({*prints, opened(folders).fingerprint}) == 5


def test_the_first_folder_in_natural_order_is_the_first(tmp_path: Path) -> None:
    for title, level in (("side 10", 200), ("side 2", 100)):
        save(np.full((20, 20), level, np.uint8), tmp_path / title / "1.png")
    found = opened(tmp_path, channels=1)
    assert (found.classes, found.images[0, :, 0, 0].tolist()) == (("side 2", "side 10"), [100, 200])


def test_train_and_test_around_them_are_no_sides(folders: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(folders, tmp_path / "whole" / part)
    assert opened(tmp_path / "whole").fingerprint == opened(folders).fingerprint
    for part in ("val", "test"):
        save(noise(1, 40, 20), tmp_path / "parts" / part / "1.png")
    assert opened(tmp_path / "parts").classes == ("left", "right")


def test_some_pairs_and_grey_beside_colour(folders: Path) -> None:
    save(noise(0, 40, 30)[..., 0], folders / "A" / "0.png")
    found = opened(folders, most=2, channels=1)
    assert found.images.shape == (2, 2, 16, 16)
    assert opened(folders).images.shape == (4, 6, 16, 16)
    assert data.survey_paired(folders).channels == 3


def test_a_survey_counts_pairs_and_measures_one_picture(folders: Path, halves: Path) -> None:
    seen = data.survey_paired(folders)
    assert (seen.count, seen.size, seen.channels, seen.classes, seen.shape) == (4, 27, 3, ("A", "b"), None)
    shutil.rmtree(folders / "A" / "deep")
    shutil.rmtree(folders / "b" / "deep")
    for path in [*folders.rglob("[02].*")]:
        path.unlink()
    assert data.survey_paired(folders).shape == Size(24, 24)
    (halves / "1.png").unlink()
    (halves / "0.png").unlink()
    seen = data.survey_paired(halves)
    assert (seen.count, seen.size, seen.shape, seen.classes) == (1, 24, Size(24, 24), ("left", "right"))


@pytest.mark.parametrize("scales", [(), (1.0,)])
def test_a_pair_of_which_one_cannot_be_read_is_set_aside_whole(folders: Path, scales: tuple[float, ...]) -> None:
    path = folders / "b" / "2.BMP"
    path.write_bytes(path.read_bytes()[:2000])
    found = opened(folders, scales=scales)
    reasons = {one.path: one.reason for one in found.report.set_aside}
    assert reasons == {"A/2.png": "its partner b/2.BMP is cut short", "b/2.BMP": "is cut short"}
    assert (len(found.report.set_aside), found.report.read) == (2, 6)
    path.write_bytes(b"rubbish")  # its header cannot be read either
    reasons = {one.path: one.reason for one in opened(folders, scales=scales).report.set_aside}
    assert reasons["A/2.png"] == "its partner b/2.BMP is not a picture, or is damaged at its start"
    assert data.survey_paired(folders).count == 3


def test_halves_that_cannot_be_read_or_are_tiny_are_set_aside(halves: Path) -> None:
    (halves / "0.png").write_bytes((halves / "0.png").read_bytes()[:2000])
    save(noise(5, 2, 1), halves / "tiny.png")
    aside = {one.path: one.reason for one in opened(halves).report.set_aside}
    assert aside == {"0.png": "is cut short", "tiny.png": "is only 1 x 1 pixels"}


def test_other_modes_are_read_as_everywhere(tmp_path: Path) -> None:
    pixels = noise(0, 20, 20)
    for side in "AB":
        (tmp_path / side).mkdir()
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "A" / "cmyk.tiff")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / "B" / "cmyk.png")
    frames = [Image.fromarray(noise(seed, 20, 20)).quantize(8) for seed in (1, 2)]
    frames[0].save(tmp_path / "A" / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "B" / "moving.png")
    cmyk, moving = opened(tmp_path, size=20).images
    assert np.array_equal(cmyk[3], pixels[..., 0])
    assert np.array_equal(moving[:3], moving[3:])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda at: (at / "A/2.png").unlink(), r"pairs/A has no partner for 2: pictures of a pair have the same path"),
        (lambda at: save(noise(7, 9, 9), at / "A/new.png"), r"pairs/b has no partner for new"),
        (lambda at: save(noise(7, 9, 9), at / "A/0.jpg"), r"pairs/A has two pictures called 0"),
        (lambda at: save(noise(7, 41, 30), at / "A/0.png"), r"A/0\.png and b/0\.BMP are .* 41 x 30 and 40 x 30"),
        (lambda at: save(noise(7, 30, 40), at / "A/0.png"), r"A/0\.png and b/0\.BMP are .* 30 x 40 and 40 x 30"),
        (
            lambda at: save(noise(7, 50, 31), at / "c/0.png"),
            r"no pairs.*\n.*9 pictures in 3 folders \(A, b, c",
        ),
        (lambda at: shutil.rmtree(at / "A"), r"no pairs.*A/1\.png and B/1\.jpg.*left half.*\n.*4 pictures, of which 2"),
    ],
)
@pytest.mark.parametrize("scales", [(), (1.0,)])
def test_what_are_no_pairs_is_said(folders: Path, spoil, told: str, scales: tuple[float, ...]) -> None:
    spoil(folders)
    with pytest.raises(DataError, match=told):
        opened(folders, scales=scales)


def test_other_data_holds_no_pairs() -> None:
    with pytest.raises(DataError, match=r"digits.* holds no pairs"):
        opened("digits")


def test_a_check_tells_of_pairs_and_of_what_has_no_partner(folders: Path, photos: Path) -> None:
    assert "  pairs       4 by name, A and b" in data.check(folders).lines()
    save(noise(7, 9, 9), folders / "A" / "new.png")
    (folders / "A" / "3.png").unlink()
    found = data.check(folders)
    assert "  pairs       3 by name, A and b; 2 without partner: A/new.png, b/3.BMP" in found.lines()
    assert found.as_dict()["pairs"] == {"count": 3, "titles": ("A", "b"), "lonely": ("A/new.png", "b/3.BMP")}
    assert data.check(photos).pairs is None
