"""Scores of networks from pictures to pictures: closed forms beside baselines, which pictures, and what cannot be."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_translators import CPU, photo, translator_of
from torch.nn import functional

from ganvas import api
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float, to_uint8
from ganvas.core.sizes import Size
from ganvas.data import held_out_indices, held_out_rows, open_paired, open_pieces
from ganvas.degrade.bicubic import shrunk
from ganvas.inference import evaluation, whole
from ganvas.inference.evaluation import evaluate
from ganvas.inference.evaluation_page import write_page
from ganvas.inference.score_table import table_of
from ganvas.inference.set_scores import cut_for
from ganvas.inference.translator import Translator
from ganvas.metrics.structural import psnr
from ganvas.networks.translating import Translator as Network

FAST = {"metrics": ["psnr", "ssim", "fd", "kd"], "extractor": "pixels"}


pytestmark = pytest.mark.usefixtures("offline")


class Does(Network):
    """A network that does what a function says."""

    reach = 0

    def __init__(self, function, inputs=3, outputs=3, scale=1):
        super().__init__()
        self.function, self.inputs, self.outputs, self.scale = function, inputs, outputs, scale

    def translate(self, images):
        return self.function(images)


def translator(function, mode, problem=None, inputs=3, outputs=3, scale=1, **more):
    card = {"kind": "translator", "mode": mode, **more.pop("card", {})}
    card |= {} if problem is None else {"problem": {"name": problem}}
    return Translator(Does(function, inputs, outputs, scale), card, CPU, **more)


def enlarge(images):
    return functional.interpolate(images, scale_factor=4, mode="bicubic", antialias=True)


LARGER = {"mode": "restore", "problem": "superres", "scale": 4}


def save(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]).save(path)


@pytest.fixture
def photos(tmp_path):
    """A folder of ten pictures of unlike sizes, none a multiple of 4."""
    for number in range(10):
        save(photo(50 + number, 71 - number, number), tmp_path / "photos" / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def negatives(tmp_path):
    """Pairs: a/N.png and its negative, b/N.png."""
    for number in range(12):
        pixels = photo(24, 40, number)
        save(pixels, tmp_path / "pairs" / "a" / f"{number}.png")
        save(255 - pixels, tmp_path / "pairs" / "b" / f"{number}.bmp")
    return tmp_path / "pairs"


def by_name(found):
    return {score.name: score for score in found.scores}


def test_a_network_that_enlarges_as_the_baseline_does_has_its_scores(photos):
    found = evaluate(translator(enlarge, **LARGER), photos, **FAST)
    scores = by_name(found)
    assert list(scores) == ["psnr (pairs)", "ssim (pairs)", "fd (patches, pixels)", "kd (patches, pixels)"]
    expected = []
    for path in sorted(photos.iterdir()):
        pixels = torch.from_numpy(np.asarray(Image.open(path)).transpose(2, 0, 1).copy())[None]
        height, width = (side // 4 * 4 for side in pixels.shape[2:])
        top, left = (pixels.shape[2] - height) // 2, (pixels.shape[3] - width) // 2
        true = pixels[:, :, top : top + height, left : left + width]
        small = to_float(to_uint8(shrunk(to_float(true), Size(height // 4, width // 4))))
        expected.append(psnr(to_uint8(enlarge(small)), true).item())
    assert scores["psnr (pairs)"].value == pytest.approx(np.mean(expected))
    assert scores["psnr (pairs)"].spread == pytest.approx(np.std(expected))
    for score in found.scores:
        assert score.value == score.baseline
        assert score.spread == score.baseline_spread
        assert score.baseline_name == "bicubic"
        assert (score.protocol.count, score.protocol.channels) == (10, 3)
        assert score.protocol.fit == "as they are; cut to multiples of 4"
        assert score.protocol.parameters["problem"]["degradation"] == {"name": "bicubic"}
    heads, rows = table_of(found.scores)
    assert heads[1:3] == ("network", "bicubic")
    assert not any("*" in cell for row in rows for cell in row)  # neither is better


def test_a_network_that_knows_the_answers_is_perfect_and_is_marked(negatives):
    found = evaluate(translator(torch.neg, "rgb", "paired"), negatives, **FAST)
    scores = by_name(found)
    assert scores["psnr (pairs)"].value == 100
    assert scores["psnr (pairs)"].found == {"equal_pairs": 12}
    assert scores["ssim (pairs)"].value == 1
    assert scores["fd (pixels)"].value == pytest.approx(0, abs=1e-6)
    assert scores["fd (pixels)"].baseline > 0.1
    assert scores["fd (pixels)"].protocol.parameters["looked at"] == "whole pictures"
    assert found.sheet.heads == ("given (unchanged)", "made", "true")
    assert np.array_equal(found.sheet.pictures[:, 1], found.sheet.pictures[:, 2])
    assert not np.array_equal(found.sheet.pictures[:, 0], found.sheet.pictures[:, 2])
    for _, ours, theirs, _ in table_of(found.scores)[1]:
        assert ours.endswith("*")
        assert not theirs.endswith("*")


def test_pairs_lie_side_by_side_as_well_and_can_be_turned_round(negatives, tmp_path):
    for number in range(12):
        pixels = photo(24, 40, number)
        save(np.concatenate([pixels, 255 - pixels], axis=2), tmp_path / "both" / f"{number}.png")
    network = translator(torch.neg, "rgb", "paired")
    assert by_name(evaluate(network, tmp_path / "both", **FAST))["psnr (pairs)"].value == 100
    network.card["problem"]["backwards"] = True
    found = evaluate(network, tmp_path / "both", **FAST)
    assert by_name(found)["psnr (pairs)"].value == 100
    turned = np.asarray(Image.open(negatives / "b" / "0.bmp"))[:, 8:32].transpose(2, 0, 1)
    assert np.array_equal(found.sheet.pictures[0, 0], turned)


def test_holes_have_a_score_of_their_own_and_mean_fill_is_right_of_one_colour(tmp_path):
    for number in range(3):
        save(np.full((3, 40, 50), 64, np.uint8), tmp_path / "plain" / f"{number}.png")
    network = translator(lambda given: given[:, :3] * 0, "inpaint", "inpaint", inputs=4)
    found = by_name(evaluate(network, tmp_path / "plain", metrics=["psnr"]))
    holes = found["psnr (holes)"]
    assert holes.value == pytest.approx(20 * math.log10(255 / (128 - 64)))
    assert (holes.baseline, holes.baseline_name) == (100, "mean fill")
    assert holes.protocol.parameters["where"] == "in the holes"
    assert holes.value < found["psnr (pairs)"].value < 100


def test_no_colour_is_the_baseline_of_colours_and_grey_pictures_are_left_out(photos):
    save(photo(50, 50)[:1], photos / "grey.png")
    told = []
    network = translator(lambda light: light.repeat(1, 2, 1, 1) * 0, "lab-colorize", "colorize", 1, 2)
    found = evaluate(network, photos, say=told.append, **FAST)
    assert any("1 grey pictures are left out" in sentence for sentence in told)
    assert {score.protocol.count for score in found.scores} == {10}
    assert all(score.value == score.baseline for score in found.scores)
    assert {score.protocol.parameters["at"] for score in found.scores} == {4 * 64}
    network.at = None
    assert evaluate(network, photos, metrics=["psnr"]).scores[0].protocol.parameters["at"] is None
    assert found.sheet.heads == ("given (grey)", "made", "true")


def test_grey_pictures_stay_grey_as_where_a_network_is_applied(tmp_path):
    save(photo(48, 48)[:1], tmp_path / "grey" / "0.png")
    tinting = translator(lambda small: enlarge(small) + torch.tensor([0.2, 0, 0])[:, None, None], **LARGER)
    shown = evaluate(tinting, tmp_path / "grey", metrics=["psnr"]).sheet.pictures[0, 2]
    assert np.array_equal(shown[0], shown[1])
    assert np.array_equal(shown[0], shown[2])


def test_unpaired_pictures_are_judged_as_a_whole_and_beside_those_of_the_same_names(negatives):
    network = translator(torch.neg, "rgb", card={"task": "unpaired", "domains": ["b", "a"], "size": 24})
    told = []
    found = evaluate(network, negatives, say=told.append, **FAST)
    scores = by_name(found)
    assert "b is turned into a" in told
    assert scores["psnr (pairs)"].value == 100
    assert scores["fd (pixels)"].value == pytest.approx(0, abs=1e-6)
    assert scores["fd (pixels)"].baseline > 0.1
    assert scores["fd (pixels)"].protocol.fit == "centre squares, by Lanczos"
    assert {score.baseline_name for score in found.scores} == {"unchanged"}
    for path in (negatives / "a").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    alone = evaluate(network, negatives, extractor="pixels")
    assert [score.name for score in alone.scores] == ["fd (pixels)", "kd (pixels)"]
    assert alone.sheet.heads == ("given (unchanged)", "made")
    with pytest.raises(DataError, match="psnr needs true answers: pictures of the same names"):
        evaluate(network, negatives, metrics=["psnr"])


def test_masks_are_those_of_a_seed_and_of_a_picture_whatever_else_is_judged(photos):
    network = translator(lambda given: given[:, :3] * 0, "inpaint", "inpaint", inputs=4)
    whole_set, again = (evaluate(network, photos, metrics=["psnr"]) for _ in range(2))
    assert whole_set.scores == again.scores
    half = evaluate(network, photos, metrics=["psnr"], count=5)
    assert np.array_equal(half.sheet.pictures[:, 0, :, :40, :40], whole_set.sheet.pictures[::2, 0, :, :40, :40])
    assert half.scores[0].protocol.reference_part == "5 of all, evenly spread"
    assert evaluate(network, photos, metrics=["psnr"], seed=1).scores[0].value != whole_set.scores[0].value


def test_of_large_pictures_the_middle_is_judged(photos, tmp_path, monkeypatch):
    network = translator(enlarge, **LARGER)
    for path in photos.iterdir():
        pixels = np.asarray(Image.open(path)).transpose(2, 0, 1)
        save(whole.middle(pixels, 40, 40), tmp_path / "middles" / path.name)
    middles = evaluate(network, tmp_path / "middles", **FAST)
    monkeypatch.setattr(whole, "MOST_SIDE", 40)
    found = evaluate(network, photos, **FAST)
    assert [score.value for score in found.scores] == [score.value for score in middles.scores]
    assert found.scores[0].protocol.fit == "the middle, at most 40 pixels a side; cut to multiples of 4"


def test_tiles_give_what_the_whole_gives(photos):
    small, large = (translator(enlarge, **LARGER, precision="float32", memory=memory) for memory in (2**14, 2**30))
    given = to_float(torch.from_numpy(photo(150, 130)))[None]
    smooth = torch.nn.AvgPool2d(3, 1, 1)
    for one in (small, large):
        one.network.function, one.network.reach = lambda images: enlarge(smooth(images)), 4
    assert (small.drawn(given) - large.drawn(given)).abs().max() < 1 / 255
    assert torch.equal(large.drawn(given), large.network(given))


def test_patches_lie_in_the_middle_and_do_not_overlap():
    picture = torch.arange(270 * 390).view(1, 1, 270, 390)
    cut = cut_for([Size(270, 390), Size(300, 300)])
    pieces = cut(picture)
    assert cut.count(Size(270, 390)) == len(pieces) == 6
    assert torch.equal(pieces[0, 0], picture[0, 0, 7:135, 3:131])
    assert torch.equal(pieces[5, 0], picture[0, 0, 135:263, 259:387])
    assert cut_for([Size(64, 96)] * 3)(picture[:, :, :64, :96]).shape == (1, 1, 64, 96)
    assert cut_for([Size(200, 200)] * 1000, [Size(200, 200)] * 1000).most is None
    assert cut_for([Size(200, 200)] * 600, [Size(200, 200)] * 600).most == 3, "the answers alone are too few"
    assert cut_for([Size(200, 200)] * 2000, [Size(200, 200)] * 999).most == 1, "and so are these others"
    few = cut_for([Size(1024, 1024)] * 500)
    assert len(few(torch.zeros(1, 3, 1024, 1024, dtype=torch.uint8))) == few.count(Size(1024, 1024)) == 4


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Makes a run's folder with these lines on data, whose network enlarges as the baseline."""

    def make(lines: str, scales=(), pictures=10) -> Path:
        card["read"] = {"pictures": pictures, "size": 32, "scales": list(scales)}
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "settings.toml").write_text(
            f'task = "superres"\n[data]\nsize = 32\nwhere = "{tmp_path / "photos"}"\n{lines}\n'
        )
        return folder

    card = {"channels": 3}
    known = evaluation.is_network
    monkeypatch.setattr(evaluation, "is_network", lambda what: Path(what).name == "run" or known(what))
    monkeypatch.setattr(evaluation, "load", lambda what: translator(enlarge, **LARGER, card=card))
    return make


def test_a_run_is_judged_by_what_it_held_out(photos, run, tmp_path):
    found = evaluate(run("held_out = 2"), metrics=["psnr"])
    assert found.scores[0].protocol.reference_part == "the 2 that training did not see"
    for number in (2, 7):  # as `held_out_indices` says
        save(photo(50 + number, 71 - number, number), tmp_path / "test" / f"{number}.png")
    save(photo(20, 70), tmp_path / "photos" / "00-too-small.png")
    pieces = evaluate(run("held_out = 2", scales=[1.0, 0.5]), metrics=["psnr"])
    assert pieces.scores[0].value == found.scores[0].value
    other = evaluate(run(f'held_out = 2\ntest = "{tmp_path / "test"}"'), metrics=["psnr"])
    assert other.scores[0].value == found.scores[0].value
    assert other.scores[0].protocol.reference_part == "all"
    run("held_out = 2", scales=[1.0])
    assert evaluate(tmp_path / "run" / "any.safetensors", metrics=["psnr"]).scores[0].value == found.scores[0].value
    with pytest.raises(UsageError, match=r"kept no pictures out of its training: give pictures .* --against"):
        evaluate(run("held_out = 0"))
    with pytest.raises(UsageError, match="lies in no run"):
        evaluate(translator(enlarge, **LARGER))


@pytest.mark.parametrize("scales", [(), (1.0, 0.5)])
def test_pictures_that_training_could_not_decode_do_not_shift_what_was_held_out(photos, tmp_path, run, scales):
    cut = photos / "4.png"
    cut.write_bytes(cut.read_bytes()[:-2000])  # after its header
    data = open_pieces(photos, size=32, channels=3, scales=scales)
    assert data.pictures == 9
    told = []
    found = evaluate(run("held_out = 3", scales, data.pictures), metrics=["psnr"], say=told.append)
    for number in (1, 5, 8):  # of those that are left
        (tmp_path / "unseen").mkdir(exist_ok=True)
        (photos / f"{number}.png").rename(tmp_path / "unseen" / f"{number}.png")
    alone = evaluate(translator(enlarge, **LARGER), tmp_path / "unseen", metrics=["psnr"])
    assert found.scores[0].value == alone.scores[0].value
    assert "Training read 9 of 10 pictures: all are decoded, to find out which" in told
    with pytest.raises(DataError, match=r"6 pictures that training would read, and it read 9.* --against DATA"):
        evaluate(tmp_path / "run", metrics=["psnr"])


def test_a_run_that_does_not_say_how_it_read_is_not_judged_by_guesses(photos, run, monkeypatch):
    folder = run("held_out = 2")
    monkeypatch.setattr(evaluation, "load", lambda what: translator(enlarge, **LARGER))
    with pytest.raises(UsageError, match=r"does not say how its pictures were read.* --against DATA.*ganvas resume"):
        evaluate(folder)


def test_the_command_prints_both_and_its_page_shows_them(photos, run, tmp_path, ganvas):
    folder, page = run("held_out = 10"), tmp_path / "page.html"
    asked = ["--metrics", "psnr,fd", "--extractor", "pixels"]
    status, out, said = ganvas("eval", folder, *asked, "--json", "--out", page)
    assert status == 0, said
    scores = json.loads(out)["scores"]
    assert [score["baseline_name"] for score in scores] == ["bicubic", "bicubic"]
    assert scores[0]["baseline"] == scores[0]["value"]
    assert (folder / "scores" / "evaluation.json").is_file()
    told = page.read_text()
    assert told.count('class="tile"') == 10 * 4
    for head in ("network", "bicubic", "given", "made", "true"):
        assert f"<th>{head}</th>" in told
    status, out, said = ganvas("eval", folder, *asked)
    assert "bicubic" in out
    assert "psnr (pairs)" in out


def test_a_saved_translator_is_judged_in_float32_as_the_one_in_memory(photos, tmp_path, ganvas):
    larger = translator_of("srresnet", {"width": 8, "blocks": 1, "scale": 4}, 3, 3, "restore")
    larger.card |= {
        "kind": "translator",
        "translator": {"name": "srresnet", "width": 8, "blocks": 1, "scale": 4},
        "inputs": 3,
        "outputs": 3,
        "scale": 4,
    }
    larger.save(tmp_path / "saved")
    status, out, said = ganvas("eval", tmp_path / "saved", "--against", photos, "--metrics", "psnr", "--json")
    assert status == 0, said
    assert json.loads(out)["scores"][0]["value"] == evaluate(larger, photos, metrics=["psnr"]).scores[0].value


def test_the_page_shows_what_was_given_what_was_made_and_what_is_true(photos, tmp_path):
    found = evaluate(translator(enlarge, **LARGER), photos, metrics=["psnr"], size=48)
    assert found.sheet.pictures.shape == (10, 4, 3, 48, 48)
    given = found.sheet.pictures[:, 0]
    assert np.array_equal(given[:, :, ::4, ::4].repeat(4, 2).repeat(4, 3), given)  # each pixel a square
    assert write_page(found, tmp_path / "page.html", tmp_path).is_file()


def test_what_cannot_be_judged_is_answered(photos, negatives, tmp_path):
    larger = translator(enlarge, **LARGER)
    with pytest.raises(UsageError, match=r"prdc: judges generators; .* is judged by psnr"):
        evaluate(larger, photos, metrics=["prdc"])
    with pytest.raises(UsageError, match="did you mean psnr"):
        evaluate(larger, photos, metrics=["psnx"])
    with pytest.raises(UsageError, match="--against DATA alone"):
        evaluate(larger, photos, held_out=photos)
    with pytest.raises(DataError, match="compared at 8 x 8 pixels, and ssim need 11 or more"):
        evaluate(larger, photos, metrics=["ssim"], size=8)
    with pytest.raises(DataError, match=r"0.png is 2 x 2 pixels: too small"):
        evaluate(larger, photos, size=2)
    with pytest.raises(DataError, match="fd needs 10 pictures or patches of them, and there are 2"):
        evaluate(larger, photos, metrics=["fd"], extractor="pixels", count=2)
    with pytest.raises(DataError, match=r"0.png comes out as no numbers"):
        evaluate(translator(lambda small: enlarge(small) / 0 * 0, **LARGER), photos)
    with pytest.raises(DataError, match="0: The picture comes out as no numbers"):
        evaluate(translator(lambda images: images / 0 * 0, "rgb"), negatives)
    with pytest.raises(DataError, match="nothing says how they were spoiled"):
        evaluate(translator(torch.neg, "restore"), photos)
    with pytest.raises(DataError, match=r"problem inpaint, of networks from 4 channels to 3, and this one is from 3"):
        evaluate(translator(torch.neg, "rgb", "inpaint"), photos)
    paired = translator(torch.neg, "rgb", "paired")
    (negatives / "b" / "3.bmp").unlink()
    with pytest.raises(DataError, match="pairs/b has no partner for 3: pictures of a pair"):
        evaluate(paired, negatives)
    with pytest.raises(DataError, match="photos holds no pairs"):
        evaluate(paired, photos)
    with pytest.raises(DataError, match="should hold two folders"):
        evaluate(translator(torch.neg, "rgb"), photos)


def test_held_out_pictures_are_those_whose_pieces_training_does_not_see(photos, negatives):
    save(photo(20, 70), photos / "00-too-small.png")
    (photos / "3-broken.png").write_bytes(b"no picture")
    for where, scales, paired in ((photos, (1.0, 0.5), False), (photos, (), False), (negatives, (1.0,), True)):
        opened = open_paired if paired else open_pieces
        data = opened(where, size=24, channels=3, scales=scales)
        rows = held_out_rows(data, 3)
        if data.groups is not None:  # the first piece of each lies in its upper left corner
            rows = rows[np.unique(data.groups[rows], return_index=True)[1]]
        held = whole.HeldOut(3, data.pictures, Size.of(24), 3, scales)
        with whole.open_pictures(where, held, None if scales else Size.of(24), str, paired=paired) as found:
            read = [found.read(place, 3)[:, :24, :24] for place in range(len(found))]
        assert np.array_equal(np.stack(read), data.images[rows])


def test_a_trained_run_is_judged_by_pictures_it_never_saw_though_one_is_damaged(tmp_path):
    for number in range(12):
        save(photo(40, 48, number), tmp_path / "photos" / f"{number:02}.png")
    cut = tmp_path / "photos" / "03.png"
    cut.write_bytes(cut.read_bytes()[:-2000])
    small = [
        "translator.width=8",
        "translator.blocks=1",
        "loss.weight=0",
        "data.held_out=4",
        "training.tensorboard=off",
    ]
    out = tmp_path / "run"
    api.train(tmp_path / "photos", task="superres", images=8, batch=4, size=32, set=small, out=out, say=str)
    read, told = json.loads((out / "card.json").read_text())["read"], []
    assert read["pictures"] == 11
    with whole.open_pictures(
        tmp_path / "photos", whole.HeldOut.of(4, read, 3), None, told.append, paired=False
    ) as found:
        names = [path.name for path in sorted((tmp_path / "photos").iterdir()) if path != cut]
        assert list(found.names) == [names[place] for place in held_out_indices(11, 4)]
    assert evaluate(out, metrics=["psnr"]).scores[0].protocol.reference_part == "the 4 that training did not see"
