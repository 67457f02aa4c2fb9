"""What the benchmarks compare with works: a step of the textbook loop, and the chart of a race. Nothing is timed."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _root_on_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


def test_the_textbook_loop_steps_both_networks_and_samples_the_same_pictures():
    from benchmarks.textbook import Textbook

    loop = Textbook(seed=0)
    weights = [network[0].weight.detach().clone() for network in (loop.generator, loop.discriminator)]
    loop.step(torch.rand(loop.batch, 1, 32, 32) * 2 - 1)
    for before, network in zip(weights, (loop.generator, loop.discriminator), strict=True):
        assert network[0].weight.isfinite().all()
        assert not torch.equal(before, network[0].weight)
    pictures = loop.sample(3)
    assert pictures.shape == (3, 1, 32, 32)
    assert pictures.abs().max() <= 1
    assert torch.equal(pictures, loop.sample(3))
    assert loop.generator.training


def test_the_textbooks_networks_are_those_of_the_recipe_it_is_compared_with():
    from benchmarks.textbook import Textbook
    from ganvas import networks

    for mine, role in ((Textbook(seed=0).generator, "generator"), (Textbook(seed=0).discriminator, "discriminator")):
        family = getattr(networks, role)("dcgan")
        theirs = family(family.Settings(), size=32, channels=1, classes=0)
        count, other = (sum(weight.numel() for weight in one.parameters()) for one in (mine, theirs))
        assert abs(count - other) < 0.01 * count


def test_the_chart_of_races_draws_a_line_for_each(tmp_path):
    from benchmarks.chart import write_chart

    rows = [{"seconds": 60.0, "images": 1, "fd": 40.0}, {"seconds": 600.0, "images": 2, "fd": 1.2}]
    write_chart(
        {0: {"quick": rows, "textbook": rows}, 1: {"quick": rows, "textbook": rows}}, 0.1, tmp_path / "race.svg"
    )
    drawing = ElementTree.parse(tmp_path / "race.svg").getroot()
    lines = [element.get("points").split() for element in drawing.iter() if element.tag.endswith("polyline")]
    assert [len(points) for points in lines] == [2, 2, 2, 2]
    (first, last) = (tuple(map(float, point.split(","))) for point in lines[0])
    assert first[0] < last[0]
    assert first[1] < last[1], "a lower score is drawn lower"
