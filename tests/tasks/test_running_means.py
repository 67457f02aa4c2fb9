"""Means that a game keeps over its rounds."""

import pytest
import torch

from ganvas.tasks.running import RunningMeans


def note(*values):
    return {"a": torch.tensor(values), "b": 2 * torch.tensor(values)}


def test_first_the_plain_mean_then_old_rounds_fade():
    means = RunningMeans(("a", "b"), 0.5)
    expected = 0.0
    for round, value in enumerate((4.0, 8.0, 2.0, 10.0), 1):
        means.observe([note(value - 1, value + 1)])
        means.begin_round()
        share = max(1 / round, 0.5)
        expected += share * (value - expected)
        assert means.a.item() == pytest.approx(expected)
        assert means.b.item() == pytest.approx(2 * expected)


def test_rounds_without_values_and_repeated_beginnings_change_nothing():
    means = RunningMeans(("a", "b"), 0.9)
    means.begin_round()
    means.observe([note(3.0), note(5.0)])
    means.begin_round()
    before = {name: value.clone() for name, value in means.state_dict().items()}
    means.begin_round()
    assert before["a"] == 4
    for name, value in means.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(("moves", "pieces"), [(1, 1), (1, 4), (5, 1), (3, 2)])
def test_sums_of_two_processes_replaced_by_their_means_lead_to_the_same_bits(moves, pieces):
    alone, parts = RunningMeans(("a", "b"), 0.9), [RunningMeans(("a", "b"), 0.9) for _ in range(2)]
    for round in range(50):
        dice = torch.Generator().manual_seed(round)
        rows = torch.randn(moves, 2, pieces, 3, generator=dice)  # of each move, process and micro-batch
        for move in rows:
            notes = [[{"a": piece, "b": piece.abs()} for piece in process] for process in move]
            alone.observe(notes[0] + notes[1])
            for part, own in zip(parts, notes, strict=True):
                part.observe(own)
        for together in zip(*(part.buffers() for part in parts), strict=True):
            middle = (together[0] + together[1]) / 2
            for buffer in together:
                buffer.copy_(middle)
        for means in (alone, *parts):
            means.begin_round()
    for part in parts:
        assert torch.equal(part.a, alone.a)
        assert torch.equal(part.b, alone.b)
