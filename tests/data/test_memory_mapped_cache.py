"""The cache of decoded pictures: used again, made again when it is stale or damaged, and never left in pieces."""

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.data import cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "ganvas" / "decoded"


def opened(where: Path, say: Callable[[str], None] | None = None) -> data.Dataset:
    return data.open_data(where, size=24, memory=0, say=say)


def builds(where: Path) -> int:
    """How many times opening decoded the pictures: 0 or 1."""
    said: list[str] = []
    opened(where, said.append)
    return sum(line.startswith("Decoding") for line in said)


def test_it_is_made_once_and_mapped_read_only(photos: Path, folder: Path) -> None:
    said: list[str] = []
    first = opened(photos, said.append)
    assert any(line.startswith("Decoding 10 pictures once, to") and str(folder) in line for line in said)
    assert isinstance(first.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        first.images[0, 0, 0, 0] = 1
    assert builds(photos) == 0
    assert opened(photos).fingerprint == first.fingerprint == data.open_data(photos, size=24, memory=2**30).fingerprint


def test_the_report_comes_back_from_the_cache(photos: Path) -> None:
    (photos / "cats" / "broken.png").write_bytes(b"rubbish")
    first, second = opened(photos), opened(photos)
    assert len(first.report.set_aside) == 1
    assert first.report == second.report


def test_a_changed_file_makes_it_stale(photos: Path, folder: Path) -> None:
    before = opened(photos).fingerprint
    Image.new("RGB", (30, 30), "red").save(photos / "cats" / "new.png")
    assert builds(photos) == 1
    assert opened(photos).fingerprint != before
    assert len(list(folder.glob("*.pixels"))) == 1  # the old one is gone


def test_each_size_has_its_own(photos: Path, folder: Path) -> None:
    for size in (16, 24):
        data.open_data(photos, size=size, memory=0)
    assert builds(photos) == 0
    assert len(list(folder.glob("*.pixels"))) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "zeroed tail", "gone", "json cut", "json lies", "longer"])
def test_a_damaged_one_is_made_again(photos: Path, folder: Path, damage: str) -> None:
    whole = opened(photos)
    (pixels,), (account,) = folder.glob("*.pixels"), folder.glob("*.json")
    content = bytearray(pixels.read_bytes())
    match damage:
        case "cut":
            pixels.write_bytes(content[:-100])
        case "longer":
            pixels.write_bytes(content + b"x")
        case "flipped":
            content[len(content) // 2] ^= 1
            pixels.write_bytes(content)
        case "zeroed tail":
            pixels.write_bytes(content[:-200] + b"\0" * 200)
        case "gone":
            pixels.unlink()
        case "json cut":
            account.write_text(account.read_text()[:50])
        case "json lies":
            account.write_text(json.dumps({**json.loads(account.read_text()), "count": "many"}))
    assert np.array_equal(whole.images.shape, (10, 3, 24, 24))
    assert builds(photos) == 1
    assert opened(photos).fingerprint == data.open_data(photos, size=24, memory=2**30).fingerprint


def test_an_interrupted_build_leaves_nothing_that_is_used(
    photos: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache, "_checked", interrupted)  # after the pixels were written
        with pytest.raises(KeyboardInterrupt):
            opened(photos)
    assert not [*folder.glob("*.json"), *folder.glob("*.pixels"), *folder.glob(".*.partial")]
    killed = folder / f".{next(folder.glob('*.lock')).stem}-0123456789abcdef.pixels.deadbeef.partial"
    killed.write_bytes(b"what a kill leaves behind")
    assert builds(photos) == 1
    assert not killed.exists()


def test_a_full_disk_is_a_data_error(photos: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache, "blocks", full)
        with pytest.raises(DataError, match="disk is full"):
            opened(photos)
    with monkeypatch.context() as patch:
        patch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 100}))
        with pytest.raises(DataError, match="has no room for"):
            opened(photos)
    assert not [*folder.glob("*.pixels"), *folder.glob(".*.partial")]


def test_a_cache_folder_that_cannot_be_is_a_data_error(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set XDG_CACHE_HOME"):
        opened(photos)


def test_processes_that_build_at_once_all_get_the_whole(photos: Path, folder: Path) -> None:
    code = (
        "import sys; from ganvas import data; said = []\n"
        "found = data.open_data(sys.argv[1], size=24, memory=0, say=said.append)\n"
        "print(found.fingerprint, sum(line.startswith('Decoding') for line in said))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(photos)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    printed = [one.communicate(timeout=60)[0].split() for one in running]
    assert {fingerprint for fingerprint, _ in printed} == {opened(photos).fingerprint}
    assert sum(int(built) for _, built in printed) == 1
    assert len(list(folder.glob("*.pixels"))) == 1


def test_waiting_for_another_process_is_said(photos: Path, folder: Path) -> None:
    opened(photos)
    (account,) = folder.glob("*.json")
    whole = account.read_text()
    account.unlink()
    other = FileLock(folder / f"{account.stem}.lock")
    other.acquire()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "waiting" in line:  # the other process finishes
            account.write_text(whole)
            other.release()

    opened(photos, say)
    assert any("Another process" in line for line in said)
    assert not any(line.startswith("Decoding") for line in said)
