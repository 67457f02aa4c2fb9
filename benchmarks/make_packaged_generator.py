"""Make the generator that the package brings along, in about two hours of one core: `make packaged`.

    python -m benchmarks.make_packaged_generator [--images N]

Fashion-MNIST as a whole, by class: most of the images at the recipe's rate, then the rest at a quarter of it, which
calms it down. Broken off, it goes on when it is given again. The file that comes out is left in benchmarks/runs/;
src/ganvas/inference/bundled/ is where the package has it. N: of the first part, for a trial.
"""

import argparse
import subprocess
import sys
from pathlib import Path

RUNS = Path(__file__).parent / "runs" / "packaged"
IMAGES, CALM = 2_500_000, 0.26  # of the first part; of it how many follow in the second
WIDER = ("generator.width=64", "discriminator.width=64")
CALMER = ("generator_optimizer.lr=0.0005", "discriminator_optimizer.lr=0.0005", "licence=MIT")


def make(images: int) -> Path:
    """Train both parts, score the result and write it; what is there already is not made again."""
    here = RUNS if images == IMAGES else RUNS / f"trial-{images}"
    first, second, made = here / "first", here / "second", here / "fashion-mnist.safetensors"
    train(first, images, "--recipe", "quick", "--set", *WIDER)
    train(second, round(CALM * images), "--from", str(first), "--set", *CALMER)
    ganvas("eval", str(second), "--against", "fashion-mnist")
    made.unlink(missing_ok=True)
    ganvas("export", str(second), "--out", str(made), "--precision", "bfloat16")
    return made


def train(run: Path, images: int, *how: str) -> None:
    """Begin a run, or go on with it; nothing is done for one that has got there."""
    if (run / "settings.toml").exists():
        ganvas("resume", str(run))
    else:
        ganvas("train", "fashion-mnist", "--images", str(images), "--out", str(run), *how)


def ganvas(*arguments: str) -> None:
    """Run a command. Raises SystemExit with its status if it failed."""
    print("ganvas", *arguments, flush=True)
    if status := subprocess.run([sys.executable, "-m", "ganvas", *arguments], check=False).returncode:
        sys.exit(status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=IMAGES)
    print(make(parser.parse_args().images))
