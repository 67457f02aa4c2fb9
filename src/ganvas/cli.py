"""The command line: `ganvas COMMAND`. Commands import what they need when they run, so that --help is quick."""

import os
import sys
from collections.abc import Callable
from typing import Any

from ganvas import terminal
from ganvas.arguments import parsed
from ganvas.commands import (
    applying,
    augmenting,
    classifying,
    exploring,
    importing,
    judging,
    looking,
    sharing,
    training,
    using,
)
from ganvas.commands.printing import tell
from ganvas.core.errors import GanvasError, MemoryExhausted
from ganvas.core.version import VERSION

_COMMANDS: dict[str, Callable[..., Any]] = {
    "train": training.train,
    "resume": training.resume,
    "sample": using.sample,
    "walk": exploring.walk,
    "mix": exploring.mix,
    "directions": exploring.directions,
    "nearest": exploring.nearest,
    "project": exploring.project,
    "apply": applying.apply,
    "export": sharing.export,
    "push": sharing.push,
    "import": importing.import_weights,
    "augment": augmenting.augment,
    "classify": classifying.classify,
    "eval": judging.evaluate,
    "compare": judging.compare,
    "data": looking.data,
    "recipes": looking.recipes,
    "demo": training.demo,
    "doctor": looking.doctor,
}


def main() -> None:
    """Run a command and leave with its exit status."""
    status = _run(sys.argv[1:])
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        # The interpreter's shutdown would abort the process while the threads of torch.distributed wind down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def _run(arguments: list[str]) -> int:
    """Run the command that the arguments name and return its exit status."""
    debug = "--debug" in arguments
    if arguments == ["--version"]:
        print(f"ganvas {VERSION}")
        return 0
    try:
        parsed([argument for argument in arguments if argument != "--debug"], _COMMANDS)()
    except GanvasError as error:
        if debug:
            raise
        tell(error)
        return error.exit_status
    except KeyboardInterrupt:
        if debug:
            raise
        terminal.say("Interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        if _is_out_of_memory(error):
            tell(MemoryExhausted("There is not enough memory for this. Ask for less: fewer pictures, or smaller ones"))
            return MemoryExhausted.exit_status
        text = f"Unexpected {type(error).__name__}: {error}\nThis is a defect of Ganvas; --debug shows where it is"
        tell(GanvasError(text))
        return 1
    return 0


def _is_out_of_memory(error: Exception) -> bool:
    if "torch" not in sys.modules:
        return isinstance(error, MemoryError)
    from ganvas.core.devices import is_out_of_memory

    return is_out_of_memory(error)


if __name__ == "__main__":
    main()
