"""IDX files of the MNIST family: plain and gzipped, with and without labels, and ones that lie."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.data.idx import MAX_INFLATED, read_idx

DICE = np.random.default_rng(3)
IMAGES = DICE.integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 3, 7, 1, 3, 7, 7, 1, 3, 3, 1], np.uint8)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def put(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(idx(values)) if path.suffix == ".gz" else idx(values))
    return path


def opened(path: Path, **options: object) -> data.Dataset:
    return data.open_data(path, memory=2**30, **options)


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-", "."])
def test_an_images_file_finds_its_labels_beside_it(tmp_path: Path, end: str, mark: str) -> None:
    images = put(tmp_path / f"train-images{mark}idx3-ubyte{end}", IMAGES)
    put(tmp_path / f"train-labels{mark}idx1-ubyte{end}", LABELS)
    found = opened(images)
    assert np.array_equal(found.images, IMAGES[:, None])
    assert found.classes == ("1", "3", "7")  # only the labels that occur
    assert found.labels is not None
    assert [found.classes[label] for label in found.labels] == [str(label) for label in LABELS]


def test_a_folder_opens_its_training_files_and_prefers_plain_ones(tmp_path: Path) -> None:
    put(tmp_path / "t10k-images-idx3-ubyte.gz", IMAGES[:3])
    put(tmp_path / "train-images-idx3-ubyte", IMAGES)
    put(tmp_path / "train-images-idx3-ubyte.gz", IMAGES[:5])
    said: list[str] = []
    found = opened(tmp_path, say=said.append)
    assert (len(found), found.labels, found.where) == (12, None, str(tmp_path))
    assert any("No labels lie beside" in line for line in said)
    assert len(opened(tmp_path / "t10k-images-idx3-ubyte.gz")) == 3


def test_a_folder_with_several_training_files_asks_which(tmp_path: Path) -> None:
    for name in ("emnist-digits-train", "emnist-letters-train"):
        put(tmp_path / f"{name}-images-idx3-ubyte", IMAGES)
    with pytest.raises(DataError, match=r"name the file you mean.*emnist-digits-train-images"):
        data.survey(tmp_path)


def test_a_survey_reads_no_more_than_the_header(tmp_path: Path) -> None:
    path = put(tmp_path / "train-images-idx3-ubyte.gz", IMAGES)
    path.write_bytes(path.read_bytes()[:200])  # the pixels are gone, the header is not
    seen = data.survey(path)
    assert (seen.count, seen.size, seen.channels, seen.uniform, seen.suggested_size) == (12, 28, 1, True, 28)
    with pytest.raises(DataError, match="train-images"):
        opened(path)


@pytest.mark.parametrize("shape", [(5, 3, 10, 10), (5, 10, 10, 3), (5, 1, 10, 10)])
def test_four_dimensions_are_colour_with_channels_first_or_last(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = DICE.integers(0, 256, shape, dtype=np.uint8)
    found = opened(put(tmp_path / "x-images-idx4-ubyte", values))
    expected = values.transpose(0, 3, 1, 2) if shape[-1] == 3 else values
    assert np.array_equal(found.images, expected)


@pytest.mark.parametrize(("size", "padded"), [(28, True), (29, True), (32, True), (33, False), (16, False), (7, False)])
def test_up_to_four_missing_pixels_are_padded_with_black_and_more_is_resized(
    tmp_path: Path, size: int, padded: bool
) -> None:
    white = np.full((2, 28, 28), 255, np.uint8)
    found = opened(put(tmp_path / "train-images-idx3-ubyte", white), size=size)
    assert found.images.shape == (2, 1, size, size)
    assert int((found.images == 255).sum()) == (2 * 28 * 28 if padded else 2 * size * size)


def test_channels_of_arrays_can_be_chosen(tmp_path: Path) -> None:
    path = put(tmp_path / "train-images-idx3-ubyte", IMAGES)
    colour, whole = opened(path, channels=3).images, opened(path, channels=4, size=32).images
    assert all(np.array_equal(colour[:, channel], IMAGES) for channel in range(3))
    assert (whole[:, 3] == 255).all()
    assert np.array_equal(whole[:, 1, 2:30, 2:30], IMAGES)


def test_labels_that_do_not_belong_are_an_error(tmp_path: Path) -> None:
    images = put(tmp_path / "train-images-idx3-ubyte", IMAGES)
    put(tmp_path / "train-labels-idx1-ubyte", LABELS[:-1])
    with pytest.raises(DataError, match=r"labels of shape \(11,\) for 12 pictures"):
        data.survey(images)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_sizes_that_the_header_lies_about_are_refused_before_memory_is_taken(tmp_path: Path, end: str) -> None:
    lies = {
        "more": struct.pack(">HBBIII", 0, 8, 3, 60_000, 28, 28) + b"\0" * 1000,
        "less": struct.pack(">HBBIII", 0, 8, 3, 1, 2, 2) + b"\0" * 1000,
        "endless": struct.pack(">HBBIII", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"\0" * 1000,
    }
    tracemalloc.start()
    for name, content in lies.items():
        path = tmp_path / f"{name}-images-idx3-ubyte{end}"
        path.write_bytes(gzip.compress(content) if end else content)
        with pytest.raises(DataError, match=name):
            opened(path)
    assert tracemalloc.get_traced_memory()[1] < 80 * 2**20
    tracemalloc.stop()


def test_a_gzip_larger_than_memory_should_hold_is_to_be_unpacked_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "big-images-idx3-ubyte.gz"
    dice = np.random.default_rng(0)
    content = struct.pack(">HBBIII", 0, 8, 3, MAX_INFLATED // 784 + 1, 28, 28) + dice.bytes(2_200_000)
    path.write_bytes(gzip.compress(content, 0))  # long enough that it could unpack to all of this
    with pytest.raises(DataError, match="gunzip"):
        opened(path)


def test_other_types_and_shapes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    for content in (b"\0\0\x0d\3" + b"\0" * 12, b"\0\0\x08\3\0\0", b"\0\0\x08\x09" + b"\0" * 36, b"text", b""):
        path.write_bytes(content)
        with pytest.raises(DataError):
            data.survey(tmp_path)
    put(tmp_path / "train-images-idx4-ubyte", np.zeros((2, 5, 5, 5), np.uint8))
    with pytest.raises(DataError, match="not that of pictures"):
        data.survey(tmp_path / "train-images-idx4-ubyte")


def test_damaged_gzip_files_are_data_errors_and_nothing_else(tmp_path: Path) -> None:
    whole = gzip.compress(idx(IMAGES))
    path = tmp_path / "train-images-idx3-ubyte.gz"
    for _ in range(60):
        content = bytearray(whole)
        for place in DICE.integers(0, len(content), 2):
            content[place] = DICE.integers(256)
        path.write_bytes(content)
        try:
            opened(path)
        except DataError:
            continue


def test_a_plain_file_is_mapped_not_read(tmp_path: Path) -> None:
    assert isinstance(read_idx(put(tmp_path / "x-images-idx3-ubyte", IMAGES)), np.memmap)
