"""What the players of generation descend, against values computed here from the logits."""

import dataclasses

import pytest
import torch
from torch.nn.functional import softplus

from ganvas.core.errors import UsageError
from ganvas.training.clock import Clock

WHOLE = slice(0, 8)
START = Clock()


def drawn(game, name, clock=START):
    one = next(player for player in game.players if player.name == name)
    return one, game.draw(one, 0, clock, WHOLE)


def terms_of(game, name, clock=START):
    one, batch = drawn(game, name, clock)
    return one.objective(batch, clock)


def pictures_of(batch):
    return batch.real.float() / 127.5 - 1


def squared_slope(game, pictures, labels=None):
    """mean |grad D|^2, a picture at a time."""
    total = 0.0
    for index in range(len(pictures)):
        picture = pictures[index : index + 1].clone().requires_grad_()
        label = None if labels is None else labels[index : index + 1]
        game.discriminator(picture, label).sum().backward()
        total += picture.grad.square().sum().item()
    return total / len(pictures)


def test_the_logistic_game_has_goodfellows_terms(make_game):
    game = make_game()
    _, batch = drawn(game, "discriminator")
    with torch.no_grad():
        real = game.discriminator(pictures_of(batch), None)
        fake = game.discriminator(game.generator(batch.latents, None), None)
        expected = -(torch.sigmoid(real).log() + (1 - torch.sigmoid(fake)).log()).mean()
    terms = terms_of(game, "discriminator")
    assert list(terms) == ["adversarial"]
    torch.testing.assert_close(terms["adversarial"].detach(), expected)
    _, batch = drawn(game, "generator")
    with torch.no_grad():
        fake = game.discriminator(game.generator(batch.latents, None), None)
    torch.testing.assert_close(terms_of(game, "generator")["adversarial"].detach(), -torch.sigmoid(fake).log().mean())


def test_the_relativistic_generator_pairs_its_pictures_with_reals(make_game):
    game = make_game("loss.adversarial=relativistic")
    player, batch = drawn(game, "generator")
    with torch.no_grad():
        real = game.discriminator(pictures_of(batch), None)
        fake = game.discriminator(game.generator(batch.latents, None), None)
    torch.testing.assert_close(player.objective(batch, START)["adversarial"].detach(), softplus(real - fake).mean())


def test_lazy_r1_is_there_only_when_due_and_multiplied_by_its_interval(make_game):
    game = make_game("loss.r1.weight=3.0", "loss.r1.every=4")
    present = [round for round in range(10) if "r1" in terms_of(game, "discriminator", Clock(round * 8, round))]
    assert present == [0, 4, 8]
    _, batch = drawn(game, "discriminator")
    expected = 4 * 3.0 / 2 * squared_slope(game, pictures_of(batch))
    assert terms_of(game, "discriminator")["r1"].item() == pytest.approx(expected, rel=1e-4)


def test_r2_is_the_same_at_generated_pictures_and_both_can_be_on(make_game):
    game = make_game("loss.r1.weight=1.0", "loss.r2.weight=2.0", "loss.r2.every=3")
    _, batch = drawn(game, "discriminator")
    with torch.no_grad():
        fake = game.generator(batch.latents, None)
    terms = terms_of(game, "discriminator")
    assert terms["r1"].item() == pytest.approx(squared_slope(game, pictures_of(batch)) / 2, rel=1e-4)
    assert terms["r2"].item() == pytest.approx(3 * 2 * squared_slope(game, fake) / 2, rel=1e-4)
    assert set(terms_of(game, "discriminator", Clock(8, 1))) == {"adversarial", "r1"}


def test_the_gradient_penalty_looks_between_real_and_fake(make_game):
    game = make_game("loss.adversarial=wasserstein", "loss.gradient_penalty.weight=10.0")
    _, batch = drawn(game, "discriminator")
    with torch.no_grad():
        fake = game.generator(batch.latents, None)
        share = batch.mix[:, None, None, None]
        between = share * pictures_of(batch) + (1 - share) * fake
    norms = [squared_slope(game, picture[None]) ** 0.5 for picture in between]
    expected = 10 * sum((norm - 1) ** 2 for norm in norms) / len(norms)
    assert terms_of(game, "discriminator")["gradient_penalty"].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", ["logistic", "relativistic"])
def test_the_discriminators_terms_move_no_weight_of_the_generator(make_game, loss):
    game = make_game(f"loss.adversarial={loss}", "loss.r1.weight=1.0", "loss.r2.weight=1.0")
    sum(terms_of(game, "discriminator").values()).backward()
    assert all(weight.grad is None for weight in game.generator.parameters())
    assert all(weight.grad is not None for weight in game.discriminator.parameters())
    game.discriminator.requires_grad_(False)
    sum(terms_of(game, "generator").values()).backward()
    assert all(weight.grad is not None for weight in game.generator.parameters())


@pytest.mark.parametrize(
    "assignments",
    [
        ["loss.r1.weight=1.0", "loss.r2.weight=0.5"],
        ["loss.adversarial=relativistic"],
        ["loss.adversarial=wasserstein", "loss.gradient_penalty.weight=10.0"],
        ["loss.adversarial=hinge", "discriminator.norm=spectral"],
        ["loss.classification=0.5"],
    ],
)
@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_terms_are_means_so_that_parts_of_a_batch_add_up_to_it(make_game, make_data, assignments, name):
    game = make_game(*assignments, data=make_data(classes=2))
    player, batch = drawn(game, name)
    whole = player.objective(batch, START)
    parts = [player.objective(batch.rows(start, stop), START) for start, stop in ((0, 3), (3, 8))]
    for term, value in whole.items():
        added = parts[0][term] * 3 / 8 + parts[1][term] * 5 / 8
        torch.testing.assert_close(added, value, rtol=1e-4, atol=1e-6)


def test_after_a_step_with_clipping_no_weight_of_the_critic_is_larger(make_game):
    game = make_game("loss.adversarial=wasserstein", "loss.clip=0.01")
    critic = game.players[0]
    before = max(weight.abs().max().item() for weight in game.discriminator.parameters())
    sum(terms_of(game, "discriminator").values()).backward()
    critic.step(1e-4, torch.ones(()))
    assert before > 0.011
    assert max(weight.abs().max().item() for weight in game.discriminator.parameters()) <= 0.01
    largest = max(weight.abs().max().item() for weight in game.generator.parameters())
    assert largest > 0.011, "the generator's weights are free"


def test_a_conditional_game_judges_and_draws_by_class(make_game, make_data):
    game = make_game(data=make_data(classes=3))
    player, batch = drawn(game, "discriminator")
    values = []
    for label in range(3):
        with torch.no_grad():
            game.discriminator.head.embedding.weight[label].mul_(1.0 + label)  # the classes differ clearly
        labelled = dataclasses.replace(batch, labels=torch.full((8,), label))
        values.append(player.objective(labelled, START)["adversarial"].item())
    assert len(set(values)) == 3
    with torch.no_grad():
        one, other = (game.generator(batch.latents, torch.full((8,), label)) for label in (0, 1))
    assert not torch.equal(one, other)


def test_an_unconditional_game_has_no_weights_for_classes(make_game, make_data):
    names = [name for name, _ in make_game(data=make_data()).generator.named_parameters()]
    with_classes = [name for name, _ in make_game(data=make_data(classes=3)).generator.named_parameters()]
    assert len(with_classes) == len(names) + 1


@pytest.mark.parametrize("loss", ["logistic", "relativistic", "hinge", "lsgan"])
def test_bfloat16_gives_about_the_terms_of_float32(make_game, loss):
    both = {}
    for precision in ("float32", "bfloat16"):
        game = make_game(f"loss.adversarial={loss}", "loss.r1.weight=1.0", f"training.precision={precision}")
        both[precision] = terms_of(game, "discriminator") | {"generator": terms_of(game, "generator")["adversarial"]}
    assert all(value.dtype == torch.float32 for value in both["bfloat16"].values())
    for name, exact in both["float32"].items():
        assert both["bfloat16"][name].item() == pytest.approx(exact.item(), rel=0.05, abs=0.02), name
    assert both["float32"]["r1"].item() != both["bfloat16"]["r1"].item(), "bfloat16 was not used"


def test_float64_computes_in_float64_throughout(make_game):
    game = make_game("loss.r1.weight=1.0", "training.precision=float64")
    terms = terms_of(game, "discriminator") | {"generator": terms_of(game, "generator")["adversarial"]}
    assert all(value.dtype == torch.float64 for value in terms.values())
    exact = make_game("loss.r1.weight=1.0", "training.precision=float32")
    for name, value in terms_of(exact, "discriminator").items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-4)
    shared, _ = game.publish({"generator": game.generator}, START)["generator"]
    assert all(weight.dtype == torch.float32 for weight in shared.values() if weight.is_floating_point())


def test_the_first_weights_come_from_the_seed_and_differ_between_players(make_game):
    one, same, other = make_game(), make_game(), make_game("training.seed=1")
    first = one.generator.project.weight
    assert torch.equal(first, same.generator.project.weight)
    assert not torch.equal(first, other.generator.project.weight)


@pytest.mark.parametrize("classes", ['["class 0"]', '["a", "b", "c"]', '["class 0", "class 2", "class 1"]'])
def test_classes_that_are_not_those_of_the_data_are_refused(make_game, make_data, classes):
    with pytest.raises(UsageError, match=r"data\.classes"):
        make_game(f"data.classes={classes}", data=make_data(classes=3))
    with pytest.raises(UsageError, match=r"data\.classes: the data has no classes"):
        make_game(f"data.classes={classes}", data=make_data())


@pytest.mark.parametrize(
    "assignment", ["generator=5", "generator=abc", "generator.name=5", "generator.name=[1]", "discriminator=[1, 2]"]
)
def test_what_is_no_network_is_refused_by_name(make_game, assignment):
    with pytest.raises(UsageError, match=assignment.split("=")[0].split(".")[0]):
        make_game(assignment)


DECODING = ("discriminator={name='fastgan',width=4,max_width=8,norm='none',decoder_width=4}",)


def test_reconstruction_is_the_weighted_error_of_what_is_decoded_of_real_pictures(make_game, make_data):
    data = make_data(size=16)
    game = make_game(*DECODING, "loss.reconstruction=2.0", data=data)
    _, batch = drawn(game, "discriminator")
    with torch.no_grad():
        _, error = game.discriminator.judge(pictures_of(batch), None)
    terms = terms_of(game, "discriminator")
    torch.testing.assert_close(terms["reconstruction"].detach(), 2 * error)
    without = terms_of(make_game(*DECODING, data=data), "discriminator")
    assert list(without) == ["adversarial"]
    torch.testing.assert_close(without["adversarial"], terms["adversarial"])


def test_reconstruction_without_a_discriminator_that_decodes_is_refused_before_training(make_game):
    chosen = make_game("loss.reconstruction=1.0").chosen
    with pytest.raises(UsageError, match=r"loss\.reconstruction.*dcgan"):
        chosen.check_networks()


def test_a_penalty_falls_to_its_final_weight_as_half_a_cosine(make_game):
    game = make_game("loss.r1.weight=2.0", "loss.r1.final=0.5", "loss.r1.decay_images=800", "loss.r1.every=2")
    found = []
    for images in (0, 400, 800, 1600):
        clock = Clock(images=images, rounds=images // 8)
        batch = game.draw(game.players[0], 0, Clock(), slice(0, 8))  # the same pictures each time
        found.append(game.players[0].objective(batch, clock)["r1"].item())
    assert [value / found[0] for value in found] == pytest.approx([1, 1.25 / 2, 0.25, 0.25])
