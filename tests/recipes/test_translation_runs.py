"""Runs of tasks from pictures to pictures: several processes, warm starts, what is shared and how it is applied."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests_folders import photo
from torch.nn.functional import interpolate

import ganvas
from ganvas import api
from ganvas.core.errors import UsageError
from ganvas.core.lab import lab_to_rgb, rgb_to_lab

POOL = "network/discriminator/pool"


def last_line(run):
    return json.loads((run / "journal.jsonl").read_text().splitlines()[-1])


@pytest.mark.parametrize("recipe", ["swap", "contrast", "inpaint-r3"])
def test_two_processes_play_the_same_run_as_one_to_the_bit(recipe, play, state):
    one, two = (state(play(f"run-{procs}", recipe, f"training.procs={procs}", images=64)) for procs in (1, 2))
    assert one.keys() == two.keys()
    of_round = [name for name in one if name.startswith(POOL) and name.endswith(("fresh", "there"))]
    assert [name for name in one if name not in of_round and not torch.equal(one[name], two[name])] == []
    assert bool(of_round) == (recipe != "inpaint-r3")
    for name in of_round:  # means over processes, which stand for the same pictures
        pool = name.rpartition(".")[0]
        pictures = [held[f"{pool}.fresh"] / held[f"{pool}.there"].view(-1, 1, 1, 1) for held in (one, two)]
        assert torch.equal(*(some.nan_to_num() for some in pictures)), "none where there is no pool"
    if recipe == "swap":
        assert one[f"{POOL}.held"] == 10
        assert one[f"{POOL}.pictures"].any()


@pytest.mark.parametrize("recipe", ["swap-r3", "colorize-r3"])
def test_micro_batches_of_one_picture_descend_the_same_way(recipe, play, state):
    more = ("translator.norm=instance",)
    whole = state(play("whole", recipe, *more, images=8, precision="float64"))
    parts = state(play("parts", recipe, *more, "training.micro_batch=1", images=8, precision="float64"))
    gradients = [name for name in whole if name.endswith("/exp_avg")]
    assert {name.split("/")[1] for name in gradients} == {"translator", "discriminator"}
    for name in gradients:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("recipe", ["srgan", "swap"])
def test_no_discriminator_moves_before_its_time_and_afterwards_it_does(recipe, play, state):
    short, before, after = (
        play(f"run-{images}", recipe, "loss.after=24", "training.tick=8", images=images) for images in (8, 24, 40)
    )
    first, second, third = state(short), state(before), state(after)
    judges = [name for name in first if name.startswith("network/discriminator/") and name.endswith("weight")]
    assert judges
    assert all(torch.equal(first[name], second[name]) for name in judges)
    assert not any(torch.equal(second[name], third[name]) for name in judges)
    translators = [name for name in first if name.startswith("network/translator/") and name.endswith("weight")]
    assert not any(torch.equal(first[name], second[name]) for name in translators)
    lines = [json.loads(text) for text in (after / "journal.jsonl").read_text().splitlines()]
    assert [any("adversarial" in name for name in line["terms"]) for line in lines] == [False] * 3 + [True] * 2
    assert not any(name.startswith("optimizer/discriminator") for name in second)


def test_a_run_killed_about_the_time_that_the_discriminator_begins_ends_like_one_that_was_not(play, state):
    chosen = ("srgan", "loss.after=24", "training.checkpoint=8")
    undisturbed = play("undisturbed", *chosen, images=48)
    for place in (16, 24, 32):
        killed = play(f"killed-{place}", *chosen, images=48, kill_at=place)
        api.resume(killed, say=pytest.fail)
        one, other = state(undisturbed), state(killed)
        assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_run_without_a_discriminator_has_none_in_its_checkpoint(play, state):
    run = play("run", "srresnet", images=16)
    assert not any("discriminator" in name for name in state(run))
    assert {name.split("/")[0] for name in last_line(run)["terms"]} == {"translator"}


def floats(picture):
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1


def applied(translator, task, picture, mask):
    """What should be made of a picture [H, W, 3]: [H, W, 3] in 0..255."""
    seen, network = floats(picture), translator.network
    with torch.no_grad():
        if task == "inpaint":
            hole = torch.from_numpy(mask)[None, None].float()
            made = network(torch.cat([seen * (1 - hole), hole], dim=1)) * hole + seen * (1 - hole)
        elif task == "colorize":
            lab = rgb_to_lab(seen)
            lightness = lab[:, :1] / 50 - 1
            given = (
                torch.cat([lightness, torch.zeros(1, 3, *seen.shape[2:])], dim=1) if translator.hinted else lightness
            )
            made = lab_to_rgb(torch.cat([lab[:, :1], network(given).clamp(-1, 1) * 110], dim=1))
        else:
            made = network(seen)
    return ((made[0].permute(1, 2, 0).numpy() + 1) * 127.5).clip(0, 255)


@pytest.mark.parametrize(
    ("recipe", "assignments"),
    [
        ("pairs", ("translator.norm=none",)),
        ("swap", ()),
        ("superres", ("translator.scale=2",)),
        ("inpaint", ()),
        ("colorize", ("translator.norm=none",)),
        ("colorize", ("translator.norm=none", "problem.hints=true")),
    ],
)
def test_what_is_shared_is_the_average_and_is_applied_as_it_was_trained(recipe, assignments, play, state, tmp_path):
    run = play("run", recipe, *assignments, "data.mirror=true", images=24)
    held = state(run)
    shared = {"translator": ("translator", False)} | (
        {"translator_back": ("translator-back", True)} if recipe == "swap" else {}
    )
    Image.fromarray(picture := photo(77, 24, 20)).save(tmp_path / "photo.png")
    mask = np.zeros((20, 24), np.uint8)
    mask[5:12, 4:18] = 1
    Image.fromarray(mask * 255).save(tmp_path / "mask.png")
    for name, (file, back) in shared.items():
        weights = load_file(run / f"{file}.safetensors")
        averaged = {
            key.removeprefix(f"average/{name}/"): value
            for key, value in held.items()
            if key.startswith(f"average/{name}/")
        }
        assert weights.keys() == averaged.keys()
        assert all(torch.equal(weights[key], averaged[key].float()) for key in weights)
        assert any(not torch.equal(averaged[key], held[f"network/translator/{name}.{key}"]) for key in weights)
        translator = ganvas.load(run, precision="float32", back=back)
        task = translator.card["task"]
        more = {"mask": tmp_path / "mask.png"} if task == "inpaint" else {}
        made = np.asarray(translator(tmp_path / "photo.png", **more)).astype(float)
        assert made.shape == (20 * translator.scale, 24 * translator.scale, 3)
        assert np.abs(made - applied(translator, task, picture, mask)).max() <= 1.01
        if task == "inpaint":
            assert np.array_equal(made[mask == 0], picture[mask == 0])
        card = json.loads((run / ("translator-back.json" if back else "card.json")).read_text())
        assert (card["task"], card["images_seen"], card["recipe"]) == (task, 24, recipe)
        assert card["translator"] == translator.card["translator"]
        if task in ("paired", "unpaired"):
            kinds = ["a-drawing", "b-photo"] if task == "paired" else ["bright", "dark"]
            assert card["domains"] == (kinds[::-1] if back else kinds)


def test_a_superresolver_begins_where_bicubic_is(play, tmp_path):
    run = play("run", "superres", images=8)
    translator = ganvas.load(run, precision="float32")
    made = np.asarray(translator(picture := photo(5, 24, 20).transpose(2, 0, 1))).astype(float)
    plain = interpolate(torch.from_numpy(picture)[None].float(), scale_factor=4, mode="bicubic")[0].clamp(0, 255)
    assert np.abs(made - plain.numpy()).mean() < 6


def test_a_preview_and_a_score_are_in_the_run(play):
    run = play("run", "pairs-r3", "training.preview=16", "training.score=16", "translator.norm=none", images=32)
    sheet = np.asarray(Image.open(max((run / "samples").glob("*.png"))))
    assert sheet.shape[1] == 3 * 16 + 2 * 2, "one picture is held out: given, made, true"
    for column in range(3):
        assert sheet[:-16, 18 * column : 18 * column + 16].min() < 60, "it has its head"
    score = json.loads(max((run / "scores").iterdir()).read_text())
    assert score["protocol"]["problem"] == {"name": "paired", "backwards": False}
    assert "psnr/held_out" in last_line(run)["signs"]
    page = (run / "summary.html").read_text()
    assert "perceptual" in page
    assert "In each row: given, made, true, given, made, true" in page


def test_the_page_of_a_run_without_pairs_says_what_was_made_of_what(play):
    run = play("both", "swap", "training.preview=8", images=8)
    there, back = json.loads((run / "card.json").read_text())["domains"]
    assert f"In each row: {there}, made {back}, {back}, made {there}" in (run / "summary.html").read_text()
    alone = play("one", "contrast", "training.preview=8", images=8)
    assert f"In each row: {there}, made {back}, {there}, made {back}" in (alone / "summary.html").read_text()


def test_the_way_back_is_asked_of_a_run_that_has_one(play):
    with pytest.raises(UsageError):
        ganvas.load(play("run", "contrast", images=8), back=True)
