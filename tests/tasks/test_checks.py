"""How a batch is cut, as the checks say and the trainer does; what is narrower; data that settings do not go with."""

import pytest
import torch
from tests_shared import NEEDED, chosen, survey

from ganvas.core.errors import MemoryExhausted, UsageError
from ganvas.core.settings import from_dict, override, to_dict
from ganvas.recipes import RECIPES
from ganvas.tasks.checks import narrower, pictures_together
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.trainer import Trainer


@pytest.mark.parametrize(
    "assignments", [(), ("training.lanes=3",), ("training.micro_batch=2",), ("generator.norm=batch",)]
)
def test_pictures_pass_together_as_the_checks_say(make_game, tmp_path, assignments):
    game = make_game("training.batch=11", "training.stop.images=11", "training.tensorboard=off", *assignments)
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    run = RunFolder.create(tmp_path / "run", "")
    trainer = Trainer(game, game.chosen.training, run, processes=Processes(), fingerprint="")
    seen.clear()
    trainer._gradients(game.players[0], 0)
    together = pictures_together(game.chosen, game.chosen.check_networks())
    assert sorted(seen) == sorted(2 * together), "real and generated pictures"


def test_out_of_memory_names_settings_that_the_networks_have(make_game, tmp_path):
    game = make_game("training.batch=1", "training.stop.images=1", "training.tensorboard=off")
    run = RunFolder.create(tmp_path / "run", "")
    trainer = Trainer(game, game.chosen.training, run, processes=Processes(), fingerprint="")

    def draw(*_):
        raise torch.OutOfMemoryError("out of memory")

    game.draw = draw
    with pytest.raises(MemoryExhausted) as caught:
        trainer.train()
    assert "--set generator.width=4 generator.max_width=256 discriminator.width=4" in str(caught.value)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_called_narrower_is_so_and_can_be_set(recipe):
    wide = chosen(survey(32, classes=2), recipe=recipe, assignments=NEEDED.get(recipe, ()))
    said = narrower(wide).split()
    assert said, recipe
    narrow = from_dict(type(wide), override(to_dict(wide), said))
    for before, after in zip(wide.check_networks(), narrow.check_networks(), strict=True):
        weights = [sum(weight.numel() for weight in network.parameters()) for network in (before, after)]
        assert weights[1] < 0.8 * weights[0]


def test_stylegan2_is_not_told_of_a_width_that_it_does_not_have():
    said = narrower(chosen(survey(32), recipe="stylegan2"))
    assert "generator.max_width=256" in said
    assert ".width=" not in said
    assert "wide" not in narrower(chosen(survey(32), recipe="r3gan"))


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ('data.classes=["x", "y"]', "in its order (class 0, class 1)"),
        ("data.held_out=20", "leaves nothing to train on"),
    ],
)
def test_data_that_turned_out_otherwise_than_the_settings_say_is_refused(make_game, make_data, assignment, told):
    with pytest.raises(UsageError) as caught:
        make_game(assignment, data=make_data(classes=2))
    assert told in str(caught.value)
