"""eval, compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import answer
from ganvas.core.quantities import parse_count

if TYPE_CHECKING:
    from ganvas.inference.comparison import Row


def evaluate(
    what: Annotated[str, Positional, arg(metavar="RUN|FOLDER")],
    *,
    against: Annotated[str | None, arg(metavar="DATA")] = None,
    metrics: Annotated[str | None, arg(metavar="fd,kd,prdc")] = None,
    count: Annotated[str, arg(metavar="10k")] = "10k",
    extractor: Annotated[str, arg(metavar="auto|NAME")] = "auto",
    weights: Annotated[str | None, arg(metavar="FILE")] = None,
    resize: Annotated[str | None, arg(metavar="tf1-bilinear|clean")] = None,
    held_out: Annotated[str | None, arg(metavar="DATA")] = None,
    size: Annotated[str | None, arg(metavar="N|WxH")] = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    out: Annotated[str | None, arg(metavar="report.html")] = None,
    json: bool = False,
) -> None:
    """Judge a generator, a network from pictures to pictures, or a folder of pictures, against real ones.

    Every score carries its protocol. The floor is the same score of real pictures that are no part of the reference. A
    network from pictures to pictures stands beside the baseline of its task: bicubic, mean fill, grey, unchanged.

    Args:
        what: A run's folder, a .safetensors file of a network, or a folder, zip or name of pictures.
        against: The real data: a folder, a zip or a name; without it what the run was trained on, and for a network
            from pictures to pictures what its run held out of that.
        metrics: Of fd, fd-infinity, kd, prdc, is, msssim, fd-per-class, memorization, cas; for folders whose
            pictures pair by name: psnr, ssim, ms-ssim, perceptual; for networks from pictures to pictures these and fd,
            kd. Without it fd,kd,prdc, or psnr,ssim,perceptual,fd,kd.
        count: Pictures that are looked at, at most.
        extractor: What sees the pictures: inception, imagenet, fashion, domain or pixels; auto chooses by the data.
        weights: The extractor's weights, where it needs a file.
        resize: How pictures come to the extractor's size; part of the score.
        held_out: Real pictures that training did not see; without it those that the run kept out of training, or a
            named set's test part.
        size: Pixels to which both sides are brought, where pictures are of many sizes: 64, or width x height, as 96x64.
        seed: Of the pictures that are drawn, of subsets, and of masks and other damage to pictures.
        out: Write a page with the scores, pictures and the protocol in full.
        json: One JSON object on stdout.
    """
    from ganvas.inference import comparison, evaluation
    from ganvas.inference.evaluation_page import check_out, write_page
    from ganvas.inference.score_table import table_of

    run = Path(what)
    if out is not None:
        check_out(Path(out))
    found = evaluation.evaluate(
        what,
        against,
        metrics=None if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()],
        count=parse_count(count),
        extractor=extractor,
        weights=weights,
        resize=resize,
        held_out=held_out,
        size=size,
        seed=seed,
        say=terminal.say,
    )
    to = answer(found.as_dict(), json)
    heads, rows = table_of(found.scores)
    terminal.show_table(rows, heads, to=to)
    for score in found.scores:
        if "verdict" in score.found:
            terminal.say(str(score.found["verdict"]), to)
    for warning in dict.fromkeys(warning for score in found.scores for warning in score.warnings):
        terminal.say(f"take care: {warning}")
    if (run / "settings.toml").is_file():
        comparison.keep(found, run)
    if out is not None:
        terminal.say(f"The report: {write_page(found, Path(out), run)}")


def compare(
    runs: Annotated[tuple[str, ...], Positional, arg(metavar="RUN")],
    *,
    json: bool = False,
) -> None:
    """Compare evaluated runs; scores of unlike protocols are not ranked, and it is said what differs.

    Args:
        runs: Two or more runs that `ganvas eval` has judged.
        json: One JSON object on stdout.
    """
    from ganvas.inference.comparison import compare as compare_runs

    rows = compare_runs(runs)
    to = answer({"runs": list(runs), "scores": [vars(row) for row in rows]}, json)
    table = [
        (
            row.name,
            *(
                "" if value is None else f"{value:.4g}" + ("" if rank is None else f" ({rank})")
                for value, rank in zip(row.values, row.ranks, strict=True)
            ),
            _floor(row),
            "not comparable: " + "; ".join(row.differing) if row.differing else f"{row.better} is better",
        )
        for row in rows
    ]
    terminal.show_table(table, ("score (rank)", *runs, "floor", ""), to=to)


def _floor(row: "Row") -> str:
    """The floor of a row, and what is to be held against it."""
    if row.floor is None:
        return ""
    beside = " / ".join("-" if value is None else f"{value:.4g}" for value in row.at_floor_count)
    as_many = f"; as many judged: {beside}" if any(value is not None for value in row.at_floor_count) else ""
    return f"{row.floor:.4g} ({row.floor_count:,} pictures{as_many})"
