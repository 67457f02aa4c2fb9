"""A zip gives what its folder gives, and a hostile one gives nothing else."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError
from ganvas.data import archive


def png(level: int = 100, size: int = 16) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (size, size), level).save(stream, "PNG")
    return stream.getvalue()


def packed(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def opened(path: Path, **options: object) -> data.Dataset:
    return data.open_data(path, memory=2**30, **options)


@pytest.mark.parametrize("wrapping", ["", "photos/", "./"])
def test_a_zip_gives_what_its_folder_gives(tmp_path: Path, photos: Path, wrapping: str) -> None:
    files = {wrapping + str(one.relative_to(photos)): one.read_bytes() for one in photos.rglob("*") if one.is_file()}
    zipped = opened(packed(tmp_path / "photos.zip", {**files, "__MACOSX/cats/._1.png": b"x", "readme.txt": b"hello"}))
    folder = opened(photos)
    assert np.array_equal(zipped.images, folder.images)
    assert (zipped.classes, zipped.name) == (folder.classes, folder.name)
    assert zipped.fingerprint == folder.fingerprint
    assert dict(zipped.report.others) == {".txt": 1}


def test_names_in_a_zip_never_become_paths(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = packed(
        tmp_path / "slip.zip",
        {"../../evil.png": png(), "/etc/abs.png": png(), "C:\\x\\win.png": png(), "ok.png": png()},
    )
    found = opened(path)
    assert len(found) == 1
    aside = {one.path: one.reason for one in found.report.set_aside}
    assert len(aside) == 3
    assert set(aside.values()) == {"its name points out of the zip"}
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])


def test_an_entry_that_unpacks_to_far_too_much_is_set_aside_unread(tmp_path: Path) -> None:
    bomb = packed(
        tmp_path / "bomb.zip", {"bomb.png": png() + b"\0" * 30_000_000, "bomb.txt": b"\0" * 30_000_000, "ok.png": png()}
    )
    found = opened(bomb)
    assert len(found) == 1
    assert [str(one) for one in found.report.set_aside] == [
        "bomb.png: unpacks to far more than a picture would: it may be a zip bomb"
    ]


def test_entries_that_share_packed_bytes_are_set_aside(tmp_path: Path) -> None:
    path = packed(tmp_path / "shared.zip", {"a.png": png(1, 64), "b.png": png(2, 64), "c.png": png(3, 64)}, 0)
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[
        first + 42 : first + 46
    ]  # the second entry points to the first's bytes
    path.write_bytes(content)
    found = opened(path)
    assert found.images[:, 0, 0, 0].tolist() == [3]
    assert all("zip bomb" in one.reason for one in found.report.set_aside)


def test_an_entry_that_lies_about_its_size_or_sum_is_set_aside(tmp_path: Path) -> None:
    path = packed(tmp_path / "lying.zip", {"a.png": png(1), "b.png": png(2)})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 16 : place + 20] = b"\1\2\3\4"
    path.write_bytes(content)
    found = opened(path)
    assert len(found) == 1
    assert "damaged in the zip" in found.report.set_aside[0].reason


def test_encrypted_entries_links_and_unbounded_packings_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as writing:
        writing.writestr("ok.png", png())
        writing.writestr("strong.png", png(), zipfile.ZIP_LZMA)
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        writing.writestr(link, "/etc/passwd")
        writing.writestr("secret.png", png())
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    path.write_bytes(content)
    reasons = {one.path: one.reason for one in opened(path).report.set_aside}
    assert reasons == {
        "strong.png": "is packed in a way that is not read; pack the zip with deflate",
        "link.png": "is a link",
        "secret.png": "is encrypted",
    }


def test_an_endless_list_of_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.zip"
    size = archive.MAX_DIRECTORY + 100
    with path.open("wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(size + 4)  # a sparse file: it takes no room on the disk
        stream.seek(size + 4)
        stream.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, size, 4, 0))
    with pytest.raises(DataError, match="the list of files in this zip is too long"):
        data.survey(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_zip_that_is_cut_short_is_a_data_error(tmp_path: Path, share: float) -> None:
    content = packed(tmp_path / "whole.zip", {f"{n}.png": png(n) for n in range(9)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match="pack it again"):
        data.survey(tmp_path / "cut.zip")


def test_zips_with_flipped_bytes_are_read_in_part_or_refused(tmp_path: Path) -> None:
    content = packed(tmp_path / "whole.zip", {f"{n}.png": png(n) for n in range(5)}).read_bytes()
    dice = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(content)
        for place in dice.integers(0, len(content), 3):
            changed[place] = dice.integers(256)
        (tmp_path / "changed.zip").write_bytes(changed)
        try:
            assert 1 <= len(opened(tmp_path / "changed.zip", size=16)) <= 5
        except DataError:
            continue


def test_a_zip_is_known_by_its_content_and_what_holds_no_picture_is_said(tmp_path: Path) -> None:
    path = packed(tmp_path / "pictures.bin", {"a.png": png()})
    assert data.survey(path).count == 1
    with pytest.raises(DataError, match=r"2 \.txt"):
        data.survey(packed(tmp_path / "texts.zip", {"a.txt": b"1", "b.txt": b"2"}))
    (tmp_path / "fake.zip").write_bytes(b"this is no zip")
    with pytest.raises(DataError, match="is not a zip"):
        data.survey(tmp_path / "fake.zip")
