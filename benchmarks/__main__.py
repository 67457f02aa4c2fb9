"""`python -m benchmarks` measures all; `python -m benchmarks NAME...` some. Needs an otherwise idle machine.

`python -m benchmarks comparison` takes hours and options of its own (--help), and is no part of all.
"""

import sys

from benchmarks import comparison, distances, quality, speed, startup, watch

MEASUREMENTS = {
    "startup": startup.startup,
    "memory": startup.memory,
    "speed-dcgan": lambda: speed.against_textbook("dcgan"),
    "speed-quick": lambda: speed.against_textbook("quick"),
    "overhead": speed.overhead,
    "frechet": distances.frechet,
    "neighbours": distances.neighbours,
    "watch": watch.watch,
    "quality": quality.quality,
    "quality-seeds": quality.seeds,
}

if sys.argv[1:2] == ["comparison"]:
    sys.exit(comparison.main(sys.argv[2:]))
unknown = [name for name in sys.argv[1:] if name not in MEASUREMENTS]
if unknown:
    sys.exit(f"no measurement named {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}, comparison")
for name in sys.argv[1:] or MEASUREMENTS:
    print(f"== {name}", flush=True)
    MEASUREMENTS[name]()
