"""What people see in the terminal: the plan, one progress line, sentences, errors. All of it goes to stderr."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ganvas.core.quantities import say_count, say_duration

if TYPE_CHECKING:
    from ganvas.recipes.auto import Plan
    from ganvas.training.clock import Clock

_WIDTH = 160  # letters a line where there is no terminal
console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH)
# For what a command was asked for, so that it can be piped.
output = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
_REFRESH = 0.25  # seconds between two drawings of the progress line
_SELDOM = 30.0  # the same where each is a line that stays
_BAR = 24  # letters of a bar


def say(sentence: str, to: Console = console) -> None:
    """Print a sentence for a person."""
    to.print(_text(sentence), soft_wrap=True)


def _text(words: str) -> Text:
    """Words as they are, but for control characters, which names of files may hold and a terminal would obey."""
    return Text("".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in words))


def show_error(message: str) -> None:
    """Print an error: what, where, what to do."""
    console.print(Text("error: ", style="bold red") + _text(message), soft_wrap=True)


def show_table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...] = (), to: Console = console) -> None:
    """Print rows in aligned columns."""
    table = Table(box=None, show_header=bool(heads), padding=(0, 2, 0, 0), header_style="dim")
    for number in range(len(rows[0]) if rows else len(heads)):
        table.add_column(heads[number] if heads else "", overflow="fold")
    for row in rows:
        table.add_row(*(_text(str(cell)) for cell in row))
    to.print(table)


def show_plan(plan: "Plan") -> None:
    """Print what a run will do and why."""
    show_table([(what, choice, reason) for what, choice, reason in plan.reasons])


class Progress:
    """One line that tells how a run goes: images, speed, terms, score, time left."""

    def __init__(self, images: int | None, seconds: float | None) -> None:
        """images, seconds: the goals of the run, None where there is none."""
        self._images, self._seconds = images, seconds
        self._live: Live | None = None
        self._drawn = 0.0
        self._marks: list[tuple[float, int]] = []
        self._tick: dict[str, Any] = {}

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        """Within the block the line is on the screen; where there is no terminal, each tick prints a line."""
        if not console.is_terminal:
            yield self
            return
        with Live(console=console, auto_refresh=False, transient=False, redirect_stdout=False) as self._live:
            yield self

    def on_round(self, clock: "Clock") -> None:
        """Redraw the line, at most a few times a second."""
        now = time.monotonic()
        if now - self._drawn < _REFRESH:
            return
        self._drawn = now
        self._marks = [*(mark for mark in self._marks[-60:] if now - mark[0] < 10), (now, clock.images)]
        self._draw(clock.images, clock.seconds)

    def on_tick(self, tick: dict[str, Any]) -> None:
        """Take up new terms; print a line of its own where there is no terminal."""
        self._tick = tick
        if self._live is None:
            say(self._line(tick["images"], tick["seconds"]))
        else:  # of several processes, ticks are all that is seen here
            self._draw(tick["images"], tick["seconds"])

    def _draw(self, images: int, seconds: float) -> None:
        if self._live is not None:
            self._live.update(Text(self._line(images, seconds), overflow="ellipsis", no_wrap=True))
            self._live.refresh()

    def _line(self, images: int, seconds: float) -> str:
        speed = self._speed()
        goal = f"/{say_count(self._images)}" if self._images else ""
        parts = [f"{say_count(images)}{goal} images", f"{speed:.0f} images/s" if speed else ""]
        terms = self._tick.get("terms", {})
        parts += [f"{_short(name)} {value:.3g}" for name, value in terms.items()]
        parts += self._score()
        left = self._left(images, seconds, speed)
        parts.append(f"{say_duration(left)} left" if left is not None else f"{say_duration(seconds)} so far")
        return " · ".join(part for part in parts if part)

    def _score(self) -> list[str]:
        """The latest score, and of when it is if it is not of now."""
        score = self._tick.get("score", {})
        scored = score.get("images", self._tick.get("images"))
        when = "" if scored == self._tick.get("images") else f" at {say_count(scored)}"
        return [f"{name} {value:.3g}{when}" for name, value in list(score.items())[:1]]

    def _speed(self) -> float:
        if len(self._marks) > 1 and self._marks[-1][0] > self._marks[0][0]:
            return (self._marks[-1][1] - self._marks[0][1]) / (self._marks[-1][0] - self._marks[0][0])
        return float(self._tick.get("images_per_second", 0.0))

    def _left(self, images: int, seconds: float, speed: float) -> float | None:
        lefts = []
        if self._seconds is not None:
            lefts.append(max(0.0, self._seconds - seconds))
        if self._images is not None and speed:
            lefts.append(max(0.0, (self._images - images) / speed))
        return min(lefts) if lefts else None


class FilesProgress:
    """One line that tells how far the work on many files is, and on the one at hand."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._drawn = self._began = time.monotonic()

    @contextmanager
    def shown(self) -> Iterator["FilesProgress"]:
        """Within the block the line is on the screen; without a terminal it is printed, at most twice a minute."""
        if not console.is_terminal:
            yield self
            return
        with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as self._live:
            yield self

    def tell(self, number: int, count: int, name: str, part: float) -> None:
        """The file's number from 1, of how many, its name, and how much of it is done, 0 to 1."""
        now = time.monotonic()
        if now - self._drawn < (_REFRESH if self._live is not None else _SELDOM):
            return
        self._drawn = now
        done = (number - 1 + part) / count
        filled = round(_BAR * done)
        left = f"{say_duration((now - self._began) * (1 - done) / done)} left" if done else ""
        parts = [f"{'━' * filled}{'╌' * (_BAR - filled)} {done:.0%}", f"{number}/{count}", f"{name} {part:.0%}", left]
        line = _text(" · ".join(part for part in parts if part))
        if self._live is None:
            console.print(line, soft_wrap=True)
            return
        line.truncate(console.width, overflow="ellipsis")
        self._live.update(line)
        self._live.refresh()


def _short(name: str) -> str:
    """discriminator/r1 -> D r1; generator/adversarial -> G."""
    player, _, term = name.partition("/")
    return player[:1].upper() + ("" if term == "adversarial" else f" {term}")
