import json

import pytest
import torch
from safetensors.torch import save

from ganvas import metrics
from ganvas.core.errors import DataError, UsageError
from ganvas.metrics.classifier import SmallClassifier, Training, train_classifier
from ganvas.metrics.domain import FORMAT, DomainExtractor, classification_accuracy, train_domain_classifier

SHORT = Training(epochs=10, batch=16)


def trained(pictures, labels, unseen, meant, *, seed=0, training=SHORT):
    return train_domain_classifier(
        pictures, labels, held_out_pictures=unseen, held_out_labels=meant, seed=seed, training=training
    )


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 64), (3, 80)])
def test_it_learns_the_classes_and_measures_that_on_pictures_it_did_not_see(channels, size, quadrants):
    extractor = trained(*quadrants(96, size, channels), *quadrants(64, size, channels, seed=1))
    assert extractor.about["accuracy"] > 0.9
    pictures, labels = quadrants(40, size, channels, seed=2)
    features = extractor(pictures)
    assert features.shape == (40, 128)
    assert (extractor.logits(features).argmax(1) == labels).double().mean() > 0.85


def test_a_file_is_the_extractor_and_says_how_it_came_to_be(tmp_path, quadrants):
    pictures, labels = quadrants(48, 28)
    made = trained(pictures, labels, *quadrants(20, 28, seed=1), seed=5)
    path = tmp_path / "own.safetensors"
    made.save(path)
    found = metrics.extractor("domain", channels=1, weights=path)
    assert torch.equal(found(pictures), made(pictures))
    assert found.protocol == made.protocol
    assert path.stat().st_size < 1_000_000
    about = found.about
    assert (about["pictures"], about["held_out_pictures"], about["classes"], about["seed"]) == (48, 20, 4, 5)
    assert about["training"]["epochs"] == 10
    other = trained(255 - pictures, labels, *quadrants(20, 28, seed=1), seed=5)
    assert other.about["data_sha256"] != about["data_sha256"]


def test_the_same_seed_gives_the_same_file_and_leaves_the_dice_outside_alone(quadrants):
    sets = (*quadrants(48, 28), *quadrants(20, 28, seed=1))
    state = torch.get_rng_state()
    first, again, other = (trained(*sets, seed=seed, training=Training(epochs=2, batch=16)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.weights_sha256 == again.weights_sha256
    assert first.weights_sha256 != other.weights_sha256


def test_the_largest_network_stays_below_a_megabyte():
    network = SmallClassifier(4, 64, 200)
    assert 2 * sum(p.numel() for p in network.parameters()) < 990_000


def test_the_folded_network_is_the_one_that_was_trained(quadrants):
    """Half the pictures of a class are enough to tell: without the normalisation it would know nothing."""
    pictures, labels = quadrants(96, 32)
    model = train_classifier(pictures, labels, 4, seed=0, training=SHORT)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert (model.head(model(pictures.float() / 255)).argmax(1) == labels).double().mean() > 0.9


def test_the_classification_accuracy_is_of_what_was_generated(quadrants):
    real, labels = quadrants(80, 32, seed=1)
    good, good_labels = quadrants(96, 32)
    assert classification_accuracy(good, good_labels, real, labels, seed=0, training=SHORT) > 0.9
    one_class = torch.zeros_like(good_labels)
    share = (labels == 0).double().mean().item()
    assert classification_accuracy(good, one_class, real, labels, seed=0, training=SHORT) == pytest.approx(share)


@pytest.mark.parametrize(("count", "epochs"), [(60_000, 10), (1_000, 100), (10_000, 10), (200_000, 5), (5_000_000, 1)])
def test_small_sets_are_seen_more_often_than_large_ones(count, epochs):
    assert Training().epochs_of(count) == epochs


def test_what_does_not_fit_is_refused(quadrants):
    pictures, labels = quadrants(8, 28)
    with pytest.raises(DataError, match="one label"):
        trained(pictures, labels[:5], pictures, labels)
    with pytest.raises(DataError, match="2 classes"):
        trained(pictures, torch.zeros(8, dtype=torch.long), pictures, torch.zeros(8, dtype=torch.long))
    with pytest.raises(DataError, match="16 to 64"):
        trained(pictures[..., :12, :12], labels, pictures, labels)
    with pytest.raises(DataError, match=r"\[N, C, H, W\]"):
        trained(pictures[0], labels, pictures, labels)
    with pytest.raises(DataError, match="held out of"):
        trained(pictures[..., :20], labels, pictures, labels)
    with pytest.raises(DataError, match="held out of"):
        trained(pictures, labels, *quadrants(8, 32))
    with pytest.raises(DataError, match="from 0 to"):
        trained(pictures, labels - 1, pictures, labels)


def test_pictures_of_another_size_or_channels_are_refused(domain_file, noise):
    with pytest.raises(DataError, match="trained on pictures of 32 x 32, not 28 x 28"):
        metrics.extractor("domain", channels=1, weights=domain_file)(noise(2, 1, 28, 28))
    with pytest.raises(DataError, match="1 channels, not 3"):
        metrics.extractor("domain", channels=3, weights=domain_file)
    with pytest.raises(DataError, match="trained on the data's own labels first"):
        metrics.extractor("domain", channels=1)
    with pytest.raises(UsageError, match="no resize"):
        metrics.extractor("domain", channels=1, weights=domain_file, resize="clean")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not safetensors at all",
        save({"weight": torch.zeros(3)}),
        save({"weight": torch.zeros(3)}, metadata={"ganvas": "[]"}),
        save({"weight": torch.zeros(3)}, metadata={"ganvas": json.dumps({"format": "ganvas-domain-0", "channels": 1})}),
        save(
            {"weight": torch.zeros(3)},
            metadata={"ganvas": json.dumps({"format": FORMAT, "channels": 1, "size": 10**9, "classes": 10**9})},
        ),
        save(
            {"weight": torch.zeros(3)},
            metadata={"ganvas": json.dumps({"format": FORMAT, "channels": 1, "size": 28, "classes": 10})},
        ),
    ],
)
def test_other_files_are_refused_by_name(content, tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.safetensors: Th"):
        metrics.extractor("domain", channels=1, weights=path)


def test_a_file_cut_short_is_refused(domain_file):
    with pytest.raises(DataError, match="is damaged"):
        DomainExtractor(domain_file.read_bytes()[:-1000])
