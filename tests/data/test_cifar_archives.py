"""CIFAR in its four published forms, and pickles that would like to run."""

import gzip
import io
import os
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.data import cifar
from ganvas.data.plainpickle import NotPlain, read_plain

DICE = np.random.default_rng(4)
PIXELS = DICE.integers(0, 256, (10, 3072), dtype=np.uint8)
LABELS = [0, 1, 2, 1, 0, 2, 2, 1, 0, 1]
NAMES = ["cat", "dog", "frog"]


def old_style(value: Any) -> bytes:
    """A pickle as Python 2 wrote it: text as byte strings, an array by numpy's old module."""
    out = [b"\x80\x02}("]

    def text(value: bytes) -> bytes:
        short = len(value) < 256
        return (b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value

    for number, (key, inner) in enumerate(value.items()):
        out.append(text(key.encode()) + b"q" + bytes([number]))
        if isinstance(inner, np.ndarray):
            out.append(
                b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R(K\x01"
            )
            out.append(b"".join(b"M" + struct.pack("<H", side) for side in inner.shape) + b"\x86")
            out.append(
                b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xff"
            )
            out.append(b"J\xff\xff\xff\xffK\x00tb\x89" + text(inner.tobytes()) + b"tb")
        else:
            items = [b"K" + bytes([one]) if isinstance(one, int) else text(one.encode()) for one in inner]
            out.append(b"](" + b"".join(items) + b"e")
    return b"".join(out) + b"u."


def binary(pixels: np.ndarray, *columns: list[int]) -> bytes:
    return np.concatenate([np.array(columns, np.uint8).T, pixels], axis=1).tobytes()


def forms() -> dict[str, dict[str, bytes]]:
    """The files of each published form, with the same ten pictures in each."""
    halves = [(PIXELS[:6], LABELS[:6]), (PIXELS[6:], LABELS[6:])]
    batches = [{"data": pixels, "labels": labels} for pixels, labels in halves]
    names = "\n".join(NAMES).encode() + b"\n\n"
    hundred = {"data": PIXELS, "fine_labels": LABELS, "coarse_labels": [0] * 10}
    return {
        "ten-binary": {
            **{f"data_batch_{n}.bin": binary(*half) for n, half in enumerate(halves, 1)},
            "test_batch.bin": binary(PIXELS[:2], LABELS[:2]),
            "batches.meta.txt": names,
        },
        "ten-python2": {
            **{f"data_batch_{n}": old_style(batch) for n, batch in enumerate(batches, 1)},
            "test_batch": old_style({"data": PIXELS[:2], "labels": LABELS[:2]}),
            "batches.meta": old_style({"label_names": NAMES}),
        },
        "ten-python3": {
            **{f"data_batch_{n}": pickle.dumps(batch, 2) for n, batch in enumerate(batches, 1)},
            "test_batch": pickle.dumps({"data": PIXELS[:2], "labels": LABELS[:2]}, 5),
            "batches.meta": pickle.dumps({"label_names": NAMES}, 4),
        },
        "hundred-binary": {
            "train.bin": binary(PIXELS, [9] * 10, LABELS),
            "test.bin": binary(PIXELS[:2], [9] * 2, LABELS[:2]),
            "fine_label_names.txt": names,
        },
        "hundred-python": {
            "train": old_style(hundred),
            "test": pickle.dumps({**hundred, "data": PIXELS[:2], "fine_labels": LABELS[:2]}, 3),
            "meta": old_style({"fine_label_names": NAMES}),
        },
    }


def as_folder(root: Path, files: dict[str, bytes]) -> Path:
    root.mkdir()
    for name, content in files.items():
        (root / name).write_bytes(content)
    return root


def as_archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("form", forms())
@pytest.mark.parametrize("keep", [as_folder, as_archive])
def test_every_published_form_gives_the_same_pictures(tmp_path: Path, form: str, keep: Any) -> None:
    path = keep(tmp_path / ("cifar.tar.gz" if keep is as_archive else "cifar"), forms()[form])
    found = data.open_data(path, memory=2**30)
    assert np.array_equal(found.images, PIXELS.reshape(-1, 3, 32, 32))
    assert found.labels is not None
    assert (found.labels.tolist(), found.classes) == (LABELS, tuple(NAMES))
    seen = data.survey(path)
    assert (seen.count, seen.size, seen.channels, seen.name) == (10, 32, 3, "cifar")
    assert len(cifar.open_cifar(path, "test", "", "")) == 2


def test_nothing_of_an_archive_is_written_to_the_disk(tmp_path: Path) -> None:
    path = as_archive(tmp_path / "c.tar.gz", {**forms()["ten-binary"], "../../evil": b"x"})
    before = sorted(tmp_path.rglob("*"))
    data.open_data(path, memory=2**30)
    assert sorted(tmp_path.rglob("*")) == before


def test_missing_batches_are_said(tmp_path: Path) -> None:
    said: list[str] = []
    data.survey(as_folder(tmp_path / "c", forms()["ten-binary"]), say=said.append)
    assert any("lacks data_batch_3.bin, data_batch_4.bin, data_batch_5.bin" in line for line in said)


class _Hostile:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = (call, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_wants_to_run_something_is_refused_and_does_not(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "ran"
    for hostile in (_Hostile(os.system, f"touch {mark}"), _Hostile(exec, f"open({str(mark)!r}, 'w')")):
        batch = pickle.dumps({"data": hostile, "labels": []}, protocol)
        files = {**forms()["ten-python3"], "data_batch_1": batch}
        root = as_folder(tmp_path / f"c{protocol}{len(list(tmp_path.iterdir()))}", files)
        with pytest.raises(DataError, match=r"data_batch_1 is not a batch.*Nothing in it was run"):
            data.open_data(root, memory=2**30)
    assert not mark.exists()


def test_pickles_can_neither_import_nor_call_nor_take_memory() -> None:
    hostile = {
        b"cos\nsystem\n.": "os.system",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.": "os.system",
        b"cnumpy\nndarray\n(K\x01tR.": "not plain data",  # a class that is known, but not to be called
        b"\x80\x02(K\x01K\x02u.": "damaged",
        b"]r\xff\xff\xff\x7f.": None,  # the memo's place 2147483647: an array of that length would fill memory
        b"(" * 1000 + b".": None,
        b"\x80\x02}(" + b")" + b"\x85" * 100_000 + b"K\x01u.": "keys",  # hashing it would overflow the stack
        b"Pid\n.": "PERSID",
        b"\x82\x01.": "EXT1",
        b"(ios\nsystem\n.": "INST",
        b"\x80\x05\x97.": "NEXT_BUFFER",
        b"\x80\x02}": "damaged",
        b"": "damaged",
        b"T\xff\xff\xff\x7fabc.": "damaged",  # a string that claims 2 GB
    }
    for content, reason in hostile.items():
        if reason is None:
            read_plain(content)
            continue
        with pytest.raises(NotPlain, match=reason):
            read_plain(content)


def test_arrays_of_other_types_are_refused() -> None:
    for array in (
        np.zeros(3, np.int64),
        np.array([None, {}], object),
        np.zeros((4, 4), np.uint8, "F"),
        np.zeros(2, "M8[s]"),
    ):
        for protocol in (2, 5):
            with pytest.raises(NotPlain):
                read_plain(pickle.dumps({"data": array}, protocol))


def test_plain_values_come_out_as_they_went_in() -> None:
    value = {
        "a": [1, -2, 300, 70_000, 2**40, 1.5, None, True],
        "b": (b"x" * 300, "text é"),
        3: [],
        "d": ((), (1,), (1, 2, 3)),
    }
    for protocol in range(2, 6):
        assert read_plain(pickle.dumps(value, protocol)) == value
    assert np.array_equal(read_plain(pickle.dumps({"x": PIXELS}, 4))["x"], PIXELS)


def test_pickles_with_flipped_bytes_are_read_or_refused_and_nothing_else() -> None:
    whole = old_style({"data": PIXELS[:1], "labels": [1, 2], "filenames": ["a.png", "b.png"]})
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        for place in DICE.integers(0, 200, 2):
            content[place] = DICE.integers(256)
        try:
            read_plain(bytes(content))
        except NotPlain:
            refused += 1
    assert 50 < refused < 400, "some flips must be seen, and some hit only values"


def test_batches_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    python, ten = forms()["ten-python3"], forms()["ten-binary"]
    bad = {
        "rows": {**python, "data_batch_1": pickle.dumps({"data": PIXELS, "labels": [1]}, 2)},
        "kind": {**python, "data_batch_1": pickle.dumps({"data": [1], "labels": [1]}, 2)},
        "huge": {**python, "data_batch_1": pickle.dumps({"data": PIXELS[:1], "labels": [2**40]}, 2)},
        "list": {**python, "data_batch_1": pickle.dumps([1, 2], 2)},
        "without": {**python, "data_batch_1": pickle.dumps({"data": PIXELS}, 2)},
        "label": {**python, "data_batch_1": pickle.dumps({"data": PIXELS[:1], "labels": [3]}, 2)},
        "names": {**python, "batches.meta": pickle.dumps({"label_names": 5}, 2)},
        "ragged": {**ten, "data_batch_1.bin": b"\0" * 3000},
    }
    for name, files in bad.items():
        with pytest.raises(DataError):
            data.open_data(as_folder(tmp_path / name, files), memory=2**30)


def test_other_tar_archives_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="other tar archives are not read"):
        data.survey(as_archive(tmp_path / "photos.tar.gz", {"a.png": b"x"}))
    monkeypatch.setattr(cifar, "MAX_UNPACKED", 2**20)
    with pytest.raises(DataError, match="far more than CIFAR"):
        data.survey(as_archive(tmp_path / "bomb.tar.gz", {"zeros": b"\0" * 3_000_000}))
    whole = as_archive(tmp_path / "whole.tar.gz", forms()["ten-binary"]).read_bytes()
    for cut in (len(whole) // 2, len(whole) - 20):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:cut])
        with pytest.raises(DataError):
            data.survey(tmp_path / "cut.tar.gz")
    (tmp_path / "no.tar.gz").write_bytes(gzip.compress(b"no tar at all"))
    with pytest.raises(DataError):
        data.survey(tmp_path / "no.tar.gz")
