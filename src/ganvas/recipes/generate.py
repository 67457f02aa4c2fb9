"""Recipes of generation: each returns complete settings for a data set and a batch, by default its own.

The first line of a docstring says what the recipe is and when to take it, the line that begins with "Takes" what a run
costs; `ganvas recipes` shows both. Where a recipe depends on the size of pictures that are not square, the networks and
the regime go by the shorter side, the weights of penalties by the number of pixels.
"""

import dataclasses
import math

from ganvas import networks
from ganvas.core.sizes import Size
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import PenaltySettings
from ganvas.tasks.generate_settings import GenerateSettings, LossSettings, PathLengthSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.players import OptimizerSettings
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import TrainingSettings


def quick(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Where to begin: goes furthest in minutes.

    Slim DCGAN bodies, relativistic loss, lazy R1, no normalisation in the discriminator: found by successive halving
    over some forty candidates on Fashion-MNIST (docs/quality.md).
    Takes minutes on a CPU.
    """
    adam = OptimizerSettings(lr=2e-3, betas=(0.0, 0.95), decay="cosine", hold=0.3, final=0.05)
    return GenerateSettings(
        recipe="quick",
        data=data,
        generator=networks.generator("dcgan").Settings(width=48),
        discriminator=networks.discriminator("dcgan").Settings(width=48, norm="none"),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        shared_draws=True,
        loss=LossSettings(adversarial="relativistic", r1=PenaltySettings(weight=_gamma(0.5, 32, data.size), every=4)),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_500)),
    )


def _gamma(weight: float, side: int, size: Size) -> float:
    """What R1 weighs, in proportion to the pixels, if it weighs so much at so many a side."""
    return weight * (size.side / side) ** 2


def dcgan(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """The textbook with BatchNorm, to compare others with.

    Radford et al. 2016, with transposed convolutions. Both players see one draw.
    Takes minutes on a CPU.
    """
    return GenerateSettings(
        recipe="dcgan",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(),
        shared_draws=True,
        training=TrainingSettings(batch=batch),
    )


def conv28(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """What tutorials train on MNIST: for 28 pixels and other multiples of 4.

    With one Adam of 1e-4 for both players, as there, it went round in circles (docs/health.md); a faster discriminator
    (Heusel et al. 2017) held by R1 does not.
    Takes minutes on a CPU.
    """
    calm = OptimizerSettings(lr=1e-4, betas=(0.5, 0.999))
    return GenerateSettings(
        recipe="conv28",
        data=data,
        generator=networks.generator("conv28").Settings(),
        discriminator=networks.discriminator("conv28").Settings(),
        generator_optimizer=calm,
        discriminator_optimizer=dataclasses.replace(calm, lr=4e-4),
        loss=LossSettings(r1=PenaltySettings(weight=_gamma(1.0, 28, data.size), every=4)),
        training=TrainingSettings(batch=batch),
    )


def mlp(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Fully connected, the first GAN: for small sizes that no other makes.

    Goodfellow et al. 2014, section 5.
    Takes minutes on a CPU.
    """
    return GenerateSettings(
        recipe="mlp",
        data=data,
        generator=networks.generator("mlp").Settings(),
        discriminator=networks.discriminator("mlp").Settings(),
        training=TrainingSettings(batch=batch),
    )


def lsgan(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """DCGAN with least squares, a loss that never saturates.

    Mao et al. 2017.
    Takes minutes on a CPU.
    """
    return dataclasses.replace(dcgan(data, batch), recipe="lsgan", loss=LossSettings(adversarial="lsgan"))


def hinge(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """DCGAN bodies with spectral norm: calm without a penalty.

    Miyato et al. 2018.
    Takes minutes on a CPU.
    """
    calm = OptimizerSettings(lr=2e-4, betas=(0.0, 0.9))
    return GenerateSettings(
        recipe="hinge",
        data=data,
        generator=networks.generator("dcgan").Settings(),
        discriminator=networks.discriminator("dcgan").Settings(norm="spectral"),
        generator_optimizer=calm,
        discriminator_optimizer=calm,
        loss=LossSettings(adversarial="hinge"),
        training=TrainingSettings(batch=batch),
    )


def wgan(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Wasserstein GAN with clipped weights: to study, wgan-gp is better.

    Arjovsky et al. 2017, algorithm 1, with five moves of the critic to one.
    Takes patience on a CPU.
    """
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
        training=TrainingSettings(batch=batch),
    )


def wgan_gp(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Wasserstein GAN with a gradient penalty: steady and slow.

    Gulrajani et al. 2017, algorithm 1: five moves of the critic to one, and no BatchNorm in it.
    Takes patience on a CPU.
    """
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
        training=TrainingSettings(batch=batch),
    )


def r3gan(data: DataSettings, batch: int | None = None) -> GenerateSettings:
    """Modern and plain, without normalisation: among the best, with time.

    R3GAN (Huang et al. 2024), R1 and R2 in every round. Up to 32 pixels the paper's settings for CIFAR-10 with batches
    of 512, above those for FFHQ with batches of 256, at 64 and 256 pixels; gamma in between in proportion to the power
    of the side that joins the two, and beyond, where nothing is published, to the pixels. Of another batch than the
    paper's it is in proportion to 1 / batch.
    Takes a GPU: 20 M images as published.
    """
    small, images = data.size.shorter <= 32, 20_000_000
    usual = 512 if small else 256
    batch = batch or usual
    gamma = (
        _gamma(0.05, 32, data.size)
        if small
        else min(2 * (data.size.side / 64) ** math.log(75, 4), _gamma(150, 256, data.size))
    )
    gamma *= usual / batch
    penalty = PenaltySettings(weight=gamma, final=gamma / 10)
    adam = OptimizerSettings(lr=2e-4, betas=(0.0, 0.9), decay="cosine", final=0.25, final_betas=(0.0, 0.99))
    half_life = 5_000_000 if small else 500_000  # at the end; it rises from 0
    return GenerateSettings(
        recipe="r3gan",
        data=dataclasses.replace(data, mirror=data.channels > 1),
        generator=networks.generator("r3gan").Settings(),
        discriminator=networks.discriminator("r3gan").Settings(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        loss=LossSettings(adversarial="relativistic", r1=penalty, r2=penalty),
        augment=AugmentSettings(name="ada", final=0.55 if small else 0.3),
        training=TrainingSettings(
            batch=batch,
            average=AverageSettings(half_life=half_life, ramp_up=half_life / images),
            stop=StopSettings(images=images),
        ),
    )


def r3gan_slim(data: DataSettings, batch: int = 32) -> GenerateSettings:
    """R3GAN for a CPU, narrow and without groups of channels.

    R1 and R2 on every fourth round, one draw for both players; the generator learns at twice the discriminator's rate.
    Takes minutes on a CPU.
    """
    penalty = PenaltySettings(weight=_gamma(0.5, 32, data.size), every=4)
    adam = OptimizerSettings(lr=2e-3, betas=(0.0, 0.95), decay="cosine", hold=0.3, final=0.05)
    shape = {"width": 128, "wide": 4, "blocks": 1, "group": 0}
    return GenerateSettings(
        recipe="r3gan-slim",
        data=data,
        generator=networks.generator("r3gan").Settings(**shape),
        discriminator=networks.discriminator("r3gan").Settings(**shape),
        generator_optimizer=dataclasses.replace(adam, lr=4e-3),
        discriminator_optimizer=adam,
        shared_draws=True,
        loss=LossSettings(adversarial="relativistic", r1=penalty, r2=penalty),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_500)),
    )


def stylegan2(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Styles layer by layer: for faces, and a latent space to explore.

    StyleGAN2 as published (Karras et al. 2020), above 32 pixels with style mixing and path lengths. At 256 and 512
    pixels half the channels; up to 32 pixels a mapping network of 2 layers, gamma and average as for CIFAR-10. R1
    on every sixteenth round, path lengths on every fourth, for which Adam is slowed down in proportion (appendix B,
    "lazy regularization"). Gamma is in proportion to pixels / batch. Path lengths are of a step of the one w,
    weighed as in appendix B, 1 / (log2(side) - 1); the 2 of the published code is of w a layer. Unlike there, noise
    is one map a layer, minibatch deviations are of groups of 4, and up to 32 pixels the discriminator has skips.
    Takes a GPU: 25 M images as published.
    """
    small = data.size.shorter <= 32
    path_length = PathLengthSettings() if small else PathLengthSettings(weight=_of_one_w(data.size), every=4)
    channel_base = 16384 if 256 <= data.size.shorter <= 512 else 32768
    # The paper's 10 at 1024 pixels with batches of 32; 0.01 is CIFAR-10's at 64.
    gamma = _gamma(0.01, 32, data.size) * 64 / batch if small else _gamma(10, 1024, data.size) * 32 / batch
    return GenerateSettings(
        recipe="stylegan2",
        data=data,
        generator=networks.generator("stylegan2").Settings(mapping_layers=2 if small else 8, channel_base=channel_base),
        discriminator=networks.discriminator("stylegan2").Settings(channel_base=channel_base),
        generator_optimizer=_lazy_adam(2.5e-3) if small else _lazy_adam(2.5e-3, every=4),
        discriminator_optimizer=_lazy_adam(2.5e-3, every=16),
        style_mixing=0.0 if small else 0.9,
        loss=LossSettings(
            r1=PenaltySettings(weight=gamma, every=16),
            path_length=path_length,
        ),
        training=TrainingSettings(
            batch=batch,
            average=AverageSettings(half_life=500_000 if small else 10_000),
            stop=StopSettings(images=25_000_000),
        ),
    )


def _of_one_w(size: Size) -> float:
    """The weight of path lengths of the one w that all layers have. Karras et al. 2020, appendix B."""
    return 1.0 / (math.log2(size.shorter) - 1.0)


def stylegan2_slim(data: DataSettings, batch: int = 32) -> GenerateSettings:
    """StyleGAN2 for a CPU, narrow, with two layers of mapping.

    R1 on every eighth round; both learning rates fall over the run, and both players see one draw.
    Takes minutes on a CPU.
    """
    widths = {"channel_base": 16 * data.size.shorter, "max_width": 128}  # 16 channels at the picture's side
    adam = OptimizerSettings(lr=2.5e-3, betas=(0.0, 0.99), decay="cosine", hold=0.3, final=0.05)
    return GenerateSettings(
        recipe="stylegan2-slim",
        data=data,
        generator=networks.generator("stylegan2").Settings(
            latent=128, w_width=128, mapping_layers=2, embedding=32, **widths
        ),
        discriminator=networks.discriminator("stylegan2").Settings(**widths),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        shared_draws=True,
        loss=LossSettings(r1=PenaltySettings(weight=_gamma(0.3, 32, data.size), every=8)),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_500)),
    )


def _lazy_adam(lr: float, every: int | None = None) -> OptimizerSettings:
    """Adam (0, 0.99), slowed down for a penalty on one round of so many as if that were a round of its own."""
    share = 1.0 if every is None else every / (every + 1)
    return OptimizerSettings(lr=lr * share, betas=(0.0, 0.99**share))


def stylegan2_ada(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """StyleGAN2 for few pictures, augmented as much as it needs.

    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data"; the mean sign is steered to 0.6.
    Takes a GPU: 25 M images as published.
    """
    augment = AugmentSettings(name="ada", target=0.6)
    return dataclasses.replace(stylegan2(data, batch), recipe="stylegan2-ada", augment=augment)


def sngan(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """Residual networks with spectral norm: a classic, with classes or without.

    Miyato et al. 2018: hinge loss, spectral norm in the discriminator alone, five of its moves to one; with classes
    class-conditional BatchNorm and projection (Miyato & Koyama 2018). Up to 32 pixels the widths for CIFAR-10, above
    those for ImageNet. The published run is 100,000 moves of the generator.
    Takes a GPU: 6.4 M images as published.
    """
    falling = OptimizerSettings(lr=2e-4, betas=(0.0, 0.9), decay="linear")
    slim = data.size.shorter <= 32
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
        training=TrainingSettings(batch=batch, stop=StopSettings(images=100_000 * batch)),
    )


def sngan_slim(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """SNGAN for a CPU: narrow, one move to one.

    The discriminator learns at twice the generator's rate (Heusel et al. 2017); both players see one draw.
    Takes minutes on a CPU.
    """
    adam = OptimizerSettings(lr=5e-4, betas=(0.0, 0.9), decay="cosine", hold=0.3, final=0.05)
    return GenerateSettings(
        recipe="sngan-slim",
        data=data,
        generator=networks.generator("resnet").Settings(width=32, max_width=128),
        discriminator=networks.discriminator("resnet").Settings(width=32, max_width=128),
        generator_optimizer=adam,
        discriminator_optimizer=dataclasses.replace(adam, lr=1e-3),
        shared_draws=True,
        loss=LossSettings(adversarial="hinge"),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_500)),
    )


def biggan(data: DataSettings, batch: int = 64) -> GenerateSettings:
    """BigGAN's bodies with self-attention: for many classes.

    Spectral norm in both players, one class embedding, a long average.
    Brock, Donahue & Simonyan 2019, section 3 and appendix B: 96 channels, the learning rates and two moves of the
    discriminator to one. The average's half-life is that of 0.9999 a move at batch 64. Left out: the parts of the
    latent that go to each layer, orthogonal regularisation, and the batch of 2048.
    Takes a GPU.
    """
    side = min(64, data.size.shorter // 2)
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
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=440_000, ramp_up=1.0)),
    )


def fastgan(data: DataSettings, batch: int = 16) -> GenerateSettings:
    """For few pictures, a hundred to some thousand: fast, and augmented.

    FastGAN (Liu et al. 2021): hinge loss, DiffAug, skip-layer excitation, a discriminator that decodes its maps. Up to
    64 pixels the networks are slim, for a CPU, with five times the paper's learning rate of 2e-4. A batch of 16, not 8,
    costs a CPU less a picture; the average's half-life is that of 0.999 a move at batch 8.
    Takes minutes on a CPU.
    """
    slim = data.size.shorter <= 64
    width, max_width = (512 // data.size.shorter, 256) if slim else (32, 512)
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
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=5_000)),
    )
