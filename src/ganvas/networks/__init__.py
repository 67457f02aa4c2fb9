"""Networks by name. A family is one file; adding one is that file and its lines here."""

from typing import Any

from ganvas.core.parts import load

GENERATORS = {
    "mlp": "ganvas.networks.mlp:MLPGenerator",
    "dcgan": "ganvas.networks.dcgan:DCGANGenerator",
    "conv28": "ganvas.networks.conv28:Conv28Generator",
    "r3gan": "ganvas.networks.r3gan:R3GANGenerator",
    "stylegan2": "ganvas.networks.stylegan2:StyleGAN2Generator",
    "resnet": "ganvas.networks.resnet:ResNetGenerator",
    "fastgan": "ganvas.networks.fastgan:FastGANGenerator",
}
DISCRIMINATORS = {
    "mlp": "ganvas.networks.mlp:MLPDiscriminator",
    "dcgan": "ganvas.networks.dcgan:DCGANDiscriminator",
    "conv28": "ganvas.networks.conv28:Conv28Discriminator",
    "r3gan": "ganvas.networks.r3gan:R3GANDiscriminator",
    "stylegan2": "ganvas.networks.stylegan2:StyleGAN2Discriminator",
    "resnet": "ganvas.networks.resnet:ResNetDiscriminator",
    "fastgan": "ganvas.networks.fastgan:FastGANDiscriminator",
}
ENCODERS = {
    "conv": "ganvas.networks.conv_encoder:ConvEncoder",
}
CLASSIFIERS = {
    "conv": "ganvas.networks.conv_classifier:ConvClassifier",
}
TRANSLATORS = {  # pictures in, pictures out, of any size
    "unet": "ganvas.networks.unet:UNet",
    "resnet": "ganvas.networks.residual_translator:ResidualTranslator",
    "srresnet": "ganvas.networks.srresnet:SRResNet",
    "rrdb": "ganvas.networks.rrdb:RRDB",
    "gated": "ganvas.networks.gated:Gated",
}
PATCH_DISCRIMINATORS = {  # a logit for each patch or pixel, of pictures of any size
    "patch": "ganvas.networks.patch:PatchDiscriminator",
    "unet": "ganvas.networks.unet_discriminator:UNetDiscriminator",
}


def generator(name: str) -> Any:
    """The generator class of a name. Raises UsageError with the nearest names if there is none."""
    return load(GENERATORS, name, "generator")


def discriminator(name: str) -> Any:
    """The discriminator class of a name. Raises UsageError with the nearest names if there is none."""
    return load(DISCRIMINATORS, name, "discriminator")


def encoder(name: str) -> Any:
    """The encoder class of a name. Raises UsageError with the nearest names if there is none."""
    return load(ENCODERS, name, "encoder")


def classifier(name: str) -> Any:
    """The classifier class of a name. Raises UsageError with the nearest names if there is none."""
    return load(CLASSIFIERS, name, "classifier")


def translator(name: str) -> Any:
    """The class of a network from pictures to pictures. Raises UsageError with the nearest names if there is none."""
    return load(TRANSLATORS, name, "translator")


def patch_discriminator(name: str) -> Any:
    """The patch discriminator class of a name. Raises UsageError with the nearest names if there is none."""
    return load(PATCH_DISCRIMINATORS, name, "patch discriminator")
