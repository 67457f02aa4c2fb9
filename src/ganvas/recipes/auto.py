"""`--recipe auto`: from the data and the machine to settings, with the reason for each choice."""

import dataclasses
from typing import Any

import torch

from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override, to_dict
from ganvas.data import Survey, test_part
from ganvas.recipes import recipe as named_recipe
from ganvas.tasks.checks import check_batch, check_data, group_of, pictures_together
from ganvas.tasks.generate_settings import DataSettings
from ganvas.training.trainer import TrainingSettings

_FEW_PER_CLASS = 20  # fewer pictures a class teach a network nothing about it
_FEW = 5_000  # fewer pictures than this are shown mirrored as well
_FEW_TO_HOLD_OUT = 100  # of fewer pictures none are held out; else a twentieth, within these
_LEAST_HELD_OUT, _MOST_HELD_OUT = 10, 1_000
_LARGEST = {"cpu": 64, "mps": 128, "cuda": 256}
_IMAGES = {"cpu": 500_000, "mps": 1_000_000, "cuda": 5_000_000}


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the user asked for; None is left to the recipe."""

    recipe: str = "auto"
    size: int | None = None
    images: int | None = None
    seconds: float | None = None
    batch: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    procs: int = 1
    on_trouble: str = "note"
    assignments: tuple[str, ...] = ()


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

    Raises UsageError for a device, precision, recipe or setting that does not exist, and for impossible values.
    """
    device = devices.choose_device(wishes.device)
    reasons: list[tuple[str, str, str]] = []

    def choose(what: str, choice: Any, reason: str) -> Any:
        reasons.append((what, str(choice), reason))
        return choice

    found = f"{survey.count:,} pictures, typically {survey.size} px"
    choose("data", survey.name, found + (f", {len(survey.classes)} classes" if survey.classes else ""))
    if wishes.size is not None:
        size = choose("size", wishes.size, "as you asked")
    else:
        size = _choose_size(survey, device, choose)
    channels = choose("channels", survey.channels, "all grey" if survey.channels == 1 else "colour")
    name = choose("recipe", wishes.recipe, "as you asked") if wishes.recipe != "auto" else _choose_recipe(size, choose)
    seen = {
        "where": survey.where,
        "size": size,
        "channels": channels,
        "classes": _choose_classes(survey, choose),
        "mirror": _choose_mirror(survey, choose),
        "test": test_part(survey.where),
    }
    if seen["test"] is None:
        seen["held_out"] = _choose_held_out(survey, choose)
    data = from_dict(DataSettings, seen, "data")
    batch, take = _asked_batch(wishes), named_recipe(name)
    made = take(data) if batch is None else take(data, batch)
    values = to_dict(made)
    training = values["training"] | {
        "seed": wishes.seed,
        "device": choose("device", device, "as you asked" if wishes.device != "auto" else "the fastest here"),
        "precision": _choose_precision(wishes, device, choose),
        "procs": wishes.procs,
        "on_trouble": wishes.on_trouble,
        "stop": _choose_stop(wishes, device, choose),
    }
    values |= {"training": training | {"device": str(device)}}
    for role in made.NETWORKS:  # another network begins with its own settings
        if _assigned(wishes, f"{role}.name") not in (None, values[role]["name"]):
            values[role] = {}
    values = override(values, wishes.assignments)
    chosen = from_dict(type(made), values)
    if chosen.training.procs > chosen.training.batch:
        procs, rows = chosen.training.procs, chosen.training.batch
        raise UsageError(f"A batch of {rows} cannot be shared by {procs} processes: raise --batch")
    chosen = chosen.lasting(chosen.training.stop.images)
    check_data(chosen, survey.count, survey.classes)
    try:
        players = chosen.check_networks()
    except UsageError as error:
        raise UsageError(f"{error}\nWhat makes {size} pixels: ganvas recipes --size {size}") from None
    if _assigned(wishes, "training.lanes") is None:
        chosen = _with_whole_groups(chosen, players, choose)
    check_batch(chosen, players)
    _take_care(chosen, survey, players, choose)
    optimizer = getattr(chosen, chosen.OPTIMIZERS[0])
    if optimizer.decay != "constant" and optimizer.decay_images is None:
        choose("decay", "none", f"a {optimizer.decay} decay of the learning rate needs a length in images: --images")
    return Plan(survey.name, chosen, reasons)


def _assigned(wishes: Wishes, name: str) -> str | None:
    """What the assignments say of a setting, the last of them; None if they say nothing."""
    asked = (assignment.partition("=") for assignment in wishes.assignments)
    values = [value.strip(" \"'") for key, _, value in asked if key.strip() == name]
    return values[-1] if values else None


def _asked_batch(wishes: Wishes) -> int | None:
    """The batch that is asked for, None where it is left to the recipe. Raises UsageError for an impossible one."""
    assigned = _assigned(wishes, "training.batch")
    asked = wishes.batch if assigned is None else assigned
    return None if asked is None else from_dict(TrainingSettings, {"batch": asked}, "training").batch


def _with_whole_groups(chosen: Any, players: Any, choose: Any) -> Any:
    """In one lane, where a discriminator compares pictures in groups that more lanes would part."""
    group, together = group_of(players[1]), pictures_together(chosen, players)
    alone = dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, lanes=1))
    if all(count % group == 0 for count in together) or pictures_together(alone, players) == together:
        return chosen
    choose("lanes", 1, f"the discriminator compares the pictures of a group of {group}, so that they pass together")
    return alone


def _take_care(chosen: Any, survey: Survey, players: Any, choose: Any) -> None:
    """Say what can be done and will disappoint, and what would help."""
    group, together = group_of(players[1]), pictures_together(chosen, players)
    if parted := next((count for count in together if count % group), None):
        left = f"of {parted} pictures that pass together the last {parted % group} are a smaller group"
        whole = group * max(chosen.training.lanes, chosen.training.procs)
        choose("take care", f"groups of {group}", f"{left}; a --batch that is a multiple of {whole} leaves none")
    few = f"{survey.count:,} picture{'s' if survey.count > 1 else ''}"
    if (advice := chosen.care_with(survey.count)) is not None:
        choose("take care", few, advice)


def _choose_size(survey: Survey, device: torch.device, choose: Any) -> int:
    largest = _LARGEST[device.type]
    if survey.size < 8:
        return choose("size", 8, f"{survey.size} px, grown to the smallest that convolutions make")
    if 24 <= survey.size < 32:
        return choose("size", 32, f"{survey.size} px, grown to the next power of two")
    size = 8
    while size * 2 <= min(survey.size, largest):
        size *= 2
    why = f"the largest power of two within {survey.size} px"
    return choose("size", size, why if size < largest else f"what trains well on {device.type}; larger: --size")


def _choose_recipe(size: int, choose: Any) -> str:
    if size >= 8 and size & (size - 1) == 0:
        return choose("recipe", "quick", "gets furthest in minutes; a power of two suits its networks")
    if size % 4 == 0 and 8 <= size <= 64:
        return choose("recipe", "conv28", f"{size} is no power of two but divisible by four")
    return choose("recipe", "mlp", f"the convolutional networks make no {size} px")


def _choose_classes(survey: Survey, choose: Any) -> tuple[str, ...]:
    if len(survey.classes) < 2:
        return ()
    if survey.count < _FEW_PER_CLASS * len(survey.classes):
        choose("classes", "not used", f"fewer than {_FEW_PER_CLASS} pictures a class teach little about it")
        return ()
    choose("classes", len(survey.classes), "learned; to ignore them: --set data.classes=[]")
    return survey.classes


def _choose_mirror(survey: Survey, choose: Any) -> bool:
    if survey.channels == 1 or survey.count >= _FEW:
        return False
    return choose("mirror", True, f"fewer than {_FEW:,} colour pictures; if they hold text: --set data.mirror=false")


def _choose_held_out(survey: Survey, choose: Any) -> int:
    if survey.count < _FEW_TO_HOLD_OUT:
        return 0
    count = min(max(survey.count // 20, _LEAST_HELD_OUT), _MOST_HELD_OUT)
    return choose(
        "held out", count, "pictures training does not see, to notice memorising; none: --set data.held_out=0"
    )


def _choose_precision(wishes: Wishes, device: torch.device, choose: Any) -> str:
    dtype = devices.choose_precision(wishes.precision, device)
    name = str(dtype).removeprefix("torch.")
    if wishes.precision != "auto":
        return choose("precision", name, "as you asked")
    native = "the processor has bfloat16 arithmetic" if name == "bfloat16" else "the processor has no bfloat16"
    return choose("precision", name, native)


def _choose_stop(wishes: Wishes, device: torch.device, choose: Any) -> dict[str, Any]:
    if wishes.images is None and wishes.seconds is None:
        return {"images": choose("images", _IMAGES[device.type], f"usual on {device.type}; or --images, --time")}
    stop = {"images": wishes.images, "seconds": wishes.seconds}
    return {name: value for name, value in stop.items() if value is not None}
