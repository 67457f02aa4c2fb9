"""Recipes of autoencoders: each returns complete settings for a data set and a batch, by default its own."""

from ganvas import networks
from ganvas.tasks.autoencode_settings import AutoencodeSettings
from ganvas.tasks.data_settings import DataSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import TrainingSettings


def vae(data: DataSettings, batch: int = 64) -> AutoencodeSettings:
    """A variational autoencoder: the likelihood baseline to compare GANs with.

    Kingma & Welling 2014, with a slim DCGAN generator without BatchNorm as decoder. Found by short trials on
    Fashion-MNIST (docs/quality.md); one with twice the learning rate lost its latents.
    Takes minutes on a CPU.
    """
    return AutoencodeSettings(
        recipe="vae",
        data=data,
        generator=networks.generator("dcgan").Settings(latent=64, width=48, norm="none"),
        encoder=networks.encoder("conv").Settings(),
        autoencoder_optimizer=OptimizerSettings(lr=2e-3, betas=(0.9, 0.999), decay="cosine", final=0.05),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_500)),
    )
