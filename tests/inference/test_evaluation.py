"""Evaluation of generators and folders against real data: scores, floors, protocols, and what cannot be judged."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.data import held_out_indices
from ganvas.inference import comparison
from ganvas.inference.evaluation import evaluate, trained_on
from ganvas.inference.evaluation_page import write_page
from ganvas.metrics.measures import MEASURES

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of pictures in two classes: the numbers from first on, as grey blocks with some noise."""

    def make(name: str, count: int = 120, *, first=0, size=16, mode="L", noise=60, oblong=False) -> Path:
        for number in range(first, first + count):
            dice = np.random.default_rng(number)
            pixels = np.zeros((size, size, 3), int) + dice.integers(20, 180)
            half = size // 2
            pixels[: half if number % 2 else size, : size if number % 2 else half] += 60
            pixels += dice.integers(0, noise + 1, pixels.shape[:2])[..., None]
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)[:, : size - size // 4 * oblong]).convert(mode)
            path = tmp_path / name / ("wide" if number % 2 else "tall") / f"{number:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
        return tmp_path / name

    return make


@pytest.fixture
def run():
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off"]
    return ganvas.train("digits", recipe="dcgan", batch=8, images=64, out="run", set=settings)


def values(evaluation):
    return {score.name: score.value for score in evaluation.scores}


def test_real_pictures_score_near_their_floor_and_noise_far_from_it(folder):
    real = folder("real", 300)
    more = evaluate(folder("more", 150, first=1_000), real, metrics=["fd", "kd", "prdc"], extractor="pixels")
    other = evaluate(
        folder("other", 150, first=2_000, noise=240), real, metrics=["fd", "kd", "prdc"], extractor="pixels"
    )
    fd, far = (next(s for s in found.scores if s.name == "fd (pixels)") for found in (more, other))
    assert fd.floor_count == 30
    assert fd.value < 3 * fd.floor
    assert far.value > 5 * fd.value
    assert values(other)["kd (pixels)"] > values(more)["kd (pixels)"]
    assert values(other)["precision (pixels)"] < values(more)["precision (pixels)"]


def test_every_score_says_how_it_came_to_be(folder):
    real = folder("real", 130)
    found = evaluate(folder("fake", 110, first=500), real, metrics=list(MEASURES)[:4], extractor="pixels", seed=3)
    whole = ganvas.open_data(real, size=16)
    for score in found.scores:
        protocol = score.protocol
        assert (protocol.extractor, protocol.count, protocol.reference_count) == ("pixels", 110, 117)
        assert protocol.reference_sha256 == whole.fingerprint
        assert protocol.reference_part == "all but each tenth, at 16 pixels"
        assert protocol.version == ganvas.__version__
    kd = next(score for score in found.scores if score.name.startswith("kd"))
    assert kd.protocol.parameters == {"subsets": 100, "subset_size": 110, "seed": 3}


def test_fewer_pictures_than_features_are_warned_of(folder):
    found = evaluate(folder("fake", 40, first=500), folder("real", 60), metrics=["fd"], extractor="pixels")
    assert "fewer than the 64 features" in found.scores[0].warnings[0]


def test_statistics_of_the_reference_are_kept_and_used_again(folder, tmp_path, monkeypatch):
    fake, real = folder("fake", 80, first=500), folder("real", 100)
    first = evaluate(fake, real, metrics=["fd"], extractor="pixels")
    (kept,) = (tmp_path / "cache" / "ganvas" / "statistics").glob("*.npz")
    monkeypatch.setattr("ganvas.inference.evaluation.references.write", pytest.fail)
    assert values(evaluate(fake, real, metrics=["fd"], extractor="pixels")) == pytest.approx(values(first), abs=1e-9)
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(ganvas.DataError, match="are damaged"):
        evaluate(fake, real, metrics=["fd"], extractor="pixels")


def test_a_run_is_judged_against_what_it_was_trained_on_with_its_classes_as_often(run):
    against = trained_on(run.path)
    found = evaluate(run.path, against, metrics=["fd", "fd-per-class"], count=200, extractor="pixels")
    names = [score.name for score in found.scores]
    assert names[:2] == ["fd (pixels)", "fd-per-class (pixels): 0"]
    assert sum(name.startswith("fd-per-class") for name in names) == 10
    assert found.pictures.shape == (64, 1, 8, 8)
    again = evaluate(run.load(), against, metrics=["fd"], count=200, extractor="pixels")
    assert values(again)["fd (pixels)"] == values(found)["fd (pixels)"]
    other = evaluate(run.path, against, metrics=["fd"], count=200, extractor="pixels", seed=1)
    assert other.scores[0].protocol.seeds == "1000000 onwards"
    assert values(other) != values(again)


def test_copies_of_training_pictures_are_found_and_shown(folder, tmp_path):
    real, unseen = folder("real", 300), folder("unseen", 150, first=5_000)
    fake = folder("fake", 90, first=9_000)
    for number in range(10):
        picture = sorted(real.rglob("*.png"))[number]
        (fake / picture.parent.name / f"copy{number}.png").write_bytes(picture.read_bytes())
    found = evaluate(fake, real, metrics=["memorization"], extractor="pixels", held_out=unseen)
    assert "may be copies" in found.scores[0].found["verdict"]
    assert found.pairs.shape == (2, 12, 1, 16, 16)
    assert all(np.array_equal(*found.pairs[:, place]) for place in range(10))
    page = write_page(found, tmp_path / "report.html", tmp_path).read_text()
    assert "Closest to training pictures" in page
    assert "may be copies" in page
    assert page.count("data:image/png;base64") == 2
    assert "http" not in page


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"metrics": ["fdd"]}, "There is no metric 'fdd'"),
        ({"metrics": ["is"], "extractor": "pixels"}, "does not classify"),
        ({"metrics": ["memorization"], "extractor": "pixels"}, "--held-out"),
        ({"extractor": "pixel"}, "pixels"),
        ({"count": 1}, "2 pictures or more"),
        ({"extractor": "inception"}, "2015-12-05"),
    ],
)
def test_what_cannot_be_measured_is_told(folder, options, told):
    fake, real = folder("fake", 60, first=500), folder("real", 60)
    with pytest.raises(ganvas.GanvasError, match=told):
        evaluate(fake, real, **{"metrics": ["fd"], **options})


def test_pictures_that_cannot_be_compared_are_told(folder, tmp_path):
    real = folder("real", 60)
    with pytest.raises(ganvas.DataError, match=r"grey and .* in colour"):
        evaluate(folder("grey", 20), folder("colourful", 20, mode="RGB"), extractor="pixels")
    mixed = folder("mixed", 10)
    folder("mixed", 10, first=10, size=24)
    with pytest.raises(ganvas.DataError, match=r"not all of one size.*--size N.*--size WxH"):
        evaluate(mixed, real, extractor="pixels")
    said = []
    oblong = folder("oblong", 60, oblong=True)
    score = evaluate(mixed, oblong, extractor="pixels", size=16, metrics=["fd"], say=said.append).scores[0]
    assert score.protocol.fit == "centre squares, by Lanczos"
    assert score.protocol.reference_part == "all but each tenth, at 16 pixels (centre squares, by Lanczos)"
    assert sum("brought to 16 x 16 pixels: centre squares" in sentence for sentence in said) == 2
    alike = evaluate(real, oblong, extractor="pixels", metrics=["fd"]).scores[0].protocol
    assert (alike.fit, alike.reference_part) == ("as they are", score.protocol.reference_part)
    padded = evaluate(folder("large", 20, size=28), "fashion-mnist", extractor="pixels", size=32, metrics=["fd"])
    assert padded.scores[0].protocol.reference_part == "all, at 32 pixels (padded with 0)"
    with pytest.raises(ganvas.DataError, match="has one picture"):
        evaluate(folder("one", 1), real, extractor="pixels")
    with pytest.raises(ganvas.DataError, match="has one picture"):
        evaluate(mixed, folder("single", 1), extractor="pixels", size=16)
    with pytest.raises(ganvas.DataError, match="6 or more pictures, and there are 4"):
        evaluate(folder("few", 4, first=40), real, metrics=["prdc"], extractor="pixels")


def test_runs_of_one_protocol_are_ranked_and_others_are_not(folder, tmp_path):
    real = folder("real", 200)
    good = evaluate(folder("good", 100, first=500), real, metrics=["fd", "prdc"], extractor="pixels")
    bad = evaluate(folder("bad", 100, first=800, noise=200), real, metrics=["fd", "prdc"], extractor="pixels")
    fewer = evaluate(folder("good"), real, metrics=["fd"], count=90, extractor="pixels")
    for name, found in (("good", good), ("bad", bad), ("fewer", fewer)):
        comparison.keep(found, tmp_path / "runs" / name)
    runs = [tmp_path / "runs" / name for name in ("bad", "good")]
    rows = {row.name: row for row in comparison.compare(runs)}
    assert rows["fd (pixels)"].ranks == (2, 1)
    assert rows["precision (pixels)"].ranks == (2, 1)
    (row,) = comparison.compare([*runs, tmp_path / "runs" / "fewer"])[:1]
    assert row.ranks == (None, None, None)
    assert row.differing == ("count: 100 / 100 / 90",)


def test_what_came_out_beside_a_score_keeps_no_one_from_ranking_it(folder, tmp_path):
    real, unseen = folder("real", 300), folder("unseen", 150, first=5_000)
    for name, first in (("one", 9_000), ("other", 9_500)):
        found = evaluate(
            folder(name, 90, first=first),
            real,
            metrics=["memorization", "fd-infinity", "msssim"],
            extractor="pixels" if name == "one" else "fashion",
            held_out=unseen,
            size=32,
        )
        comparison.keep(found, tmp_path / "runs" / name)
    rows = {row.name: row for row in comparison.compare([tmp_path / "runs" / "one", tmp_path / "runs" / "other"])}
    assert sorted(rows["msssim (diversity)"].ranks) == [1, 2], "it looks at pixels: other extractors make no difference"
    again = evaluate(
        tmp_path / "other", real, metrics=["memorization", "fd-infinity"], extractor="pixels", held_out=unseen, size=32
    )
    comparison.keep(again, tmp_path / "runs" / "other")
    rows = {row.name: row for row in comparison.compare([tmp_path / "runs" / "one", tmp_path / "runs" / "other"])}
    assert None not in rows["memorization (pixels)"].ranks
    assert None not in rows["fd-infinity (pixels)"].ranks


def test_scores_that_are_not_measured_again_are_kept(folder, tmp_path):
    fake, real = folder("fake", 60, first=500), folder("real", 80)
    found = evaluate(fake, real, metrics=["fd", "prdc"], extractor="pixels")
    path = comparison.keep(found, tmp_path / "run")
    comparison.keep(dataclasses.replace(found, scores=found.scores[:1]), tmp_path / "run")
    names = [score["name"] for score in json.loads(path.read_text())["scores"]]
    assert sorted(names) == sorted(score.name for score in found.scores)


def test_what_was_not_evaluated_cannot_be_compared(run, tmp_path):
    with pytest.raises(ganvas.DataError, match="ganvas eval"):
        comparison.compare([run.path, run.path])
    with pytest.raises(ganvas.UsageError, match="two runs or more"):
        comparison.compare([run.path])
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ganvas.DataError, match="is no evaluation of Ganvas"):
        comparison.compare([tmp_path / "x.json", run.path])
    with pytest.raises(ganvas.UsageError, match="--against DATA"):
        trained_on(tmp_path)


def test_a_domain_extractor_is_trained_once_on_the_labels_of_the_data(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("ganvas.metrics.classifier.Training.epochs_of", lambda training, count: 3)
    fake, real, said = folder("fake", 80, first=500), folder("real", 200), []
    first = evaluate(fake, real, metrics=["fd", "is", "cas"], extractor="domain", say=said.append)
    assert sum("Training a domain extractor" in sentence for sentence in said) == 1
    (kept,) = (tmp_path / "cache" / "ganvas" / "domain").glob("*.safetensors")
    assert kept.stat().st_size < 1_000_000
    again = evaluate(fake, real, metrics=["fd"], extractor="domain", say=said.append)
    assert sum("Training a domain extractor" in sentence for sentence in said) == 1
    assert values(again)["fd (domain)"] == values(first)["fd (domain)"]
    cas = first.scores[-1]
    assert (cas.name, cas.protocol.extractor, cas.protocol.parameters["test_pictures"]) == ("cas", None, 20)
    assert 0.5 <= cas.value <= 1
    assert 0.5 <= cas.floor <= 1


def test_a_domain_extractor_needs_classes(folder, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in folder("real", 60).rglob("*.png"):
        path.rename(plain / path.name)
    with pytest.raises(ganvas.DataError, match="it has none"):
        evaluate(folder("fake", 60, first=500), plain, metrics=["fd"], extractor="domain")
    with pytest.raises(ganvas.DataError, match="classes on both sides"):
        evaluate(folder("fake"), plain, metrics=["cas"], extractor="pixels")


def test_the_pictures_a_run_kept_out_of_training_judge_whether_it_memorised(folder):
    photos = folder("photos", 400)
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off", "data.held_out=120"]
    run = ganvas.train(photos, recipe="dcgan", size=16, batch=8, images=16, out="run", set=settings)
    found = evaluate(run.path, photos, metrics=["fd", "memorization"], count=150, extractor="pixels")
    fd, memorised = found.scores
    assert (fd.protocol.reference_count, fd.floor_count) == (280, 120)
    assert fd.protocol.reference_part == "all but the 120 that training did not see, at 16 pixels"
    assert (memorised.floor, memorised.floor_count) == (0.01, 120)
    unseen = folder("unseen", 110, first=5_000)
    given = evaluate(run.path, photos, metrics=["fd"], count=150, extractor="pixels", held_out=unseen).scores[0]
    assert (given.protocol.reference_part, given.floor_count) == ("all, at 16 pixels", 110)
    folder("photos", 1, first=900)  # other data now: nobody knows what training saw of it
    with pytest.raises(ganvas.DataError, match="--held-out"):
        evaluate(run.path, photos, metrics=["memorization"], count=150, extractor="pixels")


def test_the_memorised_are_sought_among_what_training_saw_and_judged_by_what_it_did_not(folder):
    photos = folder("photos", 400)
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off", "data.held_out=120"]
    run = ganvas.train(photos, recipe="dcgan", size=16, batch=8, images=16, out="run", set=settings)
    data, generator = ganvas.open_data(photos, size=16), run.load().at("float32")
    unseen = held_out_indices(400, 120)
    for seen, few in ((np.setdiff1d(np.arange(400), unseen), False), (unseen, True)):
        generator.pictures = lambda latents, labels, seen=seen: data.images[np.resize(seen, len(latents))]
        (score,) = evaluate(generator, photos, metrics=["memorization"], count=100, extractor="pixels").scores
        assert (score.value < 0.1) == few, "a copy of a picture that training did not see is no sign of memorising"


def test_a_named_set_with_a_test_part_is_judged_by_what_the_run_kept_out_all_the_same(monkeypatch):
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off", "data.held_out=200"]
    run = ganvas.train("digits", recipe="dcgan", batch=8, images=16, out="run", set=settings)
    monkeypatch.setattr("ganvas.data.test_part", lambda where: "digits")
    score = evaluate(run.path, "digits", metrics=["fd"], count=150, extractor="pixels").scores[0]
    assert score.protocol.reference_part == "all but the 200 that training did not see, at 8 pixels"


@pytest.mark.parametrize("claimed", ["many", -3, 400, 10**9, None])
def test_a_card_that_claims_nonsense_is_not_believed(folder, claimed):
    photos = folder("photos", 400)
    settings = ["generator.width=8", "discriminator.width=8", "training.tensorboard=off"]
    generator = ganvas.train(photos, recipe="dcgan", size=16, batch=8, images=16, out="run", set=settings).load()
    generator.card["held_out"] = claimed
    score = evaluate(generator, photos, metrics=["fd"], count=50, extractor="pixels").scores[0]
    assert score.protocol.reference_part == "all but each tenth, at 16 pixels"


def test_a_floor_of_fewer_pictures_comes_with_the_score_of_as_many(folder):
    fake, real = folder("fake", 120, first=500), folder("real", 300)
    fd, *others = evaluate(fake, real, metrics=["fd", "prdc"], extractor="pixels").scores
    assert fd.floor_count == 30
    fewer = evaluate(fake, real, metrics=["fd", "prdc"], count=30, extractor="pixels").scores
    assert fd.at_floor_count == pytest.approx(fewer[0].value)
    assert fd.at_floor_count > fd.value, "few pictures are further away"
    assert [score.at_floor_count for score in others] == pytest.approx([score.value for score in fewer[1:]])
    assert f"as many judged: {fd.at_floor_count:.4g}" in fd.floor_in_words
    for name, noise in (("one", 60), ("other", 200)):
        found = evaluate(folder(name, 120, first=500, noise=noise), real, metrics=["fd"], extractor="pixels")
        comparison.keep(found, folder("run") / name)
    row = comparison.compare([folder("run") / "one", folder("run") / "other"])[0]
    assert (row.floor, row.floor_count) == (fd.floor, 30)
    assert row.at_floor_count[0] == fd.at_floor_count < row.at_floor_count[1]
    assert fewer[0].at_floor_count is None
    assert "as many" not in fewer[0].floor_in_words


def test_a_floor_is_never_of_more_pictures_than_were_judged(folder):
    fake, real, unseen = folder("fake", 60, first=500), folder("real", 80), folder("unseen", 200, first=5_000)
    (fd,) = evaluate(fake, real, metrics=["fd"], extractor="pixels", held_out=unseen).scores
    assert (fd.floor_count, fd.at_floor_count) == (60, None)


def test_scores_that_depend_on_the_number_of_pictures_have_one_at_their_floors_and_kd_needs_none(folder, tmp_path):
    fake, real = folder("fake", 120, first=500, size=28), folder("real", 300, size=28)
    whole = {s.name: s for s in evaluate(fake, real, metrics=["is", "kd"], extractor="fashion").scores}
    few = {s.name: s for s in evaluate(fake, real, metrics=["is"], count=30, extractor="fashion").scores}
    assert whole["is (fashion)"].floor_count == 30
    assert whole["is (fashion)"].at_floor_count == pytest.approx(few["is (fashion)"].value)
    kd = whole["kd (fashion)"]
    assert (kd.floor_count, kd.at_floor_count) == (30, None)
    assert abs(kd.floor) < abs(kd.value) + 3 * kd.spread


def test_a_long_look_says_how_long_and_a_short_one_nothing(folder, monkeypatch):
    fake, real = folder("fake", 600, first=500), folder("real", 60)
    said = []
    evaluate(fake, real, metrics=["fd"], extractor="pixels", say=said.append)
    assert not [sentence for sentence in said if "a second" in sentence]
    for name in ("_LONG", "_FIRST"):
        monkeypatch.setattr(f"ganvas.metrics.extraction.{name}", 0.0)
    evaluate(fake, real, metrics=["fd"], extractor="pixels", say=said.append)
    assert any("250 of 600 pictures seen" in sentence and "left" in sentence for sentence in said)


def test_an_evaluation_of_before_a_field_of_the_protocol_differs_and_can_be_read(folder, tmp_path):
    found = evaluate(folder("fake", 60, first=500), folder("real", 80), metrics=["fd"], extractor="pixels")
    for name in ("new", "old"):
        comparison.keep(found, tmp_path / name)
    path = tmp_path / "old" / "scores" / "evaluation.json"
    held = json.loads(path.read_text())
    del held["scores"][0]["protocol"]["input"], held["scores"][0]["at_floor_count"], held["scores"][0]["found"]
    path.write_text(json.dumps(held))
    (row,) = comparison.compare([tmp_path / "new", tmp_path / "old"])
    assert row.ranks == (None, None)
    assert row.differing == (f"input: {found.scores[0].protocol.input} / unknown",)
    assert comparison.compare([tmp_path / "old", tmp_path / "old"])[0].ranks == (None, None), "nobody knows of either"


def test_features_that_are_not_finite_are_told(folder, monkeypatch):
    from ganvas.metrics.extractors import PixelExtractor

    broken = PixelExtractor._features
    monkeypatch.setattr(PixelExtractor, "_features", lambda self, batch: broken(self, batch).fill_(float("nan")))
    with pytest.raises(ganvas.DataError, match="NaN or infinite"):
        evaluate(folder("fake", 60, first=500), folder("real", 80), metrics=["fd"], extractor="pixels")


def test_likeness_among_generated_pictures_is_held_against_that_among_real_ones(folder):
    real = folder("real", 300, size=32)
    (score,) = evaluate(folder("fake", 60, first=900, size=32), real, metrics=["msssim"], extractor="pixels").scores
    assert (score.floor_count, score.protocol.extractor, score.protocol.input) == (30, None, None)
    assert score.value == pytest.approx(score.floor, abs=0.1)
    (alike,) = evaluate(folder("one", 2, first=900, size=32), real, metrics=["msssim"], extractor="pixels").scores
    assert alike.floor == score.floor


def test_every_score_but_pairs_has_a_floor_where_pictures_are_held_out(folder, tmp_path):
    real, unseen = folder("real", 400, size=32), folder("unseen", 200, first=3_000, size=32)
    names = ["fd", "fd-infinity", "kd", "prdc", "msssim", "fd-per-class", "memorization"]
    found = evaluate(folder("fake", 160, first=900, size=32), real, metrics=names, extractor="pixels", held_out=unseen)
    assert [score.name for score in found.scores if score.floor is None] == []
    per_class = [score for score in found.scores if score.name.startswith("fd-per-class")]
    assert [score.floor_count for score in per_class] == [80, 80]


def test_a_score_that_the_extractor_cannot_give_is_refused_before_pictures_are_looked_at(folder, monkeypatch):
    monkeypatch.setattr("ganvas.inference.evaluation.features_of", pytest.fail)
    with pytest.raises(ganvas.DataError, match="does not classify"):
        evaluate(folder("fake", 60, first=500), folder("real", 60), metrics=["fd", "is"], extractor="pixels")


def test_an_extrapolation_along_no_line_is_warned_of(folder, monkeypatch):
    from ganvas.metrics import measures
    from ganvas.metrics.extrapolation import Extrapolated

    fake, real = folder("fake", 150, first=500), folder("real", 150)
    monkeypatch.setattr(measures, "frechet_at_infinity", lambda *a, **k: Extrapolated(1.0, 2.0, 0.2, (50, 60)))
    (score,) = evaluate(fake, real, metrics=["fd-infinity"], extractor="pixels").scores
    assert any("lie on no line" in warning for warning in score.warnings)


def test_the_score_that_could_not_be_had_is_named(folder):
    with pytest.raises(ganvas.DataError, match=r"prdc: This score needs 6"):
        evaluate(folder("few", 4, first=40), folder("real", 60), metrics=["fd", "prdc"], extractor="pixels")


def test_scores_of_an_older_generator_or_another_reference_are_not_kept_beside_new_ones(folder, tmp_path):
    fake, real = folder("fake", 60, first=500), folder("real", 80)
    both = evaluate(fake, real, metrics=["fd", "prdc"], extractor="pixels")
    again = dataclasses.replace(both, scores=both.scores[:1])
    for changed in ({"card": {"images_seen": 20}}, {"against": "others"}):
        path = comparison.keep(both, tmp_path / "run")
        comparison.keep(dataclasses.replace(again, **changed), tmp_path / "run")
        assert [score["name"] for score in json.loads(path.read_text())["scores"]] == ["fd (pixels)"]


@pytest.mark.parametrize("metric", ["cas", "fd-per-class", "memorization"])
def test_what_the_data_does_not_allow_is_told_before_pictures_are_looked_at(folder, tmp_path, monkeypatch, metric):
    monkeypatch.setattr("ganvas.inference.evaluation.features_of", pytest.fail)
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in folder("real", 60).rglob("*.png"):
        path.rename(plain / path.name)
    with pytest.raises(ganvas.DataError, match=r"needs classes|--held-out"):
        evaluate(folder("fake", 60, first=500), plain, metrics=["fd", metric], extractor="pixels")


def test_a_generator_of_grey_pictures_is_judged_in_grey_and_it_is_said(run, folder):
    said = []
    colour = folder("colour", 60, mode="RGB")
    evaluate(run.path, colour, metrics=["fd"], count=60, extractor="pixels", say=said.append)
    assert any("judged in grey" in sentence for sentence in said)


def test_no_metrics_are_no_evaluation(folder):
    with pytest.raises(ganvas.UsageError, match="There are: fd"):
        evaluate(folder("fake", 60, first=500), folder("real", 60), metrics=[])


def test_classes_of_other_names_are_no_classes_of_the_reference(folder, tmp_path):
    fake, real = folder("fake", 80, first=500), folder("real", 80)
    (fake / "wide").rename(fake / "square")
    with pytest.raises(ganvas.DataError, match="needs classes"):
        evaluate(fake, real, metrics=["fd-per-class"], extractor="pixels")
