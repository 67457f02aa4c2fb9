"""walk, mix, directions, nearest, project: moving about in a generator's latent space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.asking import Layers, Run, class_numbers, own_labels, parse_layers, places_of, points_of
from ganvas.commands.printing import answer, report
from ganvas.core.errors import UsageError
from ganvas.core.quantities import parse_seeds, say_duration

MOST_FRAMES = 10_000  # of a walk; they are held in memory

Truncation = Annotated[float, arg(metavar="0.7")]
ClassName = Annotated[str | None, arg(name="class", metavar="NAME")]
At = Annotated[str | None, arg(metavar="DIR")]


def walk(
    run: Run,
    *,
    seeds: Annotated[str | None, arg(metavar="1,5,9")] = None,
    at: Annotated[str | None, arg(metavar="DIR,DIR")] = None,
    frames: Annotated[int, arg(metavar="N")] = 60,
    truncation: Truncation = 1.0,
    label: Annotated[str | None, arg(name="class", metavar="NAME[,NAME]")] = None,
    out: Annotated[str, arg(metavar="walk.webp")] = "walk.webp",
    json: bool = False,
) -> None:
    """Write an animation that moves through latent space from seed to seed and back to the first.

    Args:
        seeds: The pictures to pass, as 1,5,9.
        at: Folders that `ganvas project` wrote, to pass after the seeds.
        frames: Frames of the whole walk.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number, or several to pass through in turn; without it the first seed's.
        out: A .webp, .gif, .png (animated) or .mp4 file; the last needs the extra `video`.
        json: One JSON object on stdout.
    """
    from ganvas.inference import latent
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import check_animation, write_animation

    check_animation(Path(out))
    if frames > MOST_FRAMES:
        raise UsageError(f"--frames {frames}: {MOST_FRAMES:,} are the most; at 20 a second they take eight minutes")
    generator = load_generator(run)
    places = places_of(generator, seeds, at)
    wanted = class_numbers(generator, label) if label is not None else own_labels(places)
    if label is None and all(isinstance(place, int) for place in places):
        wanted = wanted[:1]  # a projected picture is one of its own class, seeds are of any
    points, labels = points_of(generator, places, wanted, truncation)
    path = latent.walk_between(generator, points, labels, frames)
    write_animation(path, Path(out))
    report({"frames": frames, "files": [out]}, json)
    terminal.say(f"{frames} frames in {out}")


def mix(
    run: Run,
    *,
    seeds: Annotated[str, arg(metavar="0-3")],
    styles: Annotated[str, arg(metavar="4-9")],
    layers: Annotated[str, arg(metavar="4-7")],
    truncation: Truncation = 1.0,
    label: ClassName = None,
    out: Annotated[str, arg(metavar="mix.png")] = "mix.png",
    json: bool = False,
) -> None:
    """Give pictures of a stylegan2 the styles of others in some layers: a grid, pictures at its left, styles on top.

    Args:
        seeds: The pictures, one a row.
        styles: The seeds whose styles are taken, one a column.
        layers: The layers in which they are taken: the first are layout, the last are colour.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it the classes in turn.
        out: The grid.
        json: One JSON object on stdout.
    """
    import numpy as np

    from ganvas.core.images import grid
    from ganvas.inference.latent import mixed_styles, style_layers
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import check_picture, write_picture

    check_picture(Path(out))
    generator, rows, columns = load_generator(run), parse_seeds(seeds), parse_seeds(styles)
    chosen = style_layers(generator, parse_layers(layers))
    wanted = None if label is None else [generator.class_number(label)]
    left, _ = points_of(generator, rows, wanted or rows, truncation)
    top, _ = points_of(generator, columns, wanted or columns, truncation)
    none = [0] * len(columns)  # a style has its class in it
    heads = generator.pictures_of_points(top, none)
    sheet = [np.full_like(heads[0], 255), *heads]
    for point in left:
        row = point.expand(len(top), -1, -1)
        sheet += [generator.pictures_of_points(row[:1], [0])[0]]
        sheet += list(generator.pictures_of_points(mixed_styles(row, top, chosen), none))
    write_picture(grid(np.stack(sheet), len(columns) + 1), Path(out))
    report({"rows": rows, "columns": columns, "layers": list(chosen), "files": [out]}, json)
    terminal.say(f"{len(rows)} pictures with {len(columns)} styles in layers {layers}: {out}")


def directions(
    run: Run,
    *,
    method: Annotated[str, arg(metavar="pca|sefa")] = "pca",
    count: Annotated[int, arg(metavar="N")] = 8,
    layers: Layers = None,
    seeds: Annotated[str | None, arg(metavar="3")] = None,
    at: At = None,
    reach: Annotated[float, arg(metavar="3")] = 3.0,
    truncation: Truncation = 1.0,
    label: ClassName = None,
    out: Annotated[str, arg(metavar="directions.png")] = "directions.png",
    json: bool = False,
) -> None:
    """Find the directions along which pictures change most, and show a picture moved along each.

    `ganvas sample RUN --move pca0=2` moves pictures along them.

    Args:
        method: Principal components of what the generator makes, or of its weights (SeFa).
        count: How many directions, a row each.
        layers: Of a stylegan2, the layers that are moved.
        seeds: The picture, seed 0 if nothing is said; with several, each has its own rows.
        at: A folder that `ganvas project` wrote: its picture is moved.
        reach: How far to both sides, in standard deviations.
        truncation: Below 1 pictures are more typical and less various.
        label: The class to draw, by name or number; without it that of the seed.
        out: The grid.
        json: One JSON object on stdout.
    """
    import numpy as np
    import torch

    from ganvas.core.captions import captioned
    from ganvas.core.images import grid
    from ganvas.inference.directions import find
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import check_picture, write_picture

    check_picture(Path(out))
    generator = load_generator(run)
    places = places_of(generator, seeds if seeds or at else "0", at)
    wanted = own_labels(places) if label is None else [generator.class_number(label)]
    points, labels = points_of(generator, places, wanted, truncation)
    found = find(generator, method, count, parse_layers(layers))
    strengths = np.linspace(-reach, reach, 7).tolist()
    rows = []
    for point, number in zip(points, labels, strict=True):
        for direction in range(count):
            moved = torch.cat([found.moved(point[None], {direction: strength}) for strength in strengths])
            rows.append(generator.pictures_of_points(moved, [number] * len(strengths)))
    names = [f"{method}{direction}" for direction in range(count)] * len(points)
    sheet = grid(np.concatenate(rows), len(strengths))
    write_picture(captioned(sheet, [f"{strength:g}" for strength in strengths], names), Path(out))
    shares = [round(share, 4) for share in found.shares.tolist()]
    report({"method": method, "shares": shares, "strengths": strengths, "files": [out]}, json)
    terminal.say(f"{count} directions by {method}, from {-reach:g} to {reach:g} standard deviations: {out}")


def nearest(
    run: Run,
    image: Annotated[str, Positional, arg(metavar="IMAGE")],
    *,
    seeds: Annotated[str, arg(metavar="0-999")] = "0-999",
    count: Annotated[int, arg(metavar="N")] = 8,
    fit: bool = False,
    label: ClassName = None,
    out: Annotated[str, arg(metavar="nearest.png")] = "nearest.png",
    json: bool = False,
) -> None:
    """Find the seeds whose pictures come nearest to a given one, and show them beside it.

    Args:
        image: The picture, of the generator's size.
        seeds: Which seeds are tried.
        count: How many to show.
        fit: Take the centre of a picture of another size and bring it to the generator's.
        label: The class to draw, by name or number; without it the classes in turn.
        out: The given picture and the nearest ones.
        json: One JSON object on stdout.
    """
    import numpy as np

    from ganvas.core.images import grid
    from ganvas.inference.given import read_picture
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import check_picture, write_picture
    from ganvas.inference.projection import nearest as find_nearest

    check_picture(Path(out))
    generator = load_generator(run)
    picture = read_picture(image, generator, fit=fit)
    found = find_nearest(generator, picture, parse_seeds(seeds), count=count, label=label)
    drawn = generator.pictures(generator.latents([each.seed for each in found]), [each.label for each in found])
    write_picture(grid(np.concatenate([picture[None], drawn]), len(drawn) + 1), Path(out))
    told: list[dict[str, Any]] = [{"seed": each.seed, "distance": round(each.distance, 5)} for each in found]
    if generator.classes:
        told = [{**one, "class": generator.classes[each.label]} for one, each in zip(told, found, strict=True)]
    screen = answer({"nearest": told, "files": [out]}, json)
    for one in told:
        screen.print("  ".join(f"{name} {value}" for name, value in one.items()), highlight=False)
    terminal.say(f"The picture and the {len(found)} nearest: {out}")


def project(
    run: Run,
    image: Annotated[str, Positional, arg(metavar="IMAGE")],
    *,
    out: Annotated[str, arg(metavar="DIR/")],
    steps: Annotated[int, arg(metavar="N")] = 300,
    fit: bool = False,
    label: ClassName = None,
    json: bool = False,
) -> None:
    """Find the point of latent space whose picture is closest to a given one, to move it and walk from it.

    Writes the point and a picture of both; `ganvas walk RUN --at DIR` and `ganvas directions RUN --at DIR` take it.

    Args:
        image: The picture, of the generator's size.
        out: The folder to write.
        steps: Steps of descent; more come closer.
        fit: Take the centre of a picture of another size and bring it to the generator's.
        label: The class to draw, by name or number; without it that of the nearest seed.
        json: One JSON object on stdout.
    """
    import json as json_format

    import numpy as np

    from ganvas.core import files
    from ganvas.core.images import grid, to_pillow
    from ganvas.inference.given import Point, read_picture, save_point
    from ganvas.inference.loading import load_generator
    from ganvas.inference.pictures import write_picture
    from ganvas.inference.projection import project as find_point

    folder = Path(out)
    with files.written_to(out):
        files.check_writable(folder / "projected.png")
    generator = load_generator(run)
    picture = read_picture(image, generator, fit=fit)
    found = find_point(generator, picture, steps=steps, label=label)
    told: dict[str, Any] = {
        "image": image,
        "measure": found.measure,
        "nearest_seed": round(found.first, 5),
        "distance": round(found.distance, 5),
        "seconds": round(found.seconds, 1),
        "steps": steps,
    }
    if generator.classes:
        told["class"] = generator.classes[found.label]
    projected, both, about = (folder / name for name in ("projected.png", "both.png", "projection.json"))
    with files.written_to(out):
        write_picture(to_pillow(found.picture), projected)
        write_picture(grid(np.stack([picture, found.picture])), both)
        files.write_text(about, json_format.dumps(told, indent=2) + "\n")
        point = save_point(folder, Point(found.point, found.label), generator)
    report({**told, "files": [str(path) for path in (projected, both, about, point)]}, json)
    terminal.say(
        f"Distance {found.distance:.3g} ({found.measure}; the nearest of 1,000 seeds {found.first:.3g}), "
        f"{say_duration(found.seconds)}: {both}"
    )
