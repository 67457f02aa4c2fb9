"""Stacked digits: three digits as the red, green and blue of a picture, so that there are 1,000 modes to be found.

Metz et al. 2017 (Unrolled GANs), section 3.3.1, after Che et al. 2017; they stacked MNIST. There are no labels: the
question is how many of the modes a generator finds that is not told of them. Unlike theirs, every mode comes equally
often, so that the distribution to be learned is uniform exactly.
"""

from dataclasses import dataclass

import numpy as np

from ganvas.core.sizes import Size
from ganvas.data.fit import fit_arrays
from ganvas.data.named.digits import DIGITS
from ganvas.data.named.mnist import MNIST
from ganvas.data.named.published import NamedSet
from ganvas.data.source import ArraySource, Say, Source, signature_of

COUNT, SIZE, MODES, SEED = 20_000, 32, 1_000, 0


@dataclass(frozen=True, kw_only=True)
class StackedDigits(NamedSet):
    """20,000 pictures of 32 x 32, of the bundled digits or of MNIST's."""

    def open(self, part: str, say: Say) -> Source:
        """Stack the bundled digits, or those of MNIST for "mnist", which may have to be fetched."""
        self.check_part(part)
        digits = MNIST.open("", say) if part else DIGITS.open("", say)
        if not isinstance(digits, ArraySource) or digits.labels is None:
            raise TypeError(f"{digits.where} cannot be stacked: its pictures are no array with labels")
        labels = digits.labels

        def load() -> np.ndarray:
            return stack(fit_arrays(digits.images, Size.of(SIZE), 1), labels, COUNT, SEED)[0]

        return ArraySource(
            where=f"{self.name}/{part}" if part else self.name,
            name=self.name,
            kind="stacked digits",
            signature=signature_of([digits.signature, COUNT, SIZE, SEED]),
            shape=(COUNT, 3, SIZE, SIZE),
            load=load,
        )

    def state(self) -> str:
        """The bundled digits are always there."""
        return "bundled"


def stack(digits: np.ndarray, labels: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [count, 3, H, W], three digits in the three channels, and the mode of each, int64 [count] in 0..999.

    digits: uint8 [N, 1, H, W], with labels 0..9 [N], each of them there. The mode 427 has a 4 in red, a 2 in green, a
    7 in blue; each mode comes as often as any other, give or take one. The same seed gives the same pictures.
    """
    dice = np.random.RandomState(seed)  # unlike numpy's newer dice these stay the same from version to version
    modes = dice.permutation(count) % MODES
    wanted = np.stack([modes // 100, modes // 10 % 10, modes % 10], axis=1)
    in_order = np.argsort(labels, kind="stable")
    of_each = np.bincount(labels, minlength=10)
    first = np.cumsum(of_each) - of_each
    within = (dice.random_sample(wanted.shape) * of_each[wanted]).astype(np.int64)
    return digits[in_order[first[wanted] + within], 0], modes.astype(np.int64)


STACKED_DIGITS = StackedDigits(
    name="stacked-digits",
    description="three digits as red, green and blue: 20,000 pictures of 32 x 32 with 1,000 modes",
    licence="CC BY 4.0, E. Alpaydin and C. Kaynak; of MNIST: CC BY-SA 3.0",
    megabytes=0.1,
    parts=("mnist",),
)
