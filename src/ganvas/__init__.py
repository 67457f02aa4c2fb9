"""Ganvas trains, judges and uses generative adversarial networks on images.

import ganvas
run = ganvas.train("photos/", size=64, time="20m", out="runs/cats", on_tick=print)
generator = ganvas.load("runs/cats")
pictures = generator.sample(seeds=range(16), truncation=0.7)  # uint8 [16, 3, 64, 64]
ganvas.grid(pictures).save("grid.png")
"""

from typing import TYPE_CHECKING, Any

from ganvas.core.parts import load as _load
from ganvas.core.version import VERSION as __version__

if TYPE_CHECKING:
    from ganvas.api import Run, plan, resume, train
    from ganvas.core.errors import DataError, Diverged, GanvasError, Interrupted, MemoryExhausted, UsageError
    from ganvas.core.images import grid
    from ganvas.data import open_data
    from ganvas.inference.augmentation import augment_data
    from ganvas.inference.classifier import Classifier, load_classifier
    from ganvas.inference.evaluation import evaluate
    from ganvas.inference.foreign.importing import import_weights
    from ganvas.inference.generator import Generator
    from ganvas.inference.loading import load, sample
    from ganvas.inference.translator import Translator

_PUBLIC = {
    "train": "ganvas.api:train",
    "resume": "ganvas.api:resume",
    "plan": "ganvas.api:plan",
    "Run": "ganvas.api:Run",
    "load": "ganvas.inference.loading:load",
    "load_classifier": "ganvas.inference.classifier:load_classifier",
    "Classifier": "ganvas.inference.classifier:Classifier",
    "Generator": "ganvas.inference.generator:Generator",
    "Translator": "ganvas.inference.translator:Translator",
    "sample": "ganvas.inference.loading:sample",
    "augment_data": "ganvas.inference.augmentation:augment_data",
    "evaluate": "ganvas.inference.evaluation:evaluate",
    "import_weights": "ganvas.inference.foreign.importing:import_weights",
    "grid": "ganvas.core.images:grid",
    "open_data": "ganvas.data:open_data",
    "GanvasError": "ganvas.core.errors:GanvasError",
    "UsageError": "ganvas.core.errors:UsageError",
    "DataError": "ganvas.core.errors:DataError",
    "MemoryExhausted": "ganvas.core.errors:MemoryExhausted",
    "Diverged": "ganvas.core.errors:Diverged",
    "Interrupted": "ganvas.core.errors:Interrupted",
}

__all__ = [
    "Classifier",
    "DataError",
    "Diverged",
    "GanvasError",
    "Generator",
    "Interrupted",
    "MemoryExhausted",
    "Run",
    "Translator",
    "UsageError",
    "__version__",
    "augment_data",
    "evaluate",
    "grid",
    "import_weights",
    "load",
    "load_classifier",
    "open_data",
    "plan",
    "resume",
    "sample",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load a public name on its first use: `import ganvas` alone imports neither torch nor numpy."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
    return _load(_PUBLIC, name, "public name")


def __dir__() -> list[str]:
    return __all__
