"""The tables of docs/diversity.md, and the picture of the grid as each recipe learned it.

A row may be given a note by hand, of what else the machine did; the page repeats it.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas import plane
from ganvas.core.images import to_pillow
from ganvas.training.draws import Draws

PAGE = Path(__file__).parents[1] / "docs" / "diversity.md"
_PANEL, _TITLE, _COLUMNS = 280, 22, 4  # pixels, pixels, panels
_REAL, _GENERATED = (0.55, 0.70, 0.90), (0.80, 0.20, 0.10)


def write_plane(found: Mapping[str, Any], names: Sequence[str], panels: Path) -> None:
    """The table of the plane and the picture of the grid, from what results/diversity-plane.json holds."""
    lines = [
        f"{_told(found)}; {found['seconds']:g} seconds of processor time a run, {found['counted']:,} points; "
        f"{_say_seeds(_seeds(found['rows']))}.",
        "",
        "| recipe | grid: images | seconds | ring: found of 8 | covered | high quality "
        "| grid: found of 25 | covered | high quality |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        runs = {kind: _runs(found["rows"], kind, name) for kind in plane.MIXTURES}
        cells = [_over_seeds(runs["grid"], "images", "{:,.0f}"), _over_seeds(runs["grid"], "seconds", "{:.0f}")]
        for kind in plane.MIXTURES:
            cells += [_over_seeds(runs[kind], what, "{:.0f}") for what in ("found", "covered")]
            cells.append(_over_seeds(runs[kind], "high_quality", "{:.0%}"))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write_section(PAGE, "plane", lines)
    _sheet({name: panels / f"grid-{name}.png" for name in names}).save(PAGE.with_name("diversity.png"))


def write_pictures(found: Mapping[str, Any], names: Sequence[str]) -> None:
    """The table of stacked digits, from what results/diversity-pictures.json holds."""
    lines = [
        f"{_told(found)}; {found['seconds']:g} seconds a run, {found['counted']:,} pictures of `{found['data']}`. "
        f"The classifier is right on {found['classifier_accuracy']:.1%} of the digits that it was not trained on.",
        "",
        "| | modes of 1,000 | KL from uniform | sure | modes of the sure | images | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("real pictures", *names):
        if (row := found["rows"].get(name)) is None:
            continue
        if "diverged" in row:
            lines.append(f"| {name} | diverged | | | | | |")
            continue
        cells = [f"{row['found']:,}", f"{row['kl']:.2f}", f"{row['sure']:.0%}", f"{row['found_sure']:,}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {row['images']:,} | {row.get('seconds', '')} |")
    write_section(PAGE, "pictures", lines)


def write_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put lines between the marks of a section of a page. Raises ValueError if the page does not have the marks."""
    begin, end = f"<!-- {name}: written by the benchmark -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = page.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no section {begin.strip()} ... {end.strip()}")
    page.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after)


def draw_points(mixture: plane.Mixture, points: Tensor) -> Image.Image:
    """Points of the mixture in blue, and over them as many of the generated points [N, 2] in red."""
    picture = torch.ones(_PANEL, _PANEL, 3)
    plane.dot(picture, mixture.drawn(Draws(12345), "held-out", 0, len(points)), mixture.half, _REAL)
    plane.dot(picture, points, mixture.half, _GENERATED)
    return to_pillow((picture * 255).round().to(torch.uint8).permute(2, 0, 1).numpy())


def _sheet(panels: Mapping[str, Path]) -> Image.Image:
    """The panels that there are, row by row, each below its name."""
    there = {name: path for name, path in panels.items() if path.exists()}
    rows = -(-len(there) // _COLUMNS)
    step, down = _PANEL + 8, _PANEL + _TITLE
    sheet = Image.new("RGB", (_COLUMNS * step - 8, max(1, rows) * down), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (name, path) in enumerate(there.items()):
        left, top = place % _COLUMNS * step, place // _COLUMNS * down
        pen.text((left + 4, top + 4), name, fill="black", font_size=14)
        with Image.open(path) as panel:
            sheet.paste(panel, (left, top + _TITLE))
        pen.rectangle((left, top + _TITLE, left + _PANEL - 1, top + _TITLE + _PANEL - 1), outline="#cccccc")
    return sheet


def _told(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    dates = sorted({row["date"] for row in found["rows"].values()})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    noted = "".join(f" ({note})" for note in sorted({row["note"] for row in found["rows"].values() if "note" in row}))
    return f"`{found['command']}`, {when}, {machine['cores']} cores of {machine['processor']}{noted}"


def _runs(rows: Mapping[str, Any], kind: str, name: str) -> list[dict[str, Any]]:
    return [row for key, row in rows.items() if key.startswith(f"{kind}/{name}/")]


def _seeds(rows: Mapping[str, Any]) -> list[str]:
    return sorted({key.rpartition("/")[2] for key in rows})


def _say_seeds(seeds: Sequence[str]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]} alone, so **provisional** until the others have run"
    return f"seeds {', '.join(seeds)}: medians, and (least to greatest)"


def _over_seeds(runs: Sequence[Mapping[str, Any]], what: str, form: str) -> str:
    values = [run[what] for run in runs if what in run]
    diverged = len(runs) - len(values)
    if not values:
        return "diverged" if runs else ""
    least, middle, most = (form.format(value) for value in (min(values), statistics.median(values), max(values)))
    cell = middle if least == most else f"{middle} ({least} to {most})"
    return f"{cell}; {diverged} diverged" if diverged else cell
