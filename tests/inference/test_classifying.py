"""A classifier from a run or a file: answers, scores, and files that are none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ganvas import api, load_classifier
from ganvas.core.cardfile import as_bytes, contents
from ganvas.core.errors import DataError, UsageError
from ganvas.inference.classification import Answer, classify_pictures, scores


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    """The folder of a small run of digits, 100 of which keep their label, without a generator."""
    folder = tmp_path_factory.mktemp("classifying") / "run"
    chosen = ["data.labels=100", "loss.adversarial=0", "loss.pseudo_labels=0", "classifier.width=8"]
    chosen += ["training.tensorboard=off", "augment.p=0.1", "classifier_optimizer.lr=0.01"]
    api.train(
        "digits", recipe="few-labels", images=6_000, batch=32, precision="float32", set=chosen, out=folder, say=print
    )
    return folder


@pytest.fixture
def digits():
    from ganvas import open_data

    return open_data("digits")


def test_it_tells_most_digits_and_says_how_sure_it_is(told, digits):
    classifier = load_classifier(told, device="cpu")
    labels, probabilities = classifier.classify(digits.images)
    assert (labels.dtype, labels.shape) == (np.int64, (len(digits),))
    assert (labels == digits.labels).mean() > 0.6
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).all()


def test_a_pictures_answer_does_not_depend_on_the_others(told, digits):
    classifier = load_classifier(told, device="cpu")
    _, whole = classifier.classify(digits.images[:70])
    assert np.array_equal(classifier.classify(digits.images[66:67])[1], whole[66:67])
    assert classifier.classify(digits.images[:0])[1].shape == (0, 10)


def test_its_network_gives_the_logits_behind_the_probabilities(told, digits):
    classifier = load_classifier(told, device="cpu")
    _, probabilities = classifier.classify(digits.images[:5])
    floats = torch.from_numpy(digits.images[:5]).float() / 127.5 - 1
    with torch.inference_mode():
        logits = classifier.network(floats)
    np.testing.assert_allclose(logits.softmax(dim=1).numpy(), probabilities, atol=1e-5)


def test_its_file_alone_does_as_well(told, digits):
    one, other = (load_classifier(place, device="cpu") for place in (told, told / "classifier.safetensors"))
    assert np.array_equal(one.classify(digits.images[:3])[1], other.classify(digits.images[:3])[1])
    assert one.card == json.loads((told / "classifier.json").read_text())


def test_as_an_onnx_file_it_gives_the_same_answers_to_any_number_of_pictures(
    told, digits, ganvas, tmp_path, monkeypatch
):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    monkeypatch.chdir(tmp_path)
    status, out, err = ganvas("export", told / "classifier.safetensors", "--out", "told.onnx", "--json")
    assert (status, json.loads(out)["files"]) == (0, ["told.onnx"]), err
    session = onnxruntime.InferenceSession("told.onnx", providers=["CPUExecutionProvider"])
    classifier = load_classifier(told, device="cpu")
    for count in (1, 7):
        floats = torch.from_numpy(digits.images[:count]).float() / 127.5 - 1
        (logits,) = session.run(["logits"], {"pictures": floats.numpy()})
        with torch.inference_mode():
            np.testing.assert_allclose(logits, classifier.network(floats).numpy(), atol=1e-4)
    card = json.loads(session.get_modelmeta().custom_metadata_map["ganvas"])
    assert card["classes"] == list(classifier.classes)
    status, _, err = ganvas("export", told / "classifier.safetensors", "--out", "told.pt2")
    assert status == 2
    assert "a classifier is written as .onnx" in err
    shutil.copy(told / "classifier.safetensors", "pets.safetensors")
    assert ganvas("export", "pets.safetensors", "--out", "told.onnx")[0] == 0, "whatever its name"
    Path("pets.safetensors").unlink()
    for option in (("--precision", "bfloat16"), ("--licence", "MIT"), ("--back",)):
        status, _, err = ganvas("export", told / "classifier.safetensors", "--out", "other.onnx", *option)
        assert status == 2
        assert "leave --back, --precision and --licence out" in err
    status, _, err = ganvas("classify", "told.onnx", "any.png")
    assert status == 3
    assert "exported classifiers are for onnxruntime" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["told.onnx"]


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 1, 9, 9), np.uint8), np.zeros((2, 1, 8, 8)), np.zeros((1, 8, 8), np.uint8)]
)
def test_pictures_of_another_shape_or_type_are_answered_with_its_own(told, wrong):
    with pytest.raises(UsageError, match="size=8, channels=1"):
        load_classifier(told).classify(wrong)


def test_files_of_any_size_are_brought_to_its_own_and_others_are_refused(told, tmp_path):
    classifier = load_classifier(told, device="cpu")
    for name, side in (("large", 40), ("small", 3)):
        Image.new("RGB", (side, side), "white").save(tmp_path / f"{name}.png")
    answers = list(classify_pictures(classifier, [str(tmp_path), str(tmp_path / "large.png")], pytest.fail))
    assert [answer.picture for answer in answers] == ["large.png", "small.png", str(tmp_path / "large.png")]
    assert answers[0].label == answers[2].label
    assert answers[0].meant is None
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.png"):
        list(classify_pictures(classifier, [str(tmp_path / "broken.png")], pytest.fail))
    said = []
    assert len(list(classify_pictures(classifier, [str(tmp_path)], said.append))) == 2
    assert "broken.png" in said[-1]


def test_weights_that_are_not_finite_and_cards_of_newer_versions_are_refused(told, tmp_path):
    tensors, text = contents(told / "classifier.safetensors")
    card = json.loads(text)
    newer = tmp_path / "newer.safetensors"
    newer.write_bytes(as_bytes(tensors, card | {"format": 99, "kind": "sorter"}))
    with pytest.raises(DataError, match="written by a newer Ganvas"):
        load_classifier(newer)
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(as_bytes(tensors, card))
    with pytest.raises(DataError, match="holds numbers that are not finite"):
        load_classifier(broken)


def test_subfolders_that_are_none_of_its_classes_are_named(told, tmp_path):
    for name in ("3", "three", "threee"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8), "white").save(tmp_path / name / "one.png")
    said = []
    answers = list(classify_pictures(load_classifier(told, device="cpu"), [str(tmp_path)], said.append))
    assert [answer.meant for answer in answers] == ["3", None, None]
    assert said == ["not among the classifier's 10 classes, and so in no score: three, threee"]


def test_scores_are_of_the_answers_whose_class_is_known():
    pairs = [("a", "a"), ("a", "b"), ("a", "b"), ("b", "b"), (None, "b")]
    accuracy, (a, b, c) = scores([Answer("", label, 1.0, meant) for meant, label in pairs], ("a", "b", "c"))
    assert accuracy == 2 / 4
    assert (a.count, a.right, a.told, a.confused) == (3, 1, 1, ("b", 2))
    assert (b.count, b.right, b.told, b.confused) == (1, 1, 3, None)
    assert (c.count, c.told) == (0, 0)
    assert scores([Answer("", "a", 1.0)], ("a",)) is None


def test_a_file_that_is_no_classifier_is_named_as_what_it_is(told, tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        load_classifier(tmp_path / "none.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"noise")
    with pytest.raises(DataError, match="damaged or not a safetensors file"):
        load_classifier(tmp_path / "noise.safetensors")
    card = json.loads((told / "classifier.json").read_text())
    weights = load_file(told / "classifier.safetensors")
    for changed, match in (
        ({"kind": "generator"}, "not a classifier of Ganvas: it is generator"),
        ({"classes": ["a", "b"]}, "does not hold the weights"),
        ({"classifier": {"name": "conv", "depth": 3}}, "does not hold the weights"),
    ):
        save_file(weights, tmp_path / "other.safetensors", {"ganvas": json.dumps(card | changed)})
        with pytest.raises(DataError, match=match):
            load_classifier(tmp_path / "other.safetensors")
