"""What the documentation promises is there."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from ganvas import augment, degrade, losses, networks
from ganvas.degrade.masks import DRAWN
from ganvas.inference.paired import PAIRED
from ganvas.metrics import EXTRACTORS
from ganvas.metrics.measures import MEASURES
from ganvas.tasks import TASKS, task

DOCS = Path(__file__).parents[1] / "docs"


def names(kind: Any, above: str = "") -> Iterator[str]:
    """The dotted name of every setting that holds a value."""
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(field.type):
            yield from names(field.type, f"{above}{field.name}.")
        elif field.name not in getattr(kind, "NETWORKS", ()):  # whichever network is named; in networks.md
            yield above + field.name


def code_in(page: str) -> set[str]:
    text = re.sub(r"```.*?```", "", (DOCS / page).read_text(), flags=re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


def test_every_setting_of_a_run_is_explained_and_no_other():
    every, *parts = (DOCS / "settings.md").read_text().split("\n## ")[1:]
    of_tasks = [(name, part) for part in parts for name in re.findall("`([^`]*)`", part.splitlines()[0])]
    assert sorted(name for name, _ in of_tasks) == sorted(TASKS)
    for name, part in of_tasks:
        rows = [row for row in (every + part).splitlines() if row.startswith("| `")]
        told = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
        assert sorted(told) == sorted(names(task(name).Settings))


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_every_table_has_a_head_and_is_not_parted(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        head, rule, *_ = [*table.splitlines(), ""]
        assert re.fullmatch(r"\|(?: *:?-+:? *\|)+", rule), f"no table begins with: {head}"


def test_every_network_and_its_settings_are_explained():
    told = code_in("networks.md")
    for table, find in (
        (networks.GENERATORS, networks.generator),
        (networks.DISCRIMINATORS, networks.discriminator),
        (networks.ENCODERS, networks.encoder),
        (networks.CLASSIFIERS, networks.classifier),
        (networks.TRANSLATORS, networks.translator),
        (networks.PATCH_DISCRIMINATORS, networks.patch_discriminator),
    ):
        assert table.keys() <= told
        for name in table:
            assert {field.name for field in dataclasses.fields(find(name).Settings)} - {"name"} <= told


def test_every_augmentation_and_its_stages_are_explained():
    told = code_in("augment.md")
    assert augment.AUGMENTATIONS.keys() <= told
    for name in augment.AUGMENTATIONS:
        (kinds,) = {field.type for field in dataclasses.fields(augment.augmentation(name).Settings)} - {Literal[name]}
        assert set(get_args(get_args(kinds)[0])) <= told


def test_every_degradation_and_kind_of_mask_is_explained():
    told = code_in("translation.md")
    assert {*degrade.DEGRADATIONS, *DRAWN} <= told
    assert {*networks.TRANSLATORS, *networks.PATCH_DISCRIMINATORS} <= told


def test_every_loss_measure_and_extractor_is_explained():
    assert losses.ADVERSARIAL.keys() <= code_in("networks.md")
    assert {*MEASURES, *PAIRED} <= code_in("evaluation.md")
    assert EXTRACTORS.keys() <= code_in("evaluation.md")
