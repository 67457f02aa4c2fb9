"""Looking at many pictures: the same features as at once, made one ahead, and what is said meanwhile."""

import threading

import pytest
import torch

from ganvas import metrics
from ganvas.metrics import extraction
from ganvas.metrics.extraction import Progress, features_of


@pytest.mark.parametrize("name", ["pixels", "fashion"])
def test_features_in_parts_made_ahead_are_the_same_to_the_bit(name, noise):
    extractor = metrics.extractor(name, 1)
    parts = noise(620, 1, 28, 28).split(280)
    expected = torch.cat([extractor(part) for part in parts])
    assert torch.equal(features_of(extractor, iter(parts), 620, print), expected)


def test_the_batches_are_those_that_the_extractor_would_cut(noise):
    extractor, seen = metrics.extractor("pixels", 1), []
    cut = type(extractor)._features
    extractor._features = lambda batch: (seen.append(len(batch)), cut(extractor, batch))[1]
    parts = noise(620, 1, 8, 8).split(280)
    for part in parts:
        extractor(part)
    alone, seen[:] = list(seen), []
    features_of(extractor, iter(parts), 620, print)
    assert seen == alone == [250, 30, 250, 30, 60]


def test_the_next_pictures_are_made_while_some_are_looked_at(noise):
    second_begun, extractor = threading.Event(), metrics.extractor("pixels", 1)

    def parts():
        yield noise(3, 1, 8, 8)
        second_begun.set()
        yield noise(3, 1, 8, 8)

    look = type(extractor)._features

    def waiting(batch):
        assert second_begun.wait(10), "it waited for its turn"
        return look(extractor, batch)

    extractor._features = waiting
    assert features_of(extractor, parts(), 6, print).shape == (6, 64)


def test_pictures_made_ahead_are_computed_with_as_many_threads(noise):
    found = []

    def parts():
        found.append(torch.get_num_threads())
        yield noise(2, 1, 8, 8)

    torch.set_num_threads(3)
    try:
        features_of(metrics.extractor("pixels", 1), parts(), 2, print)
    finally:
        torch.set_num_threads(1)
    assert found == [3]


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(extraction, "time", clock)
    return clock


def test_a_long_look_says_after_seconds_how_many_how_fast_and_how_long_and_then_now_and_then(clock):
    said = []
    progress = Progress(10_000, "pictures", said.append)
    for _ in range(130):
        clock.now += 1
        progress.add(25)
    assert said[0] == "  50 of 10,000 pictures seen, 25 a second; about 6m38s left"
    assert said[1:] == [
        "  800 of 10,000 pictures seen, 25 a second; about 6m08s left",
        "  1,550 of 10,000 pictures seen, 25 a second; about 5m38s left",
        "  2,300 of 10,000 pictures seen, 25 a second; about 5m08s left",
        "  3,050 of 10,000 pictures seen, 25 a second; about 4m38s left",
    ]


def test_a_look_of_a_few_seconds_is_no_matter_of_words(clock):
    said = []
    progress = Progress(100, "pictures", said.append)
    for _ in range(10):
        clock.now += 1
        progress.add(10)
    assert said == []
