"""From the words of a command line to the call they mean; tyro reads them, and its complaints become our errors."""

import contextlib
import functools
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import tyro

from ganvas.core.errors import UsageError

_TITLES = r"Unrecognized options|Value error|Parsing error|Required options|Invalid choice|Missing \w+"  # of its boxes


def parsed(arguments: list[str], commands: Mapping[str, Callable[..., Any]]) -> Callable[[], Any]:
    """The call that the arguments of `ganvas` mean. Raises UsageError; for --help SystemExit, after printing it."""

    def told(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)  # which keeps the signature that the options are made of
        def tell(*positional: Any, **named: Any) -> Callable[[], Any]:
            return functools.partial(command, *positional, **named)

        return tell

    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            call: Callable[[], Any] = tyro.extras.subcommand_cli_from_dict(
                {name: told(command) for name, command in commands.items()},
                prog="ganvas",
                description="Train, sample and explore generative adversarial networks. "
                "With any command, --debug shows where an error comes from.",
                args=arguments,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
            )
    except SystemExit as left:
        if not left.code:
            raise
        command = next((argument for argument in arguments if argument in commands), "")
        help_of = " ".join(filter(None, ("ganvas", command, "--help")))
        raise UsageError(f"{_in_brief(complaint.getvalue())}\nEvery option: {help_of}") from None
    return call


def _in_brief(boxed: str) -> str:
    """The complaint in a box of tyro's, with the first option that it thinks was meant, in a line or two."""
    lines = [line.strip("│╭╮╰╯─ ") for line in boxed.splitlines()]
    text = " ".join(" ".join(lines).split())
    meant = re.search(r"Perhaps you meant: (--[\w-]+)", text)
    complaint = text
    for end in ("Perhaps you meant", "Argument helptext", "For full helptext", "Arguments are applied"):
        complaint = complaint.partition(end)[0]
    complaint = re.sub(rf"^({_TITLES}) (?=\w)", "", complaint).strip()
    return complaint + (f"\nDid you mean {meant[1]}?" if meant and meant[1] not in complaint else "")
