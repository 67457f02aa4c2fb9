"""The page of pictures to pictures: a table of networks beside their baselines, and a sheet of each problem."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.jobs import put_between
from ganvas.core import files

BEGIN, END = "<!-- written by `python -m benchmarks translation` -->", "<!-- end of what is written -->"
_METRICS = {"psnr": "PSNR", "ssim": "SSIM", "perceptual": "perceptual", "fd": "FD", "kd": "KD x 1000"}
_FACTORS = {"kd": 1000.0}

Row = dict[str, Any]


def write(rows: Sequence[Row], told: Mapping[str, tuple[str, str]], sheets: Path, page: Path) -> None:
    """Put the tables between the marks of a page, which is begun where there is none, and the sheets beside it.

    told: the words and the recipe of each problem.
    """
    whole = [row for row in rows if "error" not in row]
    lines = ["", "", *table(whole, told), ""] if whole else ["", ""]
    if whole:
        lines += [how(whole), ""]
        for name in told:
            firsts = [row for row in whole if row["problem"] == name and row["seed"] == 0]
            if firsts and not name.endswith("-l1"):
                picture = page.with_name(f"{page.stem}-{name}.png")
                _copy(sheets / f"{name}-0.png", picture)
                heads = ", ".join(firsts[0]["heads"])
                told_of = f"{_begun(heads)}, twice in a row."
                lines += [f"## {_begun(told[name][0])}", "", f"![{heads}]({picture.name})", "", told_of, ""]
    lines += [f"- `{row['problem']}`, seed {row['seed']}, failed: {row['error']}" for row in rows if "error" in row]
    put_between(page, BEGIN, "\n".join([*lines, ""]), END)


def table(rows: Sequence[Row], told: Mapping[str, tuple[str, str]]) -> list[str]:
    """A line a problem in Markdown: each score beside its baseline's, in bold where it is better."""
    heads = ("problem", "recipe", "minutes", "images", "baseline", *_METRICS.values())
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, (words, recipe) in told.items():
        if not (group := [row for row in rows if row["problem"] == name]):
            continue
        scores = group[0]["scores"]
        baseline = next(iter(scores.values()))["baseline_name"]
        minutes, images = (statistics.mean(row[key] for row in group) for key in ("planned_seconds", "images"))
        cells = [_cell([row["scores"].get(metric) for row in group], metric) for metric in _METRICS]
        told_of = f"{words} | `{recipe}` | {minutes / 60:.0f} | {images:,.0f} | {baseline}"
        lines.append(f"| {told_of} | {' | '.join(cells)} |")
    return lines


def _cell(scores: Sequence[Mapping[str, Any] | None], metric: str) -> str:
    """The mean over seeds, and after it the baseline's."""
    found = [score for score in scores if score is not None]
    if not found:
        return "–"
    factor = _FACTORS.get(metric, 1.0)
    ours, theirs = (factor * statistics.mean(score[key] for score in found) for key in ("value", "baseline"))
    better = ours < theirs if found[0]["better"] == "lower" else ours > theirs
    return f"{f'**{ours:.4g}**' if better else f'{ours:.4g}'} / {theirs:.4g}"


def how(rows: Sequence[Row]) -> str:
    """Where, when and by which command the rows were made."""
    machine, dates = rows[0]["machine"], sorted({row["date"] for row in rows})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    seeds = max(row["seed"] for row in rows) + 1
    told = f"network / baseline, in bold where the network is better; {seeds} seed{'s' if seeds > 1 else ''}. "
    return told + f"`python -m benchmarks translation`, {when}, {machine['cores']} cores of {machine['processor']}."


def _begun(words: str) -> str:
    """With a capital at the beginning."""
    return words[0].upper() + words[1:]


def _copy(sheet: Path, picture: Path) -> None:
    with Image.open(sheet) as found, files.replacing(picture) as partial:
        found.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
            partial, format="PNG", optimize=True
        )
