"""Data sets with a name: where they are looked for, which part is meant, what the package brings along."""

import gzip
import shutil
import struct
import tomllib
from pathlib import Path

import numpy as np
import pytest

from ganvas import data
from ganvas.core.errors import DataError, UsageError
from ganvas.data.named import fashion_mnist

BUNDLED = Path(data.__file__).parent / "bundled"


def put_idx(folder: Path, prefix: str = "train", count: int = 7, level: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    images = struct.pack(">HBBIII", 0, 8, 3, count, 28, 28) + bytes([level]) * (count * 784)
    labels = struct.pack(">HBBI", 0, 8, 1, count) + bytes(n % 10 for n in range(count))
    (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)


def opened(where: str) -> data.Dataset:
    return data.open_data(where, memory=2**30)


def test_the_bundled_pictures_are_there_balanced_and_licensed() -> None:
    train, test = opened("fashion-mnist/bundled"), opened("fashion-mnist/bundled-test")
    assert train.images.shape == (10_000, 1, 28, 28)
    assert test.images.shape == (1_000, 1, 28, 28)
    assert train.classes[:2] == ("T-shirt/top", "Trouser")
    assert train.labels is not None
    assert np.bincount(train.labels).min() > 900
    assert train.labels[:5].tolist() == [9, 0, 0, 3, 0]  # as published
    assert "Zalando" in (BUNDLED / "fashion-mnist" / "LICENSE").read_text()
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*")) < 5_500_000


def test_the_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    found, known = opened("digits"), load_digits()
    assert found.images.shape == (1797, 1, 8, 8)
    assert np.array_equal(found.images[:, 0], np.rint(known.images * 255 / 16))
    assert found.labels is not None
    assert np.array_equal(found.labels, known.target)
    assert data.survey("digits").suggested_size == 8
    assert data.open_data("digits", size=32, memory=2**30).images.shape == (1797, 1, 32, 32)


def test_the_wheel_takes_the_bundled_files_along() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert "data/bundled/**/*" in project["tool"]["setuptools"]["package-data"]["ganvas"]


def test_fashion_mnist_is_the_bundled_part_offline_and_says_so() -> None:
    said: list[str] = []
    seen = data.survey("fashion-mnist", say=said.append)
    assert (seen.where, seen.name, seen.count) == ("fashion-mnist/bundled", "fashion-mnist", 10_000)
    assert [line for line in said if "10,000 bundled pictures" in line]
    assert opened(seen.where).where == seen.where


def test_fashion_mnist_is_whole_where_it_is_found_and_bundled_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path))
    put_idx(tmp_path / "fashion-mnist")
    put_idx(tmp_path / "fashion-mnist", "t10k", 3)
    assert data.survey("fashion-mnist").where == "fashion-mnist/whole"
    assert len(opened("fashion-mnist")) == 7
    assert len(opened("fashion-mnist/test")) == 3
    assert len(opened("fashion-mnist/bundled")) == 10_000
    assert opened("fashion-mnist").classes[9] == "Ankle boot"


def test_without_being_found_only_a_server_that_answers_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setenv("GANVAS_OFFLINE", "0")
    monkeypatch.setattr(fashion_mnist, "reachable", lambda url: asked.append(url) or False)
    assert data.survey("fashion-mnist").where == "fashion-mnist/bundled"
    assert len(asked) == 1


def test_a_download_that_fails_falls_back_to_the_bundled_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_OFFLINE", "0")
    monkeypatch.setattr(fashion_mnist, "reachable", lambda url: True)

    def broken(*_: object) -> Path:
        raise DataError("The download broke off.")

    monkeypatch.setattr(fashion_mnist.FashionMnist, "find_or_fetch", broken)
    said: list[str] = []
    assert data.survey("fashion-mnist", say=said.append).where == "fashion-mnist/bundled"
    assert said[0] == "The download broke off."


def test_places_are_searched_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_idx(tmp_path / "cache" / "ganvas" / "mnist", level=3)
    assert opened("mnist").images[0, 0, 0, 0] == 3
    put_idx(Path.cwd() / ".data" / "mnist" / "raw", level=2)
    assert opened("mnist").images[0, 0, 0, 0] == 2
    put_idx(tmp_path / "own" / "mnist", level=1)
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "own"))
    assert opened("mnist").images[0, 0, 0, 0] == 1
    assert opened("MNIST/train").where == "mnist/train"


def test_an_unknown_part_is_answered_with_the_known_ones() -> None:
    for where in ("mnist/tset", "fashion-mnist/bundle", "digits/x", "cifar10/validation"):
        with pytest.raises(UsageError, match="has no part"):
            data.survey(where)


def test_what_cannot_be_downloaded_says_where_to_put_it(tmp_path: Path) -> None:
    for name, file in (("mnist", "train-images-idx3-ubyte.gz"), ("cifar10", "cifar-10-binary.tar.gz")):
        with pytest.raises(DataError, match=f"GANVAS_OFFLINE.*{file}.*{tmp_path / 'cache' / 'ganvas' / name}"):
            data.survey(name)


@pytest.mark.parametrize("keep", ["unpacked", "inside", "archive"])
def test_cifar10_is_found_unpacked_or_as_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path))
    folder = tmp_path / "cifar10" / ("" if keep == "unpacked" else "cifar-10-batches-bin")
    folder.mkdir(parents=True)
    for name in [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]:
        (folder / name).write_bytes((b"\1" + b"\7" * 3072) * (2 if name == "test_batch.bin" else 4))
    (folder / "batches.meta.txt").write_text("airplane\nautomobile\n")
    if keep == "archive":
        shutil.make_archive(str(tmp_path / "cifar10" / "cifar-10-binary"), "gztar", tmp_path / "cifar10", folder.name)
        shutil.rmtree(folder)
    train, test = opened("cifar10"), opened("cifar10/test")
    assert (len(train), len(test)) == (20, 2)
    assert train.classes == ("airplane", "automobile")
    assert {one.name: one for one in data.named_sets()}["cifar10"].state.startswith("found at")


def test_a_folder_of_the_same_name_is_opened_by_its_path_and_the_choice_is_said(photos: Path) -> None:
    here = Path("digits")
    shutil.copytree(photos, here)
    said: list[str] = []
    assert data.survey("digits", say=said.append).count == 1797
    assert "./digits" in said[0]
    assert data.survey("./digits").count == 10
    assert data.survey(here).count == 10  # a Path is never a name


def test_the_list_names_every_set_with_its_state_and_licence() -> None:
    listed = {one.name: one for one in data.named_sets()}
    assert list(listed) == list(data.NAMES)
    assert all(one.description and one.licence for one in listed.values())
    assert listed["mnist"].state == "to download, 12 MB"
    assert listed["mnist"].megabytes == pytest.approx(11.6, abs=0.1)
    assert listed["fashion-mnist"].state == "10,000 bundled; the whole to download, 31 MB"
    assert listed["celeba"].state == listed["lsun"].state == "to put there by hand"


def test_every_published_file_is_pinned() -> None:
    from ganvas.core.parts import load
    from ganvas.data.named.published import PublishedSet

    sets = [one for name in data.NAMES if isinstance(one := load(data.NAMES, name, ""), PublishedSet)]
    assert {one.name for one in sets} == {"fashion-mnist", "mnist", "cifar10", "cifar100"}
    for one in sets:
        for part in ("train", "test"):
            for file in one.files(part):
                assert len(file.sha256) == 64
                assert file.size > 1000
