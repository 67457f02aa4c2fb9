"""Exported translators: run by others as by PyTorch on pictures of any size, and loaded again."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests_translators import CPU, HINTED, SMALL, card_of, network_of, photo

from ganvas.core.errors import DataError, UsageError
from ganvas.inference.drawing import Translating
from ganvas.inference.export import export
from ganvas.inference.loading import load
from ganvas.inference.translator import Translator

OTHERS = [
    ("unet", {"width": 4, "halvings": 3, "norm": "instance"}, 3, 3, "rgb"),
    ("resnet", {"width": 4, "blocks": 1, "norm": "instance"}, 3, 3, "rgb"),
    ("srresnet", {"width": 8, "blocks": 1, "scale": 2, "enlargement": "bilinear"}, 3, 3, "restore"),
    ("rrdb", {"width": 8, "growth": 4, "blocks": 1, "scale": 2, "enlargement": "bicubic"}, 3, 3, "restore"),
    HINTED,
]
SIZES = [(1, 32, 64), (3, 37, 51), (1, 24, 45), (2, 9, 5), (1, 1, 3)]  # batch, height, width


def full(what, memory=2**29):
    return Translator(network_of(*what[:4]), card_of(*what), CPU, "float32", memory=memory)


def given(what, shape):
    return torch.rand(shape[0], what[2], *shape[1:], generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module", params=SMALL + OTHERS, ids=lambda what: f"{what[0]}-{what[4]}-{what[1]}"[:60])
def exported(request, tmp_path_factory):
    """What a translator is, itself, and its ONNX file."""
    translator = full(request.param)
    return request.param, translator, export(translator, tmp_path_factory.mktemp("onnx") / "t.onnx")


def test_onnxruntime_makes_what_pytorch_makes_of_any_size(exported):
    what, translator, path = exported
    session = onnxruntime.InferenceSession(path)
    ((name, shape),) = [(one.name, one.shape) for one in session.get_inputs()]
    assert (name, shape) == ("images", ["batch", what[2], "height", "width"])
    ((name, shape),) = [(one.name, one.shape) for one in session.get_outputs()]
    assert (name, shape[:2]) == ("pictures", ["batch", what[3]])
    for size in SIZES:
        images = given(what, size)
        with torch.no_grad():
            expected = translator.network(images).numpy()
        (made,) = session.run(None, {"images": images.numpy()})
        assert made.shape == expected.shape
        assert np.abs(made - expected).max() <= 1e-4
        assert size[1] < 20 or np.ptp(expected) > 0.05, "the pictures show something"


def test_an_onnx_file_is_a_translator_that_works_in_tiles(exported):
    _, translator, path = exported
    again = load(path)
    assert isinstance(again, Translator)
    assert again.card == translator.card
    mask = (photo(150, 330, seed=1)[0] > 150) if again.mode.masked else None
    whole = translator(photo(150, 330), mask).astype(int)
    assert abs(again(photo(150, 330), mask) - whole).max() <= 1
    if translator.network.reach is not None:
        again.memory = again._bytes_for_a_pixel(8) * 100**2
        parts = []
        run = again._run.forward
        again._run.forward = lambda images: parts.append(images.shape) or run(images)
        assert abs(again(photo(150, 330), mask) - whole).max() <= 2
        assert len(parts) > 1


def test_onnxruntime_makes_the_colours_of_large_pictures_too(tmp_path):
    what = ("unet", {"width": 4, "halvings": 3, "norm": "none"}, 1, 2, "lab-colorize")
    translator = Translator(network_of(*what[:4]), card_of(*what, size=8), CPU, "float32")
    again = load(export(translator, tmp_path / "t.onnx"))
    assert again.at == translator.at == 32
    given = []
    run = again._run.forward
    again._run.forward = lambda images: given.append(images.shape) or run(images)
    picture = photo(101, 140)
    whole = translator(picture).astype(int)
    assert abs(again(picture) - whole).max() <= 1
    assert [tuple(shape[2:]) for shape in given] == [(40, 48)], "a third of each side, up to multiples of 8"


def test_an_onnx_file_is_valid_and_tells_what_it_is_and_nothing_of_the_machine(exported):
    _, translator, path = exported
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [one.version for one in model.opset_import if one.domain == ""] == [18]
    assert {node.domain for node in model.graph.node} == {""}
    (card,) = [json.loads(one.value) for one in model.metadata_props if one.key == "ganvas"]
    assert card == translator.card
    assert b"site-packages" not in path.read_bytes()


@pytest.mark.parametrize("what", SMALL[::2] + OTHERS[:2], ids=lambda what: f"{what[0]}-{what[4]}-{what[1]}"[:60])
def test_a_program_takes_pictures_of_any_size_without_ganvas(tmp_path, what):
    translator = full(what)
    held = {"card.json": ""}
    program = torch.export.load(export(translator, tmp_path / "t.pt2"), extra_files=held).module()
    assert json.loads(held["card.json"]) == translator.card
    for size in [(1, 8, 8), (3, 32, 64), (2, 37, 51), (1, 256, 5)]:
        images = given(what, size)
        with torch.no_grad():
            assert torch.allclose(program(images), translator.network(images), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (8, 8), (11, 17), (16, 24)])
def test_what_is_exported_goes_on_as_the_network_does(size):
    for what in (SMALL[0], SMALL[2], SMALL[6]):
        network, images = network_of(*what[:4]), given(what, (1, *size))
        with torch.no_grad():
            assert torch.equal(Translating(network)(images), network(images))


def test_weights_are_those_that_were_saved(tmp_path):
    translator = full(SMALL[3])
    again = load(export(translator, tmp_path / "t.safetensors", licence="MIT"), precision="float32")
    assert again.card == translator.card | {"licence": "MIT"}
    assert np.array_equal(again(photo(20, 30)), translator(photo(20, 30)))


def test_a_precision_that_onnx_has_not_is_refused(tmp_path):
    translator = full(SMALL[0])
    with pytest.raises(UsageError, match="are float32"):
        export(translator, tmp_path / "t.onnx", precision="bfloat16")
    with pytest.raises(UsageError, match="drawn in float32"):
        load(export(translator, tmp_path / "t.onnx"), precision="bfloat16")


def test_an_onnx_file_that_was_changed_is_refused(tmp_path):
    path = export(full(SMALL[4]), tmp_path / "t.onnx")
    model = onnx.load(path)
    model.graph.input[0].name = "x"
    for node in model.graph.node:
        node.input[:] = ["x" if name == "images" else name for name in node.input]
    onnx.save(model, path)
    with pytest.raises(DataError, match="takes x and was changed since"):
        load(path)
    model.metadata_props[0].value = json.dumps(card_of(*SMALL[4]) | {"mode": "sepia"})
    onnx.save(model, path)
    with pytest.raises(DataError, match=r"t\.onnx: There is no mode 'sepia'"):
        load(path)
