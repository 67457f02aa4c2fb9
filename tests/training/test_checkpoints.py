import errno
from pathlib import Path

import pytest
import torch

from ganvas.core.errors import DataError
from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder


def save(folder: Path, images: int, value: float = 1.0) -> Path:
    return checkpoints.save(folder, images, {"w": torch.full((3,), value)}, {"clock": {"images": images}})


def test_a_checkpoint_gives_back_its_tensors_and_info(tmp_path):
    tensors = {"a": torch.randn(2, 3), "step": torch.tensor(7.0), "n": torch.tensor([1, 2])}
    checkpoints.save(tmp_path, 64, tensors, {"best": None, "ö": 1.5})
    found, info = checkpoints.newest(tmp_path, pytest.fail)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert info == {"best": None, "ö": 1.5}


def test_a_folder_without_checkpoints_has_no_newest(tmp_path):
    assert checkpoints.newest(tmp_path, pytest.fail) is None
    assert checkpoints.newest_info(tmp_path) is None


def test_any_single_flipped_bit_is_recognised_and_the_one_before_is_used(tmp_path):
    path = save(tmp_path, 128)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        for old in tmp_path.iterdir():
            old.unlink()
        save(tmp_path, 64, 0.5)
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        path.write_bytes(bytes(flipped))
        said = []
        tensors, info = checkpoints.newest(tmp_path, said.append)
        assert info["clock"]["images"] == 64
        assert tensors["w"][0] == 0.5
        assert path.name in said[0]
        assert not path.exists()


def test_a_truncated_newest_is_recognised_too(tmp_path):
    save(tmp_path, 64)
    path = save(tmp_path, 128)
    path.write_bytes(path.read_bytes()[:-5])
    assert checkpoints.newest_info(tmp_path)["clock"]["images"] == 64
    assert checkpoints.newest(tmp_path, lambda _: None)[1]["clock"]["images"] == 64


def test_if_none_is_whole_the_error_says_so(tmp_path):
    save(tmp_path, 64).write_bytes(b"")
    with pytest.raises(DataError, match=r"No checkpoint .* is whole"):
        checkpoints.newest(tmp_path, lambda _: None)


def test_the_last_two_and_the_best_are_kept(tmp_path):
    for images in (0, 64, 128, 192, 256):
        save(tmp_path, images)
    checkpoints.keep(tmp_path, best=64)
    assert [int(path.name[:9]) for path in checkpoints.everything(tmp_path)] == [64, 192, 256]
    assert len(list(tmp_path.iterdir())) == 3


def test_what_a_kill_left_half_written_is_removed_when_a_run_is_taken_up(tmp_path):
    run = RunFolder.create(tmp_path / "run", "")
    left = [run.path / ".generator.safetensors.1234.partial", run.checkpoints / ".000000320-ab.safetensors.12.partial"]
    for path in left:
        path.write_bytes(b"half")
    with run.locked():
        assert not any(path.exists() for path in left)
    assert run.settings.exists()


def test_a_full_disk_is_a_data_error_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    save(tmp_path, 64)

    def full(self, content):
        with self.open("wb") as stream:
            stream.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="No space left"):
        save(tmp_path, 128)
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["000000064"]


def test_a_disk_that_gives_back_other_bytes_is_noticed(tmp_path, monkeypatch):
    def forgetful(self, content):
        with self.open("wb") as stream:
            stream.write(content[:-1] + b"\x00")

    monkeypatch.setattr(Path, "write_bytes", forgetful)
    with pytest.raises(DataError, match="does not read back"):
        save(tmp_path, 128)
    assert list(tmp_path.iterdir()) == []
