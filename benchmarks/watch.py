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
from ganvas.training.health import Watch
from ganvas.training.journal import read

JOURNALS = common.RESULTS / "watch"
IMAGES, TICK = 40_000, 2_000


@dataclass(frozen=True)
class Case:
    """A run. fails: findings that it was made for, any of which is right; () for a healthy run.

    check: it had no part in setting the limits.
    """

    fails: tuple[str, ...]
    data: str
    recipe: str
    settings: tuple[str, ...] = ()
    seed: int = 0
    check: bool = False


def _both(name: str, value: object) -> tuple[str, ...]:
    return f"generator{name}={value}", f"discriminator{name}={value}"


_FASHION, _DIGITS, _EMOJI = "fashion-mnist/bundled", "digits", ".data/emoji/google"
_PLAIN = ("data.classes=[]",)

CASES: dict[str, Case] = {
    # Made to fail.
    "lr-x50": Case(("mode collapse",), _FASHION, "dcgan", (*_PLAIN, *_both("_optimizer.lr", 1e-2))),
    "lr-x500": Case(("divergence",), _FASHION, "dcgan", (*_PLAIN, *_both("_optimizer.lr", 1e-1))),
    "no-batchnorm": Case(("mode collapse",), _FASHION, "dcgan", (*_PLAIN, *_both(".norm", "none"))),
    "no-batchnorm-lr-x10": Case(
        ("mode collapse",), _FASHION, "dcgan", (*_PLAIN, *_both(".norm", "none"), *_both("_optimizer.lr", 2e-3))
    ),
    "d-too-weak": Case(
        ("mode collapse",),
        _FASHION,
        "dcgan",
        (*_PLAIN, "generator_optimizer.lr=2e-3", "discriminator_optimizer.lr=2e-6"),
    ),
    "mlp-lr-x10": Case(("mode collapse",), _DIGITS, "mlp", (*_PLAIN, *_both("_optimizer.lr", 2e-3))),
    "ten-d-moves-minimax": Case(
        ("overpowering",), _FASHION, "dcgan", (*_PLAIN, "discriminator_moves=10", "loss.adversarial=minimax")
    ),
    "ten-d-moves": Case(("overpowering",), _DIGITS, "dcgan", (*_PLAIN, "data.size=8", "discriminator_moves=10")),
    "d-lr-x10": Case(
        ("overpowering",),
        _FASHION,
        "dcgan",
        (*_PLAIN, "discriminator.norm=none", "discriminator_optimizer.lr=2e-3", "generator_optimizer.lr=2e-5"),
    ),
    "fast-d-no-norm": Case(
        ("overpowering",),
        _DIGITS,
        "dcgan",
        (*_PLAIN, *_both(".norm", "none"), "discriminator_moves=5", "loss.adversarial=minimax"),
    ),
    "100-pictures": Case(("overfitting", "memorisation"), "few:111", "dcgan", _PLAIN),
    "100-pictures-quick": Case(("overfitting", "memorisation"), "few:111", "quick", _PLAIN),
    "500-pictures": Case(("overfitting",), "few:526", "dcgan", _PLAIN),
    "20-pictures": Case(("memorisation",), "few:20", "dcgan", _PLAIN),
    "100-emoji": Case(("overfitting", "memorisation"), "few-emoji:111", "quick", (*_PLAIN, "data.mirror=false")),
    "wasserstein-unbounded": Case(("divergence",), _FASHION, "dcgan", (*_PLAIN, "loss.adversarial=wasserstein")),
    "wasserstein-unbounded-no-norm": Case(
        ("divergence",), _FASHION, "dcgan", (*_PLAIN, "discriminator.norm=none", "loss.adversarial=wasserstein")
    ),
    "lsgan-lr-x50": Case(("divergence", "oscillation"), _FASHION, "lsgan", (*_PLAIN, *_both("_optimizer.lr", 1e-2))),
    "momentum": Case(
        ("oscillation",),
        _FASHION,
        "dcgan",
        (*_PLAIN, *_both("_optimizer.lr", 1e-3), *_both("_optimizer.betas", "[0.95,0.999]")),
    ),
    "momentum-no-norm": Case(
        ("oscillation",),
        _FASHION,
        "dcgan",
        (*_PLAIN, *_both(".norm", "none"), *_both("_optimizer.lr", 5e-4), *_both("_optimizer.betas", "[0.95,0.999]")),
    ),
    "hinge-lr-x20": Case(("oscillation",), _FASHION, "hinge", (*_PLAIN, *_both("_optimizer.lr", 4e-3))),
    "lr-1e-8": Case(("no effect",), _FASHION, "dcgan", (*_PLAIN, *_both("_optimizer.lr", 1e-8))),
    "g-lr-1e-8": Case(("no effect",), _FASHION, "quick", (*_PLAIN, "generator_optimizer.lr=1e-8")),
    "d-lr-1e-8": Case(("no effect",), _DIGITS, "dcgan", (*_PLAIN, "discriminator_optimizer.lr=1e-8")),
    "check-no-bounds": Case(
        ("divergence",), _DIGITS, "dcgan", (*_PLAIN, "loss.adversarial=wasserstein", "discriminator.norm=none"), 1, True
    ),
    "check-ten-d-moves-minimax": Case(
        ("overpowering",), _DIGITS, "dcgan", (*_PLAIN, "discriminator_moves=10", "loss.adversarial=minimax"), 1, True
    ),
    "check-fast-d-no-norm": Case(
        ("overpowering",),
        _FASHION,
        "dcgan",
        (*_PLAIN, *_both(".norm", "none"), "discriminator_moves=5", "loss.adversarial=minimax"),
        1,
        True,
    ),
    "check-100-pictures": Case(("overfitting",), "few-digits:111", "quick", _PLAIN, 1, True),
    "check-200-emoji": Case(("overfitting",), "few-emoji:222", "dcgan", (*_PLAIN, "data.mirror=false"), 1, True),
    "check-momentum": Case(
        ("oscillation",),
        _DIGITS,
        "dcgan",
        (*_PLAIN, *_both("_optimizer.lr", 1e-3), *_both("_optimizer.betas", "[0.95,0.999]")),
        1,
        True,
    ),
    "check-momentum-no-norm": Case(
        ("oscillation", "mode collapse"),
        _DIGITS,
        "dcgan",
        (*_PLAIN, *_both(".norm", "none"), *_both("_optimizer.lr", 5e-4), *_both("_optimizer.betas", "[0.95,0.999]")),
        1,
        True,
    ),
    "check-no-batchnorm": Case(("oscillation",), _FASHION, "dcgan", (*_PLAIN, *_both(".norm", "none")), 1, True),
    "check-d-too-weak": Case(
        ("mode collapse",),
        _DIGITS,
        "dcgan",
        (*_PLAIN, "generator_optimizer.lr=2e-3", "discriminator_optimizer.lr=2e-6"),
        1,
        True,
    ),
    "check-lr-x500": Case(
        ("mode collapse", "divergence"), _DIGITS, "hinge", (*_PLAIN, *_both("_optimizer.lr", 1e-1)), 1, True
    ),
    "check-lr-1e-8": Case(("no effect",), _EMOJI, "quick", (*_PLAIN, *_both("_optimizer.lr", 1e-8)), 1, True),
    # Healthy.
    "check-healthy-hinge": Case((), _DIGITS, "hinge", _PLAIN, 1, True),
    "check-healthy-mlp": Case((), _DIGITS, "mlp", _PLAIN, 1, True),
    "check-healthy-lsgan": Case((), _EMOJI, "lsgan", _PLAIN, 1, True),
    "check-healthy-quick": Case((), _EMOJI, "quick", (), 2, True),
    "check-healthy-digits": Case((), _DIGITS, "quick", (), 2, True),
    "check-healthy-dcgan": Case((), _FASHION, "dcgan", _PLAIN, 2, True),
    "healthy-quick": Case((), _FASHION, "quick", _PLAIN),
    "healthy-quick-seed-1": Case((), _FASHION, "quick", _PLAIN, 1),
    "healthy-quick-classes": Case((), _FASHION, "quick"),
    "healthy-dcgan": Case((), _FASHION, "dcgan", _PLAIN),
    "healthy-dcgan-seed-1": Case((), _FASHION, "dcgan", _PLAIN, 1),
    "healthy-dcgan-classes": Case((), _FASHION, "dcgan"),
    "healthy-lsgan": Case((), _FASHION, "lsgan", _PLAIN),
    "healthy-hinge": Case((), _FASHION, "hinge", _PLAIN),
    "healthy-wgan-gp": Case((), _FASHION, "wgan-gp", _PLAIN),
    "healthy-wgan": Case((), _FASHION, "wgan", _PLAIN),
    "healthy-conv28": Case((), _FASHION, "conv28", (*_PLAIN, "data.size=28")),
    "healthy-mlp": Case((), _FASHION, "mlp", _PLAIN),
    "healthy-digits": Case((), _DIGITS, "quick", _PLAIN),
    "healthy-digits-classes": Case((), _DIGITS, "dcgan"),
    "healthy-emoji": Case((), _EMOJI, "quick", _PLAIN),
    "healthy-emoji-dcgan": Case((), _EMOJI, "dcgan", _PLAIN),
}


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
        settings = [
            f"training.tick={TICK}",
            "training.preview=20000",
            "training.score=1000000",
            "training.tensorboard=off",
            *case.settings,
        ]
        if case.fails and case.recipe != "mlp":  # half as wide fails as well, and sooner
            settings += _both(".width", 32)
        try:
            chosen = {"size": 32, "recipe": case.recipe, "seed": case.seed, "images": IMAGES, "set": settings}
            lines = api.train(where, out=Path(folder) / "run", say=print, **chosen).journal
        except Diverged as error:
            print(error)
            lines = read(Path(folder) / "run" / "journal.jsonl")
        kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
        pictures = max((Path(folder) / "run" / "samples").glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
        shutil.copy(pictures, kept.with_suffix(".png"))  # to see for oneself how it went


def _few(where: str, folder: Path) -> str:
    """The first so many pictures of a set, as files."""
    name, _, count = where.partition(":")
    whole = {"few": _FASHION, "few-emoji": _EMOJI, "few-digits": _DIGITS}[name]
    images = data.open_data(whole, size=32).images
    (folder / "pictures").mkdir()
    for number, picture in enumerate(_spread(images, int(count))):
        Image.fromarray(picture.squeeze() if len(picture) == 1 else picture.transpose(1, 2, 0)).save(
            folder / "pictures" / f"{number:04d}.png"
        )
    return str(folder / "pictures")


def _spread(images: np.ndarray, count: int) -> Iterator[np.ndarray]:
    yield from (images[index] for index in np.linspace(0, len(images) - 1, count).astype(int))
