"""Recipes by name: functions from what the data is, and a batch, to complete settings. `auto` chooses among them."""

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
    "stylegan2": "ganvas.recipes.generate:stylegan2",
    "stylegan2-ada": "ganvas.recipes.generate:stylegan2_ada",
    "sngan": "ganvas.recipes.generate:sngan",
    "biggan": "ganvas.recipes.generate:biggan",
    "vae": "ganvas.recipes.autoencode:vae",
}


def recipe(name: str) -> Any:
    """The recipe of a name. Raises UsageError with the nearest names if there is none."""
    return load(RECIPES, name, "recipe")
