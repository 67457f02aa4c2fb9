"""`python -m benchmarks` measures all; `python -m benchmarks NAME...` some. Needs an otherwise idle machine."""

import sys

from benchmarks import distances, modern, quality, speed, startup, watch

MEASUREMENTS = {
    "startup": startup.startup,
    "memory": startup.memory,
    "speed-dcgan": lambda: speed.against_textbook("dcgan"),
    "speed-quick": lambda: speed.against_textbook("quick"),
    "speed-r3gan": modern.r3gan,
    "speed-stylegan2": modern.stylegan2,
    "overhead": speed.overhead,
    "frechet": distances.frechet,
    "neighbours": distances.neighbours,
    "watch": watch.watch,
    "quality": quality.quality,
    "quality-seeds": quality.seeds,
}

unknown = [name for name in sys.argv[1:] if name not in MEASUREMENTS]
if unknown:
    sys.exit(f"no measurement named {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
for name in sys.argv[1:] or MEASUREMENTS:
    print(f"== {name}", flush=True)
    MEASUREMENTS[name]()
