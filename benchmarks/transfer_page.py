"""The page of the transfer measurement: a table of the ways, and one picture with a sample grid of each."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from benchmarks.jobs import put_between
from ganvas.core import files

BEGIN, END = "<!-- written by `python -m benchmarks transfer` -->", "<!-- end of what is written -->"
_TITLE, _GAP, _SCALE = 24, 12, 1.5  # pixels above a grid and between two; how much a grid is enlarged

Row = dict[str, Any]


def write(rows: Sequence[Row], ways: Mapping[str, str], grids: Path, page: Path) -> None:
    """Put the table between the marks of a page, which is begun where there is none, and the picture beside it."""
    whole = [row for row in rows if "error" not in row]
    lines = ["", ""]
    if whole:
        draw(whole, ways, grids, page.with_suffix(".png"))
        lines += [f"![Samples of each way]({page.with_suffix('.png').name})", ""]
        lines += [*table(whole, ways), "", f"{verdict(whole)} {how(whole)}", ""]
    lines += [f"- `{row['way']}`, seed {row['seed']}, failed: {row['error']}" for row in rows if "error" in row]
    put_between(page, BEGIN, "\n".join([*lines, ""]), END)


def table(rows: Sequence[Row], ways: Mapping[str, str]) -> list[str]:
    """A line a way in Markdown: the mean of the seeds, then each of them."""
    heads = ("the 300 are learned", "seconds", "KD x 1000", "FD", "precision", "recall", "copies", "images")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for way, told in ways.items():
        if not (group := sorted((row for row in rows if row["way"] == way), key=lambda row: row["seed"])):
            continue
        forms = {"kd": (1000, ".1f"), "fd": (1, ".1f"), "precision": (1, ".2f"), "recall": (1, ".2f")}
        cells = [
            _over_seeds([factor * row["scores"][name]["value"] for row in group], form)
            for name, (factor, form) in (forms | {"memorization": (1, ".1%")}).items()
        ]
        images = statistics.mean(row["images"] for row in group)
        lines.append(f"| {told} | {group[0]['planned_seconds']:.0f} | {' | '.join(cells)} | {images:,.0f} |")
    return lines


def verdict(rows: Sequence[Row]) -> str:
    """For how many seeds a third of the time from the source reaches what the whole time from nothing does."""
    found = {(row["way"], row["seed"]): row["scores"] for row in rows}
    seeds = [seed for way, seed in found if way == "scratch" and ("transfer-third", seed) in found]
    told = []
    for name in ("kd", "fd"):
        short, whole = ([found[way, seed][name]["value"] for seed in seeds] for way in ("transfer-third", "scratch"))
        reached = sum(one <= other for one, other in zip(short, whole, strict=True))
        told.append(f"the {name.upper()} for {reached} of {len(seeds)} seeds")
    return f"From the source, a third of the time reaches what the whole time from nothing does: {', '.join(told)}."


def how(rows: Sequence[Row]) -> str:
    """Where, when and by which command the rows were made, and what the source is."""
    machine, dates = rows[0]["machine"], sorted({row["date"] for row in rows})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    source = next((row["source"] for row in rows if row["source"]), None)
    told = f"`python -m benchmarks transfer`, {when}, {machine['cores']} cores of {machine['processor']}."
    if source is not None:
        told += f" The source: `{source['recipe']}`, {source['seconds']:.0f} seconds, {source['images']:,} images."
    return told


def draw(rows: Sequence[Row], ways: Mapping[str, str], grids: Path, path: Path) -> None:
    """The sample grids of the first seed side by side, each below its way and its time."""
    seed = min(row["seed"] for row in rows)
    firsts = {row["way"]: row for row in rows if row["seed"] == seed}
    panels: list[tuple[str, Image.Image]] = []
    for way, told in ways.items():
        if way in firsts:
            with Image.open(grids / f"{way}-{seed}.png") as found:
                side = (round(found.width * _SCALE), round(found.height * _SCALE))
                grid = found.convert("RGB").resize(side, Image.Resampling.LANCZOS)
            panels.append((f"{told}, {firsts[way]['planned_seconds']:.0f} s", grid))
    width = sum(grid.width for _, grid in panels) + _GAP * (len(panels) - 1)
    sheet = Image.new("RGB", (width, max(grid.height for _, grid in panels) + _TITLE), "white")
    pen, left = ImageDraw.Draw(sheet), 0
    for title, grid in panels:
        pen.text((left + 2, 4), title, fill="black", font_size=14)
        sheet.paste(grid, (left, _TITLE))
        left += grid.width + _GAP
    with files.replacing(path) as partial:
        sheet.save(partial, format="PNG", optimize=True)


def _over_seeds(values: Sequence[float], form: str) -> str:
    mean = format(statistics.mean(values), form)
    return mean if len(values) == 1 else f"{mean} ({', '.join(format(value, form) for value in values)})"
