"""Where a command's words go: JSON to standard output for machines, sentences for people."""

import json as json_format
import os
from typing import Any

from rich.console import Console

from ganvas import terminal
from ganvas.core.errors import GanvasError, Interrupted
from ganvas.training import LAUNCHED_BY


def report(content: dict[str, Any], json: bool) -> None:
    """Give a machine, if one asked, the final object of a command."""
    if json:
        print_json(content)


def answer(content: dict[str, Any], json: bool) -> Console:
    """Give a machine what the command was asked for, and return where a person is to find it."""
    report(content, json)
    return terminal.console if json else terminal.output


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object as a line of standard output."""
    print(json_format.dumps(content), flush=True)


def is_worker() -> bool:
    """Whether a `ganvas train` or `resume` started this process as one of several: it reads what this one prints."""
    return LAUNCHED_BY in os.environ


def tell(error: GanvasError) -> None:
    """Show an error to the person; a worker process hands it to the process that launched it."""
    if is_worker():
        print_json({"error": str(error), "status": error.exit_status})
    elif isinstance(error, Interrupted):  # as asked
        terminal.say(str(error))
    else:
        terminal.show_error(str(error))
