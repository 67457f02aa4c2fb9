"""The trainer: rounds of moves, for any game."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from ganvas.core.devices import is_out_of_memory, keep_freed_memory
from ganvas.core.errors import DataError, Diverged, MemoryExhausted
from ganvas.core.settings import settings
from ganvas.training import checkpoints, health, sentinel, state
from ganvas.training.averages import Averages, AverageSettings
from ganvas.training.clock import Clock, crossed
from ganvas.training.clock import seconds as working_seconds
from ganvas.training.folder import RunFolder, not_writable
from ganvas.training.journal import Tick, read
from ganvas.training.lanes import Lanes, has_batch_norm, lane_count
from ganvas.training.players import Batch, Player, Task
from ganvas.training.processes import Processes
from ganvas.training.recorder import Recorder
from ganvas.training.signs import Signs
from ganvas.training.stopping import Stop, StopSettings

Count = Annotated[int, Field(ge=1)]

# However slow a run is, it does not wait longer, in seconds, to report, to show pictures, to save.
_LONGEST_TICK, _LONGEST_PREVIEW, _LONGEST_CHECKPOINT = 30, 600, 120
_WORTH_A_SCORE = 20  # seconds of training after which a run's end is scored
_SCORING, _SCORING_ANYHOW = 0.05, 1.0  # scores wait while they have taken more than this part of the time, in seconds


@settings
class TrainingSettings:
    """How a game is played, whatever the game. Counts are images of the global batch."""

    seed: Annotated[int, Field(ge=0)] = 0
    batch: Count = 64
    micro_batch: Count | None = None  # most rows that a lane works on at once; None: all of them
    lanes: Count = 2  # parts of a batch worked on side by side, on a CPU and without BatchNorm; elsewhere one
    device: str = "cpu"
    precision: Literal["float32", "bfloat16", "float64"] = "float32"
    procs: Count = 1
    stop: StopSettings = StopSettings()
    average: AverageSettings = AverageSettings()
    tick: Count = 5_000  # images between lines of the journal, or 30 s
    preview: Count = 25_000  # images between sample grids, or 10 minutes
    checkpoint: Count = 25_000  # images between checkpoints, or 2 minutes
    score: Count = 100_000  # images between scores; more where they would take over a twentieth of the time
    on_trouble: Literal["note", "stop"] = "note"  # whether a finding of the watch ends the run
    tensorboard: Literal["auto", "on", "off"] = "auto"  # auto: where its package is installed


class Trainer:
    """Plays a task's game in a run folder until it is told to stop."""

    def __init__(
        self,
        task: Task,
        chosen: TrainingSettings,
        run: RunFolder,
        *,
        processes: Processes,
        fingerprint: str,
        on_tick: Callable[[Tick], Any] | None = None,
        on_round: Callable[[Clock], Any] | None = None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """Set up a run, from its newest whole checkpoint where it has one.

        fingerprint: of the data. on_tick: called with each line of the journal, on_round with the clock, both in the
        leading process only. say: called with sentences for a person.
        Raises DataError if the checkpoints are damaged beyond use, or belong to other data or networks.
        """
        self.task, self.chosen, self.run, self.processes = task, chosen, run, processes
        self.fingerprint = fingerprint
        self.clock = Clock()
        self.averages = Averages(task.averaged, chosen.average)
        device, networks = next(task.players[0].networks.parameters()).device, [p.networks for p in task.players]
        self._has_batch_norm = has_batch_norm(networks)
        self.lanes = Lanes(lane_count(chosen.lanes, chosen.batch, device, networks), chosen.batch, processes)
        self.micro_batch = min(chosen.micro_batch or chosen.batch, self.lanes.longest)
        self._fitting: int | None = None  # the micro-batch that memory allowed, once it did not allow all
        self.slowdown = 1.0  # what retreats have multiplied the learning rates by
        self.retreats = 0
        self._owes_score = False
        self._late = device.type != "cpu"
        self._threads = torch.get_num_threads()
        self.sentinel = sentinel.Sentinel(late=self._late)
        buffers = (buffer for player in task.players for buffer in player.networks.buffers())
        self._statistics = [buffer for buffer in buffers if buffer.is_floating_point()]  # BatchNorm's, for example
        self.stop = Stop(chosen.stop, processes)
        self._say, self._on_round = say, on_round
        found: list[str] = []
        self._continued = self._load(found.append)
        self.recorder = Recorder(task, run, self.clock, chosen.tensorboard, processes, on_tick)
        self.signs = Signs(task, self.clock)
        self.watch = health.Watch(read(run.journal))
        self._ticked = self.clock.seconds
        for sentence in found:
            self._notice(sentence)
        if processes.count > 1 and self._has_batch_norm:
            self._notice(
                "BatchNorm sees each process's part of the batch alone, so this run differs from one with another "
                f"number of processes; networks without it ({self._without_batch_norm}) do not"
            )

    @property
    def _without_batch_norm(self) -> str:
        """The settings that take it out of each network that has it; networks of two directions share theirs."""
        roles = [
            role.removesuffix("_back")
            for player in self.task.players
            for role, network in player.networks.items()
            if has_batch_norm([network])
        ]
        return ", ".join(f"{role}.norm=none" for role in dict.fromkeys(roles))

    def train(self) -> str:
        """Play rounds until a reason to stop; save; and return that reason, as `stopping` names them.

        Raises Diverged after too many retreats, MemoryExhausted if not even single rows fit into memory.
        """
        keep_freed_memory()
        with self.stop.listening(), self.lanes.open():
            if not self._continued:
                self._save()
            if self.processes.leads:
                self._look({})  # what the first line of this session is compared with
            counted = working_seconds()
            while True:
                try:
                    if (reason := self.stop.reason(self.clock)) is not None:
                        self._raise_if(self.sentinel.settle())
                        self._finish(scored=reason != "interrupted")
                        return reason
                    self._round()
                    before, now = self.clock, working_seconds()
                    self.clock, counted = before.advanced(self.chosen.batch, now - counted), now
                    self._after_round(before)
                except sentinel.NotFinite as seen:
                    self._retreat(str(seen))

    def _round(self) -> None:
        """One round of the game."""
        clock = self.clock
        for player in self.task.players:
            if clock.images < player.after:
                continue
            for move in range(player.moves):
                player.begin_move()
                self._gradients(player, move)
                gradients = player.gradients()
                self.processes.sum_in_place(gradients)
                norm = sentinel.total_norm(gradients)
                self.sentinel.watch(f"the {player.name}'s gradient", norm)
                self.signs.add_gradient(player.name, norm)
                optimizer = player.optimizer_settings
                player.step(self.slowdown * optimizer.rate(clock.images), norm, optimizer.betas_after(clock.images))
            self.sentinel.watch_weights(f"the {player.name}'s weights", player.networks)
        self.processes.average_in_place(self._statistics)
        self.averages.update(clock.images + self.chosen.batch, self.chosen.batch)
        self._raise_if(self.sentinel.close_round())

    def _raise_if(self, bad: list[str]) -> None:
        """Raises NotFinite, in all processes, if any of them saw something bad."""
        if self.processes.largest(bool(bad))[0]:
            raise sentinel.NotFinite(" and ".join(bad[:2]) or "another process's work")

    def _gradients(self, player: Player, move: int) -> None:
        """Leave the gradients of a move in the player's weights; halve the micro-batch until they fit into memory."""
        while True:
            try:
                for other in self.task.players:
                    other.let_learn(other is player)
                batch = self.task.draw(player, move, self.clock, self.lanes.rows)
                done = _sum_in_pairs(self.lanes.map(partial(self._descent, player, batch)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve_micro_batch()
            else:
                break
        player.take_gradients(done.gradients)
        for name, value in done.terms.items():
            self.sentinel.watch(f"the {player.name}'s {name} term", value)
            self.recorder.add_term(f"{player.name}/{name}", value)

    def _descent(self, player: Player, batch: Batch, rows: slice) -> "_Descent":
        """Which way to go by these rows' part of the terms; rows that are too many are halved."""
        count = rows.stop - rows.start
        if count > self.micro_batch:
            middle = rows.start + -(-count // 2)
            halves = (slice(rows.start, middle), slice(middle, rows.stop))
            return _sum_in_pairs([self._descent(player, batch, half) for half in halves])
        terms = player.objective(batch.rows(rows.start, rows.stop), self.clock)
        share = count / self.chosen.batch
        total = sum(terms.values(), torch.zeros(())) * share
        gradients = torch.autograd.grad(total, player.parameters(), allow_unused=True)
        return _Descent(list(gradients), {name: value.detach() * share for name, value in terms.items()})

    def _halve_micro_batch(self) -> None:
        if self.micro_batch == 1:
            narrower = f"narrower networks (--set {self.task.narrower}), " if self.task.narrower else ""
            raise MemoryExhausted(
                "Out of memory with a single picture at a time; the last checkpoint is kept. "
                f"Try a smaller --size, {narrower}or a smaller --batch"
            )
        self.micro_batch = self._fitting = -(-self.micro_batch // 2)
        same = "but what compares them sees fewer at once, so that the run takes another course from here"
        if not self._has_batch_norm and not self.task.compares_rows:
            same = "the gradients are those of the whole batch as before"
        self._notice(
            f"Out of memory: going on with at most {self.micro_batch} pictures at a time, half of before; {same}"
        )

    def _after_round(self, before: Clock) -> None:
        def due(interval: int) -> bool:
            return crossed(before.images, self.clock.images, interval)

        self._owes_score |= due(self.chosen.score)
        late_tick, late_preview, late_checkpoint, score_due = self.processes.largest(
            self.clock.seconds - self._ticked >= _LONGEST_TICK,
            *(crossed(before.seconds, self.clock.seconds, wait) for wait in (_LONGEST_PREVIEW, _LONGEST_CHECKPOINT)),
            self._owes_score and self.processes.leads and self._has_time_to_score,
        )
        if self._on_round is not None and self.processes.leads:
            self._on_round(self.clock)
        tick_due, preview_due = late_tick or due(self.chosen.tick), late_preview or due(self.chosen.preview)
        save_due = late_checkpoint or due(self.chosen.checkpoint)
        if tick_due or score_due or preview_due or save_due:
            self._raise_if(self.sentinel.settle())
        best = bool(score_due) and self._score()
        if preview_due:
            self._preview()
        if tick_due:
            self._tick()
        if best or save_due:
            self._save()

    @property
    def _has_time_to_score(self) -> bool:
        return self.stop.scores.seconds <= max(_SCORING_ANYHOW, _SCORING * self.clock.seconds)

    def _score(self) -> bool:
        """Score the averages, in the leading process, and say to all processes whether this is the best so far."""
        self._owes_score = False
        name, value, started = "", None, working_seconds()
        if self.processes.leads:
            with self._going_on("This score"):
                if (scored := self.task.score(self.averages.networks)) is not None:
                    name, value = scored
                    self.recorder.score(self.clock, self.chosen.score, name, value)
        self.stop.scores.seconds += working_seconds() - started
        another = self.processes.of_leader(float(name != self.stop.scores.name))
        value = self.processes.of_leader(value)
        if value is not None:
            self.stop.scores.add(self.clock.images, name, value, another=bool(another))
        return self.stop.scores.best_images == self.clock.images

    def _preview(self) -> None:
        with self._going_on("This sample grid"):
            self.recorder.preview(self.averages.networks, self.clock, self.chosen.preview)

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """Let what is only looked at fail for want of memory or disk, with a note, while training goes on."""
        try:
            yield
        except (OSError, RuntimeError, MemoryError) as error:
            if not isinstance(error, OSError) and not is_out_of_memory(error):
                raise
            self._notice(f"{what} was left out after {self.clock.images} images: {error}. Training goes on")

    def _tick(self) -> None:
        self._ticked = self.clock.seconds
        self.recorder.tick(self.clock, self.stop.scores, self.slowdown, self._look_and_tell)

    def _look(self, line: Tick) -> None:
        """Add the signs since the line before to a line of the journal."""
        with self._going_on("This look at the run's health"):
            signs = self.signs.take(self.clock, self.slowdown)
            line["signs"] = {name: float(f"{value:.4g}") for name, value in signs.items()}

    def _look_and_tell(self, line: Tick) -> None:
        """Add the signs to a line of the journal, and tell what the watch finds in them."""
        self._look(line)
        for finding in self.watch.read(line):
            self._notice(f"{finding}")
            self.stop.troubled |= self.chosen.on_trouble == "stop"
        if self.watch.active:
            line["health"] = [finding.name for finding in self.watch.active]

    def _finish(self, *, scored: bool) -> None:
        """Record and save what has been done since the last tick and the last checkpoint."""
        worth_it = self.processes.largest(self.clock.seconds >= _WORTH_A_SCORE)[0]
        if scored and worth_it and self.stop.scores.images != self.clock.images:
            self._score()
        self._preview()
        self._tick()
        self.recorder.complete(self.stop.scores)
        self._save()
        self.recorder.close()

    def _retreat(self, seen: str) -> None:
        """Go back to the last checkpoint with lower learning rates, at most MOST_RETREATS times in a run."""
        at, slowdown, retreats = self.clock.images, self.slowdown, self.retreats + 1
        if retreats > sentinel.MOST_RETREATS:
            raise Diverged(
                f"Training diverged: after {at} images {seen} was not finite, also after {sentinel.MOST_RETREATS} "
                f"restarts with lower learning rates. `{self.run.use}` shows the last good state.\n"
                "Try lower learning rates, or a recipe with a penalty: --set loss.r1.weight=1"
            )
        self.sentinel = sentinel.Sentinel(late=self._late)
        self._load(self._notice)
        self.slowdown, self.retreats = min(self.slowdown, slowdown) * sentinel.SLOWER, retreats
        self.recorder.rewind(self.clock)
        if self.processes.leads:
            self._look({})
        self.watch = health.Watch(read(self.run.journal))
        self._ticked = self.clock.seconds
        self._notice(
            f"After {at} images {seen} was not finite (NaN or infinity): back to {self.clock.images} images with the "
            f"learning rates times {self.slowdown:g} (restart {retreats} of {sentinel.MOST_RETREATS})"
        )

    def _save(self) -> None:
        """Raises DataError if the run's folder does not take it."""
        fitting = -self.processes.largest(-(self._fitting or float("inf")))[0]
        if self.processes.leads:
            best = self.stop.scores.best_images
            info = {
                "clock": vars(self.clock),
                "slowdown": self.slowdown,
                "retreats": self.retreats,
                "micro_batch": None if math.isinf(fitting) else int(fitting),
                "scores": self.stop.scores.as_dict(),
                "fingerprint": self.fingerprint,
                "threads": self._threads,
            }
            tensors = state.named_tensors(self.task.players, self.averages)
            try:
                checkpoints.save(self.run.checkpoints, self.clock.images, tensors, info)
                checkpoints.keep(self.run.checkpoints, best)
                self.recorder.publish(self.averages.networks, self.clock)
            except OSError as error:
                raise not_writable(self.run.path, error) from error
        self.processes.wait()

    def _load(self, say: Callable[[str], None]) -> bool:
        """Take up the newest whole checkpoint, where there is one, and say whether there was."""
        if not self.processes.leads:
            self.processes.wait()  # the leader goes first: it may have to set a damaged checkpoint aside
        found = checkpoints.newest(self.run.checkpoints, say)
        if self.processes.leads:
            self.processes.wait()
        self.processes.wait()  # and writes no new one before all have read
        if found is None:
            use = self.run.use
            if use is not None or self.run.journal.exists():
                raise DataError(
                    f"{self.run.path} has been trained, but {self.run.checkpoints} holds no whole checkpoint any more. "
                    "Put the checkpoints back to continue it, or train a new run"
                    + (f"; what it learned can still be used: {use}" if use is not None else "")
                )
            return False
        tensors, info = found
        if info["fingerprint"] != self.fingerprint:
            raise DataError(
                f"The data is not what {self.run.path} was trained on (its pictures, their order or their classes "
                "changed). Put it back as it was, or start a new run"
            )
        if info["threads"] != self._threads:
            say(
                f"The run was trained with {info['threads']} threads and goes on with {self._threads}: sums are "
                f"rounded otherwise, and it is not the same bit for bit; OMP_NUM_THREADS={info['threads']} keeps it so"
            )
        state.restore(tensors, self.task.players, self.averages)
        self.clock = Clock(**info["clock"])
        self.slowdown, self.retreats = info["slowdown"], info["retreats"]
        self._fitting = min(filter(None, (info["micro_batch"], self._fitting)), default=None)
        self.micro_batch = min(self.micro_batch, self._fitting or self.micro_batch)
        self.stop.scores.restore(info["scores"])
        return True

    def _notice(self, sentence: str) -> None:
        """Tell a person, and leave a note in the run."""
        if self.processes.leads:
            self.recorder.note(sentence)
            self._say(sentence)


@dataclass(frozen=True)
class _Descent:
    """The gradients of some rows of a batch, one for each parameter or None, and their shares of the terms."""

    gradients: list[torch.Tensor | None]
    terms: dict[str, torch.Tensor]

    def plus(self, other: "_Descent") -> "_Descent":
        pairs = zip(self.gradients, other.gradients, strict=True)
        gradients = [mine if its is None else its if mine is None else mine + its for mine, its in pairs]
        return _Descent(gradients, {name: value + other.terms[name] for name, value in self.terms.items()})


def _sum_in_pairs(parts: Sequence[_Descent]) -> _Descent:
    """The sum, in an order that leaves each half of the parts a sum of its own."""
    if len(parts) == 1:
        return parts[0]
    middle = -(-len(parts) // 2)
    return _sum_in_pairs(parts[:middle]).plus(_sum_in_pairs(parts[middle:]))
