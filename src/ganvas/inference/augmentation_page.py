"""The report of a generated set: one self-contained HTML page with its pictures, what was refused, what it is worth."""

import html
import json
import math

from ganvas.core import files
from ganvas.inference import webpage
from ganvas.inference.augmentation import Augmentation
from ganvas.inference.usefulness import KINDS, Usefulness
from ganvas.inference.webpage import image_of, two_rows

PAGE = "augment.html"
_FEW = 200  # pictures to judge by
NO_PRIVACY = (
    "Refusing near-copies is no privacy guarantee: pictures that are near to no training picture can still tell of "
    "them, and the limit is set by what real pictures look like, not by what is secret."
)


def write_page(made: Augmentation) -> str:
    """Write the page into the set's folder and return its path."""
    summary = made.summary
    seeds, refused = summary["seeds"], summary["refused"]
    limits = ", ".join(f"{name} {limit:.2f}" for name, limit in summary["near_copies"]["limits"].items())
    parts = [
        f"<h1>{summary['pictures']:,} generated pictures for {html.escape(summary['data']['name'])}</h1>",
        f"<p>seeds {seeds[0]:,} to {seeds[1]:,}, of which {refused['pictures']:,} were refused</p>",
        image_of(made.pictures, "final", made.columns),
        "<h2>What it is worth</h2>" + _worth(made),
        "<h2>Near-copies</h2>",
        f"<p>{html.escape(copies_in_words(made))}</p><p>Limits of the ratio: {html.escape(limits)}.</p>",
        f"<p>{NO_PRIVACY}</p>",
        two_rows("Refused", "Above refused, below the training picture that each is too near to.", made.refused),
        f"<h2>Protocol</h2><pre>{html.escape(_protocol(made))}</pre>",
    ]
    with files.written_to(made.out / PAGE, "The set is whole without it"):
        files.write_text(made.out / PAGE, webpage.page(made.out.name, parts))
    return str(made.out / PAGE)


def copies_in_words(made: Augmentation) -> str:
    """How many were refused, and by what."""
    refused, drawn = made.summary["refused"], made.summary["pictures"] + made.summary["refused"]["pictures"]
    by = ", ".join(f"{count:,} seen by {name}" for name, count in refused["seen_by"].items())
    share = f"{refused['pictures']:,} of {drawn:,} drawn pictures were refused as near-copies"
    return share + (f" ({refused['pictures'] / drawn:.1%}): {by}" if by else "")


def rows_of(found: Usefulness, classes: list[str]) -> list[tuple[str, ...]]:
    """The table: accuracy in all, and of each class, for each kind of training pictures."""
    whole = ["all"]
    for kind in KINDS:
        spread = found.spread(kind)
        whole.append(f"{found.mean(kind):.1%}" + ("" if spread is None else f" ± {100 * spread:.1f}"))
    rows = [("training pictures", *(f"{found.pictures[kind]:,}" for kind in KINDS)), tuple(whole)]
    for number, name in enumerate(classes):
        values = [found.per_class[kind][number] for kind in KINDS]
        rows.append((name, *("none held out" if math.isnan(value) else f"{value:.1%}" for value in values)))
    return rows


def _worth(made: Augmentation) -> str:
    found = made.usefulness
    if found is None:
        return f"<p>Not measured: {html.escape(made.why_not or 'not asked for')}.</p>"
    heads = "".join(f"<th>{head}</th>" for head in ("accuracy, trained on", *KINDS))
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows_of(found, made.summary["classifier"]["classes"])
    )
    told = f"{found.verdict}. {in_words(made)}"
    return f"<table><tr>{heads}</tr>{rows}</table><p>{html.escape(told)}</p>"


def in_words(made: Augmentation) -> str:
    """How the classifiers were compared, and what that leaves open."""
    found, held = made.usefulness, made.summary["held_out"]
    if found is None:
        return ""
    seen = "" if held["unseen"] else " The generator was trained on those too, which flatters it."
    trials = len(found.accuracies["real"])
    few = f", so few that each is {100 / found.test_pictures:.1f} points" if found.test_pictures < _FEW else ""
    return (
        f"Accuracy on {found.test_pictures:,} real pictures held out ({held['what']}){few}; each classifier "
        f"made {found.steps:,} steps with {found.batch} pictures, {trials} seed{'s' if trials > 1 else ''}.{seen}"
    )


def _protocol(made: Augmentation) -> str:
    shown = {name: value for name, value in made.summary.items() if name not in ("refused", "classes")}
    return json.dumps(shown, indent=2, ensure_ascii=False)
