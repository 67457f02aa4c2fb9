"""The comparison of few labels: what is run, what is kept, the table. Nothing is trained."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def row(labels, kind, seed, accuracy):
    return {
        "labels": labels,
        "kind": kind,
        "seed": seed,
        "accuracy": accuracy,
        "best_on_the_way": accuracy + 0.01,
        "images": 24_000,
        "seconds": 90.0,
        "parameters": {"classifier": 300, "generator": 400},
        "date": "2026-01-01",
        "machine": {"processor": "processor", "torch": "2"},
    }


def test_every_seed_is_run_with_both_and_the_parts_with_the_first():
    from benchmarks.few_labels import KINDS, LABELS, PARTS, SEEDS, every_job

    found = every_job(SEEDS, LABELS)
    assert len(found) == len(set(found)) == len(LABELS) * (len(SEEDS) * len(KINDS) + len(PARTS))
    assert {job.seed for job in found if job.kind in PARTS} == {SEEDS[0]}
    assert len({str(job) for job in found}) == len(found)


def test_the_two_sides_differ_in_what_they_learn_from_alone():
    from benchmarks.few_labels import KINDS, PARTS
    from ganvas import api
    from ganvas.core.settings import to_dict

    plans = {}
    for kind, asked in (KINDS | PARTS).items():
        planned = api.plan("digits", recipe="few-labels", images=100, set=["data.labels=20", *asked])
        plans[kind] = to_dict(planned.settings)
    losses = {kind: values.pop("loss") for kind, values in plans.items()}
    assert all(values == plans["few-labels"] for values in plans.values())
    zero = {kind: (loss["adversarial"] == 0, loss["pseudo_labels"] == 0) for kind, loss in losses.items()}
    assert zero["labels alone"] == (True, True)
    assert zero["few-labels"] == (False, False)
    assert zero["generator alone"] == (False, True)
    assert zero["pseudo labels alone"] == (True, False)


def test_what_has_a_row_is_not_run_again(tmp_path, monkeypatch, capsys):
    from benchmarks import few_labels
    from benchmarks.few_labels import Job, Places

    monkeypatch.setattr(few_labels.jobs, "play_alone", lambda *_, **__: pytest.fail("it was run"))
    places, job = Places(tmp_path / "runs", tmp_path / "rows", tmp_path / "page.md"), Job(100, "few-labels", 0)
    places.rows.mkdir()
    places.row_of(job).write_text(json.dumps(row(100, "few-labels", 0, 0.8)))
    few_labels.settle(job, places, 10)
    assert "done before" in capsys.readouterr().out


def test_the_table_has_the_mean_and_each_seed_and_leaves_the_rest_of_the_page(tmp_path):
    from benchmarks.few_labels import BEGIN, END, write_page

    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    rows = [row(100, "few-labels", seed, accuracy) for seed, accuracy in ((1, 0.8), (0, 0.7))]
    rows.append(row(1_000, "labels alone", 0, 0.9))
    for _ in range(2):
        write_page(rows, page)
    text = page.read_text()
    assert "| 100 | few-labels | **75.00%** | 70.00%, 80.00% | 71.0%, 81.0% | 24,000 | 1.5, 1.5 |" in text
    assert "| 1,000 | labels alone | **90.00%** |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count(BEGIN) == 1


def test_results_of_a_trial_are_kept_apart():
    from benchmarks.few_labels import IMAGES, Places

    whole, trial = Places.of(IMAGES), Places.of(100)
    assert whole.page == ROOT / "docs" / "few-labels.md"
    assert not {whole.runs, whole.rows, whole.page} & {trial.runs, trial.rows, trial.page}
