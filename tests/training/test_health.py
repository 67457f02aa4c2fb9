"""The watch: what it finds in lines of a journal, when, and what it leaves alone."""

import json

import pytest

from ganvas.core.errors import Troubled
from ganvas.training import health
from ganvas.training.health import RULES, Watch
from ganvas.training.journal import read

WELL = {
    "logit/real": 1.2, "logit/fake": -1.1, "logit/held_out": 1.1, "separation": 0.9, "overfit": 0.05, "diversity": 0.9,
    "copies": 0.0, "change": 0.4, "gradient/generator": 1.0, "gradient/discriminator": 2.0,
    "movement/generator": 0.01, "movement/discriminator": 0.02, "rate/generator": 2e-4, "rate/discriminator": 2e-4,
}  # fmt: skip
NAMES = {
    "mode collapse": {"diversity": 0.05},
    "the discriminator overpowers the generator": {"separation": 1.0},
    "the discriminator overfits": {"logit/held_out": -0.9, "overfit": 0.9},
    "oscillation": {"change": 4.0},
    "divergence": {"logit/real": 5e4, "logit/fake": -3e4},
    "memorisation": {"copies": 0.8},
    "posterior collapse": {"kl": 0.01},
    "a learning rate that does nothing": {"movement/generator": 1e-9},
}


def lines(*parts):
    """Journal lines: (how many, signs that differ from a healthy run's) one after the other."""
    every = [signs for count, signs in parts for _ in range(count)]
    return [{"images": 5_000 * (number + 1), "signs": WELL | signs} for number, signs in enumerate(every)]


def told(every):
    watch = Watch()
    return [(line["images"], finding) for line in every for finding in watch.read(line)]


def test_each_rule_has_a_case_here():
    assert {rule.name for rule in RULES} == NAMES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_trouble_is_told_once_with_when_it_began_what_was_seen_and_what_to_do(name):
    found = told(lines((8, {}), (20, NAMES[name])))
    assert [finding.name for _, finding in found] == [name]
    ((at, finding),) = found
    assert finding.since in (45_000, 50_000)  # a median over three lines follows one line later
    assert finding.since < at <= 70_000
    sentence = str(finding)
    assert name in sentence.lower()
    assert f"{finding.since // 1000}k images" in sentence
    assert any(word in sentence for word in ("--set", "ganvas eval"))


def test_the_learning_rate_that_does_nothing_is_named():
    every = lines((8, {}), (20, {"movement/translator": 1e-9, "gradient/translator": 1.0, "rate/translator": 2e-4}))
    ((_, finding),) = told(every)
    assert "translator_optimizer.lr" in str(finding)
    assert "generator" not in str(finding)


def test_a_healthy_run_is_left_alone():
    assert told(lines((200, {}))) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_single_bad_line_is_no_trouble(name):
    assert told(lines((8, {}), (1, NAMES[name]), (8, {}), (1, NAMES[name]), (8, {}))) == []


@pytest.mark.parametrize("name", ["mode collapse", "oscillation", "the discriminator overpowers the generator"])
def test_the_disorder_of_the_first_lines_is_no_trouble(name):
    assert told(lines((4, NAMES[name]), (20, {}))) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_was_over_and_comes_again_is_told_again(name):
    every = lines((8, {}), (8, NAMES[name]), (10, {}), (8, NAMES[name]))
    assert [finding.name for _, finding in told(every)] == [name, name]
    watch = Watch(every[:26])
    assert watch.active == []


def test_a_watch_that_has_read_the_journal_knows_what_it_knew_and_does_not_tell_it_again():
    every = lines((8, {}), (20, NAMES["mode collapse"]))
    watch = Watch(every[:20])
    assert [finding.name for finding in watch.active] == ["mode collapse"]
    assert [finding for line in every[20:] for finding in watch.read(line)] == []
    assert watch.active[0].since == 45_000


def test_a_learning_rate_that_has_decayed_may_do_nothing():
    assert told(lines((8, {}), (20, {"rate/generator": 1e-9, "movement/generator": 1e-9}))) == []


def test_weights_that_stay_for_want_of_a_gradient_are_not_blamed_on_the_learning_rate():
    assert told(lines((8, {}), (20, {"gradient/generator": 1e-6, "movement/generator": 1e-9}))) == []


def test_an_overfitting_discriminator_is_not_called_overpowering():
    both = NAMES["the discriminator overfits"] | NAMES["the discriminator overpowers the generator"]
    assert {finding.name for _, finding in told(lines((8, {}), (20, both)))} == {"the discriminator overfits"}


def test_latents_that_an_autoencoder_does_without_are_not_called_a_mode_collapse():
    both = NAMES["posterior collapse"] | NAMES["mode collapse"]
    assert {finding.name for _, finding in told(lines((8, {"kl": 20.0}), (20, both)))} == {"posterior collapse"}


def test_a_learning_rate_that_does_nothing_is_seen_in_a_player_of_any_name():
    still = {"rate/autoencoder": 1e-3, "gradient/autoencoder": 1.0, "movement/autoencoder": 1e-9}
    ((_, finding),) = told(lines((20, still)))
    assert "the autoencoder's weights" in finding.seen


def test_augmentation_that_is_steered_to_its_strongest_is_a_sign_of_overfitting():
    found = told(lines((8, {"augment/p": 0.3}), (10, {"augment/p": 0.9})))
    assert [finding.name for _, finding in found] == ["the discriminator overfits"]
    assert "p = 0.90" in str(found[0][1])


def test_lines_without_signs_are_passed_over():
    assert told([{"images": number, "terms": {}} for number in range(20)]) == []


def test_a_run_that_has_hardly_begun_is_left_alone():
    every = [line | {"images": 100 * (number + 1)} for number, line in enumerate(lines((50, NAMES["mode collapse"])))]
    assert told(every) == []


@pytest.fixture
def _short_runs(monkeypatch):
    monkeypatch.setattr(health, "EARLY_IMAGES", 0)


def sick_trainer(ring_trainer, **settings):
    """A trainer whose task shows a mode collapse from the first look on."""
    trainer = ring_trainer(tick=32, **settings)
    trainer.task.diagnose = lambda: {"diversity": 0.01}
    return trainer


@pytest.mark.usefixtures("_short_runs")
def test_a_finding_is_a_note_in_the_run_a_line_on_screen_and_a_word_in_the_journal(ring_trainer):
    said = []
    trainer = sick_trainer(ring_trainer, say=said.append)
    assert trainer.train() == "images"
    (sentence,) = [sentence for sentence in said if "collapse" in sentence]
    assert sentence in trainer.run.notes.read_text()
    health = [line.get("health") for line in read(trainer.run.journal)]
    assert health[-1] == ["mode collapse"]
    assert health[0] is None


@pytest.mark.usefixtures("_short_runs")
def test_on_trouble_stop_saves_and_stops_and_a_continued_run_goes_on(ring_trainer):
    trainer = sick_trainer(ring_trainer, on_trouble="stop")
    assert trainer.train() == "trouble"
    stopped = trainer.clock.images
    assert stopped < 640
    again = sick_trainer(ring_trainer, on_trouble="stop")
    assert again.clock.images == stopped
    assert again.train() == "images"


def test_movement_and_gradients_are_of_each_player(ring_trainer):
    trainer = ring_trainer(tick=64)
    trainer.train()
    signs = read(trainer.run.journal)[-1]["signs"]
    for player in ("generator", "discriminator"):
        assert signs[f"gradient/{player}"] > 0
        assert 0 < signs[f"movement/{player}"] < 10
        assert signs[f"rate/{player}"] == 1e-3


@pytest.mark.usefixtures("_short_runs")
def test_the_command_that_stops_on_trouble_ends_with_status_5(monkeypatch, tmp_path, capsys):
    from ganvas import cli
    from ganvas.tasks.generate import Generate

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Generate, "diagnose", lambda self: {"diversity": 0.01})
    small = ["generator.width=8", "discriminator.width=8", "training.tick=8", "training.tensorboard=off"]
    command = ["train", "digits", "--recipe", "dcgan", "--batch", "8", "--images", "800", "--out", "run"]
    assert cli._run([*command, "--on-trouble", "stop", "--set", *small]) == Troubled.exit_status == 5
    said = capsys.readouterr().err
    assert "mode collapse" in said.lower()
    assert "ganvas resume run" in said
    assert json.loads((tmp_path / "run" / "card.json").read_text())["images_seen"] < 800


def test_a_player_that_is_not_to_move_yet_is_no_trouble():
    waiting = {"movement/discriminator": 0.0, "rate/discriminator": 2e-4}
    every = lines((12, waiting))
    for line in every:
        line["signs"].pop("gradient/discriminator", None)
    assert told(every) == []
