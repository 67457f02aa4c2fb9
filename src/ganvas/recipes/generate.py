"""Recipes of generation: each returns complete settings for a data set."""

import dataclasses

from ganvas import networks
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.generate_settings import DataSettings, GenerateSettings, LossSettings, PenaltySettings
from ganvas.training.averages import AverageSettings
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import TrainingSettings


def quick(data: DataSettings) -> GenerateSettings:
    """Goes furthest in minutes on a CPU: slim DCGAN bodies, relativistic loss, lazy R1, no normalisation in D.

    Found by successive halving over some forty candidates on Fashion-MNIST (docs/quality.md).
    """
    adam = OptimizerSettings(lr=2e-3, betas=(0.0, 0.95), decay="cosine", hold=0.3, final=0.05)
    gamma = 0.5 * (data.size / 32) ** 2  # in proportion to the pixels
    return GenerateSettings(
        recipe="quick",
        data=data,
        generator=networks.generator("dcgan").Settings(width=48),
        discriminator=networks.discriminator("dcgan").Settings(width=48, norm="none"),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        shared_draws=True,
        loss=LossSettings(adversarial="relativistic", r1=PenaltySettings(weight=gamma, every=4)),
        training=TrainingSettings(average=AverageSettings(half_life=2_500)),
    )


def dcgan(data: DataSettings) -> GenerateSettings:
    """The textbook: transposed convolutions with BatchNorm (Radford et al. 2016); both players see one draw."""
    return GenerateSettings(
        recipe="dcgan",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(),
        shared_draws=True,
    )


def conv28(data: DataSettings) -> GenerateSettings:
    """The small convolutional network that tutorials train on MNIST, at its own 28 x 28 pixels.

    With one Adam of 1e-4 for both players, as there, it went round in circles (docs/health.md); a faster discriminator
    (Heusel et al. 2017) held by R1 does not.
    """
    calm = OptimizerSettings(lr=1e-4, betas=(0.5, 0.999))
    return GenerateSettings(
        recipe="conv28",
        data=data,
        generator=networks.generator("conv28").Settings(),
        discriminator=networks.discriminator("conv28").Settings(),
        generator_optimizer=calm,
        discriminator_optimizer=dataclasses.replace(calm, lr=4e-4),
        loss=LossSettings(r1=PenaltySettings(weight=(data.size / 28) ** 2, every=4)),  # in proportion to the pixels
    )


def mlp(data: DataSettings) -> GenerateSettings:
    """Fully connected, for any small size (Goodfellow et al. 2014)."""
    return GenerateSettings(
        recipe="mlp",
        data=data,
        generator=networks.generator("mlp").Settings(),
        discriminator=networks.discriminator("mlp").Settings(),
    )


def lsgan(data: DataSettings) -> GenerateSettings:
    """DCGAN with least squares in place of the logistic loss (Mao et al. 2017)."""
    return dataclasses.replace(dcgan(data), recipe="lsgan", loss=LossSettings(adversarial="lsgan"))


def hinge(data: DataSettings) -> GenerateSettings:
    """DCGAN bodies with the hinge loss and spectral normalisation (Miyato et al. 2018)."""
    calm = OptimizerSettings(lr=2e-4, betas=(0.0, 0.9))
    return GenerateSettings(
        recipe="hinge",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(norm="spectral"),
        generator_optimizer=calm,
        discriminator_optimizer=calm,
        loss=LossSettings(adversarial="hinge"),
    )


def wgan(data: DataSettings) -> GenerateSettings:
    """Wasserstein GAN with clipped weights and five moves of the critic (Arjovsky et al. 2017, algorithm 1)."""
    slow = OptimizerSettings(name="rmsprop", lr=5e-5, betas=(0.0, 0.99))
    return GenerateSettings(
        recipe="wgan",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(),
        generator_optimizer=slow,
        discriminator_optimizer=slow,
        discriminator_moves=5,
        loss=LossSettings(adversarial="wasserstein", clip=0.01),
    )


def wgan_gp(data: DataSettings) -> GenerateSettings:
    """Wasserstein GAN with the gradient penalty; no BatchNorm in the critic (Gulrajani et al. 2017, algorithm 1)."""
    calm = OptimizerSettings(lr=1e-4, betas=(0.0, 0.9))
    return GenerateSettings(
        recipe="wgan-gp",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(norm="none"),
        generator_optimizer=calm,
        discriminator_optimizer=calm,
        discriminator_moves=5,
        loss=LossSettings(adversarial="wasserstein", gradient_penalty=PenaltySettings(weight=10.0)),
    )


def r3gan(data: DataSettings) -> GenerateSettings:
    """R3GAN (Huang et al. 2024): relativistic loss, R1 and R2 in every round; the paper's CIFAR-10 settings at 32 px.

    gamma grows with the pixels: 0.05 at 32, 0.2 at 64. 20 million images at a batch of 512: for a GPU.
    """
    gamma = 0.05 * (data.size / 32) ** 2
    penalty = PenaltySettings(weight=gamma, final=gamma / 10, decay_images=20_000_000)
    adam = OptimizerSettings(lr=2e-4, betas=(0.0, 0.99), decay="cosine", final=0.25, decay_images=20_000_000)
    return GenerateSettings(
        recipe="r3gan",
        data=data,
        generator=networks.generator("r3gan").Settings(),
        discriminator=networks.discriminator("r3gan").Settings(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        loss=LossSettings(adversarial="relativistic", r1=penalty, r2=penalty),
        training=TrainingSettings(batch=512, average=AverageSettings(half_life=5_000_000)),
    )


def stylegan2(data: DataSettings) -> GenerateSettings:
    """StyleGAN2 as published, without style mixing, path length and augmentation (Karras et al. 2020).

    At 256 and 512 pixels half the channels, up to 32 pixels a mapping network of 2 layers. R1 on every sixteenth round,
    for which the discriminator's Adam is slowed down in proportion (appendix B, "lazy regularization").
    """
    adam, every = OptimizerSettings(lr=2.5e-3, betas=(0.0, 0.99)), 16
    lazy = every / (every + 1)
    channel_base = 16384 if 256 <= data.size <= 512 else 32768
    training = TrainingSettings(average=AverageSettings(half_life=10_000))
    # The paper's 10 at 1024 pixels with batches of 32, in proportion to pixels / batch.
    gamma = 10 * (data.size / 1024) ** 2 * 32 / training.batch
    return GenerateSettings(
        recipe="stylegan2",
        data=data,
        generator=networks.generator("stylegan2").Settings(
            mapping_layers=2 if data.size <= 32 else 8, channel_base=channel_base
        ),
        discriminator=networks.discriminator("stylegan2").Settings(channel_base=channel_base),
        generator_optimizer=adam,
        discriminator_optimizer=OptimizerSettings(lr=2.5e-3 * lazy, betas=(0.0, 0.99**lazy)),
        loss=LossSettings(r1=PenaltySettings(weight=gamma, every=every)),
        training=training,
    )


def sngan(data: DataSettings) -> GenerateSettings:
    """Residual networks, hinge loss and spectral norm in the discriminator alone, five moves to one.

    Miyato et al. 2018, with class-conditional BatchNorm and projection (Miyato & Koyama 2018): up to 32 pixels the
    widths for CIFAR-10, above those for ImageNet. The published run is 100,000 moves of the generator, 6.4 M images.
    """
    falling = OptimizerSettings(lr=2e-4, betas=(0.0, 0.9), decay="linear")
    slim = data.size <= 32
    generator, discriminator = networks.generator("resnet"), networks.discriminator("resnet")
    return GenerateSettings(
        recipe="sngan",
        data=data,
        generator=generator.Settings(width=256, max_width=256) if slim else generator.Settings(),
        discriminator=discriminator.Settings(width=128, max_width=128) if slim else discriminator.Settings(),
        generator_optimizer=falling,
        discriminator_optimizer=falling,
        discriminator_moves=5,
        loss=LossSettings(adversarial="hinge"),
    )


def biggan(data: DataSettings) -> GenerateSettings:
    """A small BigGAN: self-attention, spectral norm in both players, one class embedding, a long average.

    Brock, Donahue & Simonyan 2019, section 3 and appendix B: 96 channels, the learning rates and two moves of the
    discriminator to one. The average's half-life is that of 0.9999 a move at batch 64. Left out: the parts of the
    latent that go to each layer, orthogonal regularisation, and the batch of 2048.
    """
    side = min(64, data.size // 2)
    slow = OptimizerSettings(lr=5e-5, betas=(0.0, 0.999))
    return GenerateSettings(
        recipe="biggan",
        data=data,
        generator=networks.generator("resnet").Settings(
            latent=80, width=96, max_width=1536, embedding=128, spectral=True, attention=side
        ),
        discriminator=networks.discriminator("resnet").Settings(width=96, max_width=1536, attention=side),
        generator_optimizer=slow,
        discriminator_optimizer=dataclasses.replace(slow, lr=2e-4),
        discriminator_moves=2,
        loss=LossSettings(adversarial="hinge"),
        training=TrainingSettings(average=AverageSettings(half_life=440_000)),
    )


def fastgan(data: DataSettings) -> GenerateSettings:
    """FastGAN, for a hundred to some thousand pictures: hinge, DiffAug, a discriminator that decodes what it saw.

    Liu et al. 2021. Up to 64 pixels the networks are slim, for a CPU, with five times the paper's learning rate of
    2e-4. A batch of 16, not 8, costs a CPU less a picture; the average's half-life is that of 0.999 a move at batch 8.
    """
    slim = data.size <= 64
    width, max_width = (512 // data.size, 256) if slim else (32, 512)
    adam = OptimizerSettings(lr=1e-3 if slim else 2e-4, betas=(0.5, 0.999))
    return GenerateSettings(
        recipe="fastgan",
        data=data,
        generator=networks.generator("fastgan").Settings(width=width, max_width=max_width),
        discriminator=networks.discriminator("fastgan").Settings(width=2 * width, max_width=max_width),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        shared_draws=True,
        loss=LossSettings(adversarial="hinge", reconstruction=1.0),
        augment=AugmentSettings(name="diffaug", p=1.0),
        training=TrainingSettings(batch=16, average=AverageSettings(half_life=5_000)),
    )
