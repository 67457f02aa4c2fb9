"""The modern networks against plain ones of the same convolutions, in processor time.

The sides take turns in one process and each is measured by the processor time of its threads: on a machine with other
work that says more than the clock. A lane has one thread, and so have these.
"""

import itertools
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import common
from benchmarks.plain_r3gan import PlainR3GAN
from benchmarks.quality import COUNT, fashion_scorer
from ganvas import networks
from ganvas.core import devices
from ganvas.training.clock import Clock

TURNS = 12
SIZES = ((32, 64, 16), (32, 128, 16), (64, 64, 8), (64, 128, 8))  # pixels a side, channels, pictures of a lane
ROUNDS = 4  # of the trainer in a turn: one of them with the lazy penalties
PLAIN_BATCH = 16
IMAGES = 12_000


class PlainSynthesis(nn.Module):
    """The convolutions of StyleGAN2's synthesis without styles, noise and filters: nearest neighbours doubled."""

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        layers = [*_conv(widths[0], widths[0])]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Upsample(scale_factor=2), *_conv(before, after), *_conv(after, after)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], channels, 1))

    def forward(self, ws: Tensor) -> Tensor:
        """[N, ...] -> float32 [N, C, H, W]; of ws only the number is read."""
        pictures: Tensor = self.layers(self.constant.expand(len(ws), -1, -1, -1))
        return pictures.float()


class PlainBlock(nn.Module):
    """The convolutions of a block of StyleGAN2's discriminator, every second place instead of the filter."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(*_conv(channels, channels), *_conv(channels, out, stride=2))
        self.skip = nn.Conv2d(channels, out, 1, stride=2, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H/2, W/2]."""
        halved: Tensor = self.inner(maps) + self.skip(maps)
        return halved


def stylegan2() -> None:
    """Writes results/speed-stylegan2.json."""
    rows = {}
    for size, width, batch in SIZES:
        shape = {"size": size, "channels": 3, "classes": 0}
        make, judge = networks.generator("stylegan2"), networks.discriminator("stylegan2")
        generator = make(make.Settings(max_width=width, latent=64, w_width=64, mapping_layers=2), **shape)
        discriminator = judge(judge.Settings(max_width=width), **shape)
        widths = [layer.weight.shape[0] for layer in generator.synthesis.keeping]
        ws = torch.randn(batch, generator.mapping.copies, 64)
        pictures = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
        name = f"{size} px, {width} channels, {batch} pictures"
        rows[f"synthesis, {name}"] = _race(generator.synthesis, PlainSynthesis(widths, 3), ws)
        rows[f"discriminator, {name}"] = _race(discriminator, _plain_discriminator(widths[::-1]), pictures)
    what = "processor time of StyleGAN2's networks over that of plain ones with the same convolutions, one thread"
    common.write("speed-stylegan2", {"what": what, "ratios": rows})


def r3gan() -> None:
    """Writes results/speed-r3gan.json: both sides train for the same processor time, in turns, and are scored."""
    dataset = common.fashion()
    chosen = common.settings("r3gan-slim", f"training.stop.images={IMAGES}", "training.score=1000000000")
    plain = PlainR3GAN(width=64, blocks=2, gamma=chosen.loss.r1.weight, lr=chosen.discriminator_optimizer.lr)
    rows: list[tuple[float, float]] = []  # images a second of processor time: the trainer's, the plain construction's
    began, spent, steps = time.process_time(), 0.0, 0

    def on_round(clock: Clock) -> None:
        nonlocal began, spent, steps
        if clock.rounds % ROUNDS:
            return
        turn = time.process_time() - began
        spent += turn
        while spent > 0:
            start = time.process_time()
            plain.step(common.real_batch(dataset, PLAIN_BATCH))
            seconds = time.process_time() - start
            rows.append((round(ROUNDS * chosen.training.batch / turn, 2), round(PLAIN_BATCH / seconds, 2)))
            spent, steps = spent - seconds, steps + 1
        began = time.process_time()

    trainer = common.trainer(chosen, dataset, on_round)
    trainer.train()
    game, scorer = trainer.task, fashion_scorer()
    pictures = game.sample(trainer.averages.networks["generator"], COUNT, None)
    ours, theirs = zip(*rows[2:], strict=True)
    common.write(
        "speed-r3gan",
        {
            "what": "recipe r3gan-slim in the trainer against the plain construction (groups of 16 channels, float32, "
            "contiguous, R1 and R2 in every round), 32x32, grey: images for a second of one core, and the distance "
            "after the same processor time",
            "parameters": [_parameters(game.generator, game.discriminator), _parameters(*plain.networks)],
            "images": [trainer.clock.images, steps * PLAIN_BATCH],
            "fd": [scorer(pictures), scorer(plain.sample(COUNT))],
            "ours": common.summary(ours),
            "plain": common.summary(theirs),
            "ratio": common.summary([a / b for a, b in rows[2:]]),
            "raw": rows,
        },
    )


def _conv(channels: int, out: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 3, stride, padding=1), nn.LeakyReLU(0.2, inplace=True)]


def _plain_discriminator(widths: list[int]) -> nn.Module:
    """widths: at sides size, size/2, ..., 4."""
    blocks = (PlainBlock(*pair) for pair in itertools.pairwise(widths))
    last = widths[-1]
    dense = (nn.Linear(last * 4 * 4, last), nn.LeakyReLU(0.2), nn.Linear(last, 1))
    entry = (nn.Conv2d(3, widths[0], 1), nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*entry, *blocks, *_conv(last, last), nn.Flatten(), *dense)


def _race(ours: nn.Module, plain: nn.Module, given: Tensor) -> dict[str, float]:
    """Median ratios of the time forward, backward and both, our network's over the plain one's."""
    torch.set_num_threads(1)
    devices.keep_freed_memory()
    sides = [network.to(memory_format=torch.channels_last).train() for network in (ours, plain)]
    turns = [[_forward_and_backward(network, given) for network in sides] for _ in range(TURNS + 2)][2:]

    def median(seconds: Callable[[tuple[float, float]], float]) -> float:
        return round(statistics.median(seconds(a) / seconds(b) for a, b in turns), 2)

    return {"forward": median(lambda x: x[0]), "backward": median(lambda x: x[1]), "both": median(sum)}


def _forward_and_backward(network: nn.Module, given: Tensor) -> tuple[float, float]:
    """Seconds of each; gradients go to the weights and to what is given, as in the generator's move."""
    given = given.clone().requires_grad_()
    start = time.process_time()
    with devices.autocast(torch.device("cpu"), devices.choose_precision("auto", torch.device("cpu"))):
        output = network(given)
    middle = time.process_time()
    functional.softplus(output).mean().backward()
    end = time.process_time()
    network.zero_grad(set_to_none=True)
    return middle - start, end - middle


def _parameters(*of: nn.Module) -> int:
    return sum(parameter.numel() for network in of for parameter in network.parameters())
