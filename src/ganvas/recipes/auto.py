"""`--recipe auto`: from the data and the machine to settings, with the reason for each choice."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.quantities import say_duration
from ganvas.core.settings import from_dict, override, to_dict
from ganvas.core.sizes import Size
from ganvas.data import Survey, test_part
from ganvas.recipes import FOR_TASK, RECIPES, transfer, what_it_takes
from ganvas.recipes import recipe as named_recipe
from ganvas.recipes.catalogue import why_not
from ganvas.recipes.choices import FOR_FEW, Choices, Machine
from ganvas.recipes.wishes import Wishes
from ganvas.tasks import IN_PARTS, TRANSLATES
from ganvas.tasks.checks import check_batch, check_data, group_of, pictures_together
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.tasks.guided_settings import GuidedSettings
from ganvas.tasks.source import Source
from ganvas.training.trainer import TrainingSettings

_ASKED = "as you asked"
_ROLES = ("generator", "discriminator", "encoder", "classifier", "translator")
_LARGE = 128  # pixels of the longer side up to which a CPU generates in hours


@dataclasses.dataclass(frozen=True)
class Plan:
    """Settings, and why they are as they are: (what, choice, reason) in the order of thinking.

    data: the short name of the data, for the run's folder. settings: those of the recipe's task.
    """

    data: str
    settings: Any
    reasons: list[tuple[str, str, str]]


def plan(survey: Survey, wishes: Wishes) -> Plan:
    """Settings for the data that a survey describes.

    Raises UsageError for a device, precision, recipe or setting that does not exist, for impossible values and for a
    source that does not go with them.
    """
    wishes = wishes.gathered()
    if (source := wishes.source) is not None:
        transfer.check_task(source, wishes.task)
    device = devices.choose_device(wishes.device)
    devices.choose_precision(wishes.precision, device)  # a name that does not exist is answered first
    machine = Machine.with_device(device)
    choices = Choices(survey, machine) if source is None else transfer.SourceChoices(survey, machine, source)
    seen = f"typically {survey.size}" if survey.shape is None or survey.shape.square else f"all {survey.shape.words}"
    found = f"{_pictures(survey.count)}, {seen} px"
    choices.note("data", survey.name, found + (f", {len(survey.classes)} classes" if survey.classes else ""))
    size = Size.of(choices.unless_asked("size", wishes.size, partial(choices.size, wishes.task)))
    choices.check_colours(wishes.task)
    channels = choices.unless_asked(
        "channels", wishes.assigned("data.channels"), partial(choices.channels, wishes.task)
    )
    if wishes.size is None and wishes.recipe in RECIPES and source is None and not _asks_for_networks(wishes):
        size = _size_of(wishes.recipe, size, channels, choices)
    name = choices.unless_asked("recipe", wishes.recipe, partial(choices.recipe, wishes.task, size, wishes.brief))
    made = _made(wishes, name, _chosen_data(survey, size, channels, choices, wishes), choices, source)
    if wishes.task in IN_PARTS:
        made = dataclasses.replace(made, data=dataclasses.replace(made.data, **choices.pieces(wishes.task, size)))
    chosen = _as_wished(made, wishes, choices, device, size)
    check_data(chosen, survey.count, survey.classes)
    networks = _networks(chosen, size)
    if source is not None:
        transfer.tell(source, chosen, networks, choices)
    if wishes.assigned("training.lanes") is None:
        chosen = _with_whole_groups(chosen, networks, choices)
    check_batch(chosen, networks)
    _tell_what_resulted(chosen, wishes, choices)
    _take_care(chosen, survey, networks, choices)
    _tell_what_it_takes(chosen, device, choices)
    return Plan(survey.name, chosen, choices.reasons)


def _asks_for_networks(wishes: Wishes) -> bool:
    """Whether the assignments change networks, so that a recipe's own say nothing of what can be made."""
    return any(wishes.assigned(role) is not None for role in _ROLES)


def _size_of(name: str, size: Size, channels: int, choices: Choices) -> Size:
    """The size, or the next doubled one that a recipe makes, up to 64; as it is where there is none."""
    tried = [size]
    while tried[-1].longer < 64:
        tried.append(Size(2 * tried[-1].height, 2 * tried[-1].width))
    pictures = from_dict(DataSettings, {"where": "", "size": size.plain, "channels": channels}, "data")
    found = next((one for one in tried if not why_not(name, pictures, one)), size)
    if found != size:
        choices.note("size", found, f"the smallest that {name} makes of these; other: --size")
    return found


def _chosen_data(survey: Survey, size: Size, channels: int, choices: Choices, wishes: Wishes) -> DataSettings:
    seen: dict[str, Any] = {
        "where": survey.where,
        "size": size.plain,
        "channels": channels,
        "test": test_part(survey.where),
    }
    translates = wishes.task in TRANSLATES
    classes, mirror, held_out = (wishes.assigned(f"data.{name}") for name in ("classes", "mirror", "held_out"))
    if classes is None:
        classes = survey.classes if translates else choices.classes()
    else:
        choices.note("classes", len(classes) if isinstance(classes, list) else classes, _ASKED)
    seen |= {"classes": classes, "mirror": choices.unless_asked("mirror", mirror, choices.mirror)}
    if held_out is not None:
        seen["held_out"] = choices.note("held out", held_out, _ASKED)
    elif seen["test"] is None:
        seen["held_out"] = choices.held_out_for_scores(wishes.task) if translates else choices.held_out()
    return from_dict(DataSettings, seen, "data")


def _made(wishes: Wishes, name: str, data: DataSettings, choices: Choices, source: Source | None) -> Any:
    """The settings of a recipe; one that `auto` has chosen augments few pictures, unless the wishes say how."""
    batch = _asked_batch(wishes)
    if source is not None:
        made = transfer.adapted(source, name, data, batch)
    else:
        made = named_recipe(name)(data) if batch is None else named_recipe(name)(data, batch)
    told = wishes.assigned("augment") is not None
    augments = isinstance(made, GenerateSettings) and wishes.recipe == "auto" and made.augment.name is None
    if augments and not told and choices.augments():
        made = dataclasses.replace(made, augment=FOR_FEW)
    return made


def _as_wished(made: Any, wishes: Wishes, choices: Choices, device: torch.device, size: Size) -> Any:
    """The settings of a recipe with all that is wished for, and the run's length. Raises UsageError."""
    named = wishes.recipe != "auto" or wishes.source is not None
    usual = partial(choices.images, size, made.training.stop.images, named)
    values = to_dict(made)
    values["training"] |= {
        "seed": wishes.seed,
        "device": str(choices.note("device", device, _ASKED if wishes.device != "auto" else "the fastest here")),
        "precision": choices.unless_asked("precision", wishes.precision, choices.precision),
        "procs": wishes.procs,
        "on_trouble": wishes.on_trouble,
        "stop": _chosen_stop(wishes, choices, usual),
    }
    for what in ("path", "sha256"):
        if wishes.assigned(f"source.{what}") is not None:
            raise UsageError("source is what a run began from: name it with --from RUN")
    for role in made.NETWORKS:  # another network begins with its own settings
        if wishes.assigned(f"{role}.name") not in (None, values[role]["name"]):
            values[role] = {}
    chosen: Any = from_dict(type(made), override(values, wishes.assignments))
    if chosen.training.procs > chosen.training.batch:
        procs, rows = chosen.training.procs, chosen.training.batch
        raise UsageError(f"A batch of {rows} cannot be shared by {procs} processes: raise --batch")
    return chosen.lasting(chosen.training.stop.images)


def _networks(chosen: Any, size: Size) -> Sequence[nn.Module]:
    """The networks, without memory for their weights. Raises UsageError that says what can be made of such a size."""
    try:
        networks: Sequence[nn.Module] = chosen.check_networks()
    except UsageError as error:
        others = f"\nWhat makes {size} pixels: ganvas recipes --size {size}"
        raise UsageError(f"{error}{others if 'pixels a side' in str(error) else ''}") from None
    return networks


def _tell_what_resulted(chosen: Any, wishes: Wishes, choices: Choices) -> None:
    """Say the batch and the weight of R1, which a recipe has chosen or the wishes have, and what is left out."""
    batch = chosen.training.batch
    own = "the recipe's; where memory is short, its parts pass one after another"
    choices.note("batch", batch, own if _asked_batch(wishes) is None else _ASKED)
    if isinstance(chosen, GuidedSettings):
        choices.perceptual(chosen.loss.perceptual)
    if isinstance(chosen, GenerateSettings) and chosen.loss.r1.weight:
        asked = wishes.assigned("loss.r1.weight") is not None
        own = f"of R1, the recipe's for {chosen.data.size} px; other: --set loss.r1.weight="
        choices.note("gamma", f"{chosen.loss.r1.weight:g}", _ASKED if asked else own)


def _asked_batch(wishes: Wishes) -> int | None:
    """The batch that is asked for, None where it is left to the recipe. Raises UsageError for an impossible one."""
    return None if wishes.batch is None else from_dict(TrainingSettings, {"batch": wishes.batch}, "training").batch


def _with_whole_groups(chosen: Any, networks: Any, choices: Choices) -> Any:
    """In one lane, where a discriminator compares pictures in groups that more lanes would part."""
    group, together = group_of(networks[1]), pictures_together(chosen, networks)
    alone = dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, lanes=1))
    if all(count % group == 0 for count in together) or pictures_together(alone, networks) == together:
        return chosen
    choices.note(
        "lanes", 1, f"the discriminator compares the pictures of a group of {group}, so that they pass together"
    )
    return alone


def _take_care(chosen: Any, survey: Survey, networks: Any, choices: Choices) -> None:
    """Say what can be done and will disappoint, and what would help."""
    in_pieces = bool(getattr(chosen.data, "scales", ()))  # which cover each picture
    if not in_pieces and (lost := survey.cropped(chosen.data.size)) is not None and survey.shape is not None:
        choices.note("take care", f"{survey.shape.words} px", lost)
    group, together = group_of(networks[1]), pictures_together(chosen, networks)
    if parted := next((count for count in together if count % group), None):
        rest = f"the last {parted % group} are a smaller group" if parted % group > 1 else "the last is left over"
        left = f"of {parted} pictures that pass together {rest}"
        left = left if parted > group else f"{parted} pictures pass together and are one smaller group"
        whole = group * max(chosen.training.lanes, chosen.training.procs)
        choices.note("take care", f"groups of {group}", f"{left}; a --batch that is a multiple of {whole} leaves none")
    if (doubt := chosen.doubt()) is not None:
        choices.note("take care", *doubt)
    if (advice := chosen.care_with(survey.count)) is not None:
        choices.note("take care", _pictures(survey.count), advice)


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _tell_what_it_takes(chosen: Any, device: torch.device, choices: Choices) -> None:
    """Say so if the recipe was made for another machine, or needs a length that it has not."""
    name = chosen.recipe
    if device.type == "cpu" and name in RECIPES and (takes := what_it_takes(name)).startswith("a GPU"):
        other = f"{name}-slim" if f"{name}-slim" in RECIPES else FOR_TASK.get(chosen.task, ("",))[0]
        instead = f"; for a CPU there is {other}" if other else ""
        choices.note("take care", name, f"made for {takes}, which is days to years here{instead}")
    if device.type == "cpu" and chosen.data.size.longer > _LARGE and chosen.task not in TRANSLATES:
        told = "a CPU sees few so large pictures a second: days, and gigabytes of memory. Begin with --size 64"
        choices.note("take care", f"{chosen.data.size} px", told)
    if endless := chosen.endless():
        timed = chosen.training.stop.seconds is not None and chosen.training.procs == 1
        how, told = ("measured", "its pace is measured first") if timed else ("none", "needs a length: --images")
        choices.note("decay", how, f"{', '.join(endless)}: what falls over the run, and {told}")


def _chosen_stop(wishes: Wishes, choices: Choices, usual: Callable[[], int]) -> dict[str, Any]:
    if wishes.images is None and wishes.seconds is None:
        return {"images": usual()}
    if wishes.images is not None:
        choices.note("images", wishes.images, _ASKED)
    if wishes.seconds is not None:
        choices.note("time", say_duration(wishes.seconds), _ASKED)
    stop = {"images": wishes.images, "seconds": wishes.seconds}
    return {name: value for name, value in stop.items() if value is not None}
