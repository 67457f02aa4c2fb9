"""sample, walk."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import report
from ganvas.core.errors import UsageError
from ganvas.core.quantities import parse_count, parse_seeds

MOST_IN_GRID = 10_000
MOST_FRAMES = 10_000  # of a walk; they are held in memory


def sample(
    run: Annotated[str, Positional, arg(metavar="RUN")],
    *,
    seeds: Annotated[str | None, arg(metavar="0-63")] = None,
    count: Annotated[str | None, arg(metavar="50k")] = None,
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    out: Annotated[str, arg(metavar="grid.png|DIR/")] = "grid.png",
    precision: Annotated[str, arg(metavar="auto|float32|bfloat16")] = "auto",
    json: bool = False,
) -> None:
    """Draw pictures from a trained generator.

    Args:
        run: A run's folder, a saved folder, a .safetensors or .onnx file, or the name of a generator in the package.
        seeds: Which pictures, as 0-63 or 1,5,9; a seed always gives the same picture. Without it 0-63.
        count: So many pictures, of the seeds from 0 on, in place of --seeds; into a folder they may be millions.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it the classes in turn.
        out: One grid, or a folder for a file a seed.
        precision: auto is bfloat16 where the processor has it; float32 draws exactly what the network gives.
        json: One JSON object on stdout.
    """
    from ganvas.inference.loading import load
    from ganvas.inference.pictures import is_folder, write, write_each

    if seeds is not None and count is not None:
        raise UsageError("--seeds and --count both say which pictures: leave one of them out")
    numbers = parse_seeds(seeds or "0-63") if count is None else range(parse_count(count))
    if not is_folder(out) and len(numbers) > MOST_IN_GRID:
        raise UsageError(f"{len(numbers):,} pictures are too many for a grid: give a folder, as --out pictures/")
    generator = load(run, precision=precision)
    if is_folder(out):
        written = write_each(generator.batches(numbers, truncation=truncation, label=label), out)
    else:
        written = write(generator.sample(numbers, truncation=truncation, label=label), numbers, out)
    report({"pictures": len(numbers), "files": [str(path) for path in written]}, json)
    terminal.say(f"{len(numbers)} pictures in {out}")


def walk(
    run: Annotated[str, Positional, arg(metavar="RUN")],
    *,
    seeds: Annotated[str, arg(metavar="1,5,9")],
    frames: Annotated[int, arg(metavar="N")] = 60,
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    out: Annotated[str, arg(metavar="walk.webp")] = "walk.webp",
    json: bool = False,
) -> None:
    """Write an animation that moves through latent space from seed to seed and back to the first.

    Args:
        run: A run's folder, a saved folder, a .safetensors or .onnx file, or the name of a generator in the package.
        seeds: The pictures to pass, as 1,5,9.
        frames: Frames of the whole walk.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it the first seed's.
        out: A .webp, .gif or .png (animated) file.
        json: One JSON object on stdout.
    """
    from ganvas.inference.latent import walk as walk_through
    from ganvas.inference.loading import load
    from ganvas.inference.pictures import write_animation

    if frames > MOST_FRAMES:
        raise UsageError(f"--frames {frames}: {MOST_FRAMES:,} are the most; at 20 a second they take eight minutes")
    generator, numbers = load(run), parse_seeds(seeds)
    path = walk_through(generator.latents(numbers), frames)
    number = numbers[0] if label is None else generator.class_number(label)
    write_animation(generator.pictures(path, [number] * len(path), truncation=truncation), Path(out))
    report({"frames": frames, "files": [out]}, json)
    terminal.say(f"{frames} frames in {out}")
