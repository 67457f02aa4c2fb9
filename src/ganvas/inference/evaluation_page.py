"""The report of an evaluation: one self-contained HTML page with scores, pictures, closest pairs and the protocol."""

import dataclasses
import html
import json
from pathlib import Path

from ganvas.core import files
from ganvas.inference import webpage
from ganvas.inference.evaluation import Evaluation
from ganvas.inference.score_table import table_of
from ganvas.inference.sheet import Sheet
from ganvas.inference.summary import curves
from ganvas.inference.webpage import image_of, two_rows
from ganvas.metrics.protocol import Score
from ganvas.training.folder import RunFolder
from ganvas.training.journal import read


def write_page(evaluation: Evaluation, out: Path, run: Path) -> Path:
    """Write the report and return its path. run: where curves come from, if it is a run's folder.

    Raises DataError if the page cannot be written.
    """
    journal = RunFolder(run).journal
    card = json.dumps(evaluation.card, indent=2, ensure_ascii=False)
    parts = [
        f"<h1>{html.escape(evaluation.what)}</h1>",
        f"<p>judged against {html.escape(evaluation.against)}</p>",
        _scores(evaluation.scores),
        "<h2>Judged pictures</h2>" + image_of(evaluation.pictures, "final") if len(evaluation.pictures) else "",
        _sheet(evaluation.sheet),
        two_rows(
            "Closest to training pictures",
            "Above generated, below the training picture that each is nearest to; the closest pairs first.",
            evaluation.pairs,
        ),
        two_rows("Pairs", "Above what was judged, below its partner.", evaluation.partners),
        curves(read(journal)) if journal.is_file() else "",
        _protocols(evaluation.scores),
        f"<h2>Card</h2><pre>{html.escape(card)}</pre>" if evaluation.card else "",
    ]
    with files.written_to(out):
        files.write_text(out, webpage.page(f"Evaluation of {evaluation.what}", parts))
    return out


def check_out(out: Path) -> None:
    """Raise DataError if it can be foreseen that no page can be written there: before the work, not after it."""
    with files.written_to(out):
        files.check_writable(out)


def _scores(scores: tuple[Score, ...]) -> str:
    rows = []
    heads, lines = table_of(scores)
    for score, cells in zip(scores, lines, strict=True):
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
        if "verdict" in score.found:
            rows.append(f'<tr><td></td><td colspan="3">{html.escape(score.found["verdict"])}</td></tr>')
        for warning in score.warnings:
            rows.append(f'<tr><td></td><td colspan="3" class="care">take care: {html.escape(warning)}</td></tr>')
    above = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    return f"<table><tr>{above}</tr>{''.join(rows)}</table>"


def _sheet(sheet: Sheet | None) -> str:
    """A row for each picture, under the heads of its columns; "" for None."""
    if sheet is None:
        return ""
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in sheet.heads)
    rows = "".join(
        "<tr>" + "".join(f"<td>{image_of(picture[None], 'tile')}</td>" for picture in row) + "</tr>"
        for row in sheet.pictures
    )
    return f'<h2>Judged pictures</h2><table class="sheet"><tr>{heads}</tr>{rows}</table>'


def _protocols(scores: tuple[Score, ...]) -> str:
    """What the scores' protocols have in common once, and what each has of its own."""
    if not scores:
        return ""
    held = [dataclasses.asdict(score.protocol) for score in scores]
    shared = {name: value for name, value in held[0].items() if all(one[name] == value for one in held)}
    own = {
        score.name: {name: value for name, value in one.items() if name not in shared}
        for score, one in zip(scores, held, strict=True)
    }
    text = json.dumps({"of all": shared, "of each": own}, indent=2, ensure_ascii=False)
    return f"<h2>Protocol</h2><pre>{html.escape(text)}</pre>"
