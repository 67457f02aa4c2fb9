"""Training from Python: plan, train, resume. The command line calls the same functions."""

import dataclasses
import errno
import json
import logging
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas import data as data_room
from ganvas import recipes, tasks
from ganvas.core import errors, files
from ganvas.core.quantities import parse_count, parse_duration, say_count, say_duration
from ganvas.core.settings import from_dict, to_dict, to_toml
from ganvas.core.sizes import Size
from ganvas.inference.generator import Generator
from ganvas.inference.loading import ONNX, load
from ganvas.inference.loading import found as file_of
from ganvas.inference.summary import write_summary
from ganvas.inference.translator import Translator
from ganvas.pace import measured_length, needs_pace
from ganvas.recipes.auto import Plan
from ganvas.recipes.auto import plan as choose_plan
from ganvas.recipes.wishes import Wishes
from ganvas.tasks.beginning import open_source
from ganvas.training import checkpoints
from ganvas.training.clock import Clock
from ganvas.training.folder import RunFolder, check_free, not_writable
from ganvas.training.journal import Tick, read
from ganvas.training.processes import Processes, launch
from ganvas.training.trainer import Trainer

Say = Callable[[str], None]
_WATCHED_BY = 1_000  # pictures of a test part

_log = logging.getLogger("ganvas")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as it stands. reason: why it stopped: "images", "time" or "plateau"."""

    path: Path
    reason: str

    @property
    def journal(self) -> list[Tick]:
        """The lines of the journal, oldest first."""
        return read(RunFolder(self.path).journal)

    def load(self) -> Generator | Translator:
        """The run's generator, or translator, ready for use."""
        return load(self.path)


def plan(
    data: str | Path,
    *,
    task: str | None = None,
    recipe: str = "auto",
    size: int | str | Size | None = None,
    images: int | str | None = None,
    time: float | str | None = None,
    batch: int | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    procs: int = 1,
    on_trouble: str = "note",
    set: Sequence[str] | Mapping[str, Any] = (),
    start_from: str | Path | None = None,
    say: Say = _log.warning,
) -> Plan:
    """What `train` with the same arguments would do, and why; nothing is written.

    task: that of the recipe, which None leaves to it. size: 64, or "96x64" for pictures 96 pixels wide and 64 high.
    on_trouble: "note" or "stop": what a finding of the watch does.
    set: any settings, as {"generator.width": 48} or as ["generator.width=48"]. start_from: a trained run, or what else
    `load` takes but ONNX files, with whose weights and settings to begin.
    Raises UsageError for an argument that cannot be meant, DataError for data that cannot be read.
    """
    if task is not None:
        tasks.task(task)  # a name that does not exist is answered before the data is read
    source = None if start_from is None else open_source(_source(start_from))
    usual_task = "generate" if source is None else source.task
    own_task = usual_task if recipe == "auto" else recipes.task_of(recipe)
    if recipe != "auto" and task not in (None, own_task):
        others = " or ".join(dict.fromkeys(recipes.FOR_TASK.get(task or "", ("auto",))))
        raise errors.UsageError(f"The recipe {recipe} is for the task {own_task}, not {task}: take {others}")
    if isinstance(set, Mapping):
        set = [f"{name}={json.dumps(value)}" for name, value in set.items()]  # which TOML reads as well
    wishes = Wishes(
        recipe=recipe,
        task=task or own_task,
        size=None if size is None else Size.of(size),
        images=None if images is None else parse_count(images),
        seconds=None if time is None else parse_duration(time),
        batch=batch,
        seed=seed,
        device=device,
        precision=precision,
        procs=procs,
        on_trouble=on_trouble,
        assignments=tuple(set),
        source=source,
    )
    look = data_room.survey_paired if wishes.task == "paired" else data_room.survey
    return choose_plan(look(data, say=say), wishes)


def _source(what: str | Path) -> str:
    """A run's folder as it is; of anything else that `load` takes the file that holds the network.

    Raises UsageError for an ONNX file.
    """
    if (Path(what) / "settings.toml").is_file():
        return str(what)
    file = file_of(what)
    if file.suffix.lower() == ONNX:
        raise errors.UsageError(
            f"{what}: ONNX files are drawn and not trained on. Begin from its run, or from a .safetensors file"
        )
    return str(file)


def train(
    data: str | Path,
    *,
    out: str | Path | None = None,
    on_tick: Callable[[Tick], Any] | None = None,
    on_round: Callable[[Clock], Any] | None = None,
    say: Say = _log.warning,
    **choices: Any,
) -> Run:
    """Train on a folder, an archive or a named set of pictures, and return the run.

    out: the run's folder; None takes runs/<data>-<recipe>-<n>. on_tick: called with each line of the journal, a
    dictionary. on_round: called with the clock after each round, say: with sentences for a person; with procs above 1
    on_round is not called and sentences go to standard error.
    choices: the arguments of `plan`: task, recipe, size, images ("500k"), time ("20m"), batch, seed, device, precision,
    procs, on_trouble, set ({"generator.width": 48}), start_from ("runs/other-1").
    Raises UsageError, DataError, MemoryExhausted, Diverged; and after saving: Troubled, if the watch was to stop the
    run, and Interrupted, on Ctrl-C.
    """
    planned = plan(data, say=say, **choices)
    return start(planned, out=out, on_tick=on_tick, on_round=on_round, say=say)


def start(
    planned: Plan,
    *,
    out: str | Path | None = None,
    on_tick: Callable[[Tick], Any] | None = None,
    on_round: Callable[[Clock], Any] | None = None,
    say: Say = _log.warning,
) -> Run:
    """Carry out a plan, in a new run folder. Arguments and errors are those of `train`."""
    chosen = planned.settings

    def create() -> RunFolder:
        if out is not None:
            return RunFolder.create(Path(out), to_toml(chosen))
        name = re.sub(r"[^\w.-]+", "-", planned.data).strip("-.") or "data"
        return RunFolder.create_next(Path("runs"), f"{name}-{chosen.recipe}", to_toml(chosen))

    if chosen.training.procs > 1:
        return _play_in_workers(create(), chosen, on_tick)
    if out is not None:
        check_free(Path(out))
    processes = Processes()
    dataset, unseen = _open(chosen, processes, say)  # before the folder: data that cannot be read leaves nothing
    if needs_pace(chosen):
        length = measured_length(chosen, dataset)
        say(f"At the speed here, what falls over the run does so over {say_count(length)} images")
        chosen = chosen.lasting(length)
    game = tasks.task(chosen.task)(chosen, dataset, unseen)
    begun = game.begin()  # before the folder as well: a source that is gone leaves nothing
    run = create()
    return _play(run, chosen, dataset, game, processes, on_tick, on_round, say, begun)


def resume(
    run: str | Path,
    *,
    images: int | str | None = None,
    time: float | str | None = None,
    on_tick: Callable[[Tick], Any] | None = None,
    on_round: Callable[[Clock], Any] | None = None,
    say: Say = _log.warning,
) -> Run:
    """Continue a run bit for bit from its newest whole checkpoint, as if it had never stopped.

    images, time: a new goal, or with a leading "+" so much more than the old one. Errors are those of `train`.
    """
    folder, chosen = with_goals(run, images=images, time=time)
    return continue_run(folder, chosen, on_tick=on_tick, on_round=on_round, say=say)


def with_goals(
    run: str | Path, *, images: int | str | None = None, time: float | str | None = None
) -> tuple[RunFolder, Any]:
    """An existing run and its settings, with new goals where they are given; those are written to the run."""
    folder = RunFolder.open(run)
    values = folder.read_settings()
    kind = tasks.task(str(values.get("task", "generate"))).Settings
    chosen = from_dict(kind, values)
    if images is None and time is None:
        return folder, chosen
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise errors.UsageError(
            "Each of several processes would change the run's goals. Change them first, with one: "
            f"ganvas resume {run} --images ... (Ctrl-C once it trains), or in {folder.settings}"
        )
    goals = to_dict(chosen.training.stop)
    found = checkpoints.newest_info(folder.checkpoints)
    clock = Clock(**found["clock"]) if found else Clock()
    if images is not None:
        base = goals.get("images", clock.images) if str(images).startswith("+") else 0
        goals["images"] = base + parse_count(str(images).removeprefix("+"))
    if time is not None:
        base = goals.get("seconds", clock.seconds) if str(time).startswith("+") else 0.0
        goals["seconds"] = base + parse_duration(str(time).removeprefix("+"))
    # A run that has reached one goal and is given more of the other must not stop for the first at once.
    if images is None and goals.get("images", clock.images + 1) <= clock.images:
        del goals["images"]
    if time is None and goals.get("seconds", clock.seconds + 1) <= clock.seconds:
        del goals["seconds"]
    best = found["scores"].get("best_images") if found else None
    if best is not None and clock.images - best >= goals.get("plateau", math.inf):
        del goals["plateau"]
    values.setdefault("training", {})["stop"] = goals
    chosen = from_dict(kind, values)
    with folder.locked():
        files.write_text(folder.settings, to_toml(chosen))
    return folder, chosen


def continue_run(
    folder: RunFolder,
    chosen: Any,
    *,
    on_tick: Callable[[Tick], Any] | None = None,
    on_round: Callable[[Clock], Any] | None = None,
    say: Say = _log.warning,
) -> Run:
    """Carry on with a run from its newest whole checkpoint. Arguments and errors are those of `train`."""
    if chosen.training.procs > 1 and "WORLD_SIZE" not in os.environ:
        return _play_in_workers(folder, chosen, on_tick)
    processes = Processes.join()
    say = say if processes.leads else _silent
    try:
        dataset, unseen = _open(chosen, processes, say)
        game = tasks.task(chosen.task)(chosen, dataset, unseen)
        begun = [] if checkpoints.everything(folder.checkpoints) else game.begin()
        return _play(folder, chosen, dataset, game, processes, on_tick, on_round, say, begun)
    finally:
        processes.leave()


def _open(chosen: Any, processes: Processes, say: Say) -> tuple[data_room.Dataset, data_room.Dataset | None]:
    """The data, and some that training does not see; the leading process first, as it may have to build a cache."""
    where = chosen.data
    if not processes.leads:
        processes.wait()
    memory = 0 if processes.count > 1 else None  # several processes map one cache, and none holds a copy
    dataset = where.opened(where.where, threads=where.threads, memory=memory, say=say)
    if processes.leads:
        processes.wait()
    for sentence in data_room.few_in_class(dataset, where.held_out) if where.conditional else ():
        say(f"Little to learn from: {sentence}; to train without classes: --set data.classes=[]")
    unseen = _open_test_part(where, say) if processes.leads and where.test is not None else None
    return dataset, unseen


def _open_test_part(where: Any, say: Say) -> data_room.Dataset | None:
    """Some real pictures that training does not see; a run goes on without them where they cannot be had."""
    try:
        found = where.opened(where.test, most=_WATCHED_BY, say=say)
        if where.classes and found.classes != where.classes:
            raise errors.DataError(f"{where.test} has other classes than the networks know")
    except errors.DataError as error:
        say(f"The run is not watched by pictures it has not seen: {error}")
        return None
    return found


def _play(
    run: RunFolder,
    chosen: Any,
    dataset: data_room.Dataset,
    game: Any,
    processes: Processes,
    on_tick: Callable[[Tick], Any] | None,
    on_round: Callable[[Clock], Any] | None,
    say: Say,
    begun: Sequence[str],
) -> Run:
    if not processes.leads:
        return _trained(Trainer(game, chosen.training, run, processes=processes, fingerprint=dataset.fingerprint))
    with run.locked():
        trainer = Trainer(
            game,
            chosen.training,
            run,
            processes=processes,
            fingerprint=dataset.fingerprint,
            on_tick=on_tick,
            on_round=on_round,
            say=say,
        )
        for sentence in begun:
            trainer.recorder.note(sentence)
        if dataset.report.set_aside:
            trainer.recorder.note("\n".join(dataset.report.lines()))
        return _trained(trainer)


def _trained(trainer: Trainer) -> Run:
    path = trainer.run.path
    try:
        reason = trainer.train()
        if trainer.processes.leads:
            write_summary(trainer.run)
    except KeyboardInterrupt:
        raise errors.Interrupted(f"Broken off; what was saved last is kept. Continue: ganvas resume {path}") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES):
            raise  # a pipe that closed, or whatever on_tick does
        raise not_writable(path, error) from None
    if reason == "interrupted":
        seen = f"{say_count(trainer.clock.images)} images, {say_duration(trainer.clock.seconds)}"
        raise errors.Interrupted(f"Interrupted and saved after {seen}. Continue: ganvas resume {path}")
    if reason == "trouble":
        found = ", ".join(read(trainer.run.journal)[-1].get("health", []))  # all processes know it from there
        raise errors.Troubled(
            f"Stopped and saved after {say_count(trainer.clock.images)} images, as --on-trouble stop asks: {found}. "
            f"To go on all the same: ganvas resume {path}"
        )
    return Run(path, reason)


def _play_in_workers(run: RunFolder, chosen: Any, on_tick: Callable[[Tick], Any] | None) -> Run:
    """Run the processes on this machine; each does what `ganvas resume` does and finds its rank in its environment."""
    reason, told = "images", dict[int, str]()

    def read_line(text: str) -> None:
        nonlocal reason
        line = json.loads(text)
        reason = line.get("reason", reason)
        if "error" in line:
            told.setdefault(line["status"], line["error"])
        if "terms" in line and on_tick is not None:
            on_tick(line)

    statuses = launch(["-m", "ganvas", "resume", str(run.path), "--json"], chosen.training.procs, read_line)
    if not any(statuses):
        return Run(run.path, reason)
    # One worker's trouble is another's lost connection: the kinds that Ganvas knows say what it was.
    kinds = (
        errors.MemoryExhausted,
        errors.Troubled,
        errors.Diverged,
        errors.DataError,
        errors.UsageError,
        errors.Interrupted,
    )
    kind = next((kind for kind in kinds if kind.exit_status in statuses), errors.GanvasError)
    status = kind.exit_status if kind.exit_status in statuses else next(filter(None, statuses))
    message = f"A worker process ended with status {status}. Continue: ganvas resume {run.path}"
    raise kind(told.get(status, message))


def _silent(_sentence: str) -> None:
    """Say nothing: in all but the leading process."""
