"""FastGAN: excitation and reconstruction against their formulas, which map steers which, first sizes of signals."""

import pytest
import torch
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.networks.fastgan import (
    SLOPE,
    DownBlock,
    FastGANDiscriminator,
    FastGANGenerator,
    SkipExcitation,
    UpBlock,
    decoding_error,
    quarters,
)


def generator(size, **values):
    torch.manual_seed(0)
    settings = FastGANGenerator.Settings(**({"latent": 7, "width": 4, "max_width": 16} | values))
    return FastGANGenerator(settings, size=size, channels=3, classes=0)


def discriminator(size, **values):
    torch.manual_seed(0)
    settings = FastGANDiscriminator.Settings(**({"width": 4, "max_width": 16, "decoder_width": 4} | values))
    return FastGANDiscriminator(settings, size=size, channels=3, classes=0)


def pictures(count, size):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("side", [4, 8, 16])
def test_excitation_is_its_formula_written_out(side):
    torch.manual_seed(0)
    module = SkipExcitation(low=3, high=5, grid=Size.of(4)).double()
    low, high = torch.randn(2, 3, side, side).double(), torch.randn(2, 5, 32, 32).double()
    found = module(low, high)
    cell = side // 4
    gather = module.gather.weight.view(5, 3, 4, 4)  # the paper's 4x4 convolution
    for picture in range(2):
        grid = low[picture].view(3, 4, cell, 4, cell).mean((2, 4))
        hidden = torch.stack([(kernel * grid).sum() for kernel in gather]) + module.gather.bias
        hidden = torch.where(hidden > 0, hidden, SLOPE * hidden)
        weights = 2 / (1 + torch.exp(-(module.weigh.weight @ hidden + module.weigh.bias)))
        for channel in range(5):
            torch.testing.assert_close(found[picture, channel], high[picture, channel] * weights[channel])


def test_an_up_block_is_nearest_doubling_a_convolution_and_a_gate():
    torch.manual_seed(0)
    block, maps = UpBlock(3, 2, "none"), torch.randn(2, 3, 4, 4)
    wide = functional.conv2d(
        maps.repeat_interleave(2, 2).repeat_interleave(2, 3), block.conv[0].weight, block.conv[0].bias, padding=1
    )
    torch.testing.assert_close(block(maps), wide[:, :2] * torch.sigmoid(wide[:, 2:]))


def test_a_down_block_is_the_mean_of_its_two_ways():
    torch.manual_seed(0)
    block, maps = DownBlock(3, 5, "none"), torch.randn(2, 3, 8, 8)
    (first, _, second, _), (_, across, _) = block.main, block.direct
    main = functional.leaky_relu(functional.conv2d(maps, first[0].weight, stride=2, padding=1), SLOPE)
    main = functional.leaky_relu(functional.conv2d(main, second[0].weight, padding=1), SLOPE)
    halved = (maps[:, :, ::2, ::2] + maps[:, :, 1::2, ::2] + maps[:, :, ::2, 1::2] + maps[:, :, 1::2, 1::2]) / 4
    direct = functional.leaky_relu(functional.conv2d(halved, across[0].weight), SLOPE)
    torch.testing.assert_close(block(maps), (main + direct) / 2)


@pytest.mark.parametrize(
    ("size", "pairs"),
    [
        (16, [(4, 8), (8, 16)]),
        (32, [(4, 16), (8, 32)]),
        (64, [(4, 32), (8, 64)]),
        (128, [(4, 64), (8, 128)]),
        (256, [(4, 64), (8, 128), (16, 256)]),
        (1024, [(4, 64), (8, 128), (16, 256), (32, 512), (64, 1024)]),
    ],
)
def test_low_maps_steer_maps_of_up_to_sixteen_times_their_side(size, pairs):
    network, found = generator(size, width=1, max_width=2), []
    for module in network.excitations:
        module.register_forward_hook(lambda module, maps, out: found.append((maps[0].shape[-1], maps[1].shape[-1])))
    with torch.no_grad():
        network(torch.randn(2, 7))
    assert found == pairs


def test_what_an_excitation_gives_is_what_the_next_layer_takes():
    network = generator(32).eval()
    latents = torch.randn(2, 7)
    with torch.no_grad():
        before = network(latents)
        for module in network.excitations:  # every channel weighed with nothing
            module.weigh.weight.zero_()
            module.weigh.bias.fill_(-1e4)
        assert not torch.equal(network(latents), before)
        flat = network.last.bias.tanh()[:, None, None].expand(2, 3, 32, 32)
        torch.testing.assert_close(network(latents), flat)


def test_quarters_come_one_after_the_other():
    maps = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4)
    corners = [maps[n, :, top : top + 2, left : left + 2] for n in range(2) for top in (0, 2) for left in (0, 2)]
    assert torch.equal(quarters(maps), torch.stack(corners))


def test_the_error_of_a_perfect_decoder_is_0_and_else_the_mean_distance():
    whole = pictures(2, 32)
    assert decoding_error(whole, whole) == 0
    small = whole.view(2, 3, 8, 4, 8, 4).mean((3, 5))
    assert decoding_error(small, whole) < 1e-6
    assert decoding_error(small + 0.25, whole).item() == pytest.approx(0.25, abs=1e-5)


class Knows(torch.nn.Module):
    """A decoder that gives a known answer, and remembers what it was asked."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.asked = answer, None

    def forward(self, maps):
        self.asked = maps
        return self.answer


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_the_whole_picture_and_each_quarter_are_decoded(size):
    judge, real = discriminator(size), pictures(2, size)
    middle, last = judge.last.direct[1][0].in_channels, judge.last.direct[1][0].out_channels
    with torch.no_grad():
        decoded = judge.whole(torch.zeros(1, last, 4, 4)), judge.quarter(torch.zeros(1, middle, 4, 4))
    assert [some.shape[-1] for some in decoded] == [min(64, size), min(64, size // 2)]
    small = functional.avg_pool2d(real, max(1, size // 64))
    judge.whole, judge.quarter = Knows(small), Knows(quarters(small))
    logits, error = judge.judge(real)
    assert error < 1e-6
    assert (judge.whole.asked.shape, judge.quarter.asked.shape) == ((2, last, 4, 4), (8, middle, 4, 4))
    torch.testing.assert_close(logits, judge(real))
    judge.whole, judge.quarter = Knows(small + 0.5), Knows(quarters(small) - 0.25)
    assert judge.judge(real)[1].item() == pytest.approx(0.75, abs=1e-5)


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_the_error_teaches_the_discriminators_body_and_decoders_but_not_its_head(norm):
    judge = discriminator(32, norm=norm)
    judge.judge(pictures(4, 32))[1].backward()
    taught = {name.split(".")[0] for name, weight in judge.named_parameters() if weight.grad is not None}
    assert taught == {"first", "blocks", "last", "whole", "quarter"}
    silent = [name for name, weight in judge.named_parameters() if "head" not in name and not weight.grad.abs().sum()]
    assert silent == []


def test_the_error_is_a_mean_over_pictures():
    judge, real = discriminator(32, norm="none"), pictures(8, 32)
    with torch.no_grad():
        parts = [judge.judge(part)[1] for part in (real[:3], real[3:])]
        torch.testing.assert_close(judge.judge(real)[1], parts[0] * 3 / 8 + parts[1] * 5 / 8)


def test_a_few_steps_of_reconstruction_alone_lower_the_error():
    judge = discriminator(16, norm="none")
    real = pictures(4, 2).repeat_interleave(8, 2).repeat_interleave(8, 3)  # a colour for each quarter
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-2)
    errors = []
    for _ in range(30):
        optimizer.zero_grad()
        _, error = judge.judge(real)
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.8 * errors[0]


def test_without_normalisation_first_signals_neither_die_nor_grow():
    with torch.no_grad():
        for size in (16, 256):
            drawn = generator(size, latent=64, width=16, max_width=64, norm="none")(torch.randn(16, 64))
            assert 0.4 < drawn.std() < 0.9
            logits = discriminator(size, width=16, max_width=64, norm="none")(pictures(16, size))
            assert 0.02 < logits.std() < 2


@pytest.mark.parametrize("make", [generator, discriminator])
def test_a_width_above_the_largest_is_refused(make):
    with pytest.raises(UsageError, match="raise max_width"):
        make(32, width=32, max_width=16)
