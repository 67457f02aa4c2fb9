"""Recipes by name: functions from what the data is, and a batch, to complete settings. `auto` chooses among them."""

import inspect
from typing import Any

from ganvas.core.parts import load

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
}


def recipe(name: str) -> Any:
    """The recipe of a name. Raises UsageError with the nearest names if there is none."""
    return load(RECIPES, name, "recipe")


def what_it_takes(name: str) -> str:
    """What a run of a recipe costs, as its docstring says in a line that begins with "Takes"; "" if it does not."""
    lines = (inspect.getdoc(recipe(name)) or "").split("\n")
    return next((line.removeprefix("Takes ").removesuffix(".") for line in lines if line.startswith("Takes ")), "")
