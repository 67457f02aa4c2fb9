"""The page of a run: one self-contained HTML file with its pictures, its curves and its settings."""

import base64
import html
import json
from pathlib import Path

from ganvas.core import files
from ganvas.core.card import TRANSLATOR
from ganvas.core.quantities import say_count, say_duration
from ganvas.inference import webpage
from ganvas.training.folder import RunFolder
from ganvas.training.journal import Tick, read

_CHART = 440, 220  # pixels: across and up
_COLOURS = ("#3b6fb6", "#c8553d", "#4b8b3b", "#8e5ea2", "#b8860b", "#5b6770")
_SIGNS = {  # which signs of health are drawn, and in which chart
    "logit": "logits, on average",
    "separation": "health",
    "overfit": "health",
    "diversity": "health",
    "copies": "health",
    "elbo": "evidence lower bound",
    "psnr": "signal-to-noise ratio, dB",
    "gradient": "norms of gradients",
}


def write_summary(run: RunFolder) -> Path:
    """Write RUN/summary.html from the run's journal, samples and settings, and return its path."""
    lines = read(run.journal)
    samples = sorted(run.samples.glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
    cards = [path for path in (run.card, run.classifier_card) if path.exists()]
    card = json.loads(cards[0].read_text(encoding="utf-8")) if cards else {}
    notes = run.notes.read_text(encoding="utf-8") if run.notes.exists() else ""
    shown = html.escape(str(card.get("preview", ""))) if card.get("kind") == TRANSLATOR else "generated pictures"
    parts = [
        f"<h1>{html.escape(run.path.name)}</h1>",
        f"<p>{html.escape(_headline(card, lines))}</p>",
        "".join(f'<img class="final" src="{_embedded(path)}" alt="{shown}">' for path in samples[-1:]),
        f"<p>In each row: {shown}</p>" if card.get("kind") == TRANSLATOR else "",
        _past(samples),
        curves(lines),
        f"<h2>Notes</h2><pre>{html.escape(notes)}</pre>" if notes else "",
        f"<h2>Settings</h2><pre>{html.escape(run.settings.read_text(encoding='utf-8'))}</pre>",
    ]
    files.write_text(run.summary, webpage.page(run.path.name, parts))
    return run.summary


def _headline(card: dict[str, object], lines: list[Tick]) -> str:
    pieces = [f"{card.get('data', 'data')}, {card.get('size', '?')} px, recipe {card.get('recipe', '?')}"]
    if lines:
        last = lines[-1]
        pieces.append(f"{say_count(last['images'])} images in {say_duration(last['seconds'])}")
        if "score" in last:
            name, value = next(iter(last["score"].items()))
            pieces.append(f"{name} {value:.3g} (lower is better)")
    return " · ".join(pieces)


def _past(samples: list[Path]) -> str:
    if len(samples) < 2:
        return ""
    count = min(5, len(samples))
    chosen = [samples[round(index * (len(samples) - 1) / (count - 1))] for index in range(count)]
    figures = [
        f'<figure><img src="{_embedded(path)}" alt=""><figcaption>{html.escape(path.stem.lstrip("0") or "0")} images'
        "</figcaption></figure>"
        for path in dict.fromkeys(chosen)
    ]
    return f'<h2>How it came to be: the same ones over time</h2><div class="past">{"".join(figures)}</div>'


def curves(lines: list[Tick]) -> str:
    """The terms, scores and signs of health of a journal as charts, with their heading; "" where there are none."""
    groups: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line in lines:
        for name, value in line.get("terms", {}).items():
            groups.setdefault(name.split("/")[-1], {}).setdefault(name, []).append((line["images"], value))
        for name, value in line.get("signs", {}).items():
            title = _SIGNS.get(name.split("/")[0])
            if title is not None:
                groups.setdefault(title, {}).setdefault(name.split("/")[-1], []).append((line["images"], value))
        for name, value in list(line.get("score", {}).items())[:1]:
            scores = groups.setdefault("score", {}).setdefault(name, [])
            if not scores or scores[-1][1] != value:  # a line repeats the latest score
                scores.append((line["images"], value))
    charts = [chart(title, series) for title, series in groups.items()]
    return f'<h2>Curves</h2><div class="charts">{"".join(charts)}</div>' if charts else ""


def chart(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """Lines over images seen as an SVG element. series: name -> points (images, value), at least one point in all."""
    points = [point for values in series.values() for point in values]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    across, up = (right - left) or 1.0, (high - low) or 1.0
    width, height = _CHART

    def place(x: float, y: float) -> str:
        return f"{48 + (x - left) / across * (width - 64):.1f},{height - 28 - (y - low) / up * (height - 64):.1f}"

    drawn = []
    for number, (name, values) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(place(x, y) for x, y in values)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        place_of_name = 48 + (width - 64) // max(len(series), 2) * number
        drawn.append(f'<text x="{place_of_name}" y="30" style="fill:{colour}">{html.escape(name)}</text>')
    return (
        f'<svg width="{width}" height="{height}" role="img"><text x="8" y="16">{html.escape(title)}</text>'
        f'<text x="4" y="{height - 26}">{low:.3g}</text><text x="4" y="44">{high:.3g}</text>'
        f'<text x="48" y="{height - 8}">{say_count(int(left))}</text>'
        f'<text x="{width - 16}" y="{height - 8}" text-anchor="end">{say_count(int(right))} images</text>'
        f"{''.join(drawn)}</svg>"
    )


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
