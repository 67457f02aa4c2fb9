"""train, resume, demo."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ganvas import terminal
from ganvas.commands.printing import is_worker, print_json
from ganvas.core.errors import UsageError

if TYPE_CHECKING:
    from ganvas.api import Run

_Assignments = Annotated[tuple[tuple[str, ...], ...], UseAppendAction, arg(metavar="A.B=VALUE")]


def train(
    data: Annotated[str, Positional, arg(metavar="DATA")],
    *,
    task: Annotated[str | None, arg(metavar="NAME")] = None,
    recipe: Annotated[str, arg(metavar="auto|NAME")] = "auto",
    start_from: Annotated[str | None, arg(name="from", metavar="RUN|FILE")] = None,
    out: Annotated[str | None, arg(metavar="RUN")] = None,
    size: Annotated[str | None, arg(metavar="N|WxH")] = None,
    images: Annotated[str | None, arg(metavar="500k")] = None,
    time: Annotated[str | None, arg(metavar="10m")] = None,
    batch: Annotated[str, arg(metavar="auto|N")] = "auto",
    seed: Annotated[int, arg(metavar="N")] = 0,
    device: Annotated[str, arg(metavar="auto|cpu|cuda|mps")] = "auto",
    precision: Annotated[str, arg(metavar="auto|float32|bfloat16|float64")] = "auto",
    procs: Annotated[int, arg(metavar="N")] = 1,
    on_trouble: Annotated[Literal["note", "stop"], arg(metavar="note|stop")] = "note",
    set: _Assignments = (),
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Train on a folder, a zip or a named set of pictures: a GAN, or what else --task names.

    Args:
        data: A folder, a zip, or a name: fashion-mnist, mnist, cifar10, celeba, ffhq, lsun/CLASS, digits.
        task: generate (a GAN), autoencode (a VAE) or semi-supervised (a classifier); for pictures of pictures paired,
            unpaired, superres, inpaint or colorize. Without it the recipe decides.
        recipe: Named settings; auto chooses from the data and the machine.
        start_from: A trained run, or a file of its weights, whose weights and settings to begin with.
        out: The run's folder; without it runs/<data>-<recipe>-<n>.
        size: Pixels a side, as 64; or width x height, as 96x64.
        images: Stop after so many images seen: 5000, 500k, 1.5M.
        time: Stop after so much time: 90s, 10m, 2h.
        batch: Pictures a round.
        seed: Of all the run's dice.
        device: Where to compute.
        precision: The arithmetic of the networks.
        procs: Processes on this machine; they change the speed and, without BatchNorm, nothing else.
        on_trouble: What to do when the run notices that it goes wrong: say so, or also save and stop (exit status 5).
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
        on_trouble=on_trouble,
        set=[assignment for group in set for assignment in group],
        start_from=start_from,
        say=terminal.say,
    )
    terminal.show_plan(planned)
    if dry_run:
        if json:
            print_json({"settings": to_dict(planned.settings), "reasons": planned.reasons})
        else:
            terminal.say(to_toml(planned.settings), terminal.output)
        return
    _play(lambda **watch: api.start(planned, out=out, **watch), planned.settings.training.stop, json)


def resume(
    run: Annotated[str, Positional, arg(metavar="RUN")],
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
    if done.journal[-1:] == before and not is_worker():
        terminal.say(f"There was nothing left to do; to go on: ganvas resume {run} --images +200k (or --time +10m)")


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
        run = begin(on_tick=print_json, say=terminal.say)
    else:
        with terminal.Progress(stop.images, stop.seconds).shown() as progress:
            run = begin(on_tick=progress.on_tick, on_round=progress.on_round, say=terminal.say)
    last = (run.journal or [{}])[-1]
    if json:
        print_json({"run": str(run.path), "reason": run.reason} | {key: last.get(key) for key in ("images", "seconds")})
    reasons = {"images": "all images seen", "time": "time is up", "plateau": "the score no longer improves"}
    if os.environ.get("RANK", "0") == "0" and not is_worker():
        terminal.say(f"Done ({reasons[run.reason]}): {run.path / 'summary.html'}")
    return run
