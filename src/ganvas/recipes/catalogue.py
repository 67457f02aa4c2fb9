"""What the recipes are: a line on each, the networks and the loss that it plays with, its size, what a run takes."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_dict
from ganvas.core.sizes import MOST_QUARTERS, QUARTERS, Size
from ganvas.recipes import RECIPES, task_of, what_it_takes
from ganvas.recipes import recipe as named_recipe
from ganvas.tasks import TRANSLATES
from ganvas.tasks.data_settings import DataSettings

SMALL_FOR_A_CPU = 64  # pixels of the longer side up to which recipes for a CPU generate in minutes
_LARGEST = 2048  # pixels a side up to which sizes are told
_TRIED, _PERIOD = 64, 12  # of those that are as they were so many pixels before: up to which they are tried
_LISTED = 8  # sizes that are told one by one


@dataclasses.dataclass(frozen=True)
class Entry:
    """A recipe for pictures of one kind.

    task: what `ganvas train --task` calls what it learns. what: what it is and when to take it. takes: what a run
    costs. networks: the families, generator / discriminator where they differ. loss: with the penalties. generator,
    discriminator: their parameters, an autoencoder's encoder in place of the latter, None where they cannot be built;
    reason: why not, else "".
    """

    name: str
    task: str
    what: str
    takes: str
    networks: str
    loss: str
    generator: int | None
    discriminator: int | None
    reason: str


@dataclasses.dataclass(frozen=True)
class Description:
    """A recipe in full. about: its papers. settings: those that differ from the defaults. sizes: sides of squares.

    shapes: what it makes beside squares: "none"; "quarters", a longer side of that many quarters of the shorter one, up
    to four times as long; or "any", both sides of any length within the sizes.
    """

    entry: Entry
    about: str
    settings: dict[str, Any]
    sizes: tuple[int, ...]
    shapes: str


def catalogue(size: int | str | Size = 32, channels: int = 3, classes: int = 0) -> list[Entry]:
    """Every recipe for such pictures. Raises UsageError for pictures that no recipe could be asked to make."""
    pictures = _pictures(size, channels, classes)
    return [_entry(name, pictures) for name in RECIPES]


def describe(name: str, size: int | str | Size = 32, channels: int = 3, classes: int = 0) -> Description:
    """One recipe in full. Raises UsageError for a name that does not exist, with the nearest, and for such pictures."""
    recipe = named_recipe(name)
    pictures = _pictures(size, channels, classes)
    sizes = _sizes(name, pictures)
    shapes = _shapes(name, pictures, sizes[0]) if sizes else "none"
    about = "\n".join(line for line in _told(recipe)[2:] if not line.startswith("Takes "))
    return Description(_entry(name, pictures), about, _own_settings(recipe(pictures)), sizes, shapes)


def _sizes(name: str, pictures: DataSettings) -> tuple[int, ...]:
    """Sides of squares that a recipe makes."""
    alike = task_of(name) in TRANSLATES  # these take any size, but for the multiples of a scale: 2, 3 or 4
    tried = min(_LARGEST, _TRIED) if alike else _LARGEST
    found = [side for side in range(4, tried + 1) if not why_not(name, pictures, Size(side, side))]
    more = (side for side in range(tried + 1, _LARGEST + 1) if tried - (tried - side) % _PERIOD in found)
    return (*found, *more)


def _shapes(name: str, pictures: DataSettings, side: int) -> str:
    """The shapes of a recipe, by its smallest square."""
    if not why_not(name, pictures, Size(side, side * MOST_QUARTERS // QUARTERS + 1)):  # longer than quarters go
        return "any"
    return "quarters" if side % 4 == 0 and not why_not(name, pictures, Size(side, side * 5 // 4)) else "none"


def say_sizes(sizes: Sequence[int]) -> str:
    """Sizes in a few words: "4 to 128", "8, 12, 16, ... 64", "8, 16, 32"."""
    if len(sizes) > _LISTED and sizes[-1] - sizes[0] == len(sizes) - 1:
        return f"{sizes[0]} to {sizes[-1]}"
    if len(sizes) > _LISTED:
        return f"{', '.join(map(str, sizes[:3]))}, ... {sizes[-1]}"
    return ", ".join(map(str, sizes))


def _pictures(size: int | str | Size, channels: int, classes: int) -> DataSettings:
    if classes < 0:
        raise UsageError(f"{classes} classes: use 0 for pictures without classes, else how many there are")
    names = tuple(map(str, range(classes)))
    return from_dict(
        DataSettings, {"where": "", "size": Size.of(size).plain, "channels": channels, "classes": names}, "data"
    )


def why_not(name: str, pictures: DataSettings, size: Size) -> str:
    """Why a recipe does not make pictures of a size, else ""."""
    return _entry(name, dataclasses.replace(pictures, size=size)).reason


def _entry(name: str, pictures: DataSettings) -> Entry:
    recipe = named_recipe(name)
    what = _told(recipe)[0]
    counts: list[int | None] = [None, None]
    reason = ""
    chosen = recipe(dataclasses.replace(pictures, channels=3))
    try:
        chosen = recipe(pictures)
        counts = [sum(weight.numel() for weight in network.parameters()) for network in chosen.check_networks()]
    except UsageError as error:
        reason = str(error)
    return Entry(
        name=name,
        task=chosen.task,
        what=what.removesuffix("."),
        takes=_takes(name, chosen.task, pictures.size),
        networks=" / ".join(dict.fromkeys(getattr(chosen, role).name for role in chosen.NETWORKS)),
        loss=", ".join(filter(None, (chosen.loss.say(), getattr(getattr(chosen, "augment", None), "name", None)))),
        generator=counts[0],
        discriminator=counts[1],
        reason=reason,
    )


def _takes(name: str, task: str, size: Size) -> str:
    """What a run costs; on a CPU only small pictures are generated in what a recipe says."""
    takes = what_it_takes(name)
    large = size.longer > SMALL_FOR_A_CPU and task not in TRANSLATES
    return "hours to days on a CPU" if large and "on a CPU" in takes else takes


def _told(recipe: Callable[..., Any]) -> list[str]:
    """The lines of a recipe's docstring."""
    return (inspect.getdoc(recipe) or "").split("\n")


def _own_settings(chosen: Any) -> dict[str, Any]:
    """What a recipe sets otherwise than the defaults, as nested plain values."""
    told = {field.name: getattr(chosen, field.name) for field in _without_default(type(chosen)) if field.name != "data"}
    parts = [name for name, value in told.items() if dataclasses.is_dataclass(value)]  # each a network, or a problem
    usual = type(chosen)(data=chosen.data, **told | {name: type(told[name])() for name in parts})
    values = to_dict(chosen)
    own = {name: values[name] for name in told if name not in parts} | _differing(values, to_dict(usual))
    for name in parts:
        own[name] = {"name": values[name]["name"]} | own.get(name, {})
    if data := _own_data(chosen.data):
        own["data"] = data
    return {key: own[key] for key in values if key in own}


def _own_data(data: DataSettings) -> dict[str, Any]:
    """What a recipe sets of its kind of data, beside what all data have."""
    common = {field.name for field in dataclasses.fields(DataSettings)}
    known = {field.name: getattr(data, field.name) for field in _without_default(type(data))}
    own = _differing(to_dict(data), to_dict(type(data)(**known)))
    return {name: value for name, value in own.items() if name not in common}


def _without_default(kind: type) -> list[Any]:
    missing = dataclasses.MISSING
    return [one for one in dataclasses.fields(kind) if one.default is missing and one.default_factory is missing]


def _differing(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """The values that are not the usual ones; tables of which nothing is left are left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        other = usual.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            value, other = _differing(value, other), {}
        if value != other:
            found[key] = value
    return found
