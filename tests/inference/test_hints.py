"""Hints of colours: what a network is told, from files and arrays, in parts, and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests_translators import CPU, HINTED, SMALL, photo, translator_of

from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_float
from ganvas.core.lab import apart
from ganvas.degrade.problems import Colorize
from ganvas.inference.applying import apply
from ganvas.inference.translator import Translator
from ganvas.networks.translating import Translator as Network


class Told(Network):
    """The colours of the hints where there are some, and no colour elsewhere; it keeps what it was given."""

    reach, inputs, outputs = 0, 4, 2

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.given = []

    def translate(self, images):
        self.given.append(images.clone())
        return images[:, 1:3] * images[:, 3:]


def told(memory=2**30):
    return Translator(Told(), {"mode": "lab-colorize"}, CPU, "float32", memory=memory)


def hint(height, width, colour=(200, 40, 60), rows=slice(5, 9), columns=slice(7, 12)):
    """uint8 [4, H, W], opaque in one place."""
    said = np.zeros((4, height, width), np.uint8)
    said[:3] = 77  # under what is transparent, which is not looked at
    said[:3, rows, columns] = np.array(colour)[:, None, None]
    said[3, rows, columns] = 1
    return said


def test_the_network_is_given_lightness_hinted_colours_and_their_mask():
    picture, said = photo(20, 30), hint(20, 30)
    translator = told()
    translator(picture, hints=said)
    given = translator.network.given[-1]
    colour = to_float(torch.from_numpy(said[:3].copy()))[None]
    where = torch.from_numpy(said[3] > 0)[None, None]
    expected = torch.cat(
        [apart(to_float(torch.from_numpy(picture.copy()))[None])[0], apart(colour)[1] * where, where.float()], dim=1
    )
    assert torch.allclose(given, expected, atol=1e-6)
    assert given[:, 3].sum() == 4 * 5
    problem = Colorize(Colorize.Settings(hints=True), size=30, channels=3)
    posed, _ = problem.pose(torch.zeros(1, 3, 30, 30), torch.full((1, problem.draws), 0.5))
    assert posed.shape[1] == translator.network.inputs, "what training gives"


def test_a_picture_gets_the_colour_that_is_said_and_without_hints_none():
    grey = np.full((3, 20, 30), 120, np.uint8)
    made = told()(grey, hints=hint(20, 30)).astype(int)
    inside = made[:, 5:9, 7:12]
    assert inside[0].min() > inside[1].max() + 60
    outside = made.copy()
    outside[:, 5:9, 7:12] = 120
    assert abs(outside - 120).max() <= 1
    assert abs(told()(grey).astype(int) - 120).max() <= 1
    translator = told()
    translator(grey)
    assert not translator.network.given[-1][:, 1:].any()


def test_hints_in_parts_are_those_of_the_whole():
    picture, said = photo(150, 130), hint(150, 130, rows=slice(60, 90), columns=slice(3, 70))
    parts = told(memory=2**21)
    parts._bytes[8] = 2**21 // 60**2
    assert np.array_equal(parts(picture, hints=said), told()(picture, hints=said))
    assert len(parts.network.given) > 4


def test_hints_of_a_file_are_those_of_an_array_whatever_its_kind(tmp_path):
    picture, said = photo(20, 30), hint(20, 30)
    said[3, 5:9, 7:12] = 255
    expected = told()(picture, hints=said)
    Image.fromarray(said.transpose(1, 2, 0)).save(tmp_path / "hints.png")
    Image.fromarray(picture.transpose(1, 2, 0)).save(tmp_path / "in.png")
    made = told()(tmp_path / "in.png", hints=tmp_path / "hints.png")
    assert np.array_equal(np.asarray(made).transpose(2, 0, 1), expected)
    wide = said.astype(np.uint16) * 257
    assert np.array_equal(told()(picture, hints=wide), expected)


def test_a_trained_network_makes_something_else_of_a_hint():
    translator = translator_of(*HINTED)
    picture = photo(40, 50)
    assert not np.array_equal(translator(picture, hints=hint(40, 50)), translator(picture))
    assert translator.hinted
    assert not translator_of(*SMALL[1]).hinted


def test_hints_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(DataError, match="9 x 8 pixels and its hints 8 x 8"):
        told()(photo(8, 9), hints=hint(8, 8))
    with pytest.raises(DataError, match="hints without transparency"):
        told()(photo(8, 9), hints=photo(8, 9))
    with pytest.raises(UsageError, match=r"\[C, H, W\]"):
        told()(photo(8, 9), hints=np.zeros((8, 9)))
    for other in (SMALL[1], SMALL[0]):
        with pytest.raises(UsageError, match="takes no hints"):
            translator_of(*other)(photo(8, 8), hints=hint(8, 8))
    (tmp_path / "hints.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"has hints, .*hints\.png, that is not a picture"):
        told()(photo(8, 9), hints=tmp_path / "hints.png")


def test_hints_of_many_are_found_by_name_and_those_without_are_told(tmp_path):
    (tmp_path / "hints").mkdir()
    for name in "ab":
        Image.fromarray(photo(20, 30).transpose(1, 2, 0)).save(tmp_path / f"{name}.png")
    Image.fromarray(hint(20, 30).transpose(1, 2, 0)).save(tmp_path / "hints" / "a.png")
    inputs = [tmp_path / "a.png", tmp_path / "b.png"]
    done = apply(told(), inputs, tmp_path / "out", hints=tmp_path / "hints")
    assert [path.name for path in done.written] == ["a.png", "b.png"]
    assert [(path.name, why) for path, why in done.notes] == [
        ("b.png", f"has no hints in {tmp_path / 'hints'}, and is made without")
    ]
    plain = apply(told(), inputs, tmp_path / "plain")
    different = [a.read_bytes() != b.read_bytes() for a, b in zip(done.written, plain.written, strict=True)]
    assert different == [True, False]
    with pytest.raises(UsageError, match="takes no hints"):
        apply(translator_of(*SMALL[0]), inputs, tmp_path / "no", hints=tmp_path / "hints")
    assert not (tmp_path / "no").exists()
