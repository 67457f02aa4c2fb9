import pytest
import torch

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.networks.conditioning import (
    ClassedLatent,
    ClassTable,
    check_channels_and_classes,
    plain_head,
    spectral_head,
)
from ganvas.networks.layers import SpectralNorm


def test_a_class_is_embedded_beside_the_latent():
    torch.manual_seed(0)
    together = ClassedLatent(latent=3, classes=5, embedding=2)
    latents, labels = torch.randn(4, 3), torch.tensor([0, 4, 4, 2])
    joined = together(latents, labels)
    assert joined.shape == (4, together.features) == (4, 5)
    assert torch.equal(joined[:, :3], latents)
    assert torch.equal(joined[:, 3:], together.embedding.weight[labels])


@pytest.mark.parametrize("name", ["mlp", "dcgan", "resnet", "r3gan", "stylegan2", "fastgan"])
def test_weights_of_classes_mean_a_class_where_all_is_on_one_and_a_mixture_between(name):
    torch.manual_seed(0)
    family = networks.generator(name)
    network = family(family.Settings(), size=16, channels=1, classes=3).eval().double()
    latents = torch.randn(4, network.latent, dtype=torch.float64)
    labels = torch.tensor([0, 2, 1, 1])
    weights = torch.nn.functional.one_hot(labels, 3).double()
    torch.testing.assert_close(network(latents, weights), network(latents, labels))
    other = torch.tensor([1, 0, 2, 0])
    between = network(latents, (weights + torch.nn.functional.one_hot(other, 3)) / 2)
    assert not torch.allclose(between, network(latents, labels))
    assert not torch.allclose(between, network(latents, other))


def test_a_mixture_of_classes_has_the_mixture_of_their_vectors():
    table = ClassTable(3, 2)
    mixed = table(torch.tensor([[0.25, 0.75, 0.0]]))
    torch.testing.assert_close(mixed[0], 0.25 * table.weight[0] + 0.75 * table.weight[1])


def test_without_classes_the_latent_passes_alone_and_labels_are_not_read():
    alone = ClassedLatent(latent=3, classes=0, embedding=2)
    latents = torch.randn(4, 3)
    assert alone.features == 3
    assert torch.equal(alone(latents, None), latents)
    assert torch.equal(alone(latents, torch.tensor([9, 9, 9, 9])), latents)
    assert not list(alone.parameters())


@pytest.mark.parametrize("build", [lambda: plain_head(6, 16, 3, bias=True), lambda: spectral_head(6, 16, 3)])
def test_the_class_enters_the_logits_as_an_inner_product_with_pooled_features(build):
    torch.manual_seed(0)
    head = build()
    maps, labels = torch.randn(5, 6, 4, 4), torch.tensor([0, 1, 2, 2, 0])
    logits = head(maps, labels)
    assert logits.shape == (5,)
    pooled = maps.sum(dim=(2, 3)) / 4
    expected = head.linear(maps.flatten(1))[:, 0] + torch.einsum("nf,nf->n", head.embedding(labels), pooled)
    torch.testing.assert_close(logits, expected)


def test_every_part_of_a_spectral_head_is_normalised():
    assert all(isinstance(part, SpectralNorm) for part in spectral_head(6, 16, 3).children())
    assert len(list(spectral_head(6, 16, 3).children())) == 2


def test_missing_labels_are_asked_for():
    with pytest.raises(UsageError, match="knows 5 classes: pass a label"):
        ClassedLatent(3, 5, 2)(torch.randn(4, 3), None)
    with pytest.raises(UsageError, match="knows 3 classes: pass a label"):
        plain_head(6, 16, 3, bias=True)(torch.randn(5, 6, 4, 4), None)


@pytest.mark.parametrize(("channels", "classes", "said"), [(0, 0, "0 channels"), (5, 0, "5 channels"), (3, -1, "-1")])
def test_impossible_channels_and_classes_are_named(channels, classes, said):
    with pytest.raises(UsageError, match=said):
        check_channels_and_classes(channels, classes)
