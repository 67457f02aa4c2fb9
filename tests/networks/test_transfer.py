"""Which tensors a network takes of a source's: all of an equal one, by class name, by the sides that both have."""

import itertools

import pytest
import torch

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.networks.transfer import Share, in_words, new_levels, shares, take_over

FAMILIES = {
    "mlp": (16, {"latent": 6, "hidden": (8, 8)}, {"hidden": (8, 8)}),
    "conv28": (16, {"latent": 6, "width": 4}, {"width": 4}),
    "dcgan": (16, {"latent": 6, "width": 8}, {"width": 8}),
    "r3gan": (8, {"latent": 6, "width": 8, "wide": 4, "blocks": 1, "group": 0}, None),
    "stylegan2": (16, {"latent": 6, "w_width": 8, "mapping_layers": 2, "channel_base": 128, "max_width": 16}, None),
    "resnet": (16, {"latent": 6, "width": 8}, {"width": 8}),
    "fastgan": (16, {"latent": 6, "width": 8}, {"width": 8}),
}
BOTH = {"generator": networks.generator, "discriminator": networks.discriminator}
every_family = pytest.mark.parametrize("family", FAMILIES)
every_role = pytest.mark.parametrize("role", BOTH)


def settings_of(family, role, **own):
    _, generator, discriminator = FAMILIES[family]
    if discriminator is None:
        discriminator = {key: value for key, value in generator.items() if key not in OF_THE_GENERATOR}
    return BOTH[role](family).Settings(**(generator if role == "generator" else discriminator), **own)


OF_THE_GENERATOR = ("latent", "w_width", "mapping_layers", "embedding")


def build(family, role, classes="", size=None, channels=3, device="meta", chosen=None, **own):
    with torch.device(device):
        return BOTH[role](family)(
            chosen or settings_of(family, role, **own),
            size=size or FAMILIES[family][0],
            channels=channels,
            classes=len(classes),
        )


def layers(keys):
    return sorted({key.rpartition(".")[0] for key in keys})


def new(network, taken):
    return layers(key for key in network.state_dict() if key not in taken)


def below(*prefixes):
    """Whether a layer is one of these, or within one."""
    return lambda name: any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@every_role
@every_family
def test_an_equal_network_takes_every_tensor_and_is_then_the_same(family, role):
    torch.manual_seed(0)
    source, network = (build(family, role, "abc", device="cpu") for _ in range(2))
    taken = shares(network, source, "abc", "abc")
    assert taken == {key: Share(key) for key in network.state_dict()}
    assert in_words(network, taken) == (f"{len(taken)} of {len(taken)} tensors", "")
    take_over(network, source.state_dict(), taken)
    held = source.state_dict()
    assert [key for key, tensor in network.state_dict().items() if not torch.equal(tensor, held[key])] == []


NEW_WITH_CLASSES = {  # from a source without classes: layers that begin anew
    ("mlp", "generator"): ["input.embedding"],
    ("conv28", "generator"): ["input.embedding"],
    ("dcgan", "generator"): ["input.embedding"],
    ("r3gan", "generator"): ["input.embedding"],
    ("stylegan2", "generator"): ["mapping.entry.embedding"],
    ("fastgan", "generator"): ["input.embedding"],
    ("r3gan", "discriminator"): ["embedding", "linear"],
} | {
    ("resnet", "generator"): sorted(
        f"{place}.{part}"
        for place in ("blocks.0.norm1", "blocks.0.norm2", "blocks.1.norm1", "blocks.1.norm2", "norm")
        for part in ("scale", "shift")
    )
}
READS_THE_LATENT = {
    "mlp": "layers.0.weight",
    "conv28": "project.weight",
    "dcgan": "project.weight",
    "r3gan": "project.weight",
    "stylegan2": "mapping.layers.0.weight",
    "fastgan": "project.weight",
}


@every_role
@every_family
def test_where_classes_are_new_the_latents_part_is_taken_and_what_belongs_to_classes_is_new(family, role):
    network = build(family, role, "ab")
    taken = shares(network, build(family, role), "ab", "")
    assert new(network, taken) == NEW_WITH_CLASSES.get((family, role), ["head.embedding"])
    parts = {key: share for key, share in taken.items() if not share.whole}
    if role == "discriminator" or family == "resnet":
        assert parts == {}
        return
    ((key, share),) = parts.items()
    assert (key, share.inputs) == (READS_THE_LATENT[family], 6)
    assert "in part, where classes differ: " + key.removesuffix(".weight") in in_words(network, taken)[1]


@every_role
@every_family
def test_a_row_of_a_class_is_taken_where_the_source_knows_its_name(family, role):
    torch.manual_seed(0)
    source, network = build(family, role, "abc", device="cpu"), build(family, role, "cd", device="cpu")
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    taken = shares(network, source, "cd", "abc")
    take_over(network, source.state_dict(), taken)
    held, after = source.state_dict(), network.state_dict()
    tables = [key for key, share in taken.items() if share.rows is not None]
    assert len(tables) == (10 if (family, role) == ("resnet", "generator") else 1)
    for key in tables:
        assert taken[key].rows == ((0, 2),)
        assert torch.equal(after[key][0], held[key][2])
        assert torch.equal(after[key][1], before[key][1])
    others = [key for key in after if key not in tables]
    assert all(torch.equal(after[key], held[key]) for key in others if not key.startswith("head.embedding."))


@every_role
@every_family
def test_classes_of_other_names_take_nothing_that_belongs_to_classes_however_many_they_are(family, role):
    network = build(family, role, "xy")
    taken = shares(network, build(family, role, "ab"), "xy", "ab")
    tables = NEW_WITH_CLASSES.get((family, role), ["head.embedding"])
    assert new(network, taken) == [name for name in tables if name != "linear"]


def test_classes_in_another_order_keep_their_rows():
    taken = shares(build("dcgan", "generator", "ba"), build("dcgan", "generator", "ab"), "ba", "ab")
    assert taken["input.embedding.weight"].rows == ((0, 1), (1, 0))


NEW_AT_TWICE_THE_SIDE = {
    ("dcgan", "generator"): ["layers.5", "layers.6", "layers.8"],
    ("dcgan", "discriminator"): ["layers.0", "layers.2", "layers.3"],
    ("r3gan", "generator"): ["stages.3", "stages.4", "to_picture"],
    ("r3gan", "discriminator"): ["from_picture", "stages.0", "stages.1"],
    ("stylegan2", "generator"): ["synthesis.doubling.2", "synthesis.keeping.3", "synthesis.to_pictures.3"],
    ("stylegan2", "discriminator"): ["blocks.0", "from_pictures"],
    ("resnet", "generator"): ["blocks.2", "last", "norm"],
    ("resnet", "discriminator"): ["layers.0", "layers.1"],
    ("fastgan", "generator"): ["blocks.2", "excitations", "last"],
    ("fastgan", "discriminator"): ["blocks.0", "first", "quarter", "whole"],
}


@pytest.mark.parametrize(("family", "role"), NEW_AT_TWICE_THE_SIDE)
def test_a_grown_network_takes_all_but_what_is_between_the_former_side_and_the_new_one(family, role):
    size = FAMILIES[family][0]
    own = settings_of(family, role)
    source = build(family, role, "ab")
    network = build(
        family, role, "ab", 2 * size, chosen=BOTH[role](family).grown(own, Size.of(size), Size.of(2 * size))
    )
    taken = shares(network, source, "ab", "ab")
    expected = NEW_AT_TWICE_THE_SIDE[family, role]
    found = new(network, taken)
    assert [name for name in found if not below(*expected)(name)] == []
    assert [name for name in expected if not any(below(name)(one) for one in found)] == []
    assert [key for key in taken if below(*expected)(key.rpartition(".")[0])] == []
    if role == "discriminator":
        assert new_levels(network, taken) == [1, 2] if family in ("dcgan", "resnet", "fastgan") else [1]


def test_from_128_pixels_on_all_that_steers_maps_and_decodes_them_stays():
    for role, expected in (
        ("generator", ["blocks.5", "excitations.2", "last"]),
        ("discriminator", ["blocks.0", "first"]),
    ):
        own = settings_of("fastgan", role)
        network = build("fastgan", role, size=256, chosen=BOTH[role]("fastgan").grown(own, Size.of(128), Size.of(256)))
        found = new(network, shares(network, build("fastgan", role, size=128), "", ""))
        assert [name for name in found if not below(*expected)(name)] == []
        assert {name.rpartition(".")[0] or name for name in expected} <= {name.split(".")[0] for name in found} | set(
            found
        )


def test_a_resnet_discriminator_that_ends_at_another_side_takes_the_blocks_of_the_sides_that_both_have():
    own = settings_of("resnet", "discriminator")
    network = build(
        "resnet", "discriminator", size=64, chosen=networks.discriminator("resnet").grown(own, Size.of(32), Size.of(64))
    )
    taken = shares(network, build("resnet", "discriminator", size=32), "", "")
    assert {key: share.key for key, share in taken.items()} == {
        key: key.replace("layers.2.", "layers.1.") for key in network.state_dict() if key.startswith("layers.2.")
    }


NEW_IN_ANOTHER_SHAPE = {
    ("dcgan", "generator"): ["project"],
    ("dcgan", "discriminator"): ["head.linear"],
    ("resnet", "generator"): ["project"],
    ("resnet", "discriminator"): [],
}


@pytest.mark.parametrize(("family", "role"), NEW_IN_ANOTHER_SHAPE)
def test_of_pictures_of_another_shape_all_filters_are_taken(family, role):
    wide = Size(height=16, width=24)
    own = settings_of(family, role)
    assert BOTH[role](family).grown(own, Size.of(16), wide) == own
    network = build(family, role, "ab", size=wide)
    assert new(network, shares(network, build(family, role, "ab"), "ab", "ab")) == NEW_IN_ANOTHER_SHAPE[family, role]


@pytest.mark.parametrize("family", ["mlp", "conv28"])
@every_role
def test_a_family_of_one_size_does_not_grow(family, role):
    own = settings_of(family, role)
    assert BOTH[role](family).grown(own, Size.of(16), Size.of(16)) == own
    with pytest.raises(UsageError, match=f"{family} does not grow.*--size 16"):
        BOTH[role](family).grown(own, Size.of(16), Size.of(32))


def test_a_width_that_cannot_be_halved_is_told():
    dcgan = networks.generator("dcgan")
    assert dcgan.grown(dcgan.Settings(width=12), Size.of(16), Size.of(64)).width == 3
    with pytest.raises(UsageError, match="dcgan of width 12 at 16 pixels cannot grow to 128"):
        dcgan.grown(dcgan.Settings(width=12), Size.of(16), Size.of(128))


def test_other_channels_are_new_at_the_picture_alone():
    for role, expected in (("generator", ["layers.5"]), ("discriminator", ["layers.0"])):
        network = build("dcgan", role, channels=1)
        assert new(network, shares(network, build("dcgan", role), "", "")) == expected


@every_role
def test_the_lower_maps_of_a_grown_network_are_those_of_its_source(role):
    torch.manual_seed(0)
    own = settings_of("dcgan", role)
    source = build("dcgan", role, device="cpu").eval()
    grown = BOTH[role]("dcgan").grown(own, Size.of(16), Size.of(32))
    network = build("dcgan", role, size=32, device="cpu", chosen=grown).eval()
    take_over(network, source.state_dict(), shares(network, source, "", ""))
    if role == "generator":
        seeds = [one.project(torch.ones(2, 6)).unflatten(1, (-1, 4, 4)) for one in (source, network)]
        assert torch.equal(source.layers[:5](seeds[0]), network.layers[:5](seeds[1]))  # to 8x8
    else:
        maps = torch.randn(2, 8, 8, 8)
        assert torch.equal(source.head(source.layers[2:](maps), None), network.head(network.layers[5:](maps), None))


def test_a_grown_r3gan_whose_width_stays_makes_the_same_pictures_larger():
    torch.manual_seed(0)
    wide = {"width": 8, "wide": 16, "blocks": 1, "group": 0}
    chosen = networks.generator("r3gan").Settings(latent=6, **wide)
    source = build("r3gan", "generator", device="cpu", chosen=chosen)
    for weight in source.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    network = build("r3gan", "generator", size=16, device="cpu", chosen=chosen)
    take_over(network, source.state_dict(), shares(network, source, "", ""))
    latents = torch.randn(3, 6)
    assert torch.allclose(network(latents)[:, :, ::2, ::2], source(latents), atol=1e-5)


def test_the_part_for_the_latent_does_what_it_did():
    torch.manual_seed(0)
    latents, silent = torch.randn(4, 6), torch.zeros(2, 512)
    for family in ("stylegan2", "dcgan"):
        source, network = (build(family, "generator", names, device="cpu").eval() for names in ("", "ab"))
        take_over(network, source.state_dict(), shares(network, source, "ab", ""))
        entry = network.mapping.entry if family == "stylegan2" else network.input
        entry.embedding.weight.data = silent[
            :, : entry.embedding.embedding_dim
        ]  # what it would add is not of the source
        labels = torch.tensor([0, 1, 0, 1])
        for made, its in zip(parts_of(network, latents, labels), parts_of(source, latents, None), strict=True):
            assert torch.allclose(made, its, atol=1e-6)


def parts_of(network, latents, labels):
    if hasattr(network, "mapping"):
        return [network.mapping.to_w(latents, labels)]
    return [network(latents, labels)]


def test_a_spectral_norm_fits_the_weight_that_was_put_together():
    torch.manual_seed(0)
    source, network = (
        build("dcgan", "discriminator", names, device="cpu", norm="spectral") for names in ("abc", "cde")
    )
    source.head.embedding.weight.data *= 5
    take_over(network, source.state_dict(), shares(network, source, "cde", "abc"))
    assert torch.linalg.matrix_norm(network.head.embedding.normalised_weight(), 2).item() == pytest.approx(1, abs=1e-3)


@every_family
def test_the_levels_of_a_discriminator_go_from_the_picture_up_and_leave_out_the_head(family):
    network = build(family, "discriminator", "ab", device="cpu")
    levels = network.levels()
    assert len(levels) > 1
    weights = [[id(weight) for layer in level for weight in layer.parameters()] for level in levels]
    assert all(weights)
    assert len(set(itertools.chain(*weights))) == sum(map(len, weights)), "no weight is of two levels"
    size = FAMILIES[family][0]
    first = next(levels[0][0].parameters())
    assert first.shape[1] == (3 * size * size if family == "mlp" else 3), "it meets the picture"
    outside = [key for key, weight in network.named_parameters() if id(weight) not in set(itertools.chain(*weights))]
    assert outside
    assert not [key for key in outside if key.startswith(("layers.", "blocks.", "stages.", "first.", "from_"))]
