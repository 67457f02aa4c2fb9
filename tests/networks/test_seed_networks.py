import pytest
import torch
from torch import nn

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.networks.conv28 import Conv28Discriminator, Conv28Generator
from ganvas.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from ganvas.networks.mlp import MLPDiscriminator, MLPGenerator


def built(family, size, channels=3, classes=0, **settings):
    torch.manual_seed(0)
    return family(family.Settings(**settings), size=size, channels=channels, classes=classes)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def maps(network):
    """[channels, side] of every convolutional layer's output, the first map included."""
    shapes = []
    for layer in network.modules():
        if isinstance(layer, (nn.ReLU, nn.LeakyReLU)):
            layer.register_forward_hook(lambda module, given, output: shapes.append(tuple(output.shape[1:3])))
    network.eval()
    if hasattr(network, "latent"):
        network(torch.zeros(1, network.latent))
    else:
        network(torch.zeros(1, network.channels, network.size, network.size))
    return shapes


def test_dcgan_at_64_has_the_usual_number_of_parameters():
    assert parameters(built(DCGANGenerator, 64)) == 3_576_704
    assert parameters(built(DCGANDiscriminator, 64)) == 2_765_568


def test_dcgan_at_32_has_256_128_64_channels():
    assert maps(built(DCGANGenerator, 32)) == [(256, 4), (128, 8), (64, 16)]
    assert maps(built(DCGANDiscriminator, 32)) == [(64, 16), (128, 8), (256, 4)]


def test_dcgan_widths_stop_at_their_maximum():
    assert maps(built(DCGANGenerator, 128, width=8, max_width=20)) == [(20, 4), (20, 8), (20, 16), (16, 32), (8, 64)]


def test_dcgan_normalises_all_but_the_pictures_own_layers():
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in built(DCGANGenerator, 32).modules()) == 3
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in built(DCGANDiscriminator, 32).modules()) == 2


def test_dcgan_first_linear_map_is_the_papers_transposed_convolution():
    network = built(DCGANGenerator, 8, width=6)
    paper = nn.ConvTranspose2d(100, 6, 4, bias=False)
    paper.weight = nn.Parameter(network.project.weight.view(6, 4, 4, 100).permute(3, 0, 1, 2))
    latents = torch.randn(5, 100)
    torch.testing.assert_close(network.project(latents).view(5, 6, 4, 4), paper(latents[:, :, None, None]))


@pytest.mark.parametrize("family", [DCGANGenerator, DCGANDiscriminator])
@pytest.mark.parametrize("size", [4, 28, 48, 2048])
def test_dcgan_names_the_sizes_it_can(family, size):
    with pytest.raises(UsageError, match=rf"8, 16, 32, 64, 128, 256, 512, 1024 .* not {size}"):
        built(family, size)


@pytest.mark.parametrize("family", [DCGANGenerator, DCGANDiscriminator])
def test_dcgan_refuses_a_width_above_the_maximum(family):
    with pytest.raises(UsageError, match="width 600 is above its max_width 512"):
        built(family, 32, width=600)


def test_mlp_has_the_published_layers():
    sizes = [layer.out_features for layer in built(MLPGenerator, 28, channels=1).layers if isinstance(layer, nn.Linear)]
    assert sizes == [256, 512, 1024, 784]
    network = built(MLPDiscriminator, 28, channels=1)
    sizes = [layer.out_features for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [512, 256, 1]
    assert network.layers[0].in_features == 784


@pytest.mark.parametrize("family", [MLPGenerator, MLPDiscriminator])
@pytest.mark.parametrize("size", [129, Size(129, 4)])
def test_mlp_names_the_sizes_it_can(family, size):
    with pytest.raises(UsageError, match=rf"1 to 128 pixels a side, not {size}"):
        built(family, size)


def test_mlp_says_why_it_cannot_train_on_a_single_picture():
    network = built(MLPGenerator, 8, hidden=(4,))
    with pytest.raises(UsageError, match="batches of 2 or more"):
        network(torch.randn(1, 100))
    assert network.eval()(torch.randn(1, 100)).shape == (1, 3, 8, 8)
    assert built(MLPGenerator, 8, hidden=(4,), norm="none")(torch.randn(1, 100)).shape == (1, 3, 8, 8)


def test_conv28_has_the_published_layers():
    assert maps(built(Conv28Generator, 28, channels=1)) == [(256, 7), (128, 7), (64, 14)]
    assert maps(built(Conv28Discriminator, 28, channels=1)) == [(64, 14), (128, 7)]


@pytest.mark.parametrize("family", [Conv28Generator, Conv28Discriminator])
@pytest.mark.parametrize("size", [4, 30, 68])
def test_conv28_names_the_sizes_it_can(family, size):
    with pytest.raises(UsageError, match=rf"8, 12, 16, \.\.\. 64 pixels a side, not {size}"):
        built(family, size)
