"""Scores of pictures that pair by name, from files."""

import dataclasses
import html
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.inference import comparison
from ganvas.inference.evaluation import evaluate
from ganvas.inference.evaluation_page import write_page
from ganvas.inference.paired import PAIRED
from ganvas.metrics.imagenet import WEIGHTS_SHA256, find_weights
from ganvas.metrics.structural import ms_ssim, psnr, ssim

pytestmark = pytest.mark.usefixtures("offline")


def picture(seed: int, height: int = 48, width: int = 40, channels: int = 3) -> np.ndarray:
    dice = np.random.default_rng(seed)
    rough = Image.fromarray(dice.integers(0, 256, (6, 5, 3), dtype=np.uint8)).resize((width, height))
    pixels = np.asarray(rough)
    return pixels if channels == 3 else pixels[..., 0]


def blurred(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.int64) * 9 // 10 + 12).astype(np.uint8)


def save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def sides(tmp_path):
    """Two folders: three pictures of unlike sizes in subfolders, and their paler partners with other endings."""
    for number, (height, width) in enumerate([(48, 40), (60, 44), (33, 90)]):
        pixels = picture(number, height, width)
        save(pixels, tmp_path / "real" / f"{number % 2}" / f"{number}.png")
        save(blurred(pixels), tmp_path / "ours" / f"{number % 2}" / f"{number}.bmp")
    return tmp_path / "ours", tmp_path / "real"


def tensors(folder: Path) -> list[torch.Tensor]:
    return [
        torch.from_numpy(np.asarray(Image.open(path)).transpose(2, 0, 1).copy())[None]
        for path in sorted(folder.rglob("*.*"))
    ]


def test_pairs_are_compared_at_their_own_size_and_their_scores_averaged(sides):
    found = evaluate(*sides, metrics=["psnr", "ssim", "ms-ssim"])
    pairs = list(zip(*map(tensors, sides), strict=True))
    for score, compare in zip(found.scores, (psnr, ssim, lambda a, b: ms_ssim(a, b, 2)), strict=True):
        values = [compare(a, b).item() for a, b in pairs]
        assert score.value == pytest.approx(np.mean(values))
        assert score.spread == pytest.approx(np.std(values))
        assert score.better == "higher"
        assert (score.protocol.count, score.protocol.channels, score.protocol.extractor) == (3, 3, None)
        assert (score.protocol.fit, score.protocol.parameters["size"]) == ("as they are", None)
    assert found.scores[2].protocol.parameters["scales"] == 2  # of the smallest, 33 pixels


def test_a_partner_that_changes_changes_the_protocol(sides):
    before = evaluate(*sides, metrics=["psnr"]).scores[0].protocol.reference_sha256
    assert evaluate(*sides, metrics=["ssim"]).scores[0].protocol.reference_sha256 == before
    save(picture(9, 48, 40), sides[1] / "0" / "0.png")
    assert evaluate(*sides, metrics=["psnr"]).scores[0].protocol.reference_sha256 != before


def test_equal_pictures_are_a_hundred_decibels_and_counted(sides):
    found = evaluate(sides[1], sides[1], metrics=["psnr", "ssim"])
    assert [score.value for score in found.scores] == [100.0, pytest.approx(1.0)]
    assert found.scores[0].found == {"equal_pairs": 3}
    assert found.scores[0].warnings == ("3 of 3 pairs are equal, and count as 100 dB each",)
    assert found.scores[1].warnings == ()


def test_a_size_brings_the_centre_squares_of_both_to_it(sides):
    save(picture(7, 70, 70), sides[0] / "0" / "0.bmp")  # another size than its partner
    found = evaluate(*sides, metrics=["ssim"], size=32)
    protocol = found.scores[0].protocol
    assert (protocol.fit, protocol.parameters["size"]) == ("centre squares, by Lanczos", 32)
    with pytest.raises(ganvas.DataError, match=r"0/0 are 70 x 70 and 40 x 48.*--size N"):
        evaluate(*sides, metrics=["ssim"])


@pytest.mark.skipif(find_weights() is None, reason="the weights of EfficientNet-Lite0 are not installed")
def test_the_perceptual_distance_names_its_backbone_and_grows_with_the_damage(sides):
    near = evaluate(*sides, metrics=["perceptual"]).scores[0]
    for path in sides[0].rglob("*.bmp"):
        save(255 - np.asarray(Image.open(path)), path)
    far = evaluate(*sides, metrics=["perceptual"]).scores[0]
    assert 0 < near.value < far.value
    assert (near.name, near.better) == ("perceptual (pairs, imagenet)", "lower")
    assert near.protocol.weights_sha256 == WEIGHTS_SHA256
    assert (near.protocol.extractor, near.protocol.layer) == ("perceptual-imagenet", "stages 1-5")
    assert "(x - 127) / 128" in near.protocol.input


def test_scores_of_pairs_and_of_the_whole_can_be_asked_for_together_and_shown(tmp_path):
    for number in range(12):
        pixels = picture(number, 32, 32)
        save(pixels, tmp_path / "real" / f"{number}.png")
        save(blurred(pixels), tmp_path / "ours" / f"{number}.png")
    found = evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr", "fd"], extractor="pixels")
    assert [score.name for score in found.scores] == ["fd (pixels)", "psnr (pairs)"]
    assert found.partners.shape == (2, 12, 3, 128, 128)
    page = write_page(found, tmp_path / "report.html", tmp_path).read_text()
    assert "below its partner" in page
    text = html.unescape(page.split("<h2>Protocol</h2><pre>")[1].split("</pre>")[0])
    for score in found.scores:  # what a score of features has is not said of one of pairs, nor the other way round
        told = json.loads(text)
        assert {**told["of all"], **told["of each"][score.name]} == dataclasses.asdict(score.protocol)


def test_grey_beside_colour_is_an_error_that_names_both(tmp_path):
    save(picture(1), tmp_path / "real" / "a.png")
    save(picture(1, channels=1), tmp_path / "ours" / "a.bmp")
    with pytest.raises(ganvas.DataError, match=r"a\.bmp of .*ours is grey and a\.png of .*real is in colour.*both"):
        evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr"])


def test_grey_pairs_among_pairs_in_colour_count_as_they_would_alone(tmp_path):
    for side, change in (("real", np.asarray), ("ours", blurred)):
        save(change(picture(1)), tmp_path / side / "a.png")
        save(change(picture(2, channels=1)), tmp_path / side / "b.png")
    found = evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr", "ssim"])
    assert found.scores[0].protocol.channels == 3
    (grey,) = (torch.from_numpy(picture(2, channels=1).copy())[None, None],)
    pale = torch.from_numpy(blurred(picture(2, channels=1)))[None, None]
    colour = [
        torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None] for p in (picture(1), blurred(picture(1)))
    ]
    for score, compare in zip(found.scores, (psnr, ssim), strict=True):
        assert score.value == pytest.approx((compare(*colour) + compare(grey, pale)).item() / 2)


def test_pictures_are_compared_upright(tmp_path):
    pixels = picture(1, 40, 60)
    save(pixels, tmp_path / "real" / "a.png")
    turned = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6
    (tmp_path / "ours").mkdir()
    turned.save(tmp_path / "ours" / "a.png", exif=turned.getexif())
    assert evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr"]).scores[0].value == 100
    Image.fromarray(pixels).save(tmp_path / "ours" / "a.png", exif=turned.getexif())  # now it lies on its side
    with pytest.raises(ganvas.DataError, match="pair a are 40 x 60 and 60 x 40"):
        evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr"])


def test_a_zip_is_compared_with_a_folder(sides):
    packed = sides[0].with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sides[0].rglob("*.bmp"):
            archive.write(path, path.relative_to(sides[0]))
    of_zip, of_folder = (evaluate(ours, sides[1], metrics=["psnr"]).scores[0] for ours in (packed, sides[0]))
    assert of_zip == of_folder


def test_the_protocol_has_all_that_a_score_depends_on(sides):
    psnr, ssim, ms_ssim = evaluate(*sides, metrics=["psnr", "ssim", "ms-ssim"]).scores
    common = {"size": None, "transparency": "composited on white", "range": 255}
    assert psnr.protocol.parameters == {**common, "equal": "100 dB"}
    window = {"window": "Gaussian, 11 pixels, sigma 1.5, wholly inside", "k1": 0.01, "k2": 0.03}
    assert ssim.protocol.parameters == {**common, **window}
    assert ms_ssim.protocol.parameters == {**common, **window, "scales": 2, "weights": [0.0448, 0.2856]}


def test_two_that_were_compared_with_the_same_partners_are_ranked(sides, tmp_path):
    first = evaluate(*sides, metrics=["psnr"])
    save(np.asarray(Image.open(sides[1] / "0" / "0.png")), sides[0] / "0" / "0.bmp")  # one equal pair
    for name, found in (("first", first), ("second", evaluate(*sides, metrics=["psnr"]))):
        (tmp_path / f"{name}.json").write_text(json.dumps(found.as_dict()))
    (row,) = comparison.compare([tmp_path / "first.json", tmp_path / "second.json"])
    assert (row.name, row.ranks) == ("psnr (pairs)", (2, 1))


def test_many_pairs_say_how_long_they_take(sides, monkeypatch):
    for name in ("_LONG", "_FIRST"):
        monkeypatch.setattr(f"ganvas.metrics.extraction.{name}", 0.0)
    said = []
    evaluate(*sides, metrics=["psnr"], say=said.append)
    assert any("1 of 3 pairs seen" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"extractor": "pixels"}, "--extractor"),
        ({"weights": "w.pth", "resize": "clean"}, "--resize, --weights"),
        ({"held_out": "more/"}, "--held-out"),
    ],
)
def test_what_says_nothing_to_pairs_is_refused(sides, options, told):
    with pytest.raises(ganvas.UsageError, match=f"{told} say nothing to psnr"):
        evaluate(*sides, metrics=["psnr"], **options)


def test_a_sixteen_bit_picture_is_compared_whole(tmp_path):
    pixels = np.linspace(0, 65535, 40 * 60).reshape(40, 60).astype(np.uint16)
    save(pixels, tmp_path / "real" / "a.png")
    save(np.rint(pixels / 257).astype(np.uint8), tmp_path / "ours" / "a.png")
    assert evaluate(tmp_path / "ours", tmp_path / "real", metrics=["psnr"]).scores[0].value == 100


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda ours, real: (real / "1" / "1.png").unlink(), r"no partner for 1/1"),
        (lambda ours, real: save(picture(5), ours / "new.png"), r"no partner for new"),
        (lambda ours, real: save(picture(5), real / "0" / "0.jpg"), r"two pictures called 0/0"),
        (lambda ours, real: (real / "1" / "1.png").write_bytes(b"x" * 99), r"pair 1/1 is not a picture"),
        (
            lambda ours, real: [save(picture(3, 9, 9), path) for path in (ours / "1" / "1.bmp", real / "1" / "1.png")],
            r"1/1 is 9 x 9 pixels.*need 11",
        ),
    ],
)  # fmt: skip
def test_pairs_that_cannot_be_compared_are_named(sides, spoil, told):
    spoil(*sides)
    with pytest.raises(ganvas.DataError, match=told):
        evaluate(*sides, metrics=["psnr", "ssim"])


def test_a_generator_has_no_pairs(sides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off"]
    run = ganvas.train("digits", recipe="dcgan", batch=8, images=16, out="run", set=settings)
    for what in (run.path, run.load()):
        with pytest.raises(ganvas.UsageError, match="give a folder, not a generator"):
            evaluate(what, sides[1], metrics=["psnr"])


def test_their_names_are_told_to_who_mistypes_one(sides):
    assert set(PAIRED) == {"psnr", "ssim", "ms-ssim", "perceptual"}
    with pytest.raises(ganvas.UsageError, match="did you mean psnr"):
        evaluate(*sides, metrics=["pnsr"])
