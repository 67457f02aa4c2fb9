"""Imported networks do what the networks they came from do, and what is written is of use as it is."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests_foreign import (
    DCGAN,
    CycleGAN,
    Pix2pix,
    RealESRGAN,
    in_names_of_esrgan,
    in_old_names_of_esrgan,
    trained,
)
from tests_translators import CPU, photo
from torch import nn
from torch.nn import functional

import ganvas
from ganvas import networks
from ganvas.core import cardfile
from ganvas.inference.translator import Translator

CLOSE = {"rtol": 0, "atol": 1e-5}


def imported(tmp_path, weights, family, **chosen):
    """What the written folder holds of a translator: network and card."""
    torch.save(weights, tmp_path / "weights.pth")
    out = ganvas.import_weights(tmp_path / "weights.pth", family, out=tmp_path / "out", **chosen)
    assert out == tmp_path / "out"
    held, text = cardfile.contents(out / "translator.safetensors")
    card = json.loads(text)
    assert json.loads((out / "card.json").read_text()) == card
    cls = networks.translator(card["translator"]["name"])
    network = cls(cls.Settings(**card["translator"]), inputs=card["inputs"], outputs=card["outputs"])
    network.load_state_dict(held)
    return network.eval(), card


def pictures(*size, seed=0):
    return torch.rand(1, *size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def check_same(network, reference, *sizes):
    with torch.no_grad():
        for size in sizes:
            images = pictures(*size)
            expected = reference(images.clone())
            assert expected.std() > 0.01, "a flat picture shows nothing"
            torch.testing.assert_close(network(images), expected, **CLOSE)


@pytest.mark.parametrize(
    ("reference", "count", "names"),
    [
        (lambda: Pix2pix(64, 8), 54_413_955, ("model.model.0.weight", "model.model.1.model.3.model.2.running_mean")),
        (lambda: CycleGAN(64, 9), 11_378_179, ("model.10.conv_block.5.weight", "model.26.bias")),
        (lambda: RealESRGAN(64, 32, 23), 16_697_987, ("body.22.rdb3.conv5.weight", "conv_last.bias")),
        (lambda: DCGAN(64, 100, 64), 3_576_704, ("main.0.weight", "main.12.weight")),
    ],
    ids=["pix2pix", "cyclegan", "realesrgan", "dcgan"],
)
def test_the_references_of_these_tests_are_as_published(reference, count, names):
    with torch.device("meta"):
        network = reference()
    assert sum(parameter.numel() for parameter in network.parameters()) == count
    assert set(names) <= network.state_dict().keys()


@pytest.mark.parametrize(("halvings", "dropout"), [(4, True), (5, False), (7, False)])
def test_a_pix2pix_normalises_each_picture_by_itself_as_its_program_does(tmp_path, halvings, dropout):
    reference = trained(Pix2pix(halvings=halvings, dropout=dropout), (2, 3, 128, 128))
    network, card = imported(tmp_path, reference.state_dict(), "pix2pix")
    for layer in reference.modules():
        layer.train(isinstance(layer, nn.BatchNorm2d))
    side = 2**halvings
    check_same(network, reference, (3, side, side), (3, 2 * side, side))
    assert card["translator"]["norm"] == "instance-affine"


def test_a_pix2pix_may_use_the_averages_of_its_training(tmp_path):
    reference = trained(Pix2pix(halvings=5))
    network, card = imported(tmp_path, reference.state_dict(), "pix2pix", statistics="training")
    check_same(network, reference, (3, 32, 32), (3, 64, 96))
    assert card["translator"]["norm"] == "batch"


def test_a_pix2pix_may_have_instance_normalisation(tmp_path):
    reference = trained(Pix2pix(norm=nn.InstanceNorm2d))
    check_same(imported(tmp_path, reference.state_dict(), "pix2pix")[0], reference, (3, 16, 48))


@pytest.mark.parametrize(
    ("inputs", "outputs", "mode", "task"),
    [(1, 3, "rgb", "paired"), (3, 1, "grey", "paired"), (1, 2, "lab-colorize", "colorize")],
)
def test_channels_say_what_a_pix2pix_makes(tmp_path, inputs, outputs, mode, task):
    reference = trained(Pix2pix(inputs=inputs, outputs=outputs), (2, inputs, 32, 32))
    network, card = imported(tmp_path, reference.state_dict(), "pix2pix", statistics="training")
    check_same(network, reference, (inputs, 16, 16))
    assert (card["mode"], card["task"]) == (mode, task)
    assert Translator(network, card, CPU)(photo(20, 16)).shape == ((1 if mode == "grey" else 3), 20, 16)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("blocks", [1, 3])
def test_a_cyclegan_translates_as_before(tmp_path, blocks, dropout):
    reference = trained(CycleGAN(blocks=blocks, dropout=dropout))
    network, card = imported(tmp_path, reference.state_dict(), "cyclegan")
    check_same(network, reference, (3, 32, 32), (3, 12, 20))
    assert (card["kind"], card["task"], card["mode"], card["translator"]["blocks"]) == (
        "translator",
        "unpaired",
        "rgb",
        blocks,
    )


def test_a_cyclegan_with_batch_normalisation_translates_as_before(tmp_path):
    reference = trained(CycleGAN(norm=nn.BatchNorm2d))
    network, _ = imported(tmp_path, reference.state_dict(), "cyclegan", statistics="training")
    check_same(network, reference, (3, 12, 20))


def test_averages_that_old_files_have_of_instance_normalisation_are_not_read(tmp_path):
    reference = trained(CycleGAN())
    weights = reference.state_dict()
    for layer, channels in (("model.2", 4), ("model.10.conv_block.2", 16)):
        weights |= {f"{layer}.running_mean": torch.ones(channels), f"{layer}.running_var": torch.ones(channels)}
    check_same(imported(tmp_path, weights, "cyclegan")[0], reference, (3, 12, 20))


@pytest.mark.parametrize(
    ("scale", "sizes"),
    [(4, [(3, 1, 1), (3, 7, 13), (3, 16, 9)]), (2, [(3, 2, 2), (3, 14, 6)]), (1, [(3, 4, 4), (3, 8, 20)])],
)
def test_a_realesrgan_enlarges_as_before_also_at_the_border(tmp_path, scale, sizes):
    reference = trained(RealESRGAN(scale=scale))
    network, card = imported(tmp_path, {"params_ema": reference.state_dict(), "params": {}}, "realesrgan")
    check_same(network, lambda images: 2 * reference((images + 1) / 2) - 1, *sizes)
    assert (network.scale, card["scale"], card["mode"], card["task"]) == (scale, scale, "restore", "superres")


@pytest.mark.parametrize("renamed", [in_names_of_esrgan, lambda weights: in_old_names_of_esrgan(weights, 3)])
def test_the_older_layouts_of_esrgan_are_the_same_network(tmp_path, renamed):
    reference = trained(RealESRGAN(blocks=3))
    weights = renamed(reference.state_dict())
    assert not weights.keys() & {"conv_body.weight", "body.0.rdb1.conv1.weight"}
    network, card = imported(tmp_path, weights, "realesrgan")
    check_same(network, lambda images: 2 * reference((images + 1) / 2) - 1, (3, 5, 9))
    assert card["translator"]["blocks"] == 3


def test_a_grey_realesrgan_stays_grey(tmp_path):
    reference = trained(RealESRGAN(channels=1, scale=2), (2, 1, 8, 8))
    network, card = imported(tmp_path, reference.state_dict(), "realesrgan")
    check_same(network, lambda images: 2 * reference((images + 1) / 2) - 1, (1, 6, 8))
    assert Translator(network, card, CPU)(photo(5, 5)[:1]).shape == (1, 10, 10)


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_a_dcgan_draws_as_before(tmp_path, size):
    reference = trained(DCGAN(size=size), (16, 7, 1, 1))
    torch.save(reference.state_dict(), tmp_path / "netG.pth")
    generator = ganvas.load(
        ganvas.import_weights(tmp_path / "netG.pth", "dcgan", out=tmp_path / "out"), precision="float32"
    )
    latents = torch.randn(5, 7)
    with torch.no_grad():
        expected = reference(latents[:, :, None, None])
        torch.testing.assert_close(generator.network(latents), expected, **CLOSE)
    assert (generator.size, generator.channels, generator.classes) == (size, 3, ())
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("model.safetensors", "config.json", "README.md", "preview.png")
    }


def test_colours_and_range_are_right_in_pictures(tmp_path):
    """A network that keeps red and drops the rest tells what it was given, in which order and range."""
    reference = RealESRGAN(blocks=1)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.zero_()
        reference.conv_first.weight[0, 0, 1, 1] = 1
        for conv in (reference.conv_up1, reference.conv_up2, reference.conv_hr):
            conv.weight[0, 0, 1, 1] = 1
        reference.conv_last.weight[0, 0, 1, 1] = 1
    network, card = imported(tmp_path, reference.state_dict(), "realesrgan")
    picture = photo(9, 11)
    made = Translator(network, card, CPU, "float32")(picture)
    assert np.array_equal(made[0], picture[0].repeat(4, axis=0).repeat(4, axis=1))
    assert not made[1:].any()


def test_pictures_are_those_of_the_program(tmp_path):
    reference = trained(CycleGAN())
    network, card = imported(tmp_path, reference.state_dict(), "cyclegan")
    picture = photo(32, 24)
    with torch.no_grad():
        expected = reference(torch.from_numpy(picture)[None] / 127.5 - 1)[0]
    expected = ((expected + 1) * 127.5).round().clamp(0, 255).numpy()
    assert expected.std() > 2
    assert np.abs(Translator(network, card, CPU, "float32")(picture) - expected).max() <= 1


@pytest.mark.parametrize("wrapper", ["params", "state_dict", "model", "generator", "netG"])
def test_wrappers_and_prefixes_are_taken_off(tmp_path, wrapper):
    reference = trained(CycleGAN(blocks=1))
    weights = {f"module.{name}": tensor.half() for name, tensor in reference.state_dict().items()}
    network, card = imported(tmp_path, {wrapper: weights, "epoch": 3, "optimizer": {"state": {}}}, "cyclegan")
    images = pictures(3, 12, 12)
    with torch.no_grad():
        assert functional.mse_loss(network(images), reference(images)) < 1e-4
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}
    assert card["imported"]["family"] == "cyclegan"


def test_safetensors_and_files_of_old_versions_are_read(tmp_path):
    reference = trained(DCGAN(), (16, 7, 1, 1))
    weights = {name: tensor for name, tensor in reference.state_dict().items() if not name.endswith("_tracked")}
    torch.save(weights, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(weights, tmp_path / "new.safetensors")
    drawn = [
        ganvas.load(ganvas.import_weights(tmp_path / name, "dcgan", out=tmp_path / f"out {name}")).sample(range(3))
        for name in ("old.pth", "new.safetensors")
    ]
    assert np.array_equal(*drawn)
    assert drawn[0].std() > 1


def test_the_card_says_where_the_weights_are_from(tmp_path):
    _, card = imported(tmp_path, trained(CycleGAN(blocks=1)).state_dict(), "cyclegan")
    assert set(card.pop("imported")) == {"family", "file", "sha256"}
    assert card == {
        "format": 1,
        "kind": "translator",
        "mode": "rgb",
        "task": "unpaired",
        "translator": {"name": "resnet", "width": 4, "blocks": 1, "norm": "instance", "upsample": "transposed"}
        | {"onto": "none"},
        "inputs": 3,
        "outputs": 3,
        "scale": 1,
        "size": None,
        "classes": [],
        "data": "imported",
        "recipe": "imported",
        "images_seen": 0,
        "licence": None,
        "ganvas": ganvas.__version__,
    }
