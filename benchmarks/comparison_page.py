"""The page of the comparison: a table a data set, and one picture with a strip of samples for each recipe."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from benchmarks.jobs import put_between
from ganvas.core import files
from ganvas.metrics.protocol import Score, differences

BEGIN, END = "<!-- written by `python -m benchmarks comparison` -->", "<!-- end of what is written -->"
_SIZE, _GAP = 32, 2  # pixels of a picture, and between those of a sample grid
_SHOWN, _SCALE = 10, 2  # pictures of a strip, and how much they are enlarged
_LABEL, _MARGIN, _TITLE, _SPACE = 150, 28, 56, 10  # pixels: labels, around a panel, above it, between strips
_INK, _FAINT, _LINE = "#222222", "#777777", "#dddddd"

Row = dict[str, Any]


def write(rows: Sequence[Row], grids: Path, page: Path, contenders: Sequence[str], for_gpu: Sequence[str]) -> None:
    """Put the tables between the marks of a page, which is begun where there is none, and the picture beside it."""
    picture = page.with_suffix(".png")
    draw(rows, grids, picture)
    parts = [f"![Samples of each recipe, the best first]({picture.name})"]
    parts += [section(name, rows, contenders, for_gpu) for name in sorted({row["data"] for row in rows}, reverse=True)]
    put_between(page, BEGIN, "\n\n".join(["", *parts, ""]), END)


def section(data: str, rows: Sequence[Row], contenders: Sequence[str], for_gpu: Sequence[str]) -> str:
    """The table of one data set in Markdown, the lowest Fréchet distance first, and how it came to be."""
    rows = [row for row in rows if row["data"] == data]
    whole, failed = [row for row in rows if "error" not in row], [row for row in rows if "error" in row]
    lines = [f"### {data}", ""]
    if whole:
        lines += _table(whole)
    missing = [name for name in contenders if name not in {row["recipe"] for row in rows}]
    lines += [f"- `{row['recipe']}`, seed {row['seed']}, failed: {row['error']}" for row in failed]
    if missing:
        lines.append(f"- Not run yet: {_listed(missing)}.")
    lines.append(f"- As published for a GPU, and waiting for one: {_listed(for_gpu)}.")
    if whole:
        lines += _how(whole)
    return "\n".join(lines)


def ranked(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each recipe, by seed; the recipe with the lowest mean Fréchet distance first."""
    recipes: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["seed"]):
        recipes.setdefault(row["recipe"], []).append(row)
    return sorted(recipes.values(), key=lambda group: statistics.mean(_values(group, "fd")))


def draw(rows: Sequence[Row], grids: Path, path: Path) -> None:
    """A panel a data set, side by side: real pictures, then a strip of the first seed's samples for each recipe."""
    rows = [row for row in rows if "error" not in row]
    names = sorted({row["data"] for row in rows}, reverse=True)
    panels = [_panel(name, ranked([row for row in rows if row["data"] == name]), grids) for name in names]
    if not panels:
        return
    width, height = sum(panel.width for panel in panels), max(panel.height for panel in panels)
    sheet = Image.new("RGB", (width, height), "white")
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, 0))
        left += panel.width
    with files.replacing(path) as partial:
        sheet.save(partial, format="PNG", optimize=True)


def _table(rows: Sequence[Row]) -> list[str]:
    equal = rows[0]["scores"]["fd"]["at_floor_count"] is not None  # the floor is of fewer pictures
    titles = ["recipe", "FD", "KD", "precision", "recall", "nearest to training pictures", "images", "images/s"]
    titles += ["processor s", "parameters G / D", "the watch found"]
    if equal:
        titles.insert(2, f"FD of {rows[0]['scores']['fd']['floor_count']:,}")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for group in ranked(rows):
        cells = [f"`{group[0]['recipe']}`", _spread(_values(group, "fd"))]
        cells += [_mean(group, "fd", "at_floor_count")] if equal else []
        cells += _quality(group, "value")
        images = statistics.mean(row["images"] for row in group)
        cells += [f"{images:,.0f}", f"{statistics.mean(row['images_per_second'] for row in group):,.0f}"]
        cells += [_seconds(group), " / ".join(map(_millions, group[0]["parameters"].values()))]
        cells.append(", ".join(sorted({finding for row in group for finding in row["findings"]})))
        lines.append(f"| {' | '.join(cells)} |")
    floor = ["*real pictures*", "" if equal else _mean(rows, "fd", "floor")]
    floor += [_mean(rows, "fd", "floor")] if equal else []
    return [*lines, f"| {' | '.join([*floor, *_quality(rows, 'floor')])} {'| ' * 5}|", ""]


def _quality(rows: Sequence[Row], which: str) -> list[str]:
    flagged = statistics.mean(_values(rows, "memorization", which))
    return [*(_mean(rows, metric, which) for metric in ("kd", "precision", "recall")), f"{flagged:.1%}"]


def _how(rows: Sequence[Row]) -> list[str]:
    """The protocol, the machine and the date, in sentences; a warning where they are not the same for all."""
    protocol, machine = rows[0]["scores"]["fd"]["protocol"], rows[0]["machine"]
    dates = sorted({row["date"] for row in rows})
    seconds = [row["seconds"] for row in rows]
    held = rows[0]["scores"]["fd"]["floor_count"]
    lines = [
        f"- {protocol['count']:,} generated pictures against {protocol['reference_count']:,} of "
        f"{rows[0]['against']} ({protocol['reference_part']}), in `{protocol['extractor']}` features; "
        f"real pictures: {held:,} that are no part of those.",
        f"- {min(seconds):,.0f} to {max(seconds):,.0f} s of training by the run's own clock; {machine['threads']} "
        f"threads, {machine['processor'] or machine['platform']}, torch {machine['torch']}, "
        f"ganvas {machine['ganvas']}; {' to '.join(dict.fromkeys((dates[0], dates[-1])))}.",
    ]
    if unlike := differences([Score.from_dict(row["scores"]["fd"]).protocol for row in rows]):
        lines.append(f"- **These scores are not all comparable**: they differ in {', '.join(unlike)}.")
    if len({(row["machine"]["processor"], row["machine"]["threads"]) for row in rows}) > 1:
        lines.append("- **The runs were not all made on one kind of machine.**")
    return lines


def _values(rows: Sequence[Row], metric: str, which: str = "value") -> list[float]:
    return [row["scores"][metric][which] for row in rows if row["scores"][metric][which] is not None]


def _mean(rows: Sequence[Row], metric: str, which: str) -> str:
    return f"{statistics.mean(_values(rows, metric, which)):.3g}"


def _spread(values: Sequence[float]) -> str:
    mean = f"**{statistics.mean(values):.3g}**"
    return mean if len(values) == 1 else f"{mean} ({', '.join(f'{value:.3g}' for value in values)})"


def _seconds(rows: Sequence[Row]) -> str:
    known = [row["processor_seconds"] for row in rows if row["processor_seconds"] is not None]
    return f"{statistics.mean(known):,.0f}" if known else ""


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _panel(data: str, groups: Sequence[Sequence[Row]], grids: Path) -> Image.Image:
    strips = [("real pictures", "", grids / f"{data}-real.png")]
    for group in groups:
        score = f"FD {statistics.mean(_values(group, 'fd')):.3g}"
        strips.append((group[0]["recipe"], score, grids / f"{data}-{group[0]['recipe']}-{group[0]['seed']}.png"))
    high, step = _SIZE * _SCALE, _SIZE * _SCALE + _SPACE
    wide = _LABEL + _SHOWN * (high + _GAP)
    sheet = Image.new("RGB", (wide + 2 * _MARGIN, _TITLE + len(strips) * step + 2 * _MARGIN), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN), data, fill=_INK, font=ImageFont.load_default(26))
    for number, (name, score, grid) in enumerate(strips):
        top = _MARGIN + _TITLE + number * step + (_SPACE if number else 0)
        pen.text((_MARGIN, top + 12), name, fill=_INK, font=ImageFont.load_default(18))
        pen.text((_MARGIN, top + 36), score, fill=_FAINT, font=ImageFont.load_default(15))
        sheet.paste(_strip(grid), (_MARGIN + _LABEL, top))
    under = _MARGIN + _TITLE + high + _SPACE - 1
    pen.line((_MARGIN, under, _MARGIN + wide - _GAP, under), fill=_LINE, width=1)
    return sheet


def _strip(grid: Path) -> Image.Image:
    """The first pictures of a sample grid in one row, enlarged."""
    high, step = _SIZE * _SCALE, _SIZE + _GAP
    strip = Image.new("RGB", (_SHOWN * (high + _GAP) - _GAP, high), "white")
    with Image.open(grid) as sheet:
        columns = (sheet.width + _GAP) // step
        for number in range(_SHOWN):
            left, top = number % columns * step, number // columns * step
            one = sheet.crop((left, top, left + _SIZE, top + _SIZE)).convert("RGB")
            strip.paste(one.resize((high, high), Image.Resampling.NEAREST), (number * (high + _GAP), 0))
    return strip
