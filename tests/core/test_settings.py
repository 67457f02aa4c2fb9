"""Settings: what is refused and how it is said, TOML and back, and --set assignments."""

import dataclasses
import tomllib
from typing import Annotated, Literal

import pytest
from pydantic import Field

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override, read_toml, settings, to_dict, to_toml


@settings
class Engine:
    power: Annotated[int, Field(ge=1)] = 5
    fuel: Literal["petrol", "diesel"] = "petrol"
    boost: float | None = None


@settings
class Car:
    name: str
    engine: Engine = Engine()
    wheels: tuple[int, ...] = (1, 2)
    spare: Engine | None = None


def refused(values: dict, where: str = "") -> str:
    with pytest.raises(UsageError) as caught:
        from_dict(Car, values, where)
    return str(caught.value)


def test_an_unknown_key_is_named_with_the_nearest_known_one():
    assert refused({"name": "a", "wheel": [1]}) == "wheel is not a setting: did you mean wheels?"


def test_an_unknown_key_far_down_is_named_by_its_dotted_place_and_answered_from_there():
    told = refused({"name": "a", "engine": {"powr": 3}})
    assert told == "engine.powr is not a setting: did you mean power?"


def test_an_unknown_key_below_optional_settings_is_answered_too():
    assert refused({"name": "a", "spare": {"powr": 3}}).endswith("powr is not a setting: did you mean power?")


def test_the_place_of_settings_inside_larger_ones_leads_the_dotted_name():
    assert refused({"name": "a", "engine": {"power": 0}}, "garage").startswith("garage.engine.power: ")


def test_a_wrong_type_an_impossible_value_and_a_missing_one_are_named_with_what_was_given():
    told = refused({"wheels": [1, "two"], "engine": {"power": 0, "fuel": "coal"}})
    lines = told.splitlines()
    assert "name is missing" in lines
    assert any(line.startswith("wheels.1: ") and line.endswith("(got 'two')") for line in lines)
    assert any(line.startswith("engine.power: ") and "greater than or equal to 1" in line for line in lines)
    assert any(line.startswith("engine.fuel: ") and "'petrol' or 'diesel'" in line for line in lines)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "fast"])
def test_a_number_must_be_a_finite_number(value):
    assert refused({"name": "a", "engine": {"boost": value}}).startswith("engine.boost: ")


def test_a_value_in_the_place_of_a_table_is_refused():
    assert refused({"name": "a", "engine": 5}).startswith("engine: ")
    with pytest.raises(UsageError, match="garage: expected a table of settings, not 5"):
        from_dict(Car, 5, "garage")  # type: ignore[arg-type]  # as a hand-written file may have it


def test_settings_are_frozen_and_given_by_name_only():
    car = from_dict(Car, {"name": "a"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        car.name = "b"
    with pytest.raises(Exception, match="positional"):
        Engine(3)


@pytest.mark.parametrize(
    "car",
    [
        Car(name="plain"),
        Car(name='quotes " and \n lines, ü', wheels=(), engine=Engine(boost=0.1)),
        Car(name="deep", wheels=(3, 4, 5), spare=Engine(power=9, fuel="diesel")),
    ],
)
def test_toml_gives_settings_back_with_tuples_and_what_is_none(car):
    assert from_dict(Car, tomllib.loads(to_toml(car))) == car


def test_plain_values_leave_none_out_and_hold_lists():
    assert to_dict(Car(name="a")) == {
        "name": "a",
        "engine": {"power": 5, "fuel": "petrol"},
        "wheels": [1, 2],
    }


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("a = 1\nb = = 2\n")
    with pytest.raises(UsageError, match=r"settings\.toml is not valid TOML: .*line 2"):
        read_toml(path)
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(UsageError, match=r"settings\.toml is not valid TOML"):
        read_toml(path)


def test_assignments_reach_any_depth_are_read_as_toml_and_leave_the_original_alone():
    values = {"name": "a", "engine": {"power": 5}}
    changed = override(
        values,
        [
            "engine.power=7",
            "engine.boost = 0.5",
            "wheels=[3, 4]",
            "name=two words",
            "spare.fuel='diesel'",
            "engine.on=true",
        ],
    )
    assert changed == {
        "name": "two words",
        "engine": {"power": 7, "boost": 0.5, "on": True},
        "wheels": [3, 4],
        "spare": {"fuel": "diesel"},
    }
    assert values == {"name": "a", "engine": {"power": 5}}


def test_a_later_assignment_wins_and_a_value_may_hold_an_equals_sign():
    assert override({}, ["a=1", "a=b=c"]) == {"a": "b=c"}


@pytest.mark.parametrize("assignment", ["engine.power", "=5", "engine..power=5", ".power=5", ""])
def test_an_assignment_without_a_name_or_a_value_is_refused_with_an_example(assignment):
    with pytest.raises(UsageError, match="write it as name=value"):
        override({"engine": {}}, [assignment])


def test_an_assignment_below_a_plain_value_is_refused():
    with pytest.raises(UsageError, match="name is a value and has no settings below it"):
        override({"name": "a"}, ["name.first=b"])
