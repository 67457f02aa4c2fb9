"""A trained translator of pictures, or a translator's file, from which another run begins."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganvas import networks
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.networks.transfer import Share
from ganvas.tasks.game_settings import BACK
from ganvas.tasks.guided_settings import GuidedSettings
from ganvas.tasks.source import Source, below, newest_whole, of_file_alone, reading_card, recipe_of, settings_of
from ganvas.tasks.unpaired_settings import UnpairedSettings
from ganvas.training.folder import RunFolder

_ROLES = ("translator", "discriminator", f"translator{BACK}", f"discriminator{BACK}")


@dataclasses.dataclass(frozen=True)
class TranslatorSource(Source):
    """A translator; of a run also its discriminator, and both of the other direction, where there are any.

    They take pictures of any size, so it begins networks of the same settings alone. inputs, judged: the channels that
    translator and discriminator read; outputs: those that are made.
    """

    LEADS, GROWS = "translator", False

    inputs: int
    outputs: int
    judged: int

    def network(self, role: str) -> nn.Module:
        """As of `Source`."""
        with torch.device("meta"):
            if role.startswith("translator"):
                part = self.parts["translator"]
                made: nn.Module = networks.translator(part.name)(part, inputs=self.inputs, outputs=self.outputs)
            else:
                part = self.parts["discriminator"]
                made = networks.patch_discriminator(part.name)(part, inputs=self.judged)
        return made

    def grown(self, role: str, size: Size) -> Any:
        """As of `Source`: they are the same for all sizes."""
        return self.parts[role]

    def shares(self, role: str, network: Any, classes: tuple[str, ...]) -> dict[str, Share]:
        """As of `Source`: all tensors, or none where those of the network have other shapes."""
        its = {key: tensor.shape for key, tensor in self.weights.get(role, {}).items()}
        wanted = {key: tensor.shape for key, tensor in network.state_dict().items()}
        return {key: Share(key) for key in wanted} if its == wanted else {}


def of_run(run: RunFolder, values: Mapping[str, Any], sha256: str | None) -> TranslatorSource:
    """The source that a run is; where it has no checkpoint, its translator's file. values: of its settings.

    Raises DataError as `newest_whole` and `of_file_alone`, and for what is damaged or not there yet.
    """
    kind = UnpairedSettings if values["task"] == "unpaired" else GuidedSettings
    chosen = settings_of(run, values, kind)
    inputs, outputs, judged = chosen.channels()
    held = newest_whole(run, sha256)
    if held is None:
        return of_file_alone(run, run.translator, of_file, chosen, sha256)
    file, tensors, about = held
    weights: dict[str, dict[str, Tensor]] = {}
    for role in _ROLES:
        player = role.removesuffix(BACK)
        prefix = f"average/{role}/" if player == "translator" else f"network/{player}/{role}."
        weights |= {role: own} if (own := below(prefix, tensors)) else {}
    return TranslatorSource(
        path=run.path,
        file=file,
        images=about["clock"]["images"],
        task=chosen.task,
        recipe=chosen.recipe,
        size=chosen.data.size,
        channels=chosen.data.channels,
        classes=chosen.data.classes,
        parts={role: getattr(chosen, role) for role in chosen.NETWORKS if role in weights},
        weights=weights,
        settings=chosen,
        inputs=inputs,
        outputs=outputs,
        judged=judged,
    ).checked()


def of_file(path: Path, file: Path, weights: Mapping[str, Tensor], card: Mapping[str, Any]) -> TranslatorSource:
    """A translator's weights and what its card tells. path: as it was named. Raises DataError for what cannot be."""
    with reading_card(file):
        part = from_dict(networks.translator(card["translator"]["name"]).Settings, card["translator"], "translator")
        inputs, outputs = int(card["inputs"]), int(card["outputs"])
        return TranslatorSource(
            path=path,
            file=file,
            images=int(card.get("images_seen", 0)),
            task=str(card["task"]),
            recipe=recipe_of(card),
            size=None if card.get("size") is None else Size.of(card["size"]),
            channels=int(card.get("channels", 1 if (inputs, outputs) == (1, 1) else 3)),
            classes=(),
            parts={"translator": part},
            weights={"translator": weights},
            settings=None,
            inputs=inputs,
            outputs=outputs,
            judged=0,
        ).checked()
