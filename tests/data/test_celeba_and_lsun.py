"""CelebA with its attributes, FFHQ, and LSUN's databases, whole and damaged."""

import io
import random
import struct
import zipfile
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.core.errors import DataError, UsageError
from ganvas.data.lmdbfile import find_values


def jpeg(level: int, size: tuple[int, int] = (178, 218)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture(params=["folder", "zip", "as downloaded"])
def celeba(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "data" / "celeba"
    pictures, notes = (root / "Img", root / "Anno") if request.param == "as downloaded" else (root, root)
    pictures.mkdir(parents=True)
    notes.mkdir(exist_ok=True)
    files = {f"{n:06}.jpg": jpeg(40 * n) for n in range(1, 6)}
    if request.param == "zip":
        with zipfile.ZipFile(pictures / "img_align_celeba.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"img_align_celeba/{name}", content)
    else:
        (pictures / "img_align_celeba").mkdir()
        for name, content in files.items():
            (pictures / "img_align_celeba" / name).write_bytes(content)
    rows = ["4", "Bald Smiling", "000001.jpg  1 -1", "000002.jpg -1  1", "000003.jpg  1  1", "000004.jpg -1 -1"]
    (notes / "list_attr_celeba.txt").write_text("\n".join(rows) + "\n")
    return root


def opened(where: str | Path, **options: object) -> data.Dataset:
    return data.open_data(where, memory=2**30, **options)


def test_celeba_is_known_by_its_files_and_cut_to_the_usual_square(celeba: Path) -> None:
    found = opened(celeba)
    assert (len(found), found.classes, found.images.shape[1:]) == (5, (), (3, 128, 128))
    assert found.images[:, 0, 64, 64].tolist() == pytest.approx([40, 80, 120, 160, 200], abs=2)


@pytest.mark.parametrize("zipped", [False, True])
def test_ffhq_is_found_by_name_and_its_numbered_folders_are_no_classes(tmp_path, monkeypatch, zipped):
    root = tmp_path / "data" / "ffhq"
    monkeypatch.setenv("GANVAS_DATA", str(root.parent))
    with pytest.raises(DataError, match=r"images1024x1024/ .or .zip. or thumbnails128x128"):
        data.survey("ffhq")
    root.mkdir(parents=True)
    files = {f"thumbnails128x128/0{n}000/0{n}00{n}.png": jpeg(40 * n, (128, 128)) for n in range(1, 4)}
    if zipped:
        with zipfile.ZipFile(root / "thumbnails128x128.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True)
            (root / name).write_bytes(content)
    found = opened("ffhq")
    assert (found.where, found.name, found.images.shape, found.classes) == ("ffhq/128", "ffhq", (3, 3, 128, 128), ())
    assert opened("ffhq/128").fingerprint == found.fingerprint
    with pytest.raises(DataError, match=r"Get images1024x1024/ .or .zip. from"):
        data.survey("ffhq/1024")
    with pytest.raises(UsageError, match="has no part '64'"):
        data.survey("ffhq/64")


def test_an_attribute_makes_two_classes(celeba: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_path = opened(celeba / "Smiling", size=32)
    assert by_path.classes == ("not Smiling", "Smiling")
    assert by_path.labels is not None
    assert by_path.labels.tolist() == [0, 1, 1, 0]
    assert "has no line in list_attr_celeba.txt" in by_path.report.set_aside[0].reason
    monkeypatch.setenv("GANVAS_DATA", str(celeba.parent))
    by_name = opened("celeba/Smiling", size=32)
    assert (by_name.where, by_name.name) == ("celeba/Smiling", "celeba-Smiling")
    assert np.array_equal(by_name.images, by_path.images)
    assert data.survey(by_name.where).classes == by_name.classes


def test_an_attribute_that_there_is_not_is_answered_with_the_nearest(celeba: Path) -> None:
    with pytest.raises(UsageError, match="did you mean Smiling"):
        data.survey(celeba / "Smilling")


def test_a_damaged_attribute_file_is_an_error(celeba: Path) -> None:
    (notes,) = celeba.rglob("list_attr_celeba.txt")
    notes.write_text("nonsense")
    with pytest.raises(DataError, match="is damaged"):
        data.survey(celeba / "Smiling")


def test_celeba_and_lsun_by_name_say_where_to_get_them() -> None:
    with pytest.raises(DataError, match=r"list_attr_celeba\.txt"):
        data.survey("celeba")
    with pytest.raises(DataError, match=r"dl\.yf\.io/lsun"):
        data.survey("lsun/bedroom")
    for name in ("lsun", "lsun/", "lsun/../x"):
        with pytest.raises(UsageError, match="lsun needs a class"):
            data.survey(name)


def write_lmdb(folder: Path, values: dict[bytes, bytes]) -> Path:
    folder.mkdir(parents=True)
    database = lmdb.open(str(folder), map_size=2**26)
    with database.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)
    database.close()
    return folder


@pytest.mark.parametrize(("count", "largest"), [(0, 1), (1, 10), (3, 9000), (2000, 60), (300, 30_000)])
def test_every_value_of_a_database_is_found_where_the_library_put_it(tmp_path: Path, count: int, largest: int) -> None:
    dice = random.Random(count)
    values = {dice.randbytes(dice.randint(1, 200)): dice.randbytes(dice.randint(1, largest)) for _ in range(count)}
    path = write_lmdb(tmp_path / "db", values) / "data.mdb"
    found = find_values(path)
    content = path.read_bytes()
    read = [content[o : o + n] for o, n in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True)]
    assert read == [values[key] for key in sorted(values)]


def test_a_database_that_was_changed_after_it_was_made_is_read_in_its_last_state(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "db", {b"%d" % n: b"old" * n for n in range(1, 500)})
    database = lmdb.open(str(folder), map_size=2**26, sync=False)
    for n in range(1, 500, 3):
        with database.begin(write=True) as transaction:
            transaction.delete(b"%d" % n)
    database.close()
    content, found = (folder / "data.mdb").read_bytes(), find_values(folder / "data.mdb")
    kept = sorted(b"%d" % n for n in range(1, 500) if n % 3 != 1)
    assert [content[o : o + n] for o, n in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True)] == [
        b"old" * int(key) for key in kept
    ]


def test_lsun_opens_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_lmdb(tmp_path / "lsun" / "tower_train_lmdb", {b"%d" % n: jpeg(n, (40, 30)) for n in range(9)})
    (folder / "lock.mdb").unlink()
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path))
    by_path, by_file, by_name = opened(folder), opened(folder / "data.mdb"), opened("lsun/tower")
    assert by_path.images.shape == (9, 3, 16, 16)
    assert by_path.fingerprint == by_file.fingerprint == by_name.fingerprint
    assert (by_name.name, by_path.name, by_name.where) == ("lsun-tower", "tower_train", "lsun/tower")
    assert "found: tower_train_lmdb" in {one.name: one.state for one in data.named_sets()}["lsun"]


def test_values_that_are_no_pictures_are_set_aside(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "db", {b"1": jpeg(1, (20, 20)), b"2": b"rubbish", b"3": jpeg(3, (20, 20))})
    assert [str(one) for one in opened(folder).report.set_aside] == [
        "picture 1: is not a picture, or is damaged at its start"
    ]


def test_pages_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "db", {b"%05d" % n: b"x" * 700 for n in range(120)}) / "data.mdb"
    content = bytearray(path.read_bytes())
    roots = [struct.unpack_from("<Q", content, page * 4096 + 16 + 24 + 48 + 40)[0] for page in (0, 1)]
    (root,) = (page for page in roots if page < 2**63)  # the other state is the empty database
    (last_node,) = struct.unpack_from("<H", content, root * 4096 + 16)
    struct.pack_into("<HHH", content, root * 4096 + last_node, root, 0, 0)
    path.write_bytes(content)
    with pytest.raises(DataError, match="form a circle"):
        find_values(path)


def test_damaged_databases_are_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "db", {b"%05d" % n: random.Random(n).randbytes(700) for n in range(120)}) / "data.mdb"
    whole = path.read_bytes()
    pages = len(whole) // 4096
    refused = 0
    for seed in range(150):
        dice = random.Random(seed)
        content = bytearray(whole)
        for _ in range(20):
            page = dice.randrange(pages)
            content[page * 4096 + dice.randrange(200)] = dice.randrange(256)
        path.write_bytes(content)
        try:
            find_values(path)
        except DataError:
            refused += 1
    assert refused > 50
    for cut in (0, 10, 5000, len(whole) // 2):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="damaged"):
            find_values(path)
