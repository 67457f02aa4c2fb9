"""ADA's pipeline: changes that a generator does not learn as long as each is left out often enough.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 2 and appendix B. Its
strength, p, may be steered: `ganvas.augment.strength`.
"""

from typing import Literal

from ganvas.augment.colour import Colour
from ganvas.augment.corruption import Cutout, Noise
from ganvas.augment.filtering import OctaveFilter
from ganvas.augment.geometry import Affine, Blit
from ganvas.augment.pipeline import Pipeline, Stage, known_once
from ganvas.core.settings import settings
from ganvas.core.sizes import Size


class ADA(Pipeline):
    """Blitting, geometry, colour, filtering and corruption (noise, then cutout), in this order."""

    @settings
    class Settings:
        """Settings of ADA's pipeline."""

        # The family's name.
        name: Literal["ada"] = "ada"
        # Which groups there are; their order is fixed. These three served the paper best (section 3.2, figure 4).
        stages: tuple[Literal["blit", "geometry", "colour", "filter", "corruption"], ...] = (
            "blit",
            "geometry",
            "colour",
        )

        def __post_init__(self) -> None:
            known_once(self.stages)

    def __init__(self, settings: Settings, *, size: int | Size, channels: int) -> None:
        groups: dict[str, list[Stage]] = {
            "blit": [Blit()],
            "geometry": [Affine(size)],
            "colour": [Colour()],
            "filter": [OctaveFilter(size)],
            "corruption": [Noise(size, channels), Cutout()],
        }
        stages = [stage for name, group in groups.items() if name in settings.stages for stage in group]
        super().__init__(stages, size=size, channels=channels)
