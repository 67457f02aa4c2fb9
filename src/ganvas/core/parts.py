"""Tables of named parts: a name leads to "module:Attribute", loaded on use."""

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from ganvas.core.errors import UsageError


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that answers an unknown name with the nearest known ones, else with all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


def load(table: Mapping[str, str], name: str, kind: str) -> Any:
    """The part that a table has under a name.

    table: name -> "module:Attribute". kind: the word for such a part in messages, as in "loss".
    Raises UsageError if the table has no such name; the message names the nearest that exist.
    """
    if name not in table:
        raise UsageError(f"There is no {kind} named {name!r}: {nearest(name, table)}")
    module, attribute = table[name].split(":")
    return getattr(importlib.import_module(module), attribute)
