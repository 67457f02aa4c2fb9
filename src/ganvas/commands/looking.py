"""data, doctor."""

from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import answer
from ganvas.core.errors import UsageError


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


def doctor(*, json: bool = False) -> None:
    """Say what this machine offers and whether anything is amiss.

    Args:
        json: One JSON object on stdout.
    """
    from ganvas.doctor import examine

    findings = examine()
    to = answer({"findings": [vars(one) for one in findings], "well": all(one.well for one in findings)}, json)
    terminal.show_table([("✓" if one.well else "✗", one.what, one.found, one.advice) for one in findings], to=to)
