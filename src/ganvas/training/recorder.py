"""What a run leaves for people while it trains: journal lines, sample grids, scores, the generator to share."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.core import card, cardfile, files, images
from ganvas.core.captions import captioned
from ganvas.training.clock import Clock
from ganvas.training.clock import seconds as working_seconds
from ganvas.training.folder import RunFolder
from ganvas.training.journal import Journal, Tick, has_tensorboard
from ganvas.training.players import Task
from ganvas.training.processes import Processes
from ganvas.training.stopping import Scores


class Recorder:
    """Writes the files of a run; only the leading process writes."""

    def __init__(
        self,
        task: Task,
        run: RunFolder,
        clock: Clock,
        tensorboard: str,
        processes: Processes,
        on_tick: Callable[[Tick], Any] | None,
    ) -> None:
        self._task, self._run, self._processes, self._on_tick = task, run, processes, on_tick
        wanted = tensorboard == "on" or (tensorboard == "auto" and has_tensorboard())
        self._journal = Journal(run, clock.images, wanted) if processes.leads else None
        self.rewind(clock)

    def rewind(self, clock: Clock) -> None:
        """Begin a new line of the journal at this clock and forget later ones; later pictures will be replaced."""
        self._previewed = -1
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._since, self._started = clock, working_seconds()
        if self._journal is not None:
            self._journal.rewind(clock.images)

    def add_term(self, name: str, value: Tensor) -> None:
        """Add a term of a move to the line in the making; a line shows the mean over the moves that had the term."""
        self._sums[name] = self._sums.get(name, torch.zeros((), device=value.device)) + value
        self._counts[name] = self._counts.get(name, 0) + 1

    def tick(self, clock: Clock, scores: Scores, slowdown: float, watch: Callable[[Tick], Any]) -> None:
        """Close the line in the making and hand it on. watch: looks at the line first, and may add to it."""
        if clock.images == self._since.images:
            return
        names = sorted(self._sums)
        self._processes.sum_in_place([self._sums[name] for name in names])
        now = working_seconds()
        line: Tick = {
            "images": clock.images,
            "seconds": round(clock.seconds, 3),
            "images_per_second": round((clock.images - self._since.images) / (now - self._started), 1),
            "terms": {name: float(f"{self._sums[name].item() / self._counts[name]:.6g}") for name in names},
        }
        if scores.best_images is not None:
            line["score"] = _as_line(scores)
        if slowdown != 1.0:
            line["slowdown"] = slowdown
        self._sums, self._counts = {}, {}
        self._since, self._started = clock, now
        if self._journal is not None:
            watch(line)
            self._journal.tick(line)
            if self._on_tick is not None:
                self._on_tick(line)

    def complete(self, scores: Scores) -> None:
        """Give the last line the score of the run's end, where the line was there before it."""
        if self._journal is not None and scores.images is not None:
            self._journal.amend(scores.images, "score", _as_line(scores))

    def preview(self, averages: Mapping[str, nn.Module], clock: Clock, interval: int) -> None:
        """Write the sample grid samples/000200k.png; where previews are nearer than a thousand, the count in full."""
        if self._journal is None or clock.images == self._previewed:
            return
        self._previewed = clock.images
        pictures = self._task.preview(averages)
        heads = self._task.preview_heads[: len(pictures)]
        sheet = images.grid(pictures, len(heads) or None)
        if heads:
            sheet = captioned(sheet, heads)
        with files.replacing(self._run.samples / f"{_age(clock, interval)}.png") as partial:
            sheet.save(partial, format="PNG")

    def score(self, clock: Clock, interval: int, name: str, value: float) -> None:
        """Write scores/000200k.json: the value, and the protocol that makes it comparable."""
        content = {"images": clock.images, "score": name, "value": value, "protocol": self._task.protocol()}
        path = self._run.scores / f"{_age(clock, interval)}.json"
        files.write_text(path, json.dumps(content, indent=2) + "\n")

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> None:
        """Write each network's weights and card, as generator.safetensors and card.json.

        A classifier's are classifier.safetensors and classifier.json, a translator's translator.safetensors and
        card.json. The newest score is on the card of the network that it is of.
        """
        places = {
            "generator": (self._run.generator, self._run.card),
            "classifier": (self._run.classifier, self._run.classifier_card),
            "translator": (self._run.translator, self._run.card),
            "back": (self._run.translator_back, self._run.translator_back_card),
        }
        published = self._task.publish(averages, clock)
        scored = next(name for name in ("classifier", "translator", "generator") if name in published)
        for network, (tensors, about) in published.items():
            weights_file, card_file = places[network]
            about["scores"] = self._run.scores_until(clock.images) if network == scored else []
            files.write_bytes(weights_file, cardfile.as_bytes(tensors, about))
            files.write_text(card_file, card.write(about))

    def note(self, sentence: str) -> None:
        """Leave a dated sentence in notes.log; a full disk does not take it, and is no reason to stop."""
        if self._journal is not None:
            with suppress(OSError):
                self._journal.note(sentence)

    def close(self) -> None:
        """Let go of what is open."""
        if self._journal is not None:
            self._journal.close()


def _as_line(scores: Scores) -> dict[str, float | int | None]:
    best = {"best": scores.best, "best_images": scores.best_images}
    return {scores.name: scores.value, "images": scores.images, **best}


def _age(clock: Clock, interval: int) -> str:
    """The clock as a file's name: 000200k; where files come more often than each thousand images, all digits."""
    return f"{clock.images // 1000:06d}k" if interval >= 1000 and clock.images >= 1000 else f"{clock.images:09d}"
