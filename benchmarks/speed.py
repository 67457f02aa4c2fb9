"""Images a second of the trainer against the textbook loop, and what the trainer costs over the bare step.

All sides train in one process, taking turns of a few seconds, so that a machine that is slow for a while is slow for
all of them. The trainer's side is the whole trainer: draws, data, averages, journal, checkpoints.
"""

import time

from benchmarks import common
from benchmarks.textbook import Textbook
from ganvas.tasks.generate import Generate
from ganvas.training.clock import Clock

TURN = 16  # rounds of each side before the next side's turn
IMAGES = 24_000


def against_textbook(recipe: str) -> None:
    """Writes results/speed-RECIPE.json."""
    dataset = common.fashion()
    other = Textbook(seed=0)

    def step() -> None:
        other.step(common.real_batch(dataset, other.batch))

    rows = _take_turns(common.settings(recipe, f"training.stop.images={IMAGES}", "training.batch=64"), dataset, step)
    ours, theirs = zip(*rows, strict=True)
    common.write(
        f"speed-{recipe}",
        {
            "what": f"recipe {recipe}, DCGAN 32x32, batch 64, against the textbook loop; images/s in turns",
            "ours": common.summary(ours),
            "textbook": common.summary(theirs),
            "ratio": common.summary([a / b for a, b in rows]),
            "raw": rows,
        },
    )


def overhead() -> None:
    """Writes results/overhead.json."""
    dataset = common.fashion()
    chosen = common.settings("dcgan", f"training.stop.images={IMAGES}", "shared_draws=false")
    game = Generate(chosen, dataset)
    batch = {player.name: game.draw(player, 0, Clock(), slice(0, chosen.training.batch)) for player in game.players}

    def step() -> None:
        """The bare step: the same objectives on one batch that is ready, backward, Adam."""
        for player in game.players:
            for other in game.players:
                other.networks.requires_grad_(other is player)
            player.optimizer.zero_grad(set_to_none=True)
            terms = player.objective(batch[player.name], Clock())
            sum(terms.values()).backward()
            player.optimizer.step()

    rows = _take_turns(chosen, dataset, step)
    ratios = [bare / ours for ours, bare in rows]
    whole = sum(1 / ours for ours, _ in rows) / sum(1 / bare for _, bare in rows)
    common.write(
        "overhead",
        {
            "what": "time of a round in the trainer over the time of the bare step; dcgan 32x32, batch 64",
            "ratio_of_totals": whole,
            "ratio": common.summary(ratios),
            "raw": rows,
        },
    )


def _take_turns(chosen, dataset, step) -> list[tuple[float, float]]:
    """(images/s of the trainer, images/s of the other side) for each pair of turns."""
    rows: list[tuple[float, float]] = []
    began = [0.0]

    def on_round(clock: Clock) -> None:
        if clock.rounds % TURN:
            return
        middle = time.perf_counter()
        for _ in range(TURN):
            step()
        end = time.perf_counter()
        if began[0]:
            images = TURN * chosen.training.batch
            rows.append((round(images / (middle - began[0]), 1), round(images / (end - middle), 1)))
        began[0] = time.perf_counter()

    common.trainer(chosen, dataset, on_round).train()
    return rows[1:]
