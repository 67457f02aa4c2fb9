"""Recipes of autoencoders: each returns complete settings for a data set."""

from ganvas import networks
from ganvas.tasks.autoencode_settings import AutoencodeSettings, BoundSettings
from ganvas.tasks.generate_settings import DataSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import TrainingSettings


def vae(data: DataSettings) -> AutoencodeSettings:
    """The likelihood baseline (Kingma & Welling 2014), with a DCGAN generator as decoder; no BatchNorm."""
    return AutoencodeSettings(
        recipe="vae",
        data=data,
        generator=networks.generator("dcgan").Settings(latent=64, width=32, norm="none"),
        encoder=networks.encoder("conv").Settings(),
        autoencoder_optimizer=OptimizerSettings(lr=1e-3, betas=(0.9, 0.999), decay="cosine", final=0.05),
        loss=BoundSettings(),
        training=TrainingSettings(average=AverageSettings(half_life=2_500)),
    )
