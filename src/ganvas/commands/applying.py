"""apply."""

from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.asking import TRANSLATOR
from ganvas.commands.printing import report
from ganvas.core.errors import Interrupted, UsageError
from ganvas.core.quantities import parse_bytes

_SHOWN = 20  # notes that are said; --json has all


def apply(
    run: Annotated[str, Positional, arg(metavar="RUN", help=TRANSLATOR)],
    inputs: Annotated[tuple[str, ...], Positional, arg(metavar="INPUT...")],
    *,
    out: Annotated[str, arg(metavar="DIR")],
    format: Annotated[str | None, arg(metavar="png|jpeg|tiff|webp|bmp|ppm")] = None,
    replace: bool = False,
    masks: Annotated[str | None, arg(metavar="FILE|DIR")] = None,
    hints: Annotated[str | None, arg(metavar="FILE|DIR")] = None,
    at: Annotated[int | None, arg(metavar="N")] = None,
    back: bool = False,
    precision: Annotated[str, arg(metavar="auto|float32|bfloat16")] = "auto",
    device: Annotated[str, arg(metavar="auto|cpu|cuda|cuda:N|mps")] = "auto",
    memory: Annotated[str | None, arg(metavar="512MB")] = None,
    json: bool = False,
) -> None:
    """Turn pictures of any size into others, by a network that was trained to.

    What is in the folder already is left, so the same call goes on where one was stopped.

    Args:
        inputs: Picture files, and folders with pictures.
        out: The folder for what is made; names are kept, and below a folder its subfolders.
        format: Of all that is made; without it that of each picture where it is written, else png.
        replace: Make anew what is there already.
        masks: For inpainting: a mask, white where pictures are unknown, or a folder of masks with the pictures' names,
            in its subfolders if the pictures are in such.
        hints: For colours: a picture that is transparent but where it says a colour, or a folder of such by name.
        at: For colours: they are made for pictures of about so many pixels a side, and enlarged; 0 for full size.
            Without it four times the size of training.
        back: The other direction of a run of unpaired pictures.
        precision: auto is bfloat16 where the processor has it; float32 makes exactly what the network gives.
        device: Where the network runs.
        memory: For the work on one part of a picture; larger pictures are worked on in parts. Without it half a GiB.
        json: One JSON object on stdout.
    """
    from ganvas.inference import applying
    from ganvas.inference.loading import load_translator

    if not inputs:
        raise UsageError("Which pictures? Give files, or folders with pictures")
    most = {} if memory is None else {"memory": parse_bytes(memory)}
    translator = load_translator(run, device=device, precision=precision, back=back, at=at, **most)
    try:
        with terminal.FilesProgress().shown() as progress:
            done = applying.apply(
                translator,
                inputs,
                out,
                format=format,
                replace=replace,
                masks=masks,
                hints=hints,
                tell=progress.tell,
            )
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted: what is in {out} is whole. The same call goes on with the rest") from None
    report(done.as_dict(), json)
    for path, note in done.notes[:_SHOWN]:
        terminal.say(f"{path} {note}")
    if len(done.notes) > _SHOWN:
        terminal.say(f"and {len(done.notes) - _SHOWN} more notes: --json has all")
    for path, why in done.failed if len(done.failed) > applying.NAMED else ():
        terminal.say(f"{path} {why}")
    terminal.say(done.in_words(out))
    done.check()
