"""The command line: `ganvas COMMAND`. Commands import what they need when they run, so that --help is quick."""

import json as json_format
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ganvas import terminal
from ganvas.arguments import parsed
from ganvas.core.errors import GanvasError, UsageError
from ganvas.core.quantities import parse_seeds
from ganvas.core.version import VERSION
from ganvas.training import LAUNCHED_BY

if TYPE_CHECKING:
    from rich.console import Console

    from ganvas.api import Run

_Assignments = Annotated[tuple[tuple[str, ...], ...], UseAppendAction, arg(metavar="A.B=VALUE")]
_RunPath = Annotated[str, Positional, arg(metavar="RUN")]


def train(
    data: Annotated[str, Positional, arg(metavar="DATA")],
    *,
    task: Literal["generate"] = "generate",
    recipe: Annotated[str, arg(metavar="auto|NAME")] = "auto",
    out: Annotated[str | None, arg(metavar="RUN")] = None,
    size: Annotated[int | None, arg(metavar="N")] = None,
    images: Annotated[str | None, arg(metavar="500k")] = None,
    time: Annotated[str | None, arg(metavar="10m")] = None,
    batch: Annotated[str, arg(metavar="auto|N")] = "auto",
    seed: Annotated[int, arg(metavar="N")] = 0,
    device: Annotated[str, arg(metavar="auto|cpu|cuda|mps")] = "auto",
    precision: Annotated[str, arg(metavar="auto|float32|bfloat16|float64")] = "auto",
    procs: Annotated[int, arg(metavar="N")] = 1,
    set: _Assignments = (),
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Train a GAN on a folder, a zip or a named set of pictures.

    Args:
        data: A folder, a zip, or a name: fashion-mnist, mnist, cifar10, celeba, lsun/CLASS, digits.
        task: What to train.
        recipe: Named settings; auto chooses from the data and the machine.
        out: The run's folder; without it runs/<data>-<recipe>-<n>.
        size: Pixels a side.
        images: Stop after so many images seen: 5000, 500k, 1.5M.
        time: Stop after so much time: 90s, 10m, 2h.
        batch: Pictures a round.
        seed: Of all the run's dice.
        device: Where to compute.
        precision: The arithmetic of the networks.
        procs: Processes on this machine; they change the speed and nothing else.
        set: Any setting of the recipe, as settings.toml names it: generator.width=48 loss.r1.weight=0.5.
        dry_run: Print the plan and stop.
        json: One JSON object a line on stdout: a line a tick.
    """
    from ganvas import api
    from ganvas.core.settings import to_dict, to_toml

    planned = api.plan(
        data,
        task=task,
        recipe=recipe,
        size=size,
        images=images,
        time=time,
        batch=_batch(batch),
        seed=seed,
        device=device,
        precision=precision,
        procs=procs,
        set=[assignment for group in set for assignment in group],
        say=terminal.say,
    )
    terminal.show_plan(planned)
    if dry_run:
        if json:
            _print_json({"settings": to_dict(planned.settings), "reasons": planned.reasons})
        else:
            terminal.say(to_toml(planned.settings), terminal.output)
        return
    _play(lambda **watch: api.start(planned, out=out, **watch), planned.settings.training.stop, json)


def resume(
    run: _RunPath,
    *,
    images: Annotated[str | None, arg(metavar="+200k")] = None,
    time: Annotated[str | None, arg(metavar="+10m")] = None,
    json: bool = False,
) -> None:
    """Continue a run bit for bit from where it was saved.

    Args:
        run: The run's folder.
        images: A new goal in images seen, or +200k for so many more than the old one.
        time: A new goal in training time, or +10m for so much more than the old one.
        json: One JSON object a line on stdout: a line a tick.
    """
    from ganvas import api
    from ganvas.training.journal import read

    folder, chosen = api.with_goals(run, images=images, time=time)
    before = read(folder.journal)[-1:]
    done = _play(lambda **watch: api.continue_run(folder, chosen, **watch), chosen.training.stop, json)
    if done.journal[-1:] == before and not _is_worker():
        terminal.say(f"There was nothing left to do; to go on: ganvas resume {run} --images +200k (or --time +10m)")


def sample(
    run: _RunPath,
    *,
    seeds: Annotated[str, arg(metavar="0-63")] = "0-63",
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    out: Annotated[str, arg(metavar="grid.png|DIR/")] = "grid.png",
    json: bool = False,
) -> None:
    """Draw pictures from a trained generator.

    Args:
        run: A run's folder, or a generator.safetensors file.
        seeds: Which pictures, as 0-63 or 1,5,9; a seed always gives the same picture.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it the classes in turn.
        out: One grid, or a folder for a file a seed.
        json: One JSON object on stdout.
    """
    from ganvas.inference.generator import load
    from ganvas.inference.pictures import write

    numbers = parse_seeds(seeds)
    pictures = load(run).sample(numbers, truncation=truncation, label=label)
    written = write(pictures, numbers, out)
    _report({"pictures": len(pictures), "files": [str(path) for path in written]}, json)
    terminal.say(f"{len(pictures)} pictures in {out}")


def walk(
    run: _RunPath,
    *,
    seeds: Annotated[str, arg(metavar="1,5,9")],
    frames: Annotated[int, arg(metavar="N")] = 60,
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    out: Annotated[str, arg(metavar="walk.webp")] = "walk.webp",
    json: bool = False,
) -> None:
    """Write an animation that moves through latent space from seed to seed and back to the first.

    Args:
        run: A run's folder, or a generator.safetensors file.
        seeds: The pictures to pass, as 1,5,9.
        frames: Frames of the whole walk.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it the first seed's.
        out: A .webp, .gif or .png (animated) file.
        json: One JSON object on stdout.
    """
    from ganvas.inference.generator import load
    from ganvas.inference.latent import walk as walk_through
    from ganvas.inference.pictures import write_animation

    generator, numbers = load(run), parse_seeds(seeds)
    path = walk_through(generator.latents(numbers, truncation), frames)
    number = numbers[0] if label is None else generator.class_number(label)
    write_animation(generator.pictures(path, [number] * len(path)), Path(out))
    _report({"frames": frames, "files": [out]}, json)
    terminal.say(f"{frames} frames in {out}")


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
        to = _answer(found.as_dict(), json)
        terminal.say("\n".join(found.lines()), to)
        return
    sets = room.named_sets()
    to = _answer({"sets": [vars(one) for one in sets]}, json)
    terminal.show_table([(one.name, one.description, one.state) for one in sets], to=to)


def demo(
    *,
    images: Annotated[str, arg(metavar="300k")] = "300k",
    out: Annotated[str | None, arg(metavar="RUN")] = None,
    json: bool = False,
) -> None:
    """Train on the bundled Fashion-MNIST pictures for about five minutes and show what came of it.

    Args:
        images: How many images to see; two CPU cores see 300k in about five minutes.
        out: The run's folder; without it runs/demo-<n>.
        json: One JSON object a line on stdout: a line a tick.
    """
    from ganvas import api
    from ganvas.training.folder import next_free

    terminal.say(
        "Ganvas trains a generator on 10,000 pictures of clothes (Fashion-MNIST, bundled), from nothing. "
        "Two CPU cores take about five minutes; Ctrl-C saves, and it can be continued.\n"
    )
    planned = api.plan("fashion-mnist/bundled", recipe="quick", images=images, say=terminal.say)
    terminal.show_plan(planned)
    path = Path(out) if out else next_free(Path("runs"), "demo")
    run = _play(lambda **watch: api.start(planned, out=path, **watch), planned.settings.training.stop, json)
    newest = max((run.path / "samples").glob("*.png"), key=lambda found: found.stat().st_mtime_ns)
    ganvas = "ganvas" if shutil.which("ganvas") else os.path.relpath(sys.argv[0])
    terminal.say(
        f"\nClothes that nobody ever wore: {newest}\nThe whole story of the run:    {run.path / 'summary.html'}\n\n"
        "Worth trying next:\n"
        f'  {ganvas} sample {run.path} --seeds 0-99 --class "Ankle boot" --out boots.png\n'
        f"  {ganvas} walk {run.path} --seeds 1,5,9 --out walk.webp\n"
        f"  {ganvas} resume {run.path} --time +10m"
    )


def doctor(*, json: bool = False) -> None:
    """Say what this machine offers and whether anything is amiss.

    Args:
        json: One JSON object on stdout.
    """
    from ganvas.doctor import examine

    findings = examine()
    to = _answer({"findings": [vars(one) for one in findings], "well": all(one.well for one in findings)}, json)
    terminal.show_table([("✓" if one.well else "✗", one.what, one.found, one.advice) for one in findings], to=to)


def _batch(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--batch {text}: use auto or a whole number above zero")
    return int(text)


def _play(begin: Any, stop: Any, json: bool) -> "Run":
    """Run a training with a progress line, or with JSON lines."""
    run: Run
    if json:
        run = begin(on_tick=_print_json, say=terminal.say)
    else:
        with terminal.Progress(stop.images, stop.seconds).shown() as progress:
            run = begin(on_tick=progress.on_tick, on_round=progress.on_round, say=terminal.say)
    last = (run.journal or [{}])[-1]
    if json:
        _print_json(
            {"run": str(run.path), "reason": run.reason} | {key: last.get(key) for key in ("images", "seconds")}
        )
    reasons = {"images": "all images seen", "time": "time is up", "plateau": "the score no longer improves"}
    if os.environ.get("RANK", "0") == "0" and not _is_worker():
        terminal.say(f"Done ({reasons[run.reason]}): {run.path / 'summary.html'}")
    return run


def _report(content: dict[str, Any], json: bool) -> None:
    if json:
        _print_json(content)


def _answer(content: dict[str, Any], json: bool) -> "Console":
    """Give a machine what the command was asked for, and return where a person is to find it."""
    _report(content, json)
    return terminal.console if json else terminal.output


def _print_json(content: dict[str, Any]) -> None:
    print(json_format.dumps(content), flush=True)


_COMMANDS: dict[str, Callable[..., Any]] = {
    "train": train,
    "resume": resume,
    "sample": sample,
    "walk": walk,
    "data": data,
    "demo": demo,
    "doctor": doctor,
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
        _tell(error)
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
        text = f"Unexpected {type(error).__name__}: {error}\nThis is a defect of Ganvas; --debug shows where it is"
        _tell(GanvasError(text))
        return 1
    return 0


def _is_worker() -> bool:
    """Whether a `ganvas train` or `resume` started this process as one of several: it reads what this one prints."""
    return LAUNCHED_BY in os.environ


def _tell(error: GanvasError) -> None:
    """Show an error to the person; a worker process hands it to the process that launched it."""
    if not _is_worker():
        terminal.show_error(str(error))
    else:
        _print_json({"error": str(error), "status": error.exit_status})


if __name__ == "__main__":
    main()
