"""Tables of named parts, and the answer to a name that does not exist."""

import pytest

from ganvas import data, degrade, losses, metrics, networks, recipes, tasks
from ganvas.core.errors import UsageError
from ganvas.core.parts import load, nearest


def test_a_misspelt_name_is_answered_with_the_nearest():
    assert nearest("dcgn", ["mlp", "dcgan", "conv28"]) == "did you mean dcgan?"


def test_several_near_names_are_all_offered():
    assert nearest("cat", ["cats", "bat", "elephant"]) == "did you mean cats or bat?"


def test_a_name_near_none_is_answered_with_all_of_them():
    assert nearest("xyz", ["mlp", "dcgan"]) == "there are: dcgan, mlp"
    assert nearest("xyz", []) == "there are none"


def test_a_name_leads_to_its_part_and_a_missing_one_to_an_error_that_says_its_kind():
    table = {"root": "math:sqrt"}
    assert load(table, "root", "function")(9) == 3
    with pytest.raises(UsageError, match="There is no function named 'rot': did you mean root"):
        load(table, "rot", "function")


@pytest.mark.parametrize(
    "table",
    [
        networks.GENERATORS,
        networks.DISCRIMINATORS,
        networks.TRANSLATORS,
        networks.PATCH_DISCRIMINATORS,
        losses.ADVERSARIAL,
        degrade.DEGRADATIONS,
        data.SOURCES,
        data.NAMES,
        metrics.EXTRACTORS,
        recipes.RECIPES,
        tasks.TASKS,
    ],
)
def test_every_line_of_every_table_leads_somewhere(table):
    assert all(load(table, name, "part") is not None for name in table)
