"""sample."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from ganvas import terminal
from ganvas.commands.asking import Layers, Run, parse_label, parse_layers, parse_moves
from ganvas.commands.printing import print_json
from ganvas.core.errors import UsageError
from ganvas.core.quantities import parse_count, parse_seeds

MOST_IN_GRID = 10_000


def sample(
    run: Run,
    *,
    seeds: Annotated[str | None, arg(metavar="0-63")] = None,
    count: Annotated[str | None, arg(metavar="50k")] = None,
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    move: Annotated[str | None, arg(metavar="pca0=2,sefa1=-3")] = None,
    layers: Layers = None,
    out: Annotated[str, arg(metavar="grid.png|DIR/")] = "grid.png",
    replace: bool = False,
    precision: Annotated[str, arg(metavar="auto|float32|bfloat16")] = "auto",
    json: bool = False,
) -> None:
    """Draw pictures from a trained generator.

    Args:
        seeds: Which pictures, as 0-63 or 1,5,9; a seed always gives the same picture. Without it 0-63.
        count: So many pictures, of the seeds from 0 on, in place of --seeds; into a folder they may be millions.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; a mixture, as Coat=0.7,Bag=0.3; without it the classes in turn.
        move: Standard deviations to move along directions that `ganvas directions` finds.
        layers: Of a stylegan2, the layers that are moved, as for `ganvas directions`.
        out: One grid, or a folder for a file a seed.
        replace: Write pictures anew that are in the folder already.
        precision: auto is bfloat16 where the processor has it; float32 draws exactly what the network gives.
        json: One JSON object on stdout.
    """
    import numpy as np

    from ganvas.core.images import grid
    from ganvas.inference.directions import Mover
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import check_new, check_picture, is_folder, path_of, write_each, write_picture

    if seeds is not None and count is not None:
        raise UsageError("--seeds and --count both say which pictures: leave one of them out")
    numbers = parse_seeds(seeds or "0-63") if count is None else range(parse_count(count))
    if is_folder(out) and seeds is not None:
        numbers = list(dict.fromkeys(numbers))  # a seed has one file
    elif len(numbers) > MOST_IN_GRID and not is_folder(out):
        raise UsageError(f"{len(numbers):,} pictures are too many for a grid: give a folder, as --out pictures/")
    if layers is not None and move is None:
        raise UsageError("--layers says what --move moves: give both, or leave it out")
    folder = Path(out) if is_folder(out) else None
    if folder is None:
        check_picture(Path(out))
    elif not replace:
        check_new(numbers, folder)
    moves, chosen = None if move is None else parse_moves(move), parse_layers(layers)
    generator = load_generator(run, precision=precision)
    moved = None if moves is None else Mover(generator, moves, chosen)
    batches = generator.batches(numbers, truncation=truncation, label=parse_label(generator, label), moved=moved)
    if folder is not None:
        write_each(batches, folder)
    else:
        write_picture(grid(np.concatenate([pictures for _, pictures in batches])), Path(out))
    if json:
        files = [out] if folder is None else [str(path_of(seed, folder)) for seed in numbers]
        print_json({"pictures": len(numbers), "files": files})
    terminal.say(f"{len(numbers)} pictures in {out}")
