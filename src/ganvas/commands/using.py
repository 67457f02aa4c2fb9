"""sample."""

from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.asking import parse_label, parse_moves
from ganvas.commands.printing import report
from ganvas.core.quantities import parse_seeds


def sample(
    run: Annotated[str, Positional, arg(metavar="RUN")],
    *,
    seeds: Annotated[str, arg(metavar="0-63")] = "0-63",
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME")] = None,
    move: Annotated[str | None, arg(metavar="pca0=2,sefa1=-3")] = None,
    out: Annotated[str, arg(metavar="grid.png|DIR/")] = "grid.png",
    json: bool = False,
) -> None:
    """Draw pictures from a trained generator.

    Args:
        run: A run's folder, a saved folder, a .safetensors or .onnx file, or the name of a generator in the package.
        seeds: Which pictures, as 0-63 or 1,5,9; a seed always gives the same picture.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; a mixture, as Coat=0.7,Bag=0.3; without it the classes in turn.
        move: Standard deviations to move along directions that `ganvas directions` finds.
        out: One grid, or a folder for a file a seed.
        json: One JSON object on stdout.
    """
    from ganvas.inference.directions import find
    from ganvas.inference.loading import load
    from ganvas.inference.pictures import write

    numbers, moves = parse_seeds(seeds), parse_moves(move) if move is not None else {}
    generator = load(run)
    labels = generator.labels(numbers, parse_label(generator, label))
    points = generator.points(generator.latents(numbers), labels, truncation=truncation)
    for method, strengths in moves.items():
        points = find(generator, method, max(strengths) + 1).moved(points, strengths)
    pictures = generator.pictures_of_points(points, labels)
    written = write(pictures, numbers, out)
    report({"pictures": len(pictures), "files": [str(path) for path in written]}, json)
    terminal.say(f"{len(pictures)} pictures in {out}")
