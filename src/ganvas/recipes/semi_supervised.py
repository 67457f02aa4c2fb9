"""Recipes of semi-supervised learning: each returns complete settings for a data set and a batch."""

import dataclasses

from ganvas import networks
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.semi_supervised_settings import (
    UNLABELLED,
    PartlyLabelledSettings,
    SemiSupervisedLossSettings,
    SemiSupervisedSettings,
)
from ganvas.training.averages import AverageSettings
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import TrainingSettings


def few_labels(data: DataSettings, batch: int = 32) -> SemiSupervisedSettings:
    """A classifier, where few of the pictures have a class.

    Salimans et al. 2016: the discriminator tells K classes and fakes apart, the generator matches features; beside it
    pseudo labels (Sohn et al. 2020). Found by short trials on Fashion-MNIST (docs/few-labels.md).
    Takes minutes on a CPU.
    """
    unlabelled = next((name for name in UNLABELLED if name in data.classes), None)
    adam = OptimizerSettings(lr=2e-3, betas=(0.5, 0.99), decay="cosine", hold=0.3, final=0.05)
    return SemiSupervisedSettings(
        recipe="few-labels",
        data=PartlyLabelledSettings(**vars(data), unlabelled=unlabelled),
        generator=networks.generator("dcgan").Settings(width=32, norm="none"),
        classifier=networks.classifier("conv").Settings(),
        generator_optimizer=dataclasses.replace(adam, lr=1e-3),
        classifier_optimizer=adam,
        loss=SemiSupervisedLossSettings(adversarial=0.1, pseudo_labels=1.0, confidence=0.8),
        augment=AugmentSettings(name="diffaug", stages=("translation",), p=0.3),
        strong=AugmentSettings(name="diffaug", p=1.0),
        training=TrainingSettings(batch=batch, average=AverageSettings(half_life=2_000), score=20_000),
    )
