"""The watch: a run recognises by itself the failures that people find out about days later.

It reads the lines of the journal and nothing else, so that it knows after a restart what it knew before, and so that
what it finds can be had again from the journal of any run. What it looks at is in a line under "signs":

    logit/real, logit/fake, logit/held_out   what the discriminator thinks, on average, of pictures it is trained on,
                                             of generated ones, of real ones that it never sees
    separation    the probability that it ranks a real picture above a generated one (the area under the ROC curve)
    overfit       how far unseen real pictures have fallen from the seen ones towards the generated: (real - held_out)
                  / (real - fake), 0 where they are judged alike (Karras et al. 2020, equation 1, r_v)
    overfit_z     the same difference over its standard error, which so few pictures leave
    diversity     distances from generated pictures to the nearest of their own, over the same of real ones
    copies        the part of generated pictures that are much nearer to one training picture than to any other, less
                  the part of unseen real ones that are
    elbo/seen, elbo/held_out   an autoencoder's lower bound of log p(x), in nats a picture, on average, of pictures that
                             it is trained on and of real ones that it never sees
    kl            how much of a picture an autoencoder's latents tell: the mean KL divergence in that bound, in nats
    augment/p     the strength of a steered augmentation (ADA): it rises as the discriminator grows surer of real ones
    psnr/seen, psnr/held_out   how near answers come to the true pictures, in dB, of pictures that training sees and
                             that it does not; they are drawn, and no rule reads them
    change        how far the pictures of the same latents have moved since the line before: 1 is as far as from one
                  picture to any other
    gradient/*    the mean norm of a player's gradient
    movement/*    how far a player's weights have moved since the line before, over their norm, for each 1,000 images

The limits were set on runs that were made to fail and on healthy ones: docs/health.md has the table.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ganvas.core.quantities import say_count
from ganvas.training.journal import Tick

EARLY_LINES, EARLY_IMAGES = 4, 10_000  # so long every run is still in disorder


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong. since: images seen when it began. seen: the figures. advice: what to change."""

    name: str
    since: int
    seen: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name.capitalize()}, since {say_count(self.since)} images: {self.seen}. {self.advice}"


@dataclass(frozen=True)
class Rule:
    """How a kind of trouble is recognised.

    test: what is wrong in the last of some lines, all of them with signs, or None. lines: it is a finding when so many
    lines, one after the other, have it, and over when so many have not.
    """

    name: str
    test: Callable[[Sequence[Tick]], str | None]
    lines: int
    advice: str


def _early(lines: Sequence[Tick]) -> bool:
    return len(lines) <= EARLY_LINES or lines[-1]["images"] <= EARLY_IMAGES


def _collapse(lines: Sequence[Tick]) -> str | None:
    diversity = _recent(lines, "diversity", 4)
    if _early(lines) or not diversity or diversity[-1] > 0.25 or diversity[-1] > 1.1 * diversity[0]:
        return None
    if _posterior_collapse(lines):
        return None
    return f"generated pictures are alike, {diversity[-1]:.0%} as far from each other as real ones"


def _overpowering(lines: Sequence[Tick]) -> str | None:
    separation = lines[-1]["signs"].get("separation", 0.5)
    if _early(lines) or separation < 0.9999 or _overfitting(lines):
        return None
    return f"the discriminator tells real from generated pictures in {separation:.1%} of pairs"


def _overfitting(lines: Sequence[Tick]) -> str | None:
    strength = lines[-1]["signs"].get("augment/p", 0.0)
    if strength >= 0.85:  # steered up to where augmented pictures begin to be learned as real
        return f"augmentation has gone up to p = {strength:.2f} to hold it back"
    overfit = _recent(lines, "overfit", 3)
    if _early(lines) or not overfit or (typical := median(overfit)) < 0.3:
        return None
    if lines[-1]["signs"].get("overfit_z", math.inf) < 3:  # few pictures, judged alike, may differ so by chance
        return None
    return f"real pictures that it never sees have fallen {typical:.0%} of the way to generated ones in its eyes"


def _oscillation(lines: Sequence[Tick]) -> str | None:
    change = _recent(lines, "change", 3)
    if _early(lines) or not change or (typical := median(change)) < 1.2:
        return None
    return f"from one look to the next the pictures of the same seeds change {typical:.1f} times as much as two differ"


def _divergence(lines: Sequence[Tick]) -> str | None:
    """Large logits alone are no trouble: a critic under a gradient penalty begins with them, and they fall."""
    now, change = _logits(lines[-3:]), _recent(lines, "change", 3)
    has_grown = len(lines) > 2 * EARLY_LINES and now >= 50 and now >= 3 * _logits(lines[: EARLY_LINES + 2])
    unstable = now >= 100 and bool(change) and median(change) >= 1
    return f"logits have grown to {now:.3g}" if has_grown or unstable else None


def _logits(lines: Sequence[Tick]) -> float:
    """The median over lines of the larger of the mean logits."""
    return median(max(abs(line["signs"].get(f"logit/{kind}", 0.0)) for kind in ("real", "fake")) for line in lines)


def _memorisation(lines: Sequence[Tick]) -> str | None:
    copies = _recent(lines, "copies", 3)
    if not copies or (typical := median(copies)) < 0.1:
        return None
    return f"{typical:.0%} of generated pictures are near-copies of training pictures"


def _posterior_collapse(lines: Sequence[Tick]) -> str | None:
    kl = lines[-1]["signs"].get("kl", math.inf)
    if _early(lines) or kl >= 0.1:
        return None
    return f"the latents tell {kl:.2g} nats of a picture, next to nothing"


def _no_effect(lines: Sequence[Tick]) -> str | None:
    signs = lines[-1]["signs"]
    for player in (name.removeprefix("rate/") for name in signs if name.startswith("rate/")):
        rate, movement = signs[f"rate/{player}"], signs.get(f"movement/{player}")
        if movement is None or movement > 1e-5 or f"gradient/{player}" not in signs:
            continue  # it moves, or is not to move yet
        at_full_rate = rate >= 0.5 * _largest(lines, f"rate/{player}")
        if at_full_rate and signs[f"gradient/{player}"] >= 0.01 * _largest(lines, f"gradient/{player}"):
            moved = f"in 1,000 images the {player}'s weights move by {movement:.1g} of their size"
            return f"{moved}, at {player}_optimizer.lr as it is"
    return None


RULES = (
    Rule(
        "mode collapse",
        _collapse,
        4,
        "Lower the learning rates, add or raise R1 (--set loss.r1.weight=1), or try another recipe (ganvas recipes)",
    ),
    Rule(
        "the discriminator overpowers the generator",
        _overpowering,
        6,
        "The generator learns little from it: give it fewer moves or a lower learning rate "
        "(--set discriminator_moves=1), add or raise R1 (--set loss.r1.weight=1), or take the logistic loss instead of "
        "minimax",
    ),
    Rule(
        "the discriminator overfits",
        _overfitting,
        3,
        "It learns the pictures by heart: more pictures help most; else augment them (--set augment.name=diffaug "
        "augment.p=1.0), make it narrower (--set discriminator.width=...), or stop earlier",
    ),
    Rule(
        "oscillation",
        _oscillation,
        3,
        "Lower the learning rates, take less momentum (--set generator_optimizer.betas=[0.0,0.99], and so for the "
        "discriminator), or add or raise R1 (--set loss.r1.weight=1)",
    ),
    Rule(
        "divergence",
        _divergence,
        3,
        "Lower the learning rates, or bound the discriminator: more R1 (--set loss.r1.weight=1), a gradient penalty, "
        "or spectral norm (--set discriminator.norm=spectral)",
    ),
    Rule(
        "memorisation",
        _memorisation,
        3,
        "Do not take these pictures for new ones: train on more, or stop earlier; "
        "`ganvas eval RUN --metrics memorization` shows the closest pairs",
    ),
    Rule(
        "posterior collapse",
        _posterior_collapse,
        3,
        "The decoder does without its latents, and all pictures are alike: begin anew with a lower learning rate "
        "(--set autoencoder_optimizer.lr=5e-4), less weight on the KL term (loss.beta=0.5), or less noise allowed for "
        "(loss.sd=0.2)",
    ),
    Rule(
        "a learning rate that does nothing",
        _no_effect,
        3,
        "Raise that learning rate, with --set: 2e-4 is usual, of an autoencoder 1e-3",
    ),
)


class Watch:
    """Reads a run's journal line by line, and says what begins to go wrong."""

    def __init__(self, lines: Sequence[Tick] = ()) -> None:
        """lines: what the journal holds already; what they show is not told again."""
        self._lines: list[Tick] = []
        self._streaks = {rule.name: _Streak(rule) for rule in RULES}
        for line in lines:
            self.read(line)

    @property
    def active(self) -> list[Finding]:
        """What has been found and is not over."""
        return [streak.finding for streak in self._streaks.values() if streak.finding is not None]

    def read(self, line: Tick) -> list[Finding]:
        """Take up a line, and return what is found for the first time, or again after it was over."""
        if not line.get("signs"):
            return []
        self._lines.append(line)
        found = (streak.follow(self._lines) for streak in self._streaks.values())
        return [finding for finding in found if finding is not None]


class _Streak:
    """What a rule has said of the latest lines."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._with = self._without = 0  # lines, one after the other
        self._since = 0
        self.finding: Finding | None = None

    def follow(self, lines: Sequence[Tick]) -> Finding | None:
        """Take up the last line, and return a finding that it makes."""
        rule, seen = self._rule, self._rule.test(lines)
        if seen is None:
            self._with, self._without = 0, self._without + 1
            if self._without >= rule.lines:
                self.finding = None
            return None
        if not self._with:
            self._since = lines[-1]["images"]
        self._with, self._without = self._with + 1, 0
        if self.finding is not None:
            self.finding = replace(self.finding, seen=seen)
            return None
        if self._with < rule.lines:
            return None
        self.finding = Finding(rule.name, self._since, seen, rule.advice)
        return self.finding


def _largest(lines: Sequence[Tick], sign: str) -> float:
    return max(line["signs"].get(sign, 0.0) for line in lines)


def _recent(lines: Sequence[Tick], sign: str, count: int) -> list[float]:
    """A sign's values in the last lines, where all of them have it; else none."""
    values = [line["signs"][sign] for line in lines[-count:] if sign in line["signs"]]
    return values if len(values) == count else []
