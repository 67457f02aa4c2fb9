"""`python -m benchmarks` measures all; `python -m benchmarks NAME...` some. Needs an otherwise idle machine.

`python -m benchmarks comparison`, `transfer`, `few_labels` and `translation` take from half an hour to hours, have
options of their own (--help), and are no part of all.
"""

import sys

from benchmarks import (
    applying,
    comparison,
    distances,
    diversity,
    few_labels,
    laziness,
    modern,
    projection,
    quality,
    sampling,
    speed,
    startup,
    transfer,
    translation,
    watch,
)

MEASUREMENTS = {
    "startup": startup.startup,
    "memory": startup.memory,
    "speed-dcgan": lambda: speed.against_textbook("dcgan"),
    "speed-quick": lambda: speed.against_textbook("quick"),
    "speed-r3gan": modern.r3gan,
    "speed-stylegan2": modern.stylegan2,
    "speed-sampling": sampling.on_all_cores,
    "speed-sampling-thread": sampling.of_one_thread,
    "laziness": laziness.laziness,
    "overhead": speed.overhead,
    "projection": projection.projection,
    "frechet": distances.frechet,
    "neighbours": distances.neighbours,
    "watch": watch.watch,
    "apply": applying.applying,
    "quality": quality.quality,
    "quality-seeds": quality.seeds,
    diversity.PLANE: diversity.in_the_plane,
    diversity.PICTURES: diversity.on_stacked_digits,
}


def meant(name: str) -> list[str]:
    """The measurement of that name, or those that begin with it: "diversity" is its two parts."""
    return [name] if name in MEASUREMENTS else [one for one in MEASUREMENTS if one.startswith(f"{name}-")]


OF_THEIR_OWN = {
    "comparison": comparison.main,
    "transfer": transfer.main,
    "few_labels": few_labels.main,
    "translation": translation.main,
}
if sys.argv[1:2] and sys.argv[1] in OF_THEIR_OWN:
    sys.exit(OF_THEIR_OWN[sys.argv[1]](sys.argv[2:]))
unknown = [name for name in sys.argv[1:] if not meant(name)]
if unknown:
    sys.exit(f"no measurement named {', '.join(unknown)}; there are: {', '.join([*MEASUREMENTS, *OF_THEIR_OWN])}")
for name in [one for asked in sys.argv[1:] for one in meant(asked)] or MEASUREMENTS:
    print(f"== {name}", flush=True)
    MEASUREMENTS[name]()
