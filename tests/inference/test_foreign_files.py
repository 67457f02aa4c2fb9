"""Files that cannot be imported are answered with what is the matter, and leave nothing behind."""

import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from tests_foreign import DCGAN, CycleGAN, Patch, Pix2pix, RealESRGAN, in_old_names_of_esrgan
from torch import nn

import ganvas
from ganvas.core.errors import DataError, GanvasError, UsageError
from ganvas.inference.foreign import FAMILIES
from ganvas.inference.foreign.importing import _built

REFERENCES = {"pix2pix": Pix2pix, "cyclegan": CycleGAN, "realesrgan": RealESRGAN, "dcgan": DCGAN}


class Code:
    ran = False

    def __reduce__(self):
        return _run, ()


class Command:
    def __reduce__(self):
        return os.system, ("exit 1",)


def _run():
    Code.ran = True
    return {}


@pytest.fixture
def refused(tmp_path):
    """Imports what is given, expects an error, checks that nothing was written, and returns what was said."""

    def call(weights, family, kind=DataError, **chosen):
        file = tmp_path / "given.pth"
        if isinstance(weights, bytes):
            file.write_bytes(weights)
        elif weights is not None:
            torch.save(weights, file)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(GanvasError) as caught:
            ganvas.import_weights(file, family, **{"out": tmp_path / "runs" / "out"} | chosen)
        assert type(caught.value) is kind
        assert sorted(tmp_path.rglob("*")) == before
        return str(caught.value)

    return call


def test_a_pickle_with_code_is_not_run(refused):
    assert "holds more than weights" in refused({"state_dict": Code()}, "dcgan")
    assert "torch.save(network.state_dict(), FILE)" in refused(nn.Linear(2, 2), "dcgan")
    assert "no file of weights" in refused(pickle.dumps(Code()), "dcgan")
    assert "holds more than weights" in refused({"state_dict": Command()}, "dcgan")
    assert not Code.ran


def test_what_is_no_file_of_weights_is_said_to_be_none(refused, tmp_path):
    assert "is not there" in refused(None, "dcgan")
    for content in (b"", b"words", b"\x89PNG\r\n\x1a\n" + bytes(99), bytes(8) + b"{" + bytes(9)):
        assert "given.pth" in refused(content, "dcgan")
    torch.save(CycleGAN().state_dict(), tmp_path / "whole.pth")
    assert "damaged" in refused((tmp_path / "whole.pth").read_bytes()[:9_000], "cyclegan")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "damaged" in refused((tmp_path / "pictures.zip").read_bytes(), "cyclegan")


def test_all_that_is_the_matter_with_tensors_is_told(refused):
    weights = CycleGAN().state_dict()
    lost, last = "model.4.bias", list(weights)[-1]
    del weights[lost]
    weights[last] = torch.zeros(7)
    told = refused(weights | {"model.99.weight": torch.zeros(3)}, "cyclegan")
    assert f"lacks the tensor {lost}" in told
    assert f"has {last} in the shape [7]" in told
    assert "has more than its network here: the tensor model.99.weight" in told


def test_containers_without_weights_are_told_apart(refused):
    assert "holds no weights by name" in refused({"epoch": 3, "loss": 0.5}, "dcgan")
    assert "holds no weights by name" in refused([torch.zeros(3)], "dcgan")
    several = {"netG_A": CycleGAN().state_dict(), "netG_B": CycleGAN().state_dict()}
    assert "It has netG_A, netG_B: save the generator's by itself" in refused(several, "cyclegan")


def test_a_container_that_holds_itself_is_left(refused):
    within = {}
    within["model"] = within
    assert "holds no weights by name" in refused(within, "dcgan")


@pytest.mark.parametrize("said", FAMILIES)
@pytest.mark.parametrize("true", FAMILIES)
def test_another_family_is_recognised(refused, said, true):
    if said == true:
        return
    told = refused(REFERENCES[true]().state_dict(), said)
    assert f"looks like {true}, not {said}: --as {true}" in told


@pytest.mark.parametrize("family", FAMILIES)
def test_discriminators_and_strangers_are_recognised(refused, family):
    patch = Patch().state_dict()
    assert "looks like a discriminator" in refused(patch, family)
    renamed = {name.replace("model", "main"): tensor for name, tensor in patch.items()}
    assert "looks like a discriminator" in refused(renamed, family)
    unet = {f"conv{number}.weight": torch.zeros(1, 1, 3, 3) for number in range(10)}
    assert "the discriminator of Real-ESRGAN" in refused(unet, family)
    compact = {f"body.{number}.weight": torch.zeros(4) for number in range(5)}
    assert "SRVGGNet" in refused(compact, family)
    told = refused({"fc.weight": torch.zeros(2, 2)}, family)
    assert f"does not look like {family}, nor like" in told
    assert "fc.weight" in told


@pytest.mark.parametrize("family", FAMILIES)
def test_each_tensor_that_is_missing_or_has_another_shape_is_named(refused, family):
    whole = {name: tensor for name, tensor in REFERENCES[family]().state_dict().items() if "_tracked" not in name}
    for name in whole:
        told = refused({key: tensor for key, tensor in whole.items() if key != name}, family)
        assert "given.pth" in told
        wrong = refused(whole | {name: torch.zeros(3, 5, 7)}, family)
        assert "3, 5, 7" in wrong or "does not look like" in wrong, name
    middle = list(whole)[len(whole) // 2]
    assert f"lacks the tensor {middle}" in refused({k: v for k, v in whole.items() if k != middle}, family)
    shape = ", ".join(map(str, whole[middle].shape))
    told = refused(whole | {middle: torch.zeros(*whole[middle].shape[:-1], 9)}, family)
    assert f"has {middle} in the shape [" in told
    assert f"asks for [{shape}]" in told


@pytest.mark.parametrize("family", FAMILIES)
def test_what_there_is_no_place_for_and_what_is_not_finite_is_named(refused, family):
    whole = REFERENCES[family]().state_dict()
    assert "has more than its network here: the tensor attention.weight" in refused(
        whole | {"attention.weight": torch.zeros(2)}, family
    )
    name = next(reversed([name for name in whole if name.endswith("weight")]))
    whole[name] = whole[name].clone()
    whole[name].view(-1)[-1] = torch.nan
    assert f"is damaged: {name} holds numbers that are not finite" in refused(whole, family)


def test_missing_tensors_are_counted(refused):
    weights = {name: t for name, t in CycleGAN(blocks=3).state_dict().items() if "model.11.conv" not in name}
    told = refused(weights, "cyclegan")
    assert "lacks 4 tensors: model.11.conv_block.1.weight, model.11.conv_block.1.bias" in told


def test_sizes_that_no_network_here_has_are_said(refused):
    large = DCGAN().state_dict()
    large["main.0.weight"] = torch.zeros(7, 16, 7, 7)
    assert "has a kernel of 7 x 7 in main.0.weight" in refused(large, "dcgan")
    assert "from 4 channels to 3" in refused(Pix2pix(inputs=4).state_dict(), "pix2pix")
    assert "reads 3 channels and makes 3" not in refused(RealESRGAN(channels=4).state_dict(), "realesrgan")
    blurred = CycleGAN().state_dict() | {"model.7.filt": torch.zeros(8, 1, 3, 3)}
    assert "model.7.filt" in refused(blurred, "cyclegan")
    deep = {"model.1.sub.999.RDB1.conv1.0.weight": torch.zeros(4, 8, 3, 3)} | in_old_names_of_esrgan(
        RealESRGAN().state_dict(), 2
    )
    assert "blocks" in refused(deep, "realesrgan")


@pytest.mark.parametrize(
    ("places", "larger"),
    [
        ({"8": "2", "10": "4"}, "x1"),
        ({"3": "3", "8": "5", "10": "7"}, "x2 or 3"),
        ({"3": "3", "6": "6", "8": "11", "10": "13"}, "x8"),
    ],
)
def test_an_esrgan_of_another_enlargement_says_which(refused, places, larger):
    weights = {}
    for name, tensor in in_old_names_of_esrgan(RealESRGAN().state_dict(), 2).items():
        place, _, rest = name.removeprefix("model.").partition(".")
        if place in {"0", "1"} | places.keys():
            weights[f"model.{places.get(place, place)}.{rest}"] = tensor
    assert f"enlarges {larger} in" in refused(weights, "realesrgan")


def test_a_tensor_that_is_larger_than_what_is_stored_is_not_made(refused):
    weights = CycleGAN().state_dict()
    weights["model.1.weight"] = torch.zeros(1).expand(10**6, 10**6, 7, 7)
    assert "holds model.1.weight in a form that is not read" in refused(weights, "cyclegan")


def test_what_cannot_be_meant_is_refused_before_the_file_is_read(refused, tmp_path):
    weights = CycleGAN().state_dict()
    assert "did you mean cyclegan" in refused(weights, "cycle-gan", UsageError)
    assert "picture or of the training" in refused(weights, "cyclegan", UsageError, statistics="batch")
    assert "no batch normalisation" in refused(weights, "cyclegan", UsageError, statistics="picture")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    assert "holds something already" in refused(b"no weights", "cyclegan", UsageError, out=tmp_path / "full")
    assert "holds something already" in refused(b"", "cyclegan", UsageError, out=tmp_path / "full" / "note.txt")
    assert (tmp_path / "full" / "note.txt").read_text() == "mine"


def test_a_file_of_ganvas_is_used_as_it_is(refused, tmp_path):
    torch.save(CycleGAN().state_dict(), tmp_path / "weights.pth")
    out = ganvas.import_weights(tmp_path / "weights.pth", "cyclegan", out=tmp_path / "first")
    assert "is of Ganvas already" in refused((out / "translator.safetensors").read_bytes(), "cyclegan")


def test_safetensors_of_something_else_are_named(refused, tmp_path):
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    assert "fc.weight" in refused((tmp_path / "other.safetensors").read_bytes(), "dcgan")


def test_an_empty_folder_is_taken_and_a_failure_to_write_leaves_it(tmp_path, monkeypatch):
    torch.save(CycleGAN().state_dict(), tmp_path / "weights.pth")
    (tmp_path / "out").mkdir()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("ganvas.core.card.write", full)
        with pytest.raises(DataError, match="No space left"):
            ganvas.import_weights(tmp_path / "weights.pth", "cyclegan", out=tmp_path / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["out", "weights.pth"]
    ganvas.import_weights(tmp_path / "weights.pth", "cyclegan", out=tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_sizes_that_a_translator_cannot_have_are_named_as_its_own():
    with pytest.raises(DataError, match=r"cannot have here: translator\.blocks"):
        _built("translator", {"name": "resnet", "blocks": -1}, {"inputs": 3, "outputs": 3})
