"""Exported files: drawn by others as by PyTorch, loaded again as the same generator, never half-written."""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests_generators import EVERY_FAMILY, generator_of

import ganvas
from ganvas import api
from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.inference.drawing import Drawing
from ganvas.inference.export import export
from ganvas.inference.loading import load


def inputs(generator, count, seed=0):
    latents = torch.randn(count, generator.network.latent, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(count) % len(generator.classes) if generator.classes else None
    return latents, labels


def as_arrays(latents, truncation, labels):
    given = {"latents": latents.numpy(), "truncation": np.array(truncation, np.float32)}
    return given if labels is None else given | {"labels": labels.numpy()}


@pytest.fixture(scope="module", params=EVERY_FAMILY, ids=lambda value: f"{value[0]} {value[1] or ''}")
def exported(request, tmp_path_factory):
    """A generator of each family, and its ONNX file."""
    name, own = request.param
    generator = generator_of(name, **own)
    return generator, export(generator, tmp_path_factory.mktemp("onnx") / "g.onnx")


def test_onnxruntime_draws_what_pytorch_draws_for_any_batch(exported):
    generator, path = exported
    session = onnxruntime.InferenceSession(path)
    assert [(one.name, one.type, one.shape) for one in session.get_inputs()] == [
        ("latents", "tensor(float)", ["batch", generator.network.latent]),
        ("truncation", "tensor(float)", []),
        ("labels", "tensor(int64)", ["batch"]),
    ]
    assert [(one.name, one.type, one.shape) for one in session.get_outputs()] == [
        ("pictures", "tensor(float)", ["batch", 3, 32, 32])
    ]
    for count, truncation in ((1, 1.0), (5, 0.6), (16, 0.0)):
        latents, labels = inputs(generator, count, seed=count)
        with torch.no_grad():
            expected = Drawing(generator.network)(latents, truncation, labels).numpy()
        (drawn,) = session.run(None, as_arrays(latents, truncation, labels))
        assert np.abs(drawn - expected).max() <= 1e-4
        assert count == 1 or truncation == 0.0 or np.ptp(expected, axis=0).max() > 0.01, "the pictures differ"


def test_an_onnx_file_is_the_same_generator_with_its_network(exported):
    generator, path = exported
    again = load(path)
    assert again.card == generator.card
    assert again.fingerprint == generator.fingerprint, "a point that was found with one belongs to both"
    held, expected = again.network.state_dict(), generator.network.state_dict()
    assert held.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(held[key], value) or key.endswith("num_batches_tracked")
    pictures = generator.at("float32").sample(range(9), truncation=0.8, label="b").astype(int)
    assert np.abs(again.sample(range(9), truncation=0.8, label="b") - pictures).max() <= 1
    assert np.array_equal(again.sample([5]), again.sample(range(9))[5:6]), "a seed gives one picture, in any company"


def test_the_decoder_of_an_autoencoder_is_exported_as_well(tmp_path):
    small = ["generator.width=8", "encoder.width=8", "training.tensorboard=off"]
    run = api.train("digits", recipe="vae", images=32, batch=16, set=small, out=tmp_path / "run")
    generator = load(run.path)
    session = onnxruntime.InferenceSession(export(generator, tmp_path / "g.onnx"))
    latents, labels = inputs(generator, 6)
    with torch.no_grad():
        expected = Drawing(generator.network)(latents, 1.0, labels).numpy()
    assert np.abs(session.run(None, as_arrays(latents, 1.0, labels))[0] - expected).max() <= 1e-4


def test_without_classes_there_is_no_input_for_them(tmp_path):
    generator = generator_of("dcgan", classes=())
    path = export(generator, tmp_path / "g.onnx")
    assert [one.name for one in onnxruntime.InferenceSession(path).get_inputs()] == ["latents", "truncation"]
    assert np.abs(load(path).sample(range(3)).astype(int) - generator.at("float32").sample(range(3))).max() <= 1


def test_an_onnx_file_tells_its_card_and_nothing_of_where_it_was_made(tmp_path):
    generator = generator_of("stylegan2")
    path = export(generator, tmp_path / "g.onnx", licence="CC0-1.0")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [one.version for one in model.opset_import if one.domain == ""] == [18]
    (card,) = [json.loads(one.value) for one in model.metadata_props if one.key == "ganvas"]
    assert card == generator.card | {"licence": "CC0-1.0"}
    assert __file__.encode() not in path.read_bytes()
    assert b"site-packages" not in path.read_bytes()


@pytest.mark.parametrize("name", ["dcgan", "stylegan2"])
def test_a_program_draws_without_ganvas_for_any_batch(tmp_path, name):
    generator = generator_of(name)
    path = export(generator, tmp_path / "g.pt2")
    held = {"card.json": ""}
    program = torch.export.load(path, extra_files=held).module()
    assert json.loads(held["card.json"]) == generator.card
    with zipfile.ZipFile(path) as archive:
        content = b"".join(archive.read(entry) for entry in archive.namelist())
    assert str(Path(ganvas.__file__).parent).encode() not in content, "it tells no paths of this machine"
    for count in (1, 7):
        latents, labels = inputs(generator, count)
        with torch.no_grad():
            expected = Drawing(generator.network)(latents, 0.5, labels)
            drawn = program(latents, torch.tensor(0.5), labels)
        assert torch.allclose(drawn, expected, atol=1e-5)


def test_weights_in_half_the_bytes(tmp_path):
    generator = generator_of("resnet")
    whole = export(generator, tmp_path / "g.safetensors")
    half = export(generator, tmp_path / "half.safetensors", precision="bfloat16")
    assert np.array_equal(load(whole).sample(range(4)), generator.sample(range(4)))
    assert np.abs(load(half).sample(range(4)).astype(int) - generator.sample(range(4))).mean() < 2
    assert half.stat().st_size < 0.8 * whole.stat().st_size


@pytest.mark.parametrize("out", ["folder", "folder/", "dotted.name/"])
def test_a_folder_is_saved_as_for_sharing(tmp_path, out):
    generator = generator_of("mlp")
    path = export(generator, f"{tmp_path}/{out}")
    assert sorted(file.name for file in path.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "preview.png",
    ]


@pytest.mark.parametrize(
    ("out", "precision", "told"),
    [
        ("g.pth", "float32", r"\.onnx, \.pt2, \.safetensors"),
        ("g.onnx", "bfloat16", "are float32"),
        ("g.pt2", "bfloat16", "are float32"),
        ("g.safetensors", "float16", "float32 or bfloat16"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, out, precision, told):
    with pytest.raises(UsageError, match=told):
        export(generator_of("mlp"), tmp_path / out, precision=precision)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_former_file(tmp_path, monkeypatch):
    generator = generator_of("mlp")
    path = tmp_path / "g.onnx"
    path.write_bytes(b"former")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DataError, match="No space left"):
        export(generator, path)
    assert [file.name for file in tmp_path.iterdir()] == ["g.onnx"]
    assert path.read_bytes() == b"former"


def test_without_the_extra_the_command_that_installs_it_is_told(tmp_path, monkeypatch):
    generator = generator_of("mlp")
    path = export(generator, tmp_path / "g.onnx")
    found = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name.startswith("onnx") else found(name))
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[export\]'"):
        load(path)
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[export\]'"):
        export(generator, tmp_path / "other.onnx")


def changed(path, change):
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    return path


def without_card(model):
    del model.metadata_props[:]


def of_the_future(model):
    model.metadata_props[0].value = json.dumps(json.loads(model.metadata_props[0].value) | {"format": cards.FORMAT + 1})


def with_other_names(model):
    for tensor in model.graph.initializer:
        tensor.name = f"q_{tensor.name}"


def with_another_input(model):
    model.graph.input[0].name = "z"
    for node in model.graph.node:
        node.input[:] = ["z" if name == "latents" else name for name in node.input]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_card, "its card is missing"),
        (of_the_future, "newer Ganvas"),
        (with_other_names, "does not hold the weights"),
        (with_another_input, "takes z, truncation, labels and was changed since"),
    ],
)
def test_an_onnx_file_that_is_not_ours_is_refused(tmp_path, change, told):
    path = changed(export(generator_of("mlp"), tmp_path / "g.onnx"), change)
    with pytest.raises(DataError, match=told):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x01" * 30, b"\xff" * 200])
def test_a_damaged_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.onnx is (damaged or not an ONNX file|not a network of Ganvas)"):
        load(path)


@pytest.mark.parametrize("kept", [0.2, 0.9, 0.999])
def test_a_cut_off_onnx_file_is_refused(tmp_path, kept):
    content = export(generator_of("mlp"), tmp_path / "g.onnx").read_bytes()
    (tmp_path / "g.onnx").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=r"g\.onnx is damaged or not an ONNX file\. Export it anew"):
        load(tmp_path / "g.onnx")


def test_a_program_takes_a_batch_of_any_number(tmp_path):
    generator = generator_of("mlp", size=4)
    program = torch.export.load(io.BytesIO(export(generator, tmp_path / "g.pt2").read_bytes())).module()
    latents, labels = inputs(generator, 2**16 + 1)
    drawn = program(latents, torch.tensor(1.0), labels)
    with torch.no_grad():
        assert torch.allclose(drawn[-3:], Drawing(generator.network)(latents[-3:], 1.0, labels[-3:]), atol=1e-5)


def test_a_program_is_not_read_back(tmp_path):
    path = export(generator_of("mlp"), tmp_path / "g.pt2")
    with pytest.raises(DataError, match=r"torch\.export\.load"):
        load(path)
    assert torch.export.load(io.BytesIO(path.read_bytes())) is not None
