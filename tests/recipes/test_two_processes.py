"""Without BatchNorm two processes play the same run as one, to the bit: every family of networks."""

import tomllib
from pathlib import Path

import torch

from ganvas import api
from ganvas.networks import DISCRIMINATORS, GENERATORS, PATCH_DISCRIMINATORS, TRANSLATORS
from ganvas.recipes import task_of
from ganvas.tasks import TRANSLATES
from ganvas.training.processes import launch

WORKER = str(Path(__file__).with_name("runs_worker.py"))
# Recipes, and what they are told so that they have no BatchNorm.
PLAIN = ("generator.norm=none",)
PLAYED = {
    "mlp": PLAIN,
    "conv28": PLAIN,
    "hinge": PLAIN,
    "wgan-gp": PLAIN,
    "r3gan": (),
    "stylegan2-ada": (),
    "sngan-slim": PLAIN,
    "biggan": PLAIN,
    "fastgan": (*PLAIN, "discriminator.norm=none"),
    "pairs": ("translator.norm=none",),
    "cut": (),
    "superres": (),
    "esrgan": (),
    "inpaint": (),
}
# Sums of a round: they matter only for their ratio, and two processes keep means of them.
TALLIES = ("_sum", ".signs", ".seen", ".fresh", ".there")


def families_of(run):
    """The networks of a run: (whether it is from pictures to pictures, role, name)."""
    settings = tomllib.loads((run / "settings.toml").read_text())
    roles = settings.keys() & {"generator", "discriminator", "translator"}
    return {("translator" in roles, role, settings[role]["name"]) for role in roles}


def test_every_family_is_asked_and_two_processes_play_the_same_runs_as_one_to_the_bit(play, state, monkeypatch):
    ones, twos, apart = {}, {}, {}
    monkeypatch.setattr(api, "launch", lambda command, procs, on_line: [0] * procs)  # below, all at once
    for recipe, chosen in PLAYED.items():
        size = () if task_of(recipe) in TRANSLATES else ("data.size=16",)
        for procs, runs in ((1, ones), (2, twos)):
            more = (*size, *chosen, f"training.procs={procs}")
            runs[recipe] = play(f"{recipe}-{procs}", recipe, *more, images=24)
    assert launch([WORKER, *map(str, twos.values())], 2, print) == [0, 0]
    for recipe in PLAYED:
        one, two = state(ones[recipe]), state(twos[recipe])
        assert one.keys() == two.keys()
        assert not any("running_mean" in name for name in one), f"{recipe} has BatchNorm"
        different = [name for name in one if not torch.equal(one[name], two[name])]
        apart[recipe] = [name for name in different if not name.endswith(TALLIES)]
    assert apart == {recipe: [] for recipe in PLAYED}
    assert set().union(*map(families_of, ones.values())) == {
        *((False, "generator", name) for name in GENERATORS),
        *((False, "discriminator", name) for name in DISCRIMINATORS),
        *((True, "translator", name) for name in TRANSLATORS),
        *((True, "discriminator", name) for name in PATCH_DISCRIMINATORS),
    }
