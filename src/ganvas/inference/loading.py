"""From what a user names to a generator or a translator, without running any code that a file holds."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core import card as cards
from ganvas.core import cardfile, devices
from ganvas.core.errors import DataError, GanvasError, UsageError
from ganvas.inference import hub, weights
from ganvas.inference.generator import Generator, Label
from ganvas.inference.packaged import packaged
from ganvas.inference.saving import MODEL
from ganvas.inference.translator import MEMORY, Translator
from ganvas.metrics.protocol import Score
from ganvas.training.folder import RunFolder

READABLE = "a run, a folder that `save` wrote, a .safetensors or .onnx file of `ganvas export`"
ONNX = ".onnx"
_ENDINGS = (".safetensors", ONNX)
_PROGRAM = ".pt2"
_PICKLES = (".pt", ".pth", ".pkl", ".ckpt", ".bin")
_RUNS = "runs"  # where runs go unless --out says something else


def load(
    what: str | Path, *, device: str = "auto", precision: str = "auto", back: bool = False
) -> Generator | Translator:
    """What a run trained, or what a folder or file holds that came from one, of the package or of the hub.

    A Generator, or a Translator where the card says that it turns pictures into pictures.
    what: a run's folder; a folder that `save` wrote; a .safetensors or .onnx file; the name of a generator in the
    package; or "user/name" on the hub. device: auto, cpu, cuda, cuda:N, mps; an ONNX file is drawn on the CPU.
    precision: of drawing: "auto" is bfloat16 where the processor has it, which is faster and differs by at most a few
    of the 256 values of a pixel (45 dB and more); "float32" draws exactly what the network gives, as evaluations do.
    back: the other direction of a run that trained both.
    Raises UsageError for a device or precision that there is not, and for a direction that there is not; DataError if
    there is no such network, or if it is damaged, of a newer version or not one of Ganvas.
    """
    return _loaded(what, device, precision, back)


def _loaded(
    what: str | Path, device: str, precision: str, back: bool, *, memory: int = MEMORY, at: int | None = None
) -> Generator | Translator:
    """As `load`. memory, at: of a translator."""
    path = _back(what) if back else found(what)
    if path.suffix.lower() == ONNX:
        from ganvas.inference.onnxfile import check_precision, load_onnx  # of an extra

        check_precision(precision)
        chosen = devices.choose_device(device)
        if chosen.type != "cpu" and device != "auto":
            raise UsageError(f"--device {device}: {path} is drawn by onnxruntime on the CPU; leave --device out")
        return load_onnx(path, memory=memory, at=at)
    read, card = cardfile.read(path)
    network = weights.network_of(card, read, str(path))
    known = card if back else with_scores(card, Path(what))
    if card["kind"] == cards.TRANSLATOR:
        with cards.named(str(path)):
            return Translator(network, known, devices.choose_device(device), precision, memory=memory, at=at)
    return Generator(network, known, devices.choose_device(device), precision)


def load_generator(what: str | Path, *, device: str = "auto", precision: str = "auto") -> Generator:
    """`load` for what draws pictures of seeds. Raises UsageError for a translator as well."""
    loaded = load(what, device=device, precision=precision)
    if isinstance(loaded, Translator):
        cards.check_generator(loaded.card, str(what))
    assert isinstance(loaded, Generator)
    return loaded


def load_translator(
    what: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    back: bool = False,
    memory: int = MEMORY,
    at: int | None = None,
) -> Translator:
    """`load` for what turns pictures into pictures. memory, at: as of `Translator`.

    Raises UsageError for a generator, and for an `at` that there cannot be, as well.
    """
    loaded = _loaded(what, device, precision, back, memory=memory, at=at)
    if isinstance(loaded, Generator):
        cards.check_translator(loaded.card, str(what))
    assert isinstance(loaded, Translator)
    return loaded


def sample(
    what: str | Path, seeds: Sequence[int], *, truncation: float = 1.0, label: Label | None = None
) -> np.ndarray:
    """uint8 [N, C, H, W]: pictures of a run or of a generator file; `load` once for more than one call.

    Arguments and errors are those of `load_generator` and of `Generator.sample`.
    """
    return load_generator(what).sample(seeds, truncation=truncation, label=label)


def is_network(what: Generator | str | Path) -> bool:
    """Whether this is a network: a generator in memory, or any in a run or in a file; else it is pictures.

    A name in the package may also be one of data.
    """
    if isinstance(what, Generator):
        return True
    path = Path(what)
    if path.is_dir():
        return any(file.is_file() for file in _files(path))
    return path.suffix.lower() in _ENDINGS


def found(what: str | Path) -> Path:
    """The file that holds the network that is meant. Raises DataError that says what would do, if there is none."""
    path = Path(what)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        _check_kind(path)
        return path
    if str(what) in packaged():
        return packaged()[str(what)]
    if isinstance(what, str) and hub.is_name(what) and not _is_local(path):
        return hub.fetch(what)
    raise DataError(f"No network at {what}: there is no such file or folder. Give {READABLE}{_or_packaged()}")


def with_scores(card: dict[str, Any], run: Path) -> dict[str, Any]:
    """The card with the newest score of each name that a run's folder has of this generator; else as it is."""
    folder = RunFolder(run)
    if not folder.settings.is_file():
        return card
    trained = [] if folder.classifier.is_file() else folder.scores_until(card.get("images_seen", 0))  # whose they are
    scores = {score["name"]: score for score in trained}
    with suppress(OSError, ValueError, KeyError, TypeError, GanvasError):  # what cannot be read is as good as none
        held = json.loads(folder.evaluation.read_text(encoding="utf-8"))
        if cards.identity(held["card"]) == cards.identity(card):
            scores |= {score["name"]: _told(Score.from_dict(score)) for score in held["scores"]}
    return card | {"scores": list(scores.values())}


def _told(score: Score) -> dict[str, Any]:
    """A score as a card has it: without what only its makers need."""
    names = ("name", "value", "better", "spread", "floor", "floor_count", "protocol")
    return {name: value for name, value in score.as_dict().items() if name in names and value is not None}


def _files(folder: Path) -> tuple[Path, ...]:
    """Where the network of a run or of a saved folder may be."""
    return RunFolder(folder).generator, RunFolder(folder).translator, folder / MODEL


def _in_folder(path: Path) -> Path:
    for file in _files(path):
        if file.is_file():
            return file
    run = RunFolder(path)
    if run.classifier.is_file():
        raise DataError(f"{path} has a classifier and no generator: ganvas classify {path} PICTURES")
    if run.settings.is_file():
        translates = "translator" in run.read_settings()
        kind, file = ("translator", run.translator) if translates else ("generator", run.generator)
        raise DataError(
            f"No {kind} at {path} yet: the run has no {file.name}; each checkpoint writes it.\n"
            f"Wait for it if the run is still training; else go on with: ganvas resume {path}"
        )
    raise DataError(f"No network at {path}: the folder holds neither a run nor {MODEL}. Give {READABLE}")


def _back(what: str | Path) -> Path:
    """The file of a run's other direction. Raises UsageError where there is none, DataError as `found` does."""
    found(what)
    file = RunFolder(what).translator_back
    if not file.is_file():
        raise UsageError(
            f"{what} has no other direction: runs of unpaired pictures have one, in {file.name}. Give such a run, or "
            "leave back (--back) out"
        )
    return file


def _is_local(path: Path) -> bool:
    """Whether a missing a/b is a path that was misspelt, which is nobody else's business, and no name on the hub."""
    above = path.parts[0]
    return path.suffix.lower() in (*_ENDINGS, _PROGRAM, *_PICKLES) or above == _RUNS or Path(above).is_dir()


def _check_kind(path: Path) -> None:
    if path.suffix.lower() in _PICKLES:
        raise DataError(
            f"{path} is not read: files of its kind may hold code that runs when they are opened. Give {READABLE}; "
            f"or take its weights out with: ganvas import {path}"
        )
    if path.suffix.lower() == _PROGRAM:
        raise DataError(f"{path} is a program for torch.export.load, and Ganvas does not read it back. Give {READABLE}")


def _or_packaged() -> str:
    names = ", ".join(packaged())
    return f"; or the name of one in the package: {names}" if names else ""
