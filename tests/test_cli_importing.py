"""import on the command line: what is written is used by the other commands; exit statuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_folders import kinds, pairs, photos
from tests_foreign import DCGAN, CycleGAN, Patch, Pix2pix, RealESRGAN, trained

from ganvas.inference.loading import load


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(trained(DCGAN(size=16), (16, 7, 1, 1)).state_dict(), "netG.pth")
    torch.save({"params_ema": RealESRGAN(blocks=1).state_dict()}, "x4.pth")
    torch.save(Patch().state_dict(), "netD.pth")


def test_an_imported_generator_is_sampled_judged_and_exported(ganvas, files):
    status, printed, said = ganvas("import", "netG.pth", "--as", "dcgan", "--out", "faces", "--json")
    told = json.loads(printed)
    assert (status, told["out"], told["family"]) == (0, "faces", "dcgan")
    assert {Path(file).name for file in told["files"]} == {path.name for path in Path("faces").iterdir()}
    assert told["bytes"] == sum(path.stat().st_size for path in Path("faces").iterdir())
    assert "ganvas sample faces" in said
    assert ganvas("sample", "faces", "--seeds", "0-3", "--out", "grid.png")[0] == 0
    assert ganvas("export", "faces", "--out", "faces.onnx")[0] == 0
    judged = ganvas(
        *("eval", "faces", "--against", "digits", "--count", 16, "--extractor", "pixels", "--metrics", "fd", "--json")
    )
    assert judged[0] == 0
    page = Path("faces/README.md").read_text()
    assert "trained by another program" in page
    assert "Trained on\nUnknown" in page


def test_an_imported_translator_is_told_how_to_be_used(ganvas, files):
    status, _, said = ganvas("import", "x4.pth", "--as", "realesrgan", "--out", "larger")
    assert status == 0
    assert "ganvas apply larger" in said
    assert sorted(path.name for path in Path("larger").iterdir()) == ["card.json", "translator.safetensors"]


@pytest.mark.parametrize(
    ("family", "made", "data", "metric"),
    [
        ("pix2pix", Pix2pix, pairs, "psnr"),
        ("cyclegan", CycleGAN, kinds, "fd"),
        ("realesrgan", lambda: RealESRGAN(blocks=1), photos, "psnr"),
    ],
)
def test_an_imported_translator_is_applied_judged_and_exported(
    ganvas, tmp_path, monkeypatch, family, made, data, metric
):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    torch.save(made().state_dict(), "net.pth")
    assert ganvas("import", "net.pth", "--as", family, "--out", "net")[0] == 0
    real = data(tmp_path / "real", count=12, width=32, height=32)
    status, printed, said = ganvas(
        *("eval", "net", "--against", real, "--metrics", metric, "--extractor", "pixels", "--json")
    )
    assert status == 0, said
    assert metric in printed
    picture = next(real.rglob("*.png"))
    assert ganvas("apply", "net", picture, "--out", "done")[0] == 0
    scale = 4 if family == "realesrgan" else 1
    with Image.open(f"done/{picture.name}") as image:
        assert image.size == (32 * scale, 32 * scale)
    assert ganvas("export", "net", "--out", "net.safetensors")[0] == 0
    assert np.array_equal(load("net.safetensors")(str(picture)), load("net")(str(picture)))


def test_the_direction_of_pairs_can_be_told(ganvas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(Pix2pix().state_dict(), "net.pth")
    assert ganvas("import", "net.pth", "--as", "pix2pix", "--out", "there")[0] == 0
    assert ganvas("import", "net.pth", "--as", "pix2pix", "--backwards", "--out", "back")[0] == 0
    assert [load(name).card["problem"]["backwards"] for name in ("there", "back")] == [False, True]
    torch.save(CycleGAN().state_dict(), "cycle.pth")
    status, _, said = ganvas("import", "cycle.pth", "--as", "cyclegan", "--backwards", "--out", "cycle")
    assert status == 2
    assert "leave it out" in said
    assert not Path("cycle").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("import netG.pth --as gan --out x", 2, "did you mean"),
        ("import netG.pth --out x", 2, "--as"),
        ("import netG.pth --as realesrgan --out x", 3, "--as dcgan"),
        ("import netD.pth --as pix2pix --out x", 3, "looks like a discriminator"),
        ("import none.pth --as pix2pix --out x", 3, "is not there"),
        ("import netG.pth --as dcgan --out .", 2, "holds something already"),
        ("import x4.pth --as realesrgan --statistics training --out x", 2, "no batch normalisation"),
        ("sample netG.pth", 3, "ganvas import netG.pth"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_work(ganvas, files, arguments, status, told):
    before = sorted(Path().rglob("*"))
    found, _, said = ganvas(*arguments.split())
    assert (found, told in said) == (status, True), said
    assert sorted(Path().rglob("*")) == before
