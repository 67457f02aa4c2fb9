"""Loading a generator: from a run, from its file alone, and what cannot be loaded."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import ganvas
from ganvas.core import cardfile
from ganvas.core.errors import DataError
from ganvas.core.images import grid
from ganvas.inference.loading import is_network, load


def card_of(run):
    return json.loads((run / "card.json").read_text())


def altered(run, path, card=None, **tensors):
    """The run's generator with another card or other tensors, at `path`."""
    weights = load_file(run / "generator.safetensors") | tensors
    metadata = {"ganvas": card if isinstance(card, str) else json.dumps(card or card_of(run))}
    save_file(weights, path, metadata)
    return path


def test_a_run_and_its_file_alone_give_the_same_generator(run, tmp_path):
    alone = tmp_path / "mine.safetensors"
    alone.write_bytes((run / "generator.safetensors").read_bytes())
    of_run, of_file = load(run), load(str(alone))
    assert np.array_equal(of_run.sample(range(8)), of_file.sample(range(8)))
    assert of_file.card == card_of(run)
    assert (of_file.size, of_file.channels, of_file.classes) == (8, 1, tuple("0123456789"))


def test_the_generator_draws_what_the_runs_last_preview_shows(run):
    newest = max((run / "samples").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    with Image.open(newest) as preview:
        difference = np.asarray(grid(load(run, precision="float32").sample(range(64)))).astype(int) - np.asarray(
            preview
        )
    assert np.abs(difference).max() <= 1  # a value that lies between two may be rounded either way


def test_the_public_surface_of_python_loads_and_samples(run, tmp_path):
    pictures = ganvas.load(run).sample(seeds=range(16), truncation=0.7)
    assert (pictures.shape, pictures.dtype) == ((16, 1, 8, 8), np.uint8)
    ganvas.grid(pictures).save(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as grid_of_all:
        assert grid_of_all.size == (4 * 8 + 6, 4 * 8 + 6)


@pytest.mark.parametrize("what", ["nothing", "empty folder", "folder"])
def test_where_there_is_no_generator_the_place_is_named(tmp_path, what):
    path = tmp_path / what
    if what != "nothing":
        path.mkdir()
    with pytest.raises(DataError, match=rf"No network at .*{what}"):
        load(path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x80\x04\x95pickled", b"\xff" * 100, b"\x08" + b"\0" * 7 + b"{}      "]
)
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.safetensors"):
        load(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [("G.PT", "may hold code"), ("g.Pkl", "may hold code"), ("G.PT2", "torch.export.load"), ("G.ONNX", "an ONNX file")],
)
def test_an_ending_means_the_same_in_capitals(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"hello")
    if name == "G.ONNX":
        pytest.importorskip("onnx", reason="the extra `export` is not installed")
    with pytest.raises(DataError, match=message):
        load(tmp_path / name)
    assert is_network(tmp_path / name) == (name == "G.ONNX")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_cut_off_file_is_refused(run, tmp_path, kept):
    content = (run / "generator.safetensors").read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=r"cut\.safetensors is damaged"):
        load(path)


def test_safetensors_of_others_and_checkpoints_are_refused(run, tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(DataError, match="not a network of Ganvas"):
        load(foreign)
    checkpoint = next((run / "checkpoints").glob("*.safetensors"))
    with pytest.raises(DataError, match="not a network of Ganvas"):
        load(checkpoint)


@pytest.mark.parametrize("card", ["not json", "[]", "null", "5", '"generator"', "{}"])
def test_a_card_that_is_no_card_is_refused(run, tmp_path, card):
    with pytest.raises(DataError, match=r"x\.safetensors"):
        load(altered(run, tmp_path / "x.safetensors", card))


@pytest.mark.parametrize(
    "change",
    [
        {"generator": {"name": "stylegan9"}},
        {"generator": {"name": "dcgan", "width": 8, "colour": "red"}},
        {"generator": {"name": "dcgan", "width": -8}},
        {"generator": {"name": "dcgan", "width": 16}},
        {"generator": "dcgan"},
        {"generator": None},
        {"size": 16},
        {"size": 9},
        {"size": "8x"},
        {"size": "12x8"},
        {"size": [8, 8]},
        {"size": None},
        {"channels": 3},
        {"channels": 7},
        {"classes": None},
        {"classes": ["0", "1"]},
        {"classes": 10},
    ],
)
def test_a_card_that_does_not_describe_the_weights_is_a_data_error(run, tmp_path, change):
    with pytest.raises(DataError, match=r"x\.safetensors"):
        load(altered(run, tmp_path / "x.safetensors", card_of(run) | change))


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "r3gan", "width": 1000, "blocks": 150, "group": 0},
        {"name": "r3gan", "width": 1, "blocks": 8192, "group": 0},
        {"name": "stylegan2", "channel_base": 2**20, "max_width": 8192},
        {"name": "mlp", "hidden": [8192, 8192, 8192, 8192, 8192]},
    ],
    ids=lambda asked: asked["name"],
)
def test_a_small_file_that_asks_for_gigabytes_gets_none_of_them(run, tmp_path, asked):
    registered = []

    def count(module, name, tensor):
        registered.append(0 if tensor is None else tensor.numel())

    hook = torch.nn.modules.module.register_module_parameter_registration_hook(count)
    try:
        with pytest.raises(DataError, match="asks for many more than there are"):
            load(altered(run, tmp_path / "x.safetensors", card_of(run) | {"generator": asked, "size": 64}))
    finally:
        hook.remove()
    assert sum(registered) < 2**25
    assert len(registered) < 2**16


def test_weights_that_are_missing_or_too_many_are_a_data_error(run, tmp_path):
    weights = load_file(run / "generator.safetensors")
    metadata = {"ganvas": json.dumps(card_of(run))}
    save_file(
        {name: value for name, value in weights.items() if "project" not in name},
        tmp_path / "few.safetensors",
        metadata,
    )
    with pytest.raises(DataError, match=r"few\.safetensors does not hold the weights"):
        load(tmp_path / "few.safetensors")
    with pytest.raises(DataError, match=r"many\.safetensors does not hold the weights"):
        load(altered(run, tmp_path / "many.safetensors", extra=torch.zeros(1)))


def test_weights_saved_in_half_precision_still_draw(run, tmp_path):
    halves = {
        name: value.half()
        for name, value in load_file(run / "generator.safetensors").items()
        if value.is_floating_point()
    }
    pictures = load(altered(run, tmp_path / "half.safetensors", **halves)).sample(range(8))
    difference = np.abs(pictures.astype(int) - load(run).sample(range(8)))
    assert difference.max() <= 2


def test_numbers_that_are_not_finite_are_refused(run, tmp_path):
    held, card = cardfile.read(run / "generator.safetensors")
    held["project.weight"][0, 0] = float("nan")
    (tmp_path / "g.safetensors").write_bytes(cardfile.as_bytes(held, card))
    with pytest.raises(DataError, match=r"project\.weight holds numbers that are not finite"):
        load(tmp_path / "g.safetensors")


def test_weights_of_another_shape_are_answered_in_a_sentence(run, tmp_path):
    held, card = cardfile.read(run / "generator.safetensors")
    (tmp_path / "g.safetensors").write_bytes(cardfile.as_bytes(held, card | {"channels": 3}))
    with pytest.raises(DataError, match="does not hold the weights that its card describes") as caught:
        load(tmp_path / "g.safetensors")
    assert len(str(caught.value).splitlines()) == 1


def test_a_classifier_is_called_one(run, tmp_path):
    held, card = cardfile.read(run / "generator.safetensors")
    (tmp_path / "c.safetensors").write_bytes(cardfile.as_bytes(held, card | {"kind": "classifier"}))
    with pytest.raises(DataError, match="is a classifier, not a generator: ganvas classify takes it"):
        load(tmp_path / "c.safetensors")
