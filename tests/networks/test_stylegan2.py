import pytest
import torch
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.losses.penalties import path_length
from ganvas.networks.equalised import EqualConv2d, EqualLinear
from ganvas.networks.layers import minibatch_deviation
from ganvas.networks.resampling import convolve, upsample, upsampling_convolve
from ganvas.networks.stylegan2 import (
    StyledConv,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
    demodulation,
)

SMALL = {"channel_base": 128, "max_width": 8}
LATENT = {"latent": 7, "w_width": 6, "mapping_layers": 2, "embedding": 3}


def generator(size=16, classes=0, seed=0):
    torch.manual_seed(seed)
    return StyleGAN2Generator(StyleGAN2Generator.Settings(**SMALL, **LATENT), size=size, channels=3, classes=classes)


def discriminator(size=16, classes=0, **settings):
    torch.manual_seed(0)
    chosen = StyleGAN2Discriminator.Settings(**SMALL, **settings)
    return StyleGAN2Discriminator(chosen, size=size, channels=3, classes=classes)


def millions(network):
    return round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 3)


@pytest.mark.parametrize(
    ("size", "base", "layers", "published"),
    [
        (32, 32768, 2, (19.948, 21.507)),
        (64, 32768, 8, (27.033, 26.489)),
        (256, 16384, 8, (24.767, 24.001)),
        (1024, 32768, 8, (30.370, 29.013)),
    ],
)
def test_they_have_the_published_numbers_of_parameters(size, base, layers, published):
    shape = {"size": size, "channels": 3, "classes": 0}
    with torch.device("meta"):
        pair = (
            StyleGAN2Generator(StyleGAN2Generator.Settings(channel_base=base, mapping_layers=layers), **shape),
            StyleGAN2Discriminator(StyleGAN2Discriminator.Settings(channel_base=base), **shape),
        )
    assert tuple(map(millions, pair)) == published


@pytest.mark.parametrize("family", [StyleGAN2Generator, StyleGAN2Discriminator])
def test_sizes_and_channels_that_cannot_be_are_named(family):
    for size in (8, 48, 2048):
        with pytest.raises(UsageError, match=rf"16, 32, 64, 128, 256, 512, 1024 .* not {size}"):
            family(family.Settings(), size=size, channels=3, classes=0)
    with pytest.raises(UsageError, match="channel_base 31 leaves no channel at 32 pixels"):
        family(family.Settings(channel_base=31), size=32, channels=3, classes=0)


@pytest.mark.parametrize(("convolution", "side"), [(convolve, 5), (upsampling_convolve, 10)])
def test_a_styled_convolution_is_a_weight_of_its_own_for_each_picture(convolution, side):
    torch.manual_seed(0)
    layer = StyledConv(4, 3, 2, side, convolution).double()
    with torch.no_grad():
        layer.strength.fill_(0.3)
        layer.bias.copy_(torch.tensor([0.5, -0.2]).view(2, 1, 1))
    maps, ws = torch.randn(6, 3, 5, 5).double(), torch.randn(6, 4).double()
    expected = []
    for picture, style in zip(maps, layer.style(ws), strict=True):
        weight = layer.weight * layer.scale * style[None, :, None, None]  # eq. 1
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()  # eq. 3
        if convolution is convolve:
            convolved = functional.conv2d(picture[None], weight, padding=1)
        else:
            convolved = upsampling_convolve(picture[None], weight)
        noisy = convolved + layer.noise * 0.3 + layer.bias
        expected.append(2**0.5 * functional.leaky_relu(noisy, 0.2))
    torch.testing.assert_close(layer(maps, ws), torch.cat(expected))


def test_factors_are_float32_under_autocast():
    network, latents = generator(), torch.randn(2, 7)
    layer = network.synthesis.keeping[0]
    with torch.no_grad():
        ws = network.mapping(latents)
        style = layer.style(ws[:, 0])
        factors = demodulation(layer.weight, style)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(network.mapping(latents), ws)
            assert torch.equal(layer.style(ws[:, 0]), style)
            assert torch.equal(demodulation(layer.weight, style), factors)


def test_noise_is_silent_at_first_and_the_same_in_every_pass():
    network, latents = generator(), torch.randn(2, 7)
    with torch.no_grad():
        silent = network(latents)
        for name, parameter in network.named_parameters():
            if name.endswith("strength"):
                assert parameter.item() == 0
                parameter.fill_(0.5)
        noisy = network(latents)
        assert torch.equal(network(latents), noisy)
    assert (noisy - silent).abs().max() > 0.1


def test_signals_keep_their_size_through_the_generator():
    torch.manual_seed(0)
    chosen = StyleGAN2Generator.Settings(channel_base=4096, max_width=128)
    network = StyleGAN2Generator(chosen, size=32, channels=3, classes=0)
    sizes = [network.mapping(torch.randn(32, 512))]
    for layer in (*network.synthesis.keeping, *network.synthesis.doubling):
        layer.register_forward_hook(lambda module, given, output: sizes.append(output))
    with torch.no_grad():
        network(torch.randn(8, 512))
    assert len(sizes) == 8
    for maps in sizes:
        assert 0.4 < maps.square().mean().sqrt() < 1.6


def test_equalised_layers_start_with_unit_weights_scaled_where_they_are_used():
    torch.manual_seed(0)
    linear = EqualLinear(200, 300, rate=0.01, bias=1.0)
    assert linear.weight.std().item() == pytest.approx(100, rel=0.02)
    features = torch.randn(4, 200)
    torch.testing.assert_close(
        linear(features), features @ (linear.weight * 0.01 / 200**0.5).T + 1, rtol=1e-4, atol=1e-5
    )
    conv = EqualConv2d(3, 5, 3, convolve, gain=2, bias=True)
    with torch.no_grad():
        conv.bias.copy_(torch.randn(5))
    maps = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(conv(maps), 2 * functional.conv2d(maps, conv.weight / 27**0.5, conv.bias, padding=1))


def test_each_layer_takes_a_w_of_its_own():
    network = generator(size=32)
    ws = network.mapping(torch.randn(1, 7))
    assert ws.shape == (1, 8, 6)
    with torch.no_grad():
        before = network.synthesis(ws)
        for layer in range(8):
            changed = ws.clone()
            changed[:, layer] += 1
            assert not torch.equal(network.synthesis(changed), before), layer


def test_the_last_w_steers_the_last_picture_layer_alone():
    network = generator()
    ws = network.mapping(torch.randn(1, 7)).clone()
    kept = []
    network.synthesis.keeping[-1].register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.no_grad():
        network.synthesis(ws)
        ws[:, -1] += 1
        network.synthesis(ws)
    assert torch.equal(*kept)


def test_pictures_are_added_up_from_the_smallest():
    network = generator()
    pieces = []
    for layer in network.synthesis.to_pictures:
        layer.register_forward_hook(lambda module, given, output: pieces.append(output))
    with torch.no_grad():
        pictures = network(torch.randn(2, 7))
    torch.testing.assert_close(pictures, upsample(upsample(pieces[0]) + pieces[1]) + pieces[2])


@pytest.mark.parametrize("classes", [0, 3])
def test_the_average_of_w_is_that_of_many_latents_after_each_move(classes):
    network = generator(classes=classes)
    latents = torch.randn(9000, 7)
    labels = torch.arange(9000) % classes if classes else None
    with torch.no_grad():
        for layer in network.mapping.layers:
            layer.weight.mul_(1.2)
        network.mapping.begin_move()
        w = network.mapping(latents, labels)[:, 0]
    apart = (network.mapping.w_average - w.mean(dim=0)).abs()
    assert (apart < 5 * w.std(dim=0) / 1024**0.5).all()


def test_forward_leaves_the_average_as_it_is():
    network = generator()
    before = network.mapping.w_average.clone()
    network.train()(torch.randn(4, 7))
    assert torch.equal(network.mapping.w_average, before)


def test_truncation_0_gives_the_average_picture_and_1_changes_nothing():
    network = generator()
    ws = network.mapping(torch.randn(5, 7))
    average = network.mapping.w_average.expand(1, 6, -1)
    with torch.no_grad():
        pictures = network.synthesis(network.mapping.truncate(ws, 0.0))
        torch.testing.assert_close(pictures, network.synthesis(average).expand(5, -1, -1, -1))
    assert torch.equal(network.mapping.truncate(ws, 1.0), ws)
    torch.testing.assert_close(network.mapping.truncate(ws, 0.5), (ws + average) / 2)


def test_path_length_reaches_the_synthesis():
    network = generator()
    w = network.mapping(torch.randn(3, 7))[:, 0].detach().requires_grad_()
    images = network.synthesis(w.unsqueeze(1).expand(-1, network.mapping.copies, -1))
    penalty, lengths = path_length(images, w, torch.randn_like(images), torch.zeros(()))
    penalty.backward()
    assert lengths.shape == (3,)
    assert lengths.min() > 0
    assert network.synthesis.keeping[0].weight.grad.abs().max() > 0


def written_out(maps, group):
    """The statistic of each picture by loops over groups, channels and places."""
    values = []
    for start in range(0, len(maps), group):
        some = maps[start : start + group]
        deviations = []
        for channel in range(maps.shape[1]):
            for place in some[:, channel].flatten(1).T:
                middle = sum(place) / len(place)
                deviations.append((sum((value - middle) ** 2 for value in place) / len(place) + 1e-8) ** 0.5)
        values += [sum(deviations) / len(deviations)] * len(some)
    return torch.stack(values)


@pytest.mark.parametrize(("count", "group"), [(8, 4), (6, 4), (3, 4), (5, 2), (3, 1)])
def test_minibatch_deviation_is_that_of_each_group(count, group):
    maps = torch.randn(count, 2, 2, 3, dtype=torch.float64)
    deviations = minibatch_deviation(maps, group)
    assert deviations.shape == (count, 1, 1, 1)
    torch.testing.assert_close(deviations.flatten(), written_out(maps, group))


def test_a_batch_cut_into_whole_groups_is_judged_the_same():
    network, images = discriminator(group=2), torch.randn(8, 3, 16, 16)
    with torch.no_grad():
        together = network(images)
        cut = torch.cat([network(part) for part in images.split(4)])
        across = torch.cat([network(part) for part in images.split(3)])
    torch.testing.assert_close(together, cut)
    assert not torch.allclose(together, across)


def test_pictures_that_are_alike_are_seen_to_be():
    network, images = discriminator(), torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        among_others = network(images)[0]
        among_copies = network(images[:1].expand(4, -1, -1, -1))[0]
        torch.testing.assert_close(among_copies, network.eval()(images)[0])
    assert (among_others - among_copies).abs() > 1e-4


def test_the_class_enters_the_logit_by_an_inner_product():
    network, images = discriminator(classes=3), torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        network.head.embedding.weight.zero_()
        without = network(images, torch.zeros(4, dtype=torch.int64))
        network.head.embedding.weight[1] = torch.arange(8.0)
        features = []
        network.dense.register_forward_hook(lambda module, given, output: features.append(output))
        logits = network(images, torch.tensor([0, 1, 1, 2]))
        activated = functional.leaky_relu(features[0], 0.2) * 2**0.5
    product = (activated * torch.arange(8.0)).sum(dim=1) / 8**0.5
    torch.testing.assert_close(logits - without, product * torch.tensor([0, 1, 1, 0]), rtol=1e-4, atol=1e-5)
