"""The watch, on runs that were made to fail and on healthy ones of equal length.

`python -m benchmarks watch` trains those whose journal is not in results/watch/ yet, one after the other, and writes
what was found and falsely found to results/watch.json. The limits in `ganvas.training.health` are tested against the
journals that are kept there, so that a change of them needs no training.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import common
from ganvas import api, data
from ganvas.core.errors import Diverged
from ganvas.training.health import RULES, Watch
from ganvas.training.journal import read

JOURNALS = common.RESULTS / "watch"
IMAGES, TICK = 40_000, 2_000


COLLAPSE, OVERPOWERS, OVERFITS, OSCILLATION, DIVERGENCE, MEMORISATION, _, NOTHING = (rule.name for rule in RULES)
FASHION, DIGITS, EMOJI = "fashion-mnist/bundled", "digits", ".data/emoji/google"
NO_NORM = "generator.norm=none discriminator.norm=none"
UNBOUNDED = "loss.adversarial=wasserstein"
NARROW = "generator.width=32 discriminator.width=32"  # fails as well, and sooner


@dataclass(frozen=True)
class Case:
    """A run. set: its settings beside the recipe's, in words. fails: findings that it was made for, any is right.

    fails is () for a healthy run. check: it had no part in setting the limits.
    """

    data: str
    recipe: str
    set: str = ""
    fails: tuple[str, ...] = ()
    seed: int = 0
    classes: bool = False
    check: bool = False


def _lr(rate: float, betas: str = "") -> str:
    rates = f"generator_optimizer.lr={rate} discriminator_optimizer.lr={rate}"
    return f"{rates} generator_optimizer.betas={betas} discriminator_optimizer.betas={betas}" if betas else rates


MINIMAX_10 = "discriminator_moves=10 loss.adversarial=minimax"
MINIMAX_5 = f"{NO_NORM} discriminator_moves=5 loss.adversarial=minimax"
WEAK_D = "generator_optimizer.lr=2e-3 discriminator_optimizer.lr=2e-6"
STRONG_D = "discriminator.norm=none discriminator_optimizer.lr=2e-3 generator_optimizer.lr=2e-5"
CONV28 = f"data.size=28 {_lr(1e-4, '[0.9,0.999]')} loss.r1.weight=0"
HEAVY = _lr(1e-3, "[0.95,0.999]")
HEAVY_NO_NORM = f"{NO_NORM} {_lr(5e-4, '[0.95,0.999]')}"

# Made to fail. What each is made for was set down before it ran, but for those marked: they failed otherwise, by their
# pictures, than was thought.
FAILING = {
    "lr-x500": Case(FASHION, "dcgan", _lr(1e-1), (DIVERGENCE, COLLAPSE)),
    "no-batchnorm": Case(FASHION, "dcgan", NO_NORM, (OSCILLATION,)),  # marked
    "no-batchnorm-lr-x10": Case(FASHION, "dcgan", f"{NO_NORM} {_lr(2e-3)}", (OSCILLATION,)),  # marked
    "d-too-weak": Case(FASHION, "dcgan", WEAK_D, (COLLAPSE,)),
    "ten-d-moves": Case(DIGITS, "dcgan", "discriminator_moves=10", (OVERPOWERS,)),
    "ten-d-moves-minimax": Case(FASHION, "dcgan", MINIMAX_10, (OVERPOWERS,)),
    "five-d-moves-minimax-no-norm": Case(DIGITS, "dcgan", MINIMAX_5, (OVERPOWERS,)),
    "d-lr-x100-of-g": Case(FASHION, "dcgan", STRONG_D, (OVERPOWERS,)),
    "100-pictures": Case("few:111", "dcgan", "", (OVERFITS,)),
    "100-pictures-quick": Case("few:111", "quick", "", (OVERFITS,)),
    "500-pictures": Case("few:526", "dcgan", "", (OVERFITS, OVERPOWERS)),  # marked
    "100-emoji": Case("few-emoji:111", "quick", "data.mirror=false", (OVERFITS,)),
    "20-pictures": Case("few:20", "quick", "", (MEMORISATION,)),
    "wasserstein-unbounded": Case(FASHION, "dcgan", UNBOUNDED, (DIVERGENCE,)),
    "wasserstein-unbounded-no-norm": Case(FASHION, "dcgan", f"{UNBOUNDED} discriminator.norm=none", (DIVERGENCE,)),
    "momentum": Case(FASHION, "dcgan", HEAVY, (OSCILLATION,)),
    "momentum-no-norm": Case(FASHION, "dcgan", HEAVY_NO_NORM, (OSCILLATION, COLLAPSE)),
    "conv28-of-tutorials": Case(FASHION, "conv28", CONV28, (OSCILLATION, COLLAPSE)),  # marked
    "lr-1e-8": Case(FASHION, "dcgan", _lr(1e-8), (NOTHING,)),
    "g-lr-1e-8": Case(FASHION, "quick", "generator_optimizer.lr=1e-8", (NOTHING,)),
    "d-lr-1e-8": Case(DIGITS, "dcgan", "discriminator_optimizer.lr=1e-8", (NOTHING,)),
    "check-unbounded": Case(DIGITS, "dcgan", f"{UNBOUNDED} discriminator.norm=none", (DIVERGENCE,), 1, check=True),
    "check-ten-d-moves-minimax": Case(DIGITS, "dcgan", MINIMAX_10, (OVERPOWERS,), 1, check=True),
    "check-five-d-moves-minimax-no-norm": Case(FASHION, "dcgan", MINIMAX_5, (OVERPOWERS,), 1, check=True),
    "check-100-pictures": Case("few-digits:111", "quick", "", (OVERFITS,), 1, check=True),
    "check-200-emoji": Case("few-emoji:222", "dcgan", "data.mirror=false", (OVERFITS,), 1, check=True),
    "check-20-pictures": Case("few-digits:20", "quick", "", (MEMORISATION,), 1, check=True),
    "check-momentum": Case(DIGITS, "dcgan", HEAVY, (OSCILLATION,), 1, check=True),
    "check-momentum-no-norm": Case(DIGITS, "dcgan", HEAVY_NO_NORM, (OSCILLATION, COLLAPSE), 1, check=True),
    "check-no-batchnorm": Case(FASHION, "dcgan", NO_NORM, (OSCILLATION,), 1, check=True),
    "check-d-too-weak": Case(DIGITS, "dcgan", WEAK_D, (COLLAPSE,), 1, check=True),
    "check-lr-x500": Case(DIGITS, "hinge", _lr(1e-1), (DIVERGENCE, COLLAPSE), 1, check=True),
    "check-lr-1e-8": Case(EMOJI, "quick", _lr(1e-8), (NOTHING,), 1, check=True),
}
# Settings that look bad, and pictures that came out well all the same.
PUSHED = {
    "lr-x50": Case(FASHION, "dcgan", _lr(1e-2)),
    "mlp-lr-x10": Case(DIGITS, "mlp", _lr(2e-3)),
    "lsgan-lr-x50": Case(FASHION, "lsgan", _lr(1e-2)),
    "hinge-lr-x20": Case(FASHION, "hinge", _lr(4e-3)),
}
HEALTHY = {
    "quick": Case(FASHION, "quick"),
    "quick-seed-1": Case(FASHION, "quick", seed=1),
    "quick-classes": Case(FASHION, "quick", classes=True),
    "dcgan": Case(FASHION, "dcgan"),
    "dcgan-seed-1": Case(FASHION, "dcgan", seed=1),
    "dcgan-classes": Case(FASHION, "dcgan", classes=True),
    "lsgan": Case(FASHION, "lsgan"),
    "hinge": Case(FASHION, "hinge"),
    "wgan-gp": Case(FASHION, "wgan-gp"),
    "wgan": Case(FASHION, "wgan"),
    "conv28": Case(FASHION, "conv28", "data.size=28"),
    "mlp": Case(FASHION, "mlp"),
    "digits": Case(DIGITS, "quick"),
    "digits-classes": Case(DIGITS, "dcgan", classes=True),
    "emoji": Case(EMOJI, "quick"),
    "emoji-dcgan": Case(EMOJI, "dcgan"),
    "check-hinge": Case(DIGITS, "hinge", seed=1, check=True),
    "check-mlp": Case(DIGITS, "mlp", seed=1, check=True),
    "check-lsgan": Case(EMOJI, "lsgan", seed=1, check=True),
    "check-emoji-classes": Case(EMOJI, "quick", seed=2, classes=True, check=True),
    "check-digits-classes": Case(DIGITS, "quick", seed=2, classes=True, check=True),
    "check-dcgan": Case(FASHION, "dcgan", seed=2, check=True),
}
CASES = FAILING | PUSHED | HEALTHY


def watch() -> None:
    """Train what is missing, then write results/watch.json: what the watch finds in each journal."""
    JOURNALS.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        kept = JOURNALS / f"{name}.jsonl"
        if not kept.exists():
            print(name, flush=True)
            _train(case, kept)
    rows = {name: found(name) for name in CASES}
    common.write("watch", {"what": f"findings within {IMAGES:,} images", "images": IMAGES, "runs": rows})


def found(name: str) -> dict[str, object]:
    """What a run was made for, and what the watch says of its kept journal."""
    seen = Watch()
    told = [finding for line in read(JOURNALS / f"{name}.jsonl") for finding in seen.read(line)]
    return {"made for": list(CASES[name].fails), "found": {finding.name: finding.since for finding in told}}


def _train(case: Case, kept: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = _few(case.data, Path(folder)) if ":" in case.data else case.data
        settings = [f"training.tick={TICK}", "training.preview=20000", "training.score=1000000"]
        settings += ["training.tensorboard=off", *case.set.split()]
        if not case.classes:
            settings.append("data.classes=[]")
        if case.recipe != "mlp" and case not in HEALTHY.values():
            settings += NARROW.split()
        try:
            planned = api.plan(
                where, recipe=case.recipe, size=32, images=IMAGES, seed=case.seed, set=settings, say=print
            )
            lines = api.start(planned, out=Path(folder) / "run", say=print).journal
        except Diverged as error:
            print(error)
            lines = read(Path(folder) / "run" / "journal.jsonl")
        kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
        pictures = max((Path(folder) / "run" / "samples").glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
        shutil.copy(pictures, kept.with_suffix(".png"))  # to see for oneself how it went


def _few(where: str, folder: Path) -> str:
    """So many pictures of a set, evenly spread over it, as files."""
    name, _, count = where.partition(":")
    whole = {"few": FASHION, "few-emoji": EMOJI, "few-digits": DIGITS}[name]
    images = data.open_data(whole, size=32).images
    (folder / "pictures").mkdir()
    for number, picture in enumerate(_spread(images, int(count))):
        Image.fromarray(picture.squeeze() if len(picture) == 1 else picture.transpose(1, 2, 0)).save(
            folder / "pictures" / f"{number:04d}.png"
        )
    return str(folder / "pictures")


def _spread(images: np.ndarray, count: int) -> Iterator[np.ndarray]:
    yield from (images[index] for index in np.linspace(0, len(images) - 1, count).astype(int))
