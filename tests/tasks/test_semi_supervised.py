"""Semi-supervised learning: which labels are learned from, its terms, its draws, what it shares."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override
from ganvas.tasks.semi_supervised import SemiSupervised
from ganvas.tasks.semi_supervised_settings import SemiSupervisedSettings
from ganvas.training.clock import Clock

WHOLE, START = slice(0, 8), Clock()
CLASSIFIER, GENERATOR = 0, 1


@pytest.fixture
def make(make_data):
    """Makes a small game on 40 pictures of two classes, of which 6 keep a label; assignments change its settings."""

    def game(*assignments, data=None, unseen=None):
        dataset = data or make_data(count=40, classes=2)
        values = {
            "data": {
                "where": "made-up",
                "size": dataset.size,
                "channels": dataset.channels,
                "classes": list(dataset.classes),
                "labels": 6,
            },
            "generator": {"name": "dcgan", "width": 8, "norm": "none", "latent": 6},
            "classifier": {"width": 8},
            "training": {"batch": 8},
        }
        chosen = from_dict(SemiSupervisedSettings, override(values, assignments))
        return SemiSupervised(chosen, dataset, unseen)

    return game


@pytest.fixture
def make_folder(make_data):
    """Makes data as of a folder: classes a, unlabelled, z, of which the middle one is none."""

    def data(labels):
        made = make_data(count=len(labels), classes=3)
        return type(made)(**vars(made) | {"labels": np.array(labels, np.int64), "classes": ("a", "unlabelled", "z")})

    return data


def batch_of(game, player=CLASSIFIER, clock=START, rows=WHOLE):
    return game.draw(game.players[player], 0, clock, rows)


def terms_of(game, player=CLASSIFIER):
    return game.players[player].objective(batch_of(game, player), START)


def gradient(game, player, *batches):
    networks = game.players[player].networks
    networks.zero_grad()
    for batch in batches:
        (sum(game.players[player].objective(batch, START).values()) * len(batch) / 8).backward()
    return torch.cat([weight.grad.flatten() for weight in networks.parameters()])


def labelled(game):
    return {int(index) for index in game._labelled}


def test_so_many_labels_are_kept_evenly_over_the_classes_and_drawn_by_the_seed(make):
    game = make("data.labels=5")
    classes = [index % 2 for index in labelled(game)]
    assert (classes.count(0), classes.count(1)) == (3, 2)
    assert labelled(make("data.labels=5")) == labelled(game)
    assert labelled(make("data.labels=5", "training.seed=1")) != labelled(game)


def test_a_class_that_has_one_label_less_gives_what_it_has(make, make_folder):
    uneven = make_folder([0, 0, 0, 2, 2, 1, 1, 1])  # a has three, z has two
    game = make("data.unlabelled=unlabelled", "data.labels=5", data=uneven)
    assert labelled(game) == {0, 1, 2, 3, 4}


def test_labels_are_kept_of_pictures_that_training_sees(make):
    game = make("data.held_out=9")
    assert labelled(game) <= set(game._seen.tolist())


def test_a_folder_of_that_name_has_no_class(make, make_folder):
    game = make("data.unlabelled=unlabelled", "data.labels=4", data=make_folder([0, 1, 2] * 10))
    assert game.chosen.data.known == ("a", "z")
    assert all(index % 3 != 1 for index in labelled(game))
    batch = batch_of(game)
    meant = [{0: 0, 2: 1}[int(number) % 3] for number in batch.labelled[:, 0, 0, 0]]
    assert batch.labels.tolist() == meant
    assert game.classifier.classes == 2


def test_labelled_pictures_recur_evenly_and_unlabelled_ones_are_all_pictures(make):
    game = make("data.labels=4")
    seen, all_seen = [], set()
    for round in range(5):
        batch = batch_of(game, clock=Clock(8 * round, round, 0.0))
        seen += batch.labelled[:, 0, 0, 0].tolist()
        all_seen |= set(batch.real[:, 0, 0, 0].tolist())
    assert {seen.count(index) for index in labelled(game)} == {10}
    assert all_seen == set(range(40))


@pytest.mark.parametrize("player", [CLASSIFIER, GENERATOR])
def test_a_process_draws_its_rows_of_the_global_batch(player, make):
    game = make("augment.name=diffaug", "augment.p=1.0", "strong.name=diffaug", "strong.p=1.0", "data.mirror=true")
    whole, part = batch_of(game, player), batch_of(game, player, rows=slice(2, 5))
    for name, value in vars(part).items():
        there = getattr(whole, name)
        assert (value is None) == (there is None), name
        if value is not None:
            assert torch.equal(there[2:5], value), name
            assert torch.equal(getattr(whole.rows(2, 5), name), value), name
    assert len(part) == 3


def test_the_terms_are_the_papers_and_the_pseudo_labels(make):
    game = make("loss.adversarial=0.5", "loss.pseudo_labels=2", "loss.confidence=0.4")
    batch, terms = batch_of(game), terms_of(game)
    with torch.no_grad():
        real = game.classifier(batch.real.float() / 127.5 - 1)
        fake = game.classifier(game.generator(batch.latents))
        told = game.classifier(batch.labelled.float() / 127.5 - 1)
    fakes_logit = torch.zeros(8, 1)
    is_fake = [torch.cat([some, fakes_logit], dim=1).softmax(dim=1)[:, -1] for some in (real, fake)]
    torch.testing.assert_close(terms["labelled"].detach(), functional.cross_entropy(told, batch.labels))
    expected = -(1 - is_fake[0]).log().mean() - is_fake[1].log().mean()
    torch.testing.assert_close(terms["adversarial"].detach(), 0.5 * expected)
    # Nothing is changed here, so that a picture is held to what it is taken for already.
    torch.testing.assert_close(terms["pseudo_labels"].detach(), -2 * real.log_softmax(dim=1).max(dim=1).values.mean())


def test_the_generator_matches_features_or_follows_the_logit(make):
    game = make()
    batch = batch_of(game, GENERATOR)
    with torch.no_grad():
        real = game.classifier.features(batch.real.float() / 127.5 - 1).mean(dim=0)
        fakes = game.generator(batch.latents)
        fake = game.classifier.features(fakes).mean(dim=0)
    torch.testing.assert_close(terms_of(game, GENERATOR)["feature_matching"].detach(), (real - fake).square().mean())
    logistic = make("loss.generator=logistic")
    logits = game.classifier(fakes).logsumexp(dim=1)
    expected = functional.softplus(-logits).mean()
    torch.testing.assert_close(terms_of(logistic, GENERATOR)["adversarial"].detach(), expected.detach())


@pytest.mark.parametrize("player", [CLASSIFIER, GENERATOR])
def test_a_player_moves_all_its_weights_and_no_others(player, make):
    game = make("loss.pseudo_labels=1", "loss.confidence=0.1")
    for other in game.players:
        other.networks.requires_grad_(other is game.players[player])
    assert gradient(game, player, batch_of(game, player)).abs().min() >= 0
    moving = game.players[player].networks
    assert all(weight.grad.abs().max() > 0 for weight in moving.parameters())
    assert all(weight.grad is None for weight in game.players[1 - player].networks.parameters())


def test_micro_batches_give_the_classifiers_gradient_of_the_whole_batch(make):
    game = make("loss.pseudo_labels=1", "loss.confidence=0.1")
    batch = batch_of(game)
    parts = gradient(game, CLASSIFIER, *(batch.rows(start, stop) for start, stop in ((0, 3), (3, 6), (6, 8))))
    torch.testing.assert_close(parts, gradient(game, CLASSIFIER, batch), rtol=1e-4, atol=1e-5)


def test_features_are_matched_of_rows_that_pass_together_and_that_is_told(make):
    assert make().compares_rows
    assert not make("loss.generator=logistic").compares_rows
    assert not make("loss.adversarial=0").compares_rows


def test_without_the_adversarial_term_no_generator_plays_and_nothing_is_generated(make):
    game = make("loss.adversarial=0")
    assert [player.name for player in game.players] == ["classifier"]
    assert terms_of(game).keys() == {"labelled"}
    assert game.averaged.keys() == {"classifier"}
    assert game.publish(game.averaged, START).keys() == {"classifier"}
    assert set(game.preview(game.averaged)[:, 0, 0, 0].tolist()) == labelled(game)
    assert game.diagnose() == {}


def test_pseudo_labels_alone_take_no_gradient_of_what_they_come_from(make):
    game = make("loss.adversarial=0", "loss.pseudo_labels=1", "loss.confidence=0.1")
    assert terms_of(game).keys() == {"labelled", "pseudo_labels"}
    assert gradient(game, CLASSIFIER, batch_of(game)).abs().max() > 0


def test_the_score_is_the_part_of_held_out_pictures_of_known_class_that_are_told_wrong(make, make_folder):
    class FirstPixel(torch.nn.Module):
        """Takes pictures with an even first pixel for the first class."""

        def forward(self, images):
            even = ((images[:, 0, 0, 0] + 1) * 127.5).round() % 2 == 0
            return torch.stack([even, ~even], dim=1).float()

    data = make_folder([0, 2, 0, 2, 1, 1] * 5)
    game = make("data.unlabelled=unlabelled", "data.held_out=12", "data.labels=4", data=data)
    assert game.protocol() == {}
    name, error = game.score({"classifier": FirstPixel()})
    indices = game._unseen[1]
    known = [index for index in indices if data.labels[index] != 1]
    wrong = [index for index in known if (index % 2 == 0) != (data.labels[index] == 0)]
    assert (name, error) == ("error", len(wrong) / len(known))
    assert 0 < len(known) < len(indices)
    assert (game.protocol()["count"], game.protocol()["labels"]) == (len(known), 4)
    assert make("data.held_out=0").score({"classifier": FirstPixel()}) is None


def test_the_score_is_of_the_test_part_where_there_is_one(make, make_data):
    unseen = make_data(count=10, classes=2)
    game = make(unseen=unseen)
    game.score({"classifier": game.classifier})
    assert game.protocol()["count"] == 10


def test_what_is_shared_is_the_classifier_and_a_generator_without_classes(make):
    game = make()
    shared = game.publish(game.averaged, Clock(4_000, 500, 1.0))
    weights, card = shared["classifier"]
    assert torch.equal(weights["head.weight"], game.classifier.head.weight)
    assert (card["kind"], card["classes"], card["labels"]) == ("classifier", ["class 0", "class 1"], 6)
    assert shared["generator"][1]["classes"] == []
    assert game.preview(game.averaged).shape == (64, 1, 8, 8)
    assert {"diversity", "copies"} == game.diagnose().keys()


@pytest.mark.parametrize(
    ("assignments", "labels", "told"),
    [
        (("data.labels=8",), [0, 0, 0, 2, 1, 1], "z has 1: ask for 2"),
        (("data.labels=2",), [0, 0, 0, 0, 1, 1], "No picture of the class z has a label"),
        (("data.labels=2", "data.held_out=1"), [0, 0, 0, 2, 1, 1], "or hold out fewer than 1"),
    ],
)
def test_labels_that_are_not_there_are_missed_before_training(assignments, labels, told, make, make_folder):
    asked = ("data.unlabelled=unlabelled", *assignments)
    with pytest.raises(UsageError, match=told):
        make(*asked, data=make_folder(labels))


def test_labels_on_all_pictures_leave_nothing_to_learn_from_the_others(make, make_data):
    with pytest.raises(UsageError, match="Nothing is unlabelled: all 6 pictures"):
        make("data.labels=6", data=make_data(count=6, classes=2))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"classes": [], "labels": 10}, "Nothing to tell apart: 0 classes"),
        ({"classes": ["a", "unlabelled"], "unlabelled": "unlabelled"}, "Nothing to tell apart: 1 classes"),
        ({"classes": ["a", "b"], "unlabelled": "rest"}, "there is no such class"),
        ({"classes": ["a", "b"]}, "Nothing is unlabelled: every picture has a class"),
        ({"classes": ["a", "b", "c"], "labels": 2}, "3 classes need one label each"),
    ],
)
def test_what_cannot_be_learned_is_answered_by_the_plan(changed, told):
    values = {"data": {"where": "x", "size": 8, "channels": 1} | changed, "generator": {}, "classifier": {}}
    with pytest.raises(UsageError, match=told):
        from_dict(SemiSupervisedSettings, values).data.check()


@pytest.mark.parametrize(
    "assignment",
    [
        "data.labels=0",
        "loss.confidence=0",
        "loss.generator=hinge",
        "classifier.name=x",
        "augment={name='ada', target=0.6}",
    ],
)
def test_impossible_settings_are_refused(make, assignment):
    with pytest.raises(UsageError):
        make(assignment)
