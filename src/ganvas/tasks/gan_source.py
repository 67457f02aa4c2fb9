"""A trained GAN, or a generator's file, from which another run begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas import networks
from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.networks import transfer
from ganvas.networks.growing import Growing
from ganvas.networks.transfer import Share
from ganvas.tasks.generate_settings import GenerateSettings
from ganvas.tasks.source import Source, below, newest_whole, of_file_alone, reading_card, recipe_of, settings_of
from ganvas.training.folder import RunFolder

_BUILD = {"generator": networks.generator, "discriminator": networks.discriminator}


class GanSource(Source):
    """A generator; of a run its discriminator as well. It begins networks of its families, also larger ones."""

    LEADS, GROWS = "generator", True

    def network(self, role: str) -> Growing:
        """As of `Source`."""
        part = self.parts[role]
        with torch.device("meta"):
            made: Growing = _BUILD[role](part.name)(
                part, size=self.size, channels=self.channels, classes=len(self.classes)
            )
        return made

    def grown(self, role: str, size: Size) -> Any:
        """As of `Source`."""
        part = self.parts[role]
        return _BUILD[role](part.name).grown(part, self.size, size)

    def shares(self, role: str, network: Any, classes: tuple[str, ...]) -> dict[str, Share]:
        """As of `Source`."""
        if role not in self.parts:
            return {}
        return transfer.shares(network, self.network(role), classes, self.classes)


def of_run(run: RunFolder, values: Mapping[str, Any], sha256: str | None) -> GanSource:
    """The source that a run is; where it has no checkpoint, its generator's file. values: of its settings.

    Raises DataError as `newest_whole` and `of_file_alone`, and for what is damaged or not there yet.
    """
    chosen = settings_of(run, values, GenerateSettings)
    held = newest_whole(run, sha256)
    if held is None:
        return of_file_alone(run, run.generator, of_file, chosen, sha256)
    file, tensors, about = held
    return GanSource(
        path=run.path,
        file=file,
        images=about["clock"]["images"],
        task="generate",
        recipe=chosen.recipe,
        size=chosen.data.size,
        channels=chosen.data.channels,
        classes=chosen.data.classes,
        parts={role: getattr(chosen, role) for role in _BUILD},
        weights={
            "generator": below("average/generator/", tensors),
            "discriminator": below("network/discriminator/discriminator.", tensors),
        },
        settings=chosen,
    ).checked()


def of_file(path: Path, file: Path, weights: Mapping[str, Tensor], card: Mapping[str, Any]) -> GanSource:
    """A generator's weights and what its card tells. path: as it was named. Raises DataError for what cannot be."""
    with reading_card(file):
        return GanSource(
            path=path,
            file=file,
            images=int(card.get("images_seen", 0)),
            task="generate",
            recipe=recipe_of(card),
            size=Size.of(card["size"]),
            channels=int(card["channels"]),
            classes=tuple(card["classes"]),
            parts={
                "generator": from_dict(
                    networks.generator(card["generator"]["name"]).Settings, card["generator"], "generator"
                )
            },
            weights={"generator": weights},
            settings=None,
        ).checked()
