"""Scores as a table for people: with a floor beside each, or with what the baseline of a task reaches."""

from collections.abc import Sequence

from ganvas.metrics.protocol import Score

BETTER = "*"  # beside the better of a network and its baseline


def table_of(scores: Sequence[Score]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Its heads and a row for each score."""
    if scores and all(score.baseline is not None for score in scores):
        heads = ("score", "network", str(scores[0].baseline_name), f"{BETTER} the better one")
        return heads, [_beside_baseline(score) for score in scores]
    heads = ("score", "value", "floor: the same of real pictures held out", "")
    return heads, [
        (score.name, number(score.value, score.spread), score.floor_in_words, f"{score.better} is better")
        for score in scores
    ]


def number(value: float, spread: float | None) -> str:
    """A score and its spread."""
    return f"{value:.4g}" + ("" if spread is None else f" ± {spread:.2g}")


def _beside_baseline(score: Score) -> tuple[str, ...]:
    assert score.baseline is not None
    ours, theirs = number(score.value, score.spread), number(score.baseline, score.baseline_spread)
    ahead = float(number(score.baseline, None)) - float(number(score.value, None))  # as they are read
    ahead = ahead if score.better == "lower" else -ahead
    marks = (f" {BETTER}" if ahead > 0 else "", f" {BETTER}" if ahead < 0 else "")
    return score.name, ours + marks[0], theirs + marks[1], f"{score.better} is better"
