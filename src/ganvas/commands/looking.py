"""data, recipes, doctor."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import answer
from ganvas.core.errors import UsageError

if TYPE_CHECKING:
    from ganvas.recipes.catalogue import Entry


def data(
    action: Annotated[Literal["list", "check"], Positional, arg(metavar="list|check")],
    where: Annotated[str | None, Positional, arg(metavar="DATA")] = None,
    /,
    *,
    json: bool = False,
) -> None:
    """List the named data sets, or check any data before training on it.

    Args:
        action: list: the sets that have a name. check: what a folder, a zip or a named set holds.
        where: A folder, a zip or a name.
        json: One JSON object on stdout.
    """
    from ganvas import data as room

    if action == "check" or where is not None:
        if where is None:
            raise UsageError("ganvas data check needs a folder, a zip or a name to look at")
        found = room.check(where, say=terminal.say)
        to = answer(found.as_dict(), json)
        terminal.say("\n".join(found.lines()), to)
        return
    sets = room.named_sets()
    to = answer({"sets": [vars(one) for one in sets]}, json)
    terminal.show_table([(one.name, one.description, one.state) for one in sets], to=to)


def recipes(
    name: Annotated[str | None, Positional, arg(metavar="NAME")] = None,
    /,
    *,
    size: Annotated[str, arg(metavar="N|WxH")] = "32",
    channels: Annotated[int, arg(metavar="N")] = 3,
    classes: Annotated[int, arg(metavar="N")] = 0,
    json: bool = False,
) -> None:
    """List what `ganvas train --recipe` takes, or show one recipe in full.

    Args:
        name: A recipe, to see its paper, its settings and the sizes that it makes.
        size: Pixels a side of the pictures for which parameters are counted, as 64; or width x height, as 96x64.
        channels: 1 grey, 3 colour; 2 and 4 these with transparency.
        classes: How many classes the pictures have.
        json: One JSON object on stdout.
    """
    import tomli_w

    from ganvas.core.sizes import Size
    from ganvas.recipes.catalogue import catalogue, describe, say_sizes

    if name is None:
        entries = catalogue(size, channels, classes)
        asked = {"size": Size.of(size).plain, "channels": channels, "classes": classes}
        to = answer(asked | {"recipes": [asdict(entry) for entry in entries]}, json)
        heads = ("recipe", "G / D parameters", "networks", "loss", "what it is", "takes")
        terminal.show_table(_by_task([entry for entry in entries if not entry.reason]), heads, to=to)
        if others := [entry.name for entry in entries if entry.reason]:
            terminal.say(
                f"\nNot for such pictures: {', '.join(others)}; `ganvas recipes NAME` says which sizes one makes", to
            )
        return
    found = describe(name, size, channels, classes)
    described = asdict(found.entry) | {"about": found.about, "settings": found.settings}
    described |= {"sizes": found.sizes, "shapes": found.shapes}
    to = answer(described, json)
    _, parameters, networks, loss, *_ = _row(found.entry)
    terminal.say(f"{name}. {found.entry.what}.\n\n{found.about}\n", to)
    shapes = {
        "none": "",
        "quarters": "; one side up to 4 times as long, in quarters of the other",
        "any": "; each side by itself",
    }
    rows = [
        ("networks", networks),
        ("loss", loss),
        ("parameters", f"{parameters} (G / D, at {size} px)" if not found.entry.reason else found.entry.reason),
        ("sizes", f"{say_sizes(found.sizes)} px{shapes[found.shapes]}"),
        ("takes", found.entry.takes),
    ]
    terminal.show_table(rows, to=to)
    terminal.say(f"\n# What differs from the defaults; all: ganvas train DATA --recipe {name} --dry-run", to)
    terminal.say(tomli_w.dumps(found.settings), to)


def _by_task(entries: Sequence["Entry"]) -> list[tuple[str, ...]]:
    """The lines of the table: under each task its recipes."""
    rows: list[tuple[str, ...]] = []
    for task, those in groupby(entries, key=lambda entry: entry.task):
        rows += [(f"--task {task}", "", "", "", "", ""), *((f"  {name}", *rest) for name, *rest in map(_row, those))]
    return rows


def _row(entry: "Entry") -> tuple[str, ...]:
    """A line of the table."""
    counts = f"{_millions(entry.generator or 0)} / {_millions(entry.discriminator or 0)}"
    return entry.name, counts, entry.networks, entry.loss, entry.what, entry.takes


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"


def doctor(*, json: bool = False) -> None:
    """Say what this machine offers and whether anything is amiss.

    Args:
        json: One JSON object on stdout.
    """
    from ganvas.doctor import examine

    findings = examine()
    to = answer({"findings": [vars(one) for one in findings], "well": all(one.well for one in findings)}, json)
    terminal.show_table([("✓" if one.well else "✗", one.what, one.found, one.advice) for one in findings], to=to)
