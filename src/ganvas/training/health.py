"""The watch: a run recognises by itself the failures that people find out about days later.

It reads the lines of the journal and nothing else, so that it knows after a restart what it knew before, and so that
what it finds can be had again from the journal of any run. What it looks at is in a line under "signs":

    logit/real, logit/fake, logit/held_out   what the discriminator thinks, on average, of pictures it is trained on,
                                             of generated ones, of real ones that it never sees
    separation    the probability that it ranks a real picture above a generated one (the area under the ROC curve)
    overfit       how far unseen real pictures have fallen from the seen ones towards the generated: (real - held_out)
                  / (real - fake), 0 where they are judged alike (Karras et al. 2020, equation 1, r_v)
    diversity     distances from generated pictures to the nearest of their own, over the same of real ones
    copies        the part of generated pictures that are much nearer to one training picture than to any other
    change        how far the pictures of the same latents have moved since the line before: 1 is as far as from one
                  picture to any other
    gradient/*    the mean norm of a player's gradient
    movement/*    how far a player's weights have moved since the line before, over their norm, for each 1,000 images

The limits were set on runs that were made to fail and on healthy ones: docs/health.md has the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.core.quantities import say_count
from ganvas.training.journal import Tick


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong. since: images seen when it began. seen: the figures. advice: what to change."""

    name: str
    since: int
    seen: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name} since {say_count(self.since)} images: {self.seen}. {self.advice}"


class Watch:
    """Reads a run's journal line by line, and says what begins to go wrong."""

    def __init__(self, lines: Sequence[Tick] = ()) -> None:
        """lines: what the journal holds already; what they show is not told again."""
        self._lines: list[Tick] = []
        self.active: list[Finding] = []
        for line in lines:
            self.read(line)

    def read(self, line: Tick) -> list[Finding]:
        """Take up a line, and return what is found for the first time, or again after it was over."""
        self._lines.append(line)
        return []
