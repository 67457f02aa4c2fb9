"""A GAN small enough to see through: `python -m ganvas.toy` learns a ring of eight Gaussians in the plane.

It plays with the same trainer, players, loss and penalty as the real thing, and draws into one picture what a paper
can only describe: where the generator puts its points, and what the discriminator thinks of every place in the plane.
With the logistic loss the game has one equilibrium (Goodfellow et al. 2014, proposition 2): the generator covers all
modes and the discriminator says 1/2 everywhere. R1 is what lets the players get there (Mescheder et al. 2018).
"""

import argparse
import tempfile
from pathlib import Path

import torch

from ganvas.core.errors import GanvasError
from ganvas.core.images import grid
from ganvas.plane import COUNTED, MIXTURES, Plane, Rules, draw_picture, generated
from ganvas.tasks.game_settings import PenaltySettings
from ganvas.tasks.generate_settings import LossSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.draws import Draws
from ganvas.training.folder import RunFolder
from ganvas.training.journal import Tick
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings


def train(run: RunFolder, *, modes: str = "ring", images: int = 500_000, seed: int = 0, gamma: float = 0.1) -> Plane:
    """Play the game in a run folder and return it as it ends, its generator in the average's place."""
    chosen = TrainingSettings(
        seed=seed,
        batch=256,
        stop=StopSettings(images=images),
        average=AverageSettings(half_life=10_000),
        tick=50_000,
        preview=images,
        checkpoint=images,
        score=images,
        tensorboard="off",
    )
    game = Plane(chosen, MIXTURES[modes], Rules(loss=LossSettings(r1=PenaltySettings(weight=gamma))))
    trainer = Trainer(game, chosen, run, processes=Processes(), fingerprint=modes, on_tick=_print_tick)
    trainer.train()
    game.generator.load_state_dict(trainer.averages.networks["generator"].state_dict())
    return game


def _print_tick(tick: Tick) -> None:
    terms = "  ".join(f"{name} {value:.3f}" for name, value in tick["terms"].items())
    print(f"{tick['images']:>8,} points  {terms}")


@torch.no_grad()
def beliefs(game: Plane) -> tuple[float, float]:
    """The mean of D(x) on real and on generated points; the theory's equilibrium is (1/2, 1/2)."""
    real = game.mixture.drawn(Draws(12345), "held-out", 0, COUNTED)
    both = [torch.sigmoid(game.judge(points)).mean().item() for points in (real, generated(game.generator, COUNTED))]
    return both[0], both[1]


def main() -> None:
    """Train, say what came of it, and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m ganvas.toy", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", default="toy.png", type=Path, help="the picture (default: toy.png)")
    parser.add_argument("--modes", default="ring", choices=MIXTURES, help="ring: eight; grid: 25, which is harder")
    parser.add_argument("--images", default=500_000, type=int, help="points seen in training")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--gamma", default=0.1, type=float, help="the weight of R1; try 0 or 10")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # the networks are so small that a second thread would only be waited for
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = RunFolder.create(Path(folder) / "toy", "")
            game = train(run, modes=asked.modes, images=asked.images, seed=asked.seed, gamma=asked.gamma)
        except GanvasError as error:
            parser.exit(error.exit_status, f"error: {error}\n")
    on_real, on_fake = beliefs(game)
    covered = game.mixture.covered(generated(game.generator))
    print(f"modes covered, by a quarter of their due of points or more: {covered} of {len(game.mixture)}")
    print(f"D on real {on_real:.3f}, on generated {on_fake:.3f}; at the equilibrium both are 0.5")
    grid(draw_picture(game, game.generator)[None]).save(asked.out)
    print(f"the picture: {asked.out}")


if __name__ == "__main__":
    main()
