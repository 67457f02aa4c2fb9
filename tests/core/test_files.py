"""Files are whole or not there."""

import os

import pytest

from ganvas.core import files


def test_what_is_written_takes_the_place_of_the_file_and_nothing_else_stays(tmp_path):
    path = tmp_path / "new" / "deep" / "a.txt"
    files.write_text(path, "old")
    files.write_text(path, "new ü")
    assert path.read_text(encoding="utf-8") == "new ü"
    assert os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_content_and_nothing_else(tmp_path, kind):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def half():
        with files.replacing(path) as partial:
            partial.write_bytes(b"half of the n")
            raise kind

    with pytest.raises(kind):
        half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_until_the_block_ends_a_reader_sees_the_old_content(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with files.replacing(path) as partial:
        partial.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert partial.parent == path.parent, "a rename is only whole within one file system"
        assert partial.name.endswith(".partial")
    assert path.read_bytes() == b"new"


def test_the_content_is_flushed_before_the_rename(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("flush"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append("rename"), replace(old, new))[1])
    files.write_bytes(tmp_path / "a.bin", b"new")
    assert done == ["flush", "rename", "flush"]


def test_the_checksum_is_sha_256(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert files.sha256_of_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
