"""What a run of a variational autoencoder is made of: settings that are written to its settings.toml and rebuild it."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import nn

from ganvas import networks
from ganvas.core.settings import by_name, settings
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import GameSettings, Weight
from ganvas.training.players import OptimizerSettings, Positive
from ganvas.training.trainer import TrainingSettings


@settings
class BoundSettings:
    """The negative evidence lower bound that an autoencoder descends."""

    beta: Weight = 1.0  # what its KL term is multiplied by (Higgins et al. 2017); 1: the bound itself
    sd: Positive | None = None  # of a pixel's noise, where pictures are in [-1, 1]; None: learned

    def say(self) -> str:
        """What is descended, in a few words."""
        return "evidence lower bound"


@settings
class AutoencodeSettings(GameSettings):
    """Everything that a run of an autoencoder is made of; a run is rebuilt from these alone."""

    NETWORKS: ClassVar[tuple[str, ...]] = ("generator", "encoder")
    OPTIMIZERS: ClassVar[tuple[str, ...]] = ("autoencoder_optimizer",)

    task: Literal["autoencode"] = "autoencode"
    recipe: str = "custom"
    licence: str | None = None  # under which the generator may be used, for its card; None: unknown
    data: DataSettings
    generator: Annotated[Any, by_name(networks.generator, "generator", usual="dcgan")]  # the decoder
    encoder: Annotated[Any, by_name(networks.encoder, "encoder", usual="conv")]
    autoencoder_optimizer: OptimizerSettings = OptimizerSettings()
    loss: BoundSettings = BoundSettings()
    training: TrainingSettings = TrainingSettings()

    def check_networks(self) -> tuple[nn.Module, nn.Module]:
        """The decoder and the encoder on the meta device, which takes no memory for their weights.

        Raises UsageError if they cannot be built for such pictures.
        """
        shape = {"size": self.data.size, "channels": self.data.channels, "classes": len(self.data.classes)}
        with torch.device("meta"):
            decoder = networks.generator(self.generator.name)(self.generator, **shape)
            return decoder, networks.encoder(self.encoder.name)(self.encoder, latent=decoder.latent, **shape)
