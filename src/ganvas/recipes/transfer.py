"""A plan that begins from a trained run: its settings, adapted to other data, and what of its weights fits."""

from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, to_dict
from ganvas.core.sizes import Size
from ganvas.data import Survey
from ganvas.networks import transfer
from ganvas.recipes import RECIPES, task_of
from ganvas.recipes import recipe as named_recipe
from ganvas.recipes.choices import FOR_FEW, Choices, Machine
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import BACK
from ganvas.tasks.source import Source


class SourceChoices(Choices):
    """What a plan takes from the source that its run begins from, where the source decides."""

    def __init__(self, survey: Survey, machine: Machine, source: Source) -> None:
        super().__init__(survey, machine)
        self._source = source

    def size(self, task: str = "generate") -> Size | int:
        """The source's; of a file that does not say, as chosen of the data."""
        if self._source.size is None:
            return super().size(task)
        how = "as the source makes them; larger" if self._source.GROWS else "as the source learned them; other"
        return self.note("size", self._source.size, f"{how}: --size")

    def channels(self, task: str = "generate") -> int:
        """Those of the data; a source in colour goes on in colour, and a translator reads as it does."""
        found, its = super().channels(task), self._source.channels
        if found == 1 and its > 1:
            return self.note("channels", its, "as the source makes them, of grey pictures too")
        if found != its and not self._source.GROWS:
            return self.note("channels", its, "as the source reads them")
        return found

    def recipe(self, task: str, size: Size, brief: bool) -> str:
        """The source's. Raises UsageError for a file whose recipe is none that there is."""
        source = self._source
        if source.settings is None and source.recipe not in RECIPES:
            raise UsageError(f"The card of {source.file} names no recipe that there is: say which, --recipe NAME")
        return self.note("recipe", source.recipe, "that of the source, with its networks and settings")


def check_task(source: Source, task: str) -> None:
    """Raise UsageError unless a run of a task can begin from a source."""
    if source.task != task:
        raise UsageError(
            f"{source.path} is of the task {source.task}, and so is a run that begins from it, not of the task {task}: "
            f"leave --task out, or take a recipe of {source.task}"
        )


def adapted(source: Source, name: str, data: DataSettings, batch: int | None) -> Any:
    """The settings of a run on other data that begins from a source; of another recipe only the networks are its own.

    What the source's run set otherwise than its recipe stays as it was; the rest is as the recipe has it for the data.
    Lengths of decays, and how few pictures were augmented, are left open.
    Raises UsageError for a recipe of another task, and for a size that the networks cannot grow to.
    """
    own = source.settings
    if own is None or name != own.recipe:
        if task_of(name) != source.task:
            raise UsageError(
                f"The recipe {name} is of the task {task_of(name)}, and from {source.path} runs of the task "
                f"{source.task} can begin: choose one with --recipe"
            )
        made = named_recipe(name)(data) if batch is None else named_recipe(name)(data, batch)
        for role, part in source.parts.items():
            _check_family(source, role, getattr(made, role).name, part.name)
        kind, values = type(made), to_dict(made)
    elif name in RECIPES:
        take, rows = named_recipe(name), batch or own.training.batch
        then, now = to_dict(take(own.data, own.training.batch)), to_dict(take(data, rows))
        kind, values = type(own), _merged(then, to_dict(own), now)
        if getattr(own, "augment", None) == FOR_FEW:
            values["augment"] = now["augment"]
        values["data"], values["training"]["batch"] = now["data"], rows
        values["training"]["stop"] = now["training"]["stop"]  # which a plan always sets, and so not otherwise
    else:
        kind, values = type(own), to_dict(own)
        values["data"] |= to_dict(data)
        values["training"]["batch"] = batch or own.training.batch
        values["training"].pop("stop")
        _without_lengths(values)
    _check_size(source, data.size)
    for role in source.parts:
        values[role] = to_dict(source.grown(role, data.size))
    values["source"] = to_dict(source.mark())
    values.pop("discriminator_frozen", None)
    return from_dict(kind, values)


def tell(source: Source, chosen: Any, networks: Sequence[Any], choices: Choices) -> None:
    """Say which tensors of the networks are taken and which are new.

    Raises UsageError if the networks are of another family, if nothing of the leading one fits, and for frozen levels
    of a discriminator that were never trained.
    """
    made = f"after {source.images:,} images" + ("" if source.size is None else f", {source.size} px")
    choices.note("from", source.path, made)
    named = dict(zip(chosen.NETWORKS, networks, strict=True))
    for role in chosen.roles:
        kind = role.removesuffix(BACK)
        network = named[kind]
        if kind in source.parts:
            _check_family(source, kind, getattr(chosen, kind).name, source.parts[kind].name)
        taken = source.shares(role, network, chosen.data.classes)
        count, rest = transfer.in_words(network, taken)
        if role not in source.weights:
            choices.note(role, "new", "the source has no weights of one")
        elif not taken and role == source.LEADS:
            raise UsageError(f"Nothing of the {role} of {source.path} fits these settings: leave them as it has them")
        else:
            average = "the averaged weights" if kind == source.LEADS else "its weights"
            choices.note(role, count, "; ".join(filter(None, (average, rest))))
        if role == "discriminator" and (frozen := getattr(chosen, "discriminator_frozen", 0)):
            _check_frozen(frozen, transfer.new_levels(network, taken))
            choices.note(
                "frozen", frozen, "levels of the discriminator, from the picture on, stay as they are (FreezeD)"
            )


def _check_family(source: Source, role: str, wanted: str, its: str) -> None:
    if wanted != its:
        raise UsageError(
            f"The {role} of {source.path} is {its}, not {wanted}, and a run that begins from it has the same: "
            f"leave --recipe out, or name one with {its}"
        )


def _check_size(source: Source, wanted: Size) -> None:
    its = source.size
    if source.GROWS and its is not None and wanted.shorter < its.shorter:
        raise UsageError(
            f"{source.path} makes pictures of {its} pixels, and a run that begins from it as large or larger ones, not "
            f"{wanted}: use --size {its}"
        )


def _check_frozen(frozen: int, new: Sequence[int]) -> None:
    if untrained := [number for number in new if number <= frozen]:
        raise UsageError(
            f"discriminator_frozen={frozen}: level {untrained[0]} of the discriminator is new and has learned nothing "
            f"yet; take {untrained[0] - 1}"
        )


def _merged(then: Mapping[str, Any], own: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Own values where they are not those of `then`, else those of `now`; decays whose length was left open stay so."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys((*own, *now)):
        before, mine, after = then.get(key), own.get(key), now.get(key)
        if isinstance(mine, Mapping) and isinstance(after, Mapping):
            before = before if isinstance(before, Mapping) else {}
            found[key] = _merged(before, mine, after)
        elif mine == before or (key == "decay_images" and before is None):
            found[key] = after
        else:
            found[key] = mine
    return {key: value for key, value in found.items() if value is not None}


def _without_lengths(values: dict[str, Any]) -> None:
    values.pop("decay_images", None)
    for inner in values.values():
        if isinstance(inner, dict):
            _without_lengths(inner)
