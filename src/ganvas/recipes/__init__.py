"""Recipes by name: functions from what the data is, and a batch, to complete settings. `auto` chooses among them."""

import inspect
from typing import Any

from ganvas.core.parts import load
from ganvas.core.sizes import Size

RECIPES = {
    "quick": "ganvas.recipes.generate:quick",
    "dcgan": "ganvas.recipes.generate:dcgan",
    "conv28": "ganvas.recipes.generate:conv28",
    "mlp": "ganvas.recipes.generate:mlp",
    "lsgan": "ganvas.recipes.generate:lsgan",
    "hinge": "ganvas.recipes.generate:hinge",
    "wgan": "ganvas.recipes.generate:wgan",
    "wgan-gp": "ganvas.recipes.generate:wgan_gp",
    "r3gan": "ganvas.recipes.generate:r3gan",
    "r3gan-slim": "ganvas.recipes.generate:r3gan_slim",
    "stylegan2": "ganvas.recipes.generate:stylegan2",
    "stylegan2-ada": "ganvas.recipes.generate:stylegan2_ada",
    "stylegan2-slim": "ganvas.recipes.generate:stylegan2_slim",
    "sngan": "ganvas.recipes.generate:sngan",
    "sngan-slim": "ganvas.recipes.generate:sngan_slim",
    "biggan": "ganvas.recipes.generate:biggan",
    "fastgan": "ganvas.recipes.generate:fastgan",
    "vae": "ganvas.recipes.autoencode:vae",
    "few-labels": "ganvas.recipes.semi_supervised:few_labels",
    "pairs": "ganvas.recipes.translate:pairs",
    "pairs-r3": "ganvas.recipes.translate:pairs_r3",
    "pix2pix": "ganvas.recipes.translate:pix2pix",
    "pix2pix-r3": "ganvas.recipes.translate:pix2pix_r3",
    "swap": "ganvas.recipes.translate:swap",
    "swap-r3": "ganvas.recipes.translate:swap_r3",
    "contrast": "ganvas.recipes.translate:contrast",
    "cyclegan": "ganvas.recipes.translate:cyclegan",
    "cut": "ganvas.recipes.translate:cut",
    "superres": "ganvas.recipes.restore:superres",
    "superres-r3": "ganvas.recipes.restore:superres_r3",
    "srresnet": "ganvas.recipes.restore:srresnet",
    "srgan": "ganvas.recipes.restore:srgan",
    "esrgan": "ganvas.recipes.restore:esrgan",
    "realesrgan": "ganvas.recipes.restore:realesrgan",
    "inpaint": "ganvas.recipes.restore:inpaint",
    "inpaint-r3": "ganvas.recipes.restore:inpaint_r3",
    "colorize": "ganvas.recipes.restore:colorize",
    "colorize-r3": "ganvas.recipes.restore:colorize_r3",
}

# What `auto` takes for a task: on a CPU, and on a GPU. For generation it looks at the data as well.
FOR_TASK = {
    "autoencode": ("vae", "vae"),
    "semi-supervised": ("few-labels", "few-labels"),
    "paired": ("pairs", "pix2pix"),
    "unpaired": ("swap", "cyclegan"),
    "superres": ("superres", "esrgan"),
    "inpaint": ("inpaint", "inpaint"),
    "colorize": ("colorize", "colorize"),
}


def recipe(name: str) -> Any:
    """The recipe of a name. Raises UsageError with the nearest names if there is none."""
    return load(RECIPES, name, "recipe")


def task_of(name: str) -> str:
    """The task that a recipe is for. Raises UsageError with the nearest names if there is no such recipe."""
    from ganvas.tasks.data_settings import DataSettings  # it imports torch

    return str(recipe(name)(DataSettings(where="", size=Size.of(32), channels=3)).task)


def what_it_takes(name: str) -> str:
    """What a run of a recipe costs, as its docstring says in a line that begins with "Takes"; "" if it does not."""
    lines = (inspect.getdoc(recipe(name)) or "").split("\n")
    return next((line.removeprefix("Takes ").removesuffix(".") for line in lines if line.startswith("Takes ")), "")
