"""A run of pictures to pictures: loaded, saved as a folder, pushed, and what cannot be loaded."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from tests_generators import generator_of
from tests_translators import HINTED, SMALL, card_of, network_of, photo, run_of

import ganvas
from ganvas.core import cardfile
from ganvas.core.errors import DataError, UsageError
from ganvas.inference import hub
from ganvas.inference.loading import is_network, load, load_generator, load_translator
from ganvas.inference.pages import readme

UNET, GREY, SRRESNET = SMALL[0], SMALL[3], SMALL[4]


def saved(tmp_path, name="t.safetensors", **change):
    """A file of weights with a card that was changed."""
    card = card_of(*UNET) | change
    (tmp_path / name).write_bytes(cardfile.as_bytes(network_of(*UNET[:4]).state_dict(), card))
    return tmp_path / name


@pytest.mark.parametrize("what", SMALL, ids=lambda what: f"{what[0]}-{what[4]}")
def test_a_run_gives_what_its_network_makes(tmp_path, what):
    run, network = run_of(tmp_path / "run", what)
    translator = ganvas.load(run, precision="float32")
    assert isinstance(translator, ganvas.Translator)
    assert (translator.scale, translator.mode.masked) == (network.scale, what[4] == "inpaint")
    assert translator.card == json.loads((run / "card.json").read_text())
    expected = ganvas.Translator(network, {"mode": what[4]}, torch.device("cpu"), "float32")
    mask = np.ones((21, 30), np.uint8) if translator.mode.masked else None
    assert np.array_equal(translator(photo(21, 30), mask), expected(photo(21, 30), mask))


def test_a_photo_in_is_a_photo_out(tmp_path):
    run, _ = run_of(tmp_path / "run", SRRESNET)
    Image.fromarray(photo(20, 30).transpose(1, 2, 0)).save(tmp_path / "photo.jpg")
    made = ganvas.load(run)(tmp_path / "photo.jpg")
    assert (made.mode, made.size) == ("RGB", (120, 80))


def test_a_run_has_two_directions_where_it_trained_two(tmp_path):
    run, _ = run_of(tmp_path / "run", UNET, back=GREY)
    there, back = load(run), load(run, back=True)
    assert (there.network.outputs, back.network.outputs) == (3, 1)
    assert back.card["mode"] == "grey"
    one, _ = run_of(tmp_path / "one", UNET)
    for what in (one, run / "translator.safetensors", tmp_path / "nothing"):
        with pytest.raises((UsageError, DataError), match=r"has no other direction|No network at"):
            load(what, back=True)


def test_a_saved_folder_is_loaded_and_pushed_and_says_how_it_is_used(tmp_path):
    run, _ = run_of(tmp_path / "run", HINTED)
    translator = load(run, precision="float32")
    folder = translator.save(tmp_path / "mine", licence="CC-BY-4.0")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    again = load(folder, precision="float32")
    assert again.card == translator.card | {"licence": "CC-BY-4.0"} == json.loads((folder / "config.json").read_text())
    assert np.array_equal(again(photo(20, 30)), translator(photo(20, 30)))
    _, matter, page = (folder / "README.md").read_text().split("---\n", 2)
    about = yaml.safe_load(matter)
    assert (about["pipeline_tag"], about["license"], about["library_name"]) == ("image-to-image", "cc-by-4.0", "ganvas")
    code = page.split("```python\n")[1].split("```")[0]
    assert "after = translator(before, hints=" in code
    compile(code, "README.md", "exec")
    for told in ("ganvas apply mine photos/ --out after/ --hints hints/", "colorize", "ab" * 32, "400 images seen"):
        assert told in page


def test_a_page_says_what_becomes_of_what():
    page = readme(card_of(*UNET, domains=["horse", "<b>zebra"]), "x")
    assert "It turns horse into \\<b\\>zebra." in page
    assert "ganvas apply x photos/ --out after/\n" in page
    assert "4 times larger" in readme(card_of(*SRRESNET), "x")
    assert 'translator(before, "mask.png")' in readme(card_of(*SMALL[-1]), "x")


def test_a_generators_preview_does_not_stay_beside_a_translator(tmp_path):
    generator_of("mlp", size=8).save(tmp_path / "mine")
    load(run_of(tmp_path / "run", UNET)[0]).save(tmp_path / "mine")
    assert not (tmp_path / "mine" / "preview.png").exists()
    assert isinstance(load(tmp_path / "mine"), ganvas.Translator)


def test_halves_of_the_weights_bytes_make_nearly_the_same(tmp_path):
    run, _ = run_of(tmp_path / "run", SRRESNET)
    translator = load(run, precision="float32")
    half = load(translator.save(tmp_path / "half", precision="bfloat16"), precision="float32")
    difference = half(photo(20, 30)).astype(int) - translator(photo(20, 30))
    assert 0 < np.abs(difference).max() <= 8


def test_a_translator_on_the_hub_goes_by_its_name(tmp_path, monkeypatch):
    folder = load(run_of(tmp_path / "run", UNET)[0]).save(tmp_path / "mine")
    monkeypatch.setattr(hub, "fetch", lambda name: {"someone/houses": folder / "model.safetensors"}[name])
    monkeypatch.chdir(tmp_path)
    assert load("someone/houses").card["task"] == "paired"
    with pytest.raises(UsageError, match=r"someone/houses turns pictures into pictures: ganvas apply someone/houses"):
        load_generator("someone/houses")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_cut_off_file_is_refused(tmp_path, kept):
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DataError, match=r"t\.safetensors is damaged"):
        load(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "newer Ganvas"),
        ({"kind": "classifier"}, "ganvas classify takes it"),
        ({"kind": "critic"}, "not a network of Ganvas"),
        ({"translator": {"name": "unte"}}, "unet"),
        ({"translator": {"name": "unet", "width": 8, "halvings": 3, "norm": "none"}}, "does not hold the weights"),
        ({"translator": None}, "does not hold the weights"),
        ({"inputs": 4}, "does not hold the weights"),
        ({"inputs": "3"}, "does not hold the weights"),
        ({"scale": 2}, "its scale is not 2"),
        ({"mode": "sepia"}, r"t\.safetensors: There is no mode 'sepia'"),
        ({"mode": "inpaint"}, r"t\.safetensors: A network from 3 channels to 3 cannot be of mode 'inpaint'"),
    ],
)
def test_a_card_that_does_not_describe_the_weights_is_a_data_error(tmp_path, change, told):
    with pytest.raises(DataError, match=told):
        load(saved(tmp_path, **change))


def test_a_small_file_that_asks_for_gigabytes_gets_none_of_them(tmp_path):
    asked = {"name": "resnet", "width": 4096, "blocks": 64}
    with pytest.raises(DataError, match="asks for many more than there are"):
        load(saved(tmp_path, translator=asked))


def test_a_run_still_without_a_checkpoint_says_how_to_go_on(tmp_path):
    run, _ = run_of(tmp_path / "run", UNET)
    (run / "translator.safetensors").unlink()
    with pytest.raises(DataError, match=r"No translator .* has no translator\.safetensors; each .*\n.*ganvas resume"):
        load(run)


def test_what_needs_a_generator_says_what_a_translator_is_for_and_the_other_way_round(tmp_path):
    run, _ = run_of(tmp_path / "run", UNET)
    words = r"run\S* turns pictures into pictures: ganvas apply \S*run\S* photo\.jpg --out DIR"
    assert is_network(run), "which is: no set of pictures"
    for use in (
        load_generator,
        lambda what: ganvas.sample(what, [1]),
    ):
        with pytest.raises(UsageError, match=words):
            use(run)
    path = generator_of("mlp", size=8).save(tmp_path / "g")
    with pytest.raises(UsageError, match=r"makes pictures of nothing and takes none: ganvas sample .*g --out"):
        load_translator(path)


def test_a_file_alone_is_the_run(tmp_path):
    run, _ = run_of(tmp_path / "run", UNET)
    shutil.copy(run / "translator.safetensors", tmp_path / "alone.safetensors")
    assert np.array_equal(load(tmp_path / "alone.safetensors")(photo(9, 9)), load(run)(photo(9, 9)))
