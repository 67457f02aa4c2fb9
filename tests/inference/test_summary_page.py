"""The page of a run stands alone: nothing to load, pictures and curves inside."""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from ganvas.inference.summary import chart, write_summary
from ganvas.training.folder import RunFolder


class Page(HTMLParser):
    """Collects elements with their attributes, and the text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(run):
    return Page((run / "summary.html").read_text(encoding="utf-8"))


def test_it_loads_nothing_from_anywhere(run, page):
    for _, attributes in page.elements:
        for name in ("src", "href", "data", "action", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:")
    content = (run / "summary.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", content)
    assert not page.all("script")
    assert not page.all("link")


def test_it_holds_the_newest_pictures_and_how_they_came_to_be(run, page):
    images = []
    for attributes in page.all("img"):
        kind, _, content = attributes["src"].partition(",")
        assert kind == "data:image/png;base64"
        images.append(base64.b64decode(content))
    newest = max((run / "samples").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert images[0] == newest.read_bytes()
    assert set(images) == {path.read_bytes() for path in (run / "samples").iterdir()}
    assert Image.open(io.BytesIO(images[0])).size == (8 * 8 + 14, 8 * 8 + 14)


def test_it_draws_a_curve_of_each_term_and_the_score(page):
    for name in ("discriminator/adversarial", "generator/adversarial"):
        assert name in page.text
    assert "pixels" in page.text
    for name in ("held_out", "separation", "diversity", "norms of gradients"):
        assert name in page.text
    curves = page.all("polyline")
    assert len(curves) == 2 + 1 + 3 + 4 + 2  # terms, the score, logits, health, gradients
    assert [len(curve["points"].split()) for curve in curves[:2]] == [5, 5]


def test_it_tells_the_settings_and_shows_names_as_text(run, page):
    assert 'recipe = "dcgan"' in page.text
    assert "digits & <b>run" in page.text
    assert not page.all("b"), "a folder's name is not markup"
    assert "400 images" in page.text


def test_a_run_without_pictures_or_journal_has_a_page_too(tmp_path):
    page = Page(write_summary(RunFolder.create(tmp_path / "new", "a = 1\n")).read_text())
    assert "a = 1" in page.text
    assert not page.all("img")
    assert not page.all("svg")


@pytest.mark.parametrize(
    "series", [{"a": [(5.0, 2.0)]}, {"a": [(0, 1.0), (9, 1.0)]}, {"a": [(0, 3.0)], "b": [(1, 4.0)]}]
)
def test_a_curve_of_one_point_or_one_value_can_be_drawn(series):
    drawn = Page(chart("title", series))
    assert len(drawn.all("polyline")) == len(series)
    assert "nan" not in str(drawn.elements)
