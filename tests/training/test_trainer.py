import json
import math
import time

import pytest
import torch
from tests_shared import assert_same, state_of

from ganvas.core.errors import DataError, Diverged, MemoryExhausted
from ganvas.training import checkpoints
from ganvas.training.players import OptimizerSettings
from ganvas.training.sentinel import Sentinel
from ganvas.training.stopping import StopSettings


def break_off_after(trainer, rounds):
    """Make the trainer die, as a killed process does, in the middle of a round."""
    play, left = trainer._round, iter(range(rounds))

    def die_or_play():
        if next(left, None) is None:
            trainer.task.players[0].step(1e-3, torch.ones(()))  # half of the round has happened
            raise SystemExit("killed")
        play()

    trainer._round = die_or_play


def test_the_same_seed_gives_the_same_run_and_another_seed_another(ring_trainer):
    states = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        trainer = ring_trainer(name, seed=seed)
        trainer.train()
        states.append(state_of(trainer))
    assert_same(states[0], states[1])
    assert not torch.equal(states[0]["average/generator/0.weight"], states[2]["average/generator/0.weight"])


def test_betas_that_fall_are_those_of_the_round(ring_trainer):
    trainer = ring_trainer(images=640)
    falling = OptimizerSettings(betas=(0.0, 0.9), decay="linear", decay_images=640, final_betas=(0.5, 0.99))
    trainer.task.players[0].optimizer_settings = falling
    trainer.train()
    (group,) = trainer.task.players[0].optimizer.param_groups
    assert group["betas"] == pytest.approx((0.475, 0.9855))  # the last of 20 rounds begins at 608 images


@pytest.mark.parametrize("rounds", [0, 1, 7, 13])
def test_a_run_that_is_killed_anywhere_continues_bit_for_bit(ring_trainer, rounds):
    undisturbed = ring_trainer("undisturbed")
    undisturbed.train()
    killed = ring_trainer("killed")
    break_off_after(killed, rounds)
    with pytest.raises(SystemExit):
        killed.train()
    continued = ring_trainer("killed")
    continued.train()
    assert continued.clock.images == undisturbed.clock.images
    assert_same(state_of(continued), state_of(undisturbed))


def test_the_journal_of_a_continued_run_reads_as_if_it_had_not_been_stopped(ring_trainer):
    undisturbed = ring_trainer("undisturbed")
    undisturbed.train()
    killed = ring_trainer("killed", tick=64)
    break_off_after(killed, 11)
    with pytest.raises(SystemExit):
        killed.train()
    with killed.run.journal.open("a") as stream:
        stream.write('{"images": 352, "ter')
    ring_trainer("killed").train()
    journals = [
        [json.loads(line) for line in trainer.run.journal.read_text().splitlines()] for trainer in (undisturbed, killed)
    ]
    after = [line for line in journals[1] if line["images"] > 256]
    assert [line["images"] for line in after] == [384, 512, 640]
    assert [line["terms"] for line in after] == [line["terms"] for line in journals[0] if line["images"] > 256]


def test_a_run_with_a_damaged_newest_checkpoint_goes_back_to_the_one_before_and_ends_the_same(ring_trainer):
    undisturbed = ring_trainer("undisturbed")
    undisturbed.train()
    killed = ring_trainer("killed")
    break_off_after(killed, 15)
    with pytest.raises(SystemExit):
        killed.train()
    newest = checkpoints.everything(killed.run.checkpoints)[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(bytes(content))
    said = []
    continued = ring_trainer("killed", say=said.append)
    assert newest.name in said[0]
    assert continued.clock.images == 256
    continued.train()
    assert_same(state_of(continued), state_of(undisturbed))


def test_a_checkpoint_of_other_data_is_refused(ring_trainer):
    ring_trainer(fingerprint="ring").train()
    with pytest.raises(DataError, match=r"not what .* was trained on"):
        ring_trainer(fingerprint="square")


def test_micro_batches_give_the_gradients_of_the_whole_batch(ring_trainer):
    whole = ring_trainer("whole", images=160)
    whole.train()
    parts = ring_trainer("parts", images=160, micro_batch=5)
    parts.train()
    for name, tensor in state_of(whole).items():
        torch.testing.assert_close(state_of(parts)[name], tensor, atol=1e-5, rtol=1e-4)


def limit_memory(trainer, rows):
    for player in trainer.task.players:
        objective = player.objective

        def limited(batch, clock, objective=objective):
            if len(batch) > rows:
                raise torch.OutOfMemoryError("out of memory")
            return objective(batch, clock)

        player.objective = limited


def test_out_of_memory_halves_the_micro_batch_says_so_and_changes_nothing_else(ring_trainer):
    whole = ring_trainer("whole", images=160)
    whole.train()
    said = []
    small = ring_trainer("small", images=160, say=said.append, lanes=1)
    limit_memory(small, 9)
    small.train()
    assert small.micro_batch == 8
    assert len(said) == 2
    assert "going on with at most 8 pictures at a time" in said[-1]
    assert said[-1] in small.run.notes.read_text()
    for name, tensor in state_of(whole).items():
        torch.testing.assert_close(state_of(small)[name], tensor, atol=1e-5, rtol=1e-4)
    assert ring_trainer("small", images=160).micro_batch == 8


def test_memory_for_not_even_one_row_is_exit_4(ring_trainer):
    trainer = ring_trainer()
    limit_memory(trainer, 0)
    with pytest.raises(MemoryExhausted, match="single picture") as raised:
        trainer.train()
    assert raised.value.exit_status == 4


def poison(trainer, at_images, times):
    """Make a gradient infinite when the clock stands at `at_images`, so many times."""
    player, left = trainer.task.players[1], [times]
    objective = player.objective

    def poisoned(batch, clock):
        terms = objective(batch, clock)
        if clock.images == at_images and left[0] > 0:
            left[0] -= 1
            terms["adversarial"] = terms["adversarial"] * float("inf")
        return terms

    player.objective = poisoned


def test_a_non_finite_round_goes_back_to_the_checkpoint_with_lower_rates(ring_trainer):
    said = []
    trainer = ring_trainer(say=said.append, lanes=1)
    poison(trainer, 320, 2)
    assert trainer.train() == "images"
    assert trainer.slowdown == 0.25
    assert trainer.retreats == 2
    assert len(said) == 2
    assert "After 320 images the generator's" in said[0]
    assert "back to 256 images" in said[0]
    assert all(torch.isfinite(tensor).all() for tensor in state_of(trainer).values())
    again = ring_trainer(images=700)
    assert (again.slowdown, again.retreats) == (0.25, 2)


def test_a_run_that_diverges_a_fourth_time_is_exit_5_with_what_was_seen(ring_trainer):
    trainer = ring_trainer(lanes=1)
    poison(trainer, 320, 4)
    with pytest.raises(Diverged, match=r"after 320 images the generator's .* not finite") as raised:
        trainer.train()
    assert raised.value.exit_status == 5
    assert checkpoints.newest_info(trainer.run.checkpoints)["clock"]["images"] == 256
    assert f"`{trainer.run.use}` shows the last good state" in str(raised.value)


@pytest.mark.parametrize("name", ["generator", "translator", "classifier"])
def test_what_a_run_without_checkpoints_learned_can_still_be_used(ring_trainer, name):
    trainer = ring_trainer(images=64)
    trainer.train()
    for checkpoint in trainer.run.checkpoints.iterdir():
        checkpoint.unlink()
    trainer.run.generator.unlink(missing_ok=True)
    getattr(trainer.run, name).write_bytes(b"")
    command = {"generator": "sample", "translator": "apply", "classifier": "classify"}[name]
    with pytest.raises(DataError, match=f"no whole checkpoint any more.* can still be used: ganvas {command} "):
        ring_trainer(images=64)


def test_several_processes_are_told_which_networks_have_batch_norm(ring_trainer):
    trainer = ring_trainer(images=64)
    norm = torch.nn.BatchNorm2d(1)
    for player, role in zip(trainer.task.players, ("translator", "translator_back"), strict=False):
        player.networks[role] = norm
    assert trainer._without_batch_norm == "translator.norm=none"


@pytest.mark.parametrize("at_images", [224, 608])  # the round before a checkpoint, and the last of the run
def test_what_is_known_late_is_asked_for_before_a_checkpoint(ring_trainer, at_images):
    trainer = ring_trainer(say=lambda _: None, lanes=1)
    trainer.sentinel, trainer._late = Sentinel(late=True), True  # as on an accelerator
    poison(trainer, at_images, 1)
    assert trainer.train() == "images"
    assert trainer.retreats == 1
    assert all(torch.isfinite(tensor).all() for tensor in state_of(trainer).values())
    assert trainer.clock.images == 640


def test_a_preview_that_does_not_fit_is_left_out_with_a_note_and_training_goes_on(ring_trainer):
    trainer = ring_trainer(preview=128, say=lambda _: None)

    def full(averages):
        raise OSError(28, "No space left on device")

    trainer.task.preview = full
    assert trainer.train() == "images"
    assert "No space left on device. Training goes on" in trainer.run.notes.read_text()


def test_a_score_for_which_memory_is_short_is_left_out(ring_trainer):
    trainer = ring_trainer(score=128, say=lambda _: None)

    def large(averages):
        raise torch.OutOfMemoryError("out of memory")

    trainer.task.score = large
    assert trainer.train() == "images"
    assert trainer.stop.scores.best_images is None
    assert "This score was left out after 128 images" in trainer.run.notes.read_text()


def test_a_checkpoint_that_cannot_be_written_is_exit_3_and_says_what_to_do(ring_trainer, monkeypatch):
    trainer = ring_trainer(images=256)
    trainer.train()
    trainer = ring_trainer(images=640)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save", full)
    with pytest.raises(DataError, match="No space left on device") as raised:
        trainer.train()
    assert raised.value.exit_status == 3
    assert "ganvas resume" in str(raised.value)


def test_another_number_of_threads_is_told_as_it_changes_the_last_bits(ring_trainer):
    ring_trainer(images=64).train()
    before, said = torch.get_num_threads(), []
    ring_trainer(images=96, say=said.append)
    assert said == []
    torch.set_num_threads(before + 1)
    try:
        ring_trainer(images=96, say=said.append)
    finally:
        torch.set_num_threads(before)
    assert f"was trained with {before} threads and goes on with {before + 1}" in said[0]


def test_non_finite_weights_are_caught_in_the_round_they_appear(ring_trainer):
    trainer = ring_trainer(say=lambda _: None)
    original, spoiled = trainer.task.players[0].step, [False]

    def spoil(*how):
        original(*how)
        if trainer.clock.images == 192 and not spoiled[0]:
            spoiled[0] = True
            with torch.no_grad():
                next(trainer.task.discriminator.parameters())[0, 0] = float("nan")

    trainer.task.players[0].step = spoil
    trainer.train()
    assert trainer.retreats == 1
    assert "After 192 images the discriminator's weights" in trainer.run.notes.read_text()


def test_a_run_stops_by_time(ring_trainer):
    trainer = ring_trainer(stop=StopSettings(seconds=0.2))
    assert trainer.train() == "time"
    assert trainer.clock.seconds >= 0.2


def test_a_run_stops_on_a_plateau_and_keeps_its_best_checkpoint(ring_trainer):
    trainer = ring_trainer(score=64, checkpoint=64, stop=StopSettings(plateau=256))
    values = iter([5.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    trainer.task.score = lambda averages: ("made-up", next(values))
    assert trainer.train() == "plateau"
    assert trainer.clock.images == 128 + 256
    kept = [int(path.name[:9]) for path in checkpoints.everything(trainer.run.checkpoints)]
    assert 128 in kept
    assert len(kept) == 3
    assert json.loads((trainer.run.path / "scores" / "000000128.json").read_text())["value"] == 3.0


def test_a_finished_run_leaves_its_files(ring_trainer):
    trainer = ring_trainer(preview=320)
    trainer.train()
    assert (trainer.run.samples / "000000640.png").exists()
    assert json.loads(trainer.run.card.read_text())["images_seen"] == 640
    assert trainer.run.generator.exists()
    lines = [json.loads(line) for line in trainer.run.journal.read_text().splitlines()]
    assert [line["images"] for line in lines] == [128, 256, 384, 512, 640]
    assert set(lines[0]["terms"]) == {"discriminator/adversarial", "discriminator/r1", "generator/adversarial"}
    assert all(line["images_per_second"] > 0 for line in lines)


def test_the_end_of_a_run_is_scored_if_it_was_long_enough_and_not_interrupted(ring_trainer, monkeypatch):
    for name, seconds, scored in (("short", 1e9, []), ("long", 0.0, [640])):
        monkeypatch.setattr("ganvas.training.trainer._WORTH_A_SCORE", seconds)
        trainer = ring_trainer(name, score=1_000_000)
        trainer.task.score = lambda averages: ("made-up", 1.5)
        trainer.train()
        files = sorted((trainer.run.path / "scores").glob("*.json"))
        assert [json.loads(path.read_text())["images"] for path in files] == scored
        last = json.loads(trainer.run.journal.read_text().splitlines()[-1])
        assert last.get("score", {}).get("images") == (640 if scored else None)


def test_another_score_is_not_compared_with_those_before(ring_trainer):
    scores = {"first": iter((0.2, 0.1)), "second": iter((30.0, 20.0))}
    for name, images in (("first", 256), ("second", 512)):
        trainer = ring_trainer(images=images, score=128)
        trainer.task.score = lambda averages, name=name: (name, next(scores[name]))
        trainer.train()
        last = json.loads((trainer.run.path / "journal.jsonl").read_text().splitlines()[-1])
        assert last["score"]["best_images"] == images
    assert last["score"]["best"] == 20.0


def test_a_score_that_is_not_finite_is_never_the_best(ring_trainer):
    trainer = ring_trainer(images=384, score=128)
    scores = iter((math.nan, 5.0, math.inf))
    trainer.task.score = lambda averages: ("made-up", next(scores))
    trainer.train()
    assert (trainer.stop.scores.best, trainer.stop.scores.best_images) == (5.0, 256)


def test_scores_wait_while_they_have_taken_more_than_a_twentieth_of_the_time(ring_trainer, monkeypatch):
    monkeypatch.setattr("ganvas.training.trainer._SCORING_ANYHOW", 0.0)
    trainer = ring_trainer(score=32)
    taken = []

    def score(averages):
        taken.append(trainer.clock.images)
        time.sleep(0.2)  # of a run that takes less than a second: once is over the budget
        return "made-up", 1.0

    trainer.task.score = score
    trainer.train()
    assert taken == [32]
    assert trainer.stop.scores.seconds >= 0.2
