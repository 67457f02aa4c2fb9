"""Recipes of translation: pairs, and two folders without pairs. Each returns complete settings for a data set."""

import dataclasses

from ganvas import degrade, networks
from ganvas.core.sizes import Size
from ganvas.recipes.crops import crops, jittered, modern, perceptual, training
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.guided_settings import GuidedLossSettings, GuidedSettings
from ganvas.tasks.unpaired_settings import KindsSettings, UnpairedLossSettings, UnpairedSettings
from ganvas.training.players import OptimizerSettings

_ISOLA = OptimizerSettings(lr=2e-4, betas=(0.5, 0.999))
_FALLING = dataclasses.replace(_ISOLA, decay="linear", hold=0.5)
_UNHALVED = 2.0  # both papers' translators descend (f - 1)^2, and lsgan is half of that
_CONTRAST = UnpairedLossSettings(cycle=0.0, identity=0.0, contrastive=1.0, contrastive_identity=1.0, pool=0)
_QUICK = OptimizerSettings(lr=5e-4, betas=(0.5, 0.99), decay="cosine", final=0.05)


def pix2pix(data: DataSettings, batch: int = 1) -> GuidedSettings:
    """Pairs: drawing to photo, map to aerial view, line to colour.

    Isola et al. 2017, section 6: a U-Net against 70x70 patches of both pictures, 100 times the absolute error. A batch
    of one picture, whose own statistics normalise it, at use as well; dropout as noise is left out.
    Takes a GPU, for hours.
    """
    return GuidedSettings(
        task="paired",
        recipe="pix2pix",
        data=crops(data, pairs=True, load=jittered(data.size), classes=data.classes),
        problem=degrade.problem("paired").Settings(),
        translator=networks.translator("unet").Settings(norm="instance-affine", halvings=_halvings(data.size, 8)),
        discriminator=networks.patch_discriminator("patch").Settings(norm="instance"),
        translator_optimizer=_FALLING,
        discriminator_optimizer=_FALLING,
        loss=GuidedLossSettings(weight=1.0, reconstruction=100.0),
        training=training(batch, 400_000),
    )


def pix2pix_r3(data: DataSettings, batch: int = 1) -> GuidedSettings:
    """As pix2pix, with the relativistic loss, R1 and R2.

    Takes a GPU, for hours.
    """
    return modern(pix2pix(data, batch), "pix2pix-r3", gamma=1.0)


def pairs(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """Pairs, by a small network: drawing to photo, line to colour.

    Found by short trials on drawings (docs/translation-results.md): a slim U-Net with BatchNorm, which knows no other
    picture once it is trained, so that parts of large pictures are translated as in the whole.
    Takes minutes on a CPU.
    """
    return dataclasses.replace(
        pix2pix(data, batch),
        recipe="pairs",
        translator=networks.translator("unet").Settings(
            width=32, max_width=256, halvings=_halvings(data.size, 6), upsample="resize"
        ),
        discriminator=networks.patch_discriminator("patch").Settings(width=32, norm="spectral"),
        translator_optimizer=_QUICK,
        discriminator_optimizer=_QUICK,
        loss=GuidedLossSettings(adversarial="hinge", weight=0.1, reconstruction=10.0, perceptual=perceptual(1.0)),
        training=training(batch, 100_000),
    )


def pairs_r3(data: DataSettings, batch: int = 16) -> GuidedSettings:
    """As pairs, with the relativistic loss, R1 and R2.

    Takes minutes on a CPU.
    """
    return modern(pairs(data, batch), "pairs-r3", gamma=0.1)


def cyclegan(data: DataSettings, batch: int = 1) -> UnpairedSettings:
    """Two folders without pairs, there and back: photos and paintings.

    Zhu et al. 2017, section 4 and 7: least squares, 10 times what is lost there and back, a pool of 50 pictures, the
    learning rate falling over the second half.
    Takes a GPU, for a day.
    """
    return UnpairedSettings(
        recipe="cyclegan",
        data=crops(data, KindsSettings, load=jittered(data.size), classes=data.classes),
        translator=networks.translator("resnet").Settings(blocks=9 if data.size.shorter >= 256 else 6),
        discriminator=networks.patch_discriminator("patch").Settings(norm="instance"),
        translator_optimizer=_FALLING,
        discriminator_optimizer=_FALLING,
        loss=UnpairedLossSettings(weight=_UNHALVED),
        training=training(batch, 400_000),
    )


def cut(data: DataSettings, batch: int = 1) -> UnpairedSettings:
    """Two folders without pairs, one way: each place of a picture stays what it was.

    Park et al. 2020 (CUT), section 4: least squares and a contrastive loss, on pictures of both kinds.
    Takes a GPU, for a day.
    """
    loss = dataclasses.replace(_CONTRAST, weight=_UNHALVED)
    return dataclasses.replace(cyclegan(data, batch), recipe="cut", loss=loss)


def swap(data: DataSettings, batch: int = 8) -> UnpairedSettings:
    """Two folders without pairs, there and back, by small networks.

    As cyclegan, but a picture begins as itself; so no identity term, and less of cycles, which would leave it so. After
    short trials on emoji of two makers (docs/translation-results.md).
    Takes half an hour on a CPU.
    """
    return dataclasses.replace(
        cyclegan(data, batch),
        recipe="swap",
        translator=networks.translator("resnet").Settings(width=24, blocks=4, upsample="resize", onto="picture"),
        discriminator=networks.patch_discriminator("patch").Settings(width=32, norm="instance"),
        translator_optimizer=_QUICK,
        discriminator_optimizer=_QUICK,
        loss=UnpairedLossSettings(weight=4.0, cycle=3.0, identity=0.0),
        training=training(batch, 60_000),
    )


def swap_r3(data: DataSettings, batch: int = 8) -> UnpairedSettings:
    """As swap, with the relativistic loss, R1 and R2.

    Takes half an hour on a CPU.
    """
    return modern(swap(data, batch), "swap-r3", gamma=0.1)


def contrast(data: DataSettings, batch: int = 8) -> UnpairedSettings:
    """Two folders without pairs, one way, by small networks.

    As cut; found by short trials on emoji of two makers (docs/translation-results.md).
    Takes half an hour on a CPU.
    """
    return dataclasses.replace(swap(data, batch), recipe="contrast", loss=_CONTRAST)


def _halvings(size: Size, most: int) -> int:
    """As often as a side can be halved, down to one value, at most so often."""
    return max(2, min(most, size.shorter.bit_length() - 1))
