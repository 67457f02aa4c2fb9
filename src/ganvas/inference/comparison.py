"""Comparing evaluations: a ranking where the protocols agree, and what differs where they do not."""

import dataclasses
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.core import files
from ganvas.core.errors import DataError, UsageError
from ganvas.inference.evaluation import Evaluation
from ganvas.metrics.protocol import Score, differences
from ganvas.training.folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Row:
    """One score of several runs. values: one for each, None where it was not measured.

    ranks: 1 for the best, the same for equal ones; None where the protocols differ: differing says in what.
    floor, floor_count: of the first that has one. at_floor_count: of each the score of only so many pictures, None
    where it does not depend on their number or as many were judged.
    """

    name: str
    better: str
    values: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    floor: float | None = None
    floor_count: int | None = None
    at_floor_count: tuple[float | None, ...] = ()
    differing: tuple[str, ...] = ()


def keep(evaluation: Evaluation, run: Path) -> Path:
    """Leave an evaluation in a run, for `compare`.

    Former scores that were not measured again stay beside it, if they are of the same generator and reference; a file
    of them that cannot be read is replaced. Raises DataError if the run's folder cannot be written.
    """
    path = RunFolder(run).evaluation
    content = evaluation.as_dict()
    with suppress(DataError):
        measured = {score.name for score in evaluation.scores}
        former = [score.as_dict() for name, score in _of_same(path, content).items() if name not in measured]
        content["scores"] = [*content["scores"], *former]
    with files.written_to(path, "The scores are not kept"):
        files.write_text(path, json.dumps(content, indent=2) + "\n")
    return path


def _of_same(path: Path, content: dict[str, Any]) -> dict[str, Score]:
    """The scores in a file, if they are of the same generator and the same reference. Raises DataError as `_scores`."""
    scores = _scores(path)
    held = json.loads(path.read_text(encoding="utf-8"))
    return scores if all(held.get(name) == content[name] for name in ("card", "against")) else {}


def compare(runs: Sequence[str | Path]) -> list[Row]:
    """A row for each score that two or more of the runs have.

    runs: folders of runs that were evaluated, or JSON files of evaluations. Raises DataError for one that was not.
    """
    if len(runs) < 2:
        raise UsageError("There is nothing to compare with: give two runs or more")
    held = [_scores(Path(run)) for run in runs]
    names = list(dict.fromkeys(name for scores in held for name in scores))
    shared = [name for name in names if sum(name in scores for scores in held) > 1]
    if not shared:
        raise DataError("These runs have no score in common: evaluate them with the same --metrics and --extractor")
    return [_row(name, [scores.get(name) for scores in held]) for name in shared]


def _row(name: str, scores: Sequence[Score | None]) -> Row:
    there = [score for score in scores if score is not None]
    values = tuple(None if score is None else score.value for score in scores)
    found = differences([score.protocol for score in there])
    differing = tuple(f"{field}: {' / '.join(map(str, held))}" for field, held in found.items())
    if differing:
        return Row(name, there[0].better, values, (None,) * len(values), differing=differing)
    sign = 1 if there[0].better == "lower" else -1
    ordered = sorted(sign * score.value for score in there)
    ranks = tuple(None if value is None else ordered.index(sign * value) + 1 for value in values)
    first = next((score for score in there if score.floor is not None), there[0])
    alike = [s if s is not None and s.floor_count == first.floor_count else None for s in scores]
    beside = tuple(None if score is None else score.at_floor_count for score in alike)
    return Row(name, there[0].better, values, ranks, first.floor, first.floor_count, beside)


def _scores(path: Path) -> dict[str, Score]:
    file = RunFolder(path).evaluation if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path} has not been evaluated: ganvas eval {path} --against DATA")
    try:
        held = json.loads(file.read_text(encoding="utf-8"))["scores"]
        return {score.name: score for score in map(Score.from_dict, held)}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no evaluation of Ganvas: {error}. Make it anew with `ganvas eval`") from None
