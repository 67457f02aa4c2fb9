"""Recipes of mending pictures: larger ones, filled holes, colours. Each returns complete settings for a data set."""

import dataclasses

from ganvas import degrade, networks
from ganvas.recipes.crops import crops, modern, perceptual, training
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.guided_settings import GuidedLossSettings, GuidedSettings
from ganvas.training.players import OptimizerSettings

_LEDIG = OptimizerSettings(lr=1e-4, betas=(0.9, 0.999))
_QUICK = OptimizerSettings(lr=4e-4, betas=(0.9, 0.99), decay="cosine", final=0.05)
_JUDGE = OptimizerSettings(lr=2e-4, betas=(0.5, 0.99), decay="cosine", final=0.05)


def srresnet(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Larger pictures without a discriminator: the highest PSNR, and soft.

    Ledig et al. 2017, section 3.2, by the absolute error; x4, other: --set translator.scale=2.
    Takes a GPU, for hours.
    """
    return GuidedSettings(
        task="superres",
        recipe="srresnet",
        data=crops(data),
        problem=degrade.problem("superres").Settings(),
        translator=networks.translator("srresnet").Settings(),
        discriminator=networks.patch_discriminator("unet").Settings(),
        translator_optimizer=_LEDIG,
        loss=GuidedLossSettings(weight=0.0, reconstruction=1.0),
        training=training(batch, 4_000_000),
    )


def srgan(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Larger pictures with sharp detail.

    Ledig et al. 2017, after a warm start by the absolute error; features of EfficientNet-Lite0 in place of VGG's, and
    patches judged with spectral norm in place of whole pictures by a VGG-like network.
    Takes a GPU, for hours.
    """
    loss = GuidedLossSettings(weight=1e-3, after=1_000_000, reconstruction=1.0, perceptual=perceptual(0.1))
    judge = networks.patch_discriminator("patch").Settings(norm="spectral")
    return dataclasses.replace(
        srresnet(data, batch), recipe="srgan", discriminator=judge, discriminator_optimizer=_LEDIG, loss=loss
    )


def esrgan(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Larger pictures by the deep RRDB network.

    Wang et al. 2018; the discriminator and the weights of the terms are Real-ESRGAN's (Wang et al. 2021, section 4.1).
    Takes a GPU, for days.
    """
    loss = GuidedLossSettings(weight=0.1, after=4_000_000, reconstruction=1.0, perceptual=perceptual(1.0))
    return dataclasses.replace(
        srresnet(data, batch),
        recipe="esrgan",
        translator=networks.translator("rrdb").Settings(),
        discriminator_optimizer=_LEDIG,
        loss=loss,
        training=training(batch, 8_000_000),
    )


def realesrgan(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Larger pictures of photos as they come: blurred, noisy, compressed.

    Wang et al. 2021: as esrgan, with small pictures by blur, resizing, noise and JPEG, twice.
    Takes a GPU, for days.
    """
    real = degrade.problem("superres").Settings(degradation=degrade.degradation("real").Settings())
    return dataclasses.replace(esrgan(data, batch), recipe="realesrgan", problem=real)


def superres(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Larger pictures by a small network that begins where bicubic is.

    Found by short trials on photos (docs/translation-results.md): the absolute error and features first, then a
    discriminator as well.
    Takes minutes on a CPU.
    """
    return dataclasses.replace(
        srresnet(data, batch),
        recipe="superres",
        translator=networks.translator("srresnet").Settings(width=32, blocks=6),
        discriminator=networks.patch_discriminator("patch").Settings(width=32, layers=2, norm="spectral"),
        translator_optimizer=_QUICK,
        discriminator_optimizer=_JUDGE,
        loss=GuidedLossSettings(weight=0.03, after=20_000, reconstruction=1.0, perceptual=perceptual(0.2)),
        training=training(batch, 80_000),
    )


def superres_r3(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """As superres, with the relativistic loss, R1 and R2.

    Takes minutes on a CPU.
    """
    return modern(superres(data, batch), "superres-r3", gamma=0.01)


def inpaint(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Filled holes: gated convolutions that see far, and a discriminator of patches.

    Yu et al. 2019, without its coarse first stage and contextual attention; boxes, strokes and outlines.
    Takes minutes on a CPU, hours at full width.
    """
    return GuidedSettings(
        task="inpaint",
        recipe="inpaint",
        data=crops(data, channels=3),
        problem=degrade.problem("inpaint").Settings(),
        translator=networks.translator("gated").Settings(width=24),
        discriminator=networks.patch_discriminator("patch").Settings(width=32, norm="spectral"),
        translator_optimizer=_QUICK,
        discriminator_optimizer=_JUDGE,
        loss=GuidedLossSettings(
            adversarial="hinge", weight=0.1, after=10_000, reconstruction=10.0, perceptual=perceptual(1.0)
        ),
        training=training(batch, 100_000),
    )


def inpaint_r3(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """As inpaint, with the relativistic loss, R1 and R2.

    Takes minutes on a CPU, hours at full width.
    """
    return modern(inpaint(data, batch), "inpaint-r3", gamma=0.1)


def colorize(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Colours for grey pictures: a U-Net from lightness to the colours of CIELAB.

    After Isola et al. 2017, section 4.2; hints of colour (Zhang et al. 2017): --set problem.hints=true.
    Takes minutes on a CPU.
    """
    return GuidedSettings(
        task="colorize",
        recipe="colorize",
        data=crops(data, channels=3),
        problem=degrade.problem("colorize").Settings(),
        translator=networks.translator("unet").Settings(width=32, max_width=256, halvings=5, upsample="resize"),
        discriminator=networks.patch_discriminator("patch").Settings(width=32, norm="spectral"),
        translator_optimizer=_QUICK,
        discriminator_optimizer=_JUDGE,
        loss=GuidedLossSettings(adversarial="hinge", weight=0.05, reconstruction=5.0, perceptual=perceptual(0.5)),
        training=training(batch, 100_000),
    )


def colorize_r3(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """As colorize, with the relativistic loss, R1 and R2.

    Takes minutes on a CPU.
    """
    return modern(colorize(data, batch), "colorize-r3", gamma=0.1)
