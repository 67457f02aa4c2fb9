"""Diversity: how many modes of the data each recipe finds in equal time, where the modes are known.

`python -m benchmarks diversity` plays each recipe's game on the ring and the grid of `ganvas.plane`, and each recipe
itself on stacked digits, one run after the other. A run's row is written when the run is done, and rows that are there
are kept: an interruption loses one run. A row holds a hash of its run's settings, and rows of other settings than a
recipe now has are made anew; all of them are when their file is deleted. Every run is planned in images: so many as the
recipe saw in a tenth of the time, times ten. So its decays end with it, and the same images give the same run.
"""

import dataclasses
import hashlib
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks import common, comparison, diversity_page, modes
from ganvas import data, plane, recipes
from ganvas.core.errors import Diverged
from ganvas.core.images import grid
from ganvas.core.settings import to_toml
from ganvas.tasks.data_settings import DataSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.clock import Clock
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings

RECIPES = comparison.CONTENDERS  # the others wait for a GPU
OF_PICTURES = ("fastgan", "vae")  # what makes these has no counterpart in the plane
PLANE_SECONDS, PICTURE_SECONDS = 20.0, 120.0  # a run's; in the plane of processor time, with one thread
PLANE_SEEDS = (0, 1, 2)
COUNT = 25_600  # generated pictures in which modes are counted (Metz et al. 2017)
PLANE, PICTURES = "diversity-plane", "diversity-pictures"
_NEVER = 10**12
_WATCHED = common.RESULTS / "diversity"

Make = Callable[[Any, Callable[[Clock], None]], Trainer]  # of the settings of a task


def in_the_plane() -> None:
    """Writes results/diversity-plane.json, the pictures of the grid, and docs/diversity.md's part on them."""
    torch.set_num_threads(1)
    names = [name for name in RECIPES if name not in OF_PICTURES]
    runs = list(itertools.product(PLANE_SEEDS, plane.MIXTURES, names))
    asked = {f"{kind}/{name}/{seed}": fingerprint(_in_the_plane(name, kind, seed)) for seed, kind, name in runs}
    rows = Rows(PLANE, {"seconds": PLANE_SECONDS, "batch": 256, "counted": plane.COUNTED}, asked)
    for seed, kind, name in runs:
        rows.fill(f"{kind}/{name}/{seed}", lambda name=name, kind=kind, seed=seed: _plane(name, kind, seed))
    diversity_page.write_plane(common.read(PLANE), names, _WATCHED)


def _in_the_plane(name: str, kind: str, seed: int) -> Any:
    """A recipe as it is for pictures of 32 x 32; its networks are not used."""
    chosen = recipes.recipe(name)(DataSettings(where=kind, size=32, channels=3))
    training = TrainingSettings(
        seed=seed,
        batch=256,
        lanes=1,
        average=AverageSettings(),
        tick=_NEVER,
        preview=_NEVER,
        checkpoint=_NEVER,
        score=_NEVER,
        tensorboard="off",
    )
    return dataclasses.replace(chosen, training=training)


def _plane(name: str, kind: str, seed: int) -> dict[str, Any]:
    """A row: a recipe's rules with networks of the plane."""
    mixture = plane.MIXTURES[kind]

    def make(chosen: Any, on_round: Callable[[Clock], None]) -> Trainer:
        game = plane.Plane(chosen.training, mixture, plane.Rules.of(chosen))
        run = RunFolder.create(Path(tempfile.mkdtemp(prefix="ganvas-bench-")) / "run", "")
        return Trainer(game, chosen.training, run, processes=Processes(), fingerprint=kind, on_round=on_round)

    trainer, row = played(make, _in_the_plane(name, kind, seed), PLANE_SECONDS, time.process_time)
    points = plane.generated(trainer.averages.networks["generator"])
    if kind == "grid" and seed == PLANE_SEEDS[0]:
        _WATCHED.mkdir(parents=True, exist_ok=True)
        diversity_page.draw_points(mixture, points).save(_WATCHED / f"grid-{name}.png")
    return row | in_numbers(mixture, points)


def in_numbers(mixture: plane.Mixture, points: torch.Tensor) -> dict[str, float]:
    """found: modes with a point within three standard deviations. covered: with a quarter of their due of points.

    high_quality: the share of points that lie so near to a mode. Lin et al. 2018, section 4.1, but for `covered`.
    """
    near = mixture.counts(points)
    share = round(int(near.sum()) / len(points), 4)
    return {"found": int((near > 0).sum()), "covered": mixture.covered(points), "high_quality": share}


def on_stacked_digits() -> None:
    """Writes results/diversity-pictures.json, sample grids, and docs/diversity.md's part on them."""
    has_mnist = any(one.name == "mnist" and one.state.startswith("found") for one in data.named_sets())
    where = "stacked-digits/mnist" if has_mnist else "stacked-digits"
    asked = {"real pictures": ""} | {name: fingerprint(_on_digits(name, where)) for name in RECIPES}
    rows = Rows(PICTURES, {"seconds": PICTURE_SECONDS, "data": where, "counted": COUNT}, asked)
    if rows.missing():
        stacked = data.open_data(where, size=32, say=print)
        reader = modes.DigitReader(data.open_data("mnist" if has_mnist else "digits", size=32, channels=1, say=print))
        rows.settings |= {"classifier_accuracy": round(reader.accuracy, 4)}
        real = torch.from_numpy(stacked.images)
        rows.fill("real pictures", lambda: {"images": len(real)} | counted(reader, real))
        for name in RECIPES:
            rows.fill(name, lambda name=name: _pictures(name, stacked, reader))
    diversity_page.write_pictures(common.read(PICTURES), list(RECIPES))


def _on_digits(name: str, where: str) -> Any:
    """A recipe as it is for stacked digits, without an end; the goal in seconds leaves its decays without one."""
    quiet = [f"training.{what}={_NEVER}" for what in ("tick", "preview", "checkpoint", "score")]
    chosen = common.settings(name, *quiet, "training.tensorboard=off", where=where, seconds=PICTURE_SECONDS)
    return dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, stop=StopSettings()))


def _pictures(name: str, stacked: data.Dataset, reader: modes.DigitReader) -> dict[str, Any]:
    """A row: a recipe on stacked digits."""

    def make(chosen: Any, on_round: Callable[[Clock], None]) -> Trainer:
        return common.trainer(chosen, stacked, on_round)

    trainer, row = played(make, _on_digits(name, stacked.where), PICTURE_SECONDS, time.perf_counter)
    pictures = torch.cat(list(trainer.task.sample(trainer.averages.networks["generator"], COUNT, None)))
    _WATCHED.mkdir(parents=True, exist_ok=True)
    grid(pictures[:64]).save(_WATCHED / f"digits-{name}.png")
    return row | counted(reader, pictures)


def counted(reader: modes.DigitReader, pictures: torch.Tensor) -> dict[str, float]:
    """The modes among uint8 pictures [N, 3, H, W]: of all of them, and of those the classifier is sure of."""
    shown, sure = reader.read(pictures)
    return {
        "found": modes.found(shown),
        "kl": round(modes.divergence_from_uniform(shown), 4),
        "found_sure": modes.found(shown[sure]),
        "sure": round(float(sure.float().mean()), 4),
    }


def fingerprint(chosen: Any) -> str:
    """A hash of all settings of a run but its length and its seed, which the results and a row's key tell."""
    training = dataclasses.replace(chosen.training, stop=StopSettings(), seed=0)
    text = to_toml(dataclasses.replace(chosen, training=training))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Rows:
    """Rows of results/NAME.json, each with its date, written one by one.

    settings: of all rows alike; a file with other ones is not gone on with. asked: for the key of each row the
    fingerprint of its run, "" where there is none; other rows are forgotten.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], asked: Mapping[str, str]) -> None:
        self.settings = dict(settings)
        former = common.read(name)
        same = all(former.get(key) == value for key, value in settings.items())
        self._name, self._asked = name, asked
        rows: dict[str, Any] = former.get("rows", {}) if same else {}
        self._rows = {key: row for key, row in rows.items() if row.get("settings", "") == asked.get(key)}
        if same and former:
            self.settings = {key: former[key] for key in former if key not in _WRITTEN_ANEW}

    def missing(self) -> list[str]:
        """The keys of the rows that are asked for and not there."""
        return [key for key in self._asked if key not in self._rows]

    def fill(self, key: str, measure: Callable[[], dict[str, Any]]) -> None:
        """Measure a row that is not there yet, and write it."""
        if key in self._rows:
            return
        try:
            row = measure()
        except Diverged as error:
            row = {"diverged": str(error)}
        told = {"settings": self._asked[key]} if self._asked[key] else {}
        self._rows[key] = {**told, **row, "date": time.strftime("%Y-%m-%d")}
        print(f"{key}: {self._rows[key]}", flush=True)
        common.write(self._name, self.settings | {"rows": self._rows})


_WRITTEN_ANEW = ("benchmark", "date", "command", "machine", "rows")


def played(make: Make, chosen: Any, seconds: float, now: Callable[[], float]) -> tuple[Trainer, dict[str, Any]]:
    """Play a game for about so many seconds by the clock `now`: its trainer, and what it has seen in which time."""
    images = max(1, round(_pace(make, chosen, seconds / 10, now) * seconds))
    began = ended = now()

    def on_round(clock: Clock) -> None:
        nonlocal ended
        ended = now()

    training = dataclasses.replace(chosen.training, stop=StopSettings(images=images))
    trainer = make(dataclasses.replace(chosen.lasting(images), training=training), on_round)
    _train(trainer)
    return trainer, {"images": trainer.clock.images, "seconds": round(ended - began, 1)}


def _pace(make: Make, chosen: Any, seconds: float, now: Callable[[], float]) -> float:
    """Images a second, without the first round, in which memory is taken."""
    marks: list[tuple[float, int]] = []

    def on_round(clock: Clock) -> None:
        marks.append((now(), clock.images))
        trainer.stop.troubled = len(marks) > 1 and now() - marks[0][0] >= seconds

    trainer = make(chosen, on_round)
    _train(trainer)
    (began, first), (ended, last) = marks[0], marks[-1]
    return (last - first) / (ended - began)


def _train(trainer: Trainer) -> None:
    """Train, and leave no folder. Raises KeyboardInterrupt if the run was interrupted: it saves itself and ends."""
    try:
        reason = trainer.train()
    finally:
        shutil.rmtree(trainer.run.path.parent)
    if reason == "interrupted":
        raise KeyboardInterrupt
