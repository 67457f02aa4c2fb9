"""The picture of `quality`: every race's score over the seconds that each side trained."""

import math
from pathlib import Path

_COLOURS = {"quick": "#c8553d", "textbook": "#3b6fb6"}
_LABELS = {"quick": "ganvas, recipe quick", "textbook": "textbook loop, float32"}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 420, 60, 50


def write_chart(races: dict, floor: float, path: Path) -> None:
    """An SVG with logarithmic scores: races[seed][side] are rows of seconds and fd."""
    rows = [row for race in races.values() for side in race.values() for row in side]
    longest = max(row["seconds"] for row in rows)
    low, high = math.log(floor / 1.3), math.log(max(row["fd"] for row in rows) * 1.1)

    def across(seconds: float) -> float:
        return _LEFT + seconds / longest * (_WIDTH - _LEFT - 20)

    def down(score: float) -> float:
        return 20 + (high - math.log(score)) / (high - low) * (_HEIGHT - 20 - _BOTTOM)

    parts = [f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>']
    for score in (0.5, 1, 2, 5, 10, 20, 50, 100, 200):
        if low <= math.log(score) <= high:
            y = down(score)
            parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e5e5"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{score:g}</text>')
    for minutes in range(0, int(longest // 60) + 1, 2):
        parts.append(
            f'<text x="{across(minutes * 60):.0f}" y="{_HEIGHT - 28}" text-anchor="middle">{minutes} min</text>'
        )
    y = down(floor)
    parts.append(
        f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#777" stroke-dasharray="4"/>'
    )
    parts.append(f'<text x="{_WIDTH - 24}" y="{y - 6:.1f}" text-anchor="end">floor: real training pictures</text>')
    for race in races.values():
        for side, scores in race.items():
            points = " ".join(f"{across(row['seconds']):.1f},{down(row['fd']):.1f}" for row in scores)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[side]}" stroke-width="2"/>')
    for number, (side, colour) in enumerate(_COLOURS.items()):
        parts.append(f'<text x="{_WIDTH - 240}" y="{44 + 20 * number}" style="fill:{colour}">{_LABELS[side]}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 8}">seconds of training on the same two cores, a line a seed</text>')
    style = "<style>text { font: 13px sans-serif; fill: #555 }</style>"
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{style}{"".join(parts)}</svg>\n'
    )
