"""Games with true answers: their terms by hand, what is seen, what is drawn, how they are shown and scored."""

import numpy as np
import pytest
import torch
from tests_games import GUIDED, Half, Judge, batch_of, gradient_of, guided, made_up, parts_of, player_of, terms_of

from ganvas.core.errors import UsageError
from ganvas.core.lab import lab_to_rgb
from ganvas.core.sizes import Size
from ganvas.metrics.perceptual import PerceptualDistance
from ganvas.tasks.translation import cut_out
from ganvas.training.clock import Clock

every_task = pytest.mark.parametrize("task", GUIDED)


def with_stubs(task, *assignments, **more):
    """A game whose networks are `Lighter`, or `Colours`, and `Judge`."""
    game = guided(task, *assignments, **more)
    game.translator = Lighter(game.problem.outputs, game.problem.scale) if task != "colorize" else Colours()
    game.discriminator = Judge()
    return game


class Lighter(Half):
    """Half of what is given, and an eighth everywhere."""

    def forward(self, given):
        return super().forward(given) + self.factor / 4


class Colours(Half):
    """Of lightness alone: half of it, and a third."""

    def __init__(self):
        super().__init__(1)

    def forward(self, given):
        return torch.cat([given[:, :1] / 2, given[:, :1] / 3], dim=1) * (2 * self.factor)


def answered(task, batch, made):
    """What counts of what was made."""
    if task != "inpaint":
        return made
    mask = batch.given[:, 3:]
    return torch.where(mask > 0, made, batch.wanted)


def judged(task, batch, answer):
    """What a discriminator should see of an answer."""
    if task == "paired":
        return torch.cat([batch.given, answer], dim=1)
    if task == "inpaint":
        return torch.cat([answer, batch.given[:, 3:]], dim=1)
    return torch.cat([batch.given[:, :1], answer], dim=1) if task == "colorize" else answer


def logits_of(seen):
    return sum(seen[:, channel].square() * (channel + 1) / 10 for channel in range(seen.shape[1]))


def softplus(x):
    return torch.log1p(torch.exp(x))


LOSSES = {  # of real and fake logits, for the discriminator and for the translator
    "logistic": (lambda r, f: softplus(-r) + softplus(f), lambda r, f: softplus(-f)),
    "lsgan": (lambda r, f: (r - 1) ** 2 / 2 + f**2 / 2, lambda r, f: (f - 1) ** 2 / 2),
    "hinge": (lambda r, f: (1 - r).clamp(min=0) + (1 + f).clamp(min=0), lambda r, f: -f),
    "relativistic": (lambda r, f: softplus(f - r), lambda r, f: softplus(r - f)),
}


@every_task
@pytest.mark.parametrize("name", LOSSES)
def test_the_terms_are_those_of_the_papers(task, name):
    game = with_stubs(task, f"loss.adversarial={name}", "loss.weight=0.3", "loss.reconstruction=7.0")
    batch = batch_of(game, "discriminator")
    made = game.translator(batch.given).detach()
    real, fake = (logits_of(judged(task, batch, some)) for some in (batch.wanted, answered(task, batch, made)))
    of_discriminator, of_translator = LOSSES[name]
    assert terms_of(game, "discriminator", batch) == {
        "adversarial": pytest.approx(of_discriminator(real, fake).mean().item())
    }
    assert terms_of(game, "translator", batch_of(game, "translator")) == {
        "reconstruction": pytest.approx(7 * (made - batch.wanted).abs().mean().item()),
        "adversarial": pytest.approx(0.3 * of_translator(real, fake).mean().item()),
    }


@every_task
def test_a_discriminator_sees_what_belongs_to_the_answer_and_a_true_and_a_made_one(task):
    game = with_stubs(task)
    batch = batch_of(game, "discriminator")
    terms_of(game, "discriminator", batch)
    made = game.translator(batch.given).detach()
    true, fake = game.discriminator.seen
    assert torch.equal(true, judged(task, batch, batch.wanted))
    assert torch.equal(fake, judged(task, batch, answered(task, batch, made)))
    assert not torch.equal(true, fake)
    assert game.discriminator.seen[0].shape[1] == game.problem.judged


def test_charbonnier_is_the_other_distance():
    game = with_stubs("superres", "loss.distance=charbonnier", "loss.reconstruction=2.0", "loss.weight=0.0")
    batch = batch_of(game, "translator")
    errors = game.translator(batch.given).detach() - batch.wanted
    expected = 2 * (errors**2 + 1e-6).sqrt().mean().item()
    assert terms_of(game, "translator", batch) == {"reconstruction": pytest.approx(expected)}


@every_task
def test_the_perceptual_term_is_the_distance_of_the_pictures_that_would_be_written(task):
    data = made_up(channels=6, classes=("a", "b"), size=32) if task == "paired" else made_up(size=32)
    game = with_stubs(task, "loss.perceptual=3.0", "loss.weight=0.0", data=data, size=32)
    batch = batch_of(game, "translator")
    made = answered(task, batch, game.translator(batch.given).detach())
    pictures = []
    for answer in (made, batch.wanted):
        if task == "colorize":
            lab = torch.cat([(batch.given[:, :1] + 1) * 50, answer.clamp(-1, 1) * 110], dim=1)
            answer = lab_to_rgb(lab)
        pictures.append(((answer + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
    expected = 3 * PerceptualDistance()(*pictures).mean().item()
    assert terms_of(game, "translator", batch)["perceptual"] == pytest.approx(expected, rel=0.02)
    learning = player_of(game, "translator").objective(batch, Clock())["perceptual"]
    assert torch.autograd.grad(learning, game.translator.factor)[0] != 0


@every_task
def test_r1_and_r2_are_half_the_squared_gradient_by_the_answer_alone(task):
    penalties = ("loss.r1.weight=0.5", "loss.r2.weight=0.25")
    game = with_stubs(task, *penalties)
    batch = batch_of(game, "discriminator")
    made = game.translator(batch.given).detach()
    first = game.problem.judged - game.problem.outputs if task in ("paired", "colorize") else 0
    found = terms_of(game, "discriminator", batch)
    for term, weight, answer in (("r1", 0.5, batch.wanted), ("r2", 0.25, answered(task, batch, made))):
        # Judge's logits are weight * x^2 at each pixel, so their sum's derivative is 2 * weight * x.
        slopes = torch.stack(
            [2 * (first + channel + 1) / 10 * answer[:, channel] for channel in range(answer.shape[1])], dim=1
        )
        assert found[term] == pytest.approx(weight * slopes.square().sum(dim=(1, 2, 3)).mean().item() / 2), term


def test_a_lazy_penalty_is_there_on_some_rounds_and_stronger():
    game = with_stubs("paired", "loss.r1.weight=0.5", "loss.r1.every=4")
    usual = with_stubs("paired", "loss.r1.weight=0.5")
    found = [terms_of(game, "discriminator", batch_of(game, "discriminator", 4 * k), 4 * k) for k in range(8)]
    assert ["r1" in terms for terms in found] == [k % 4 == 0 for k in range(8)]
    assert found[0]["r1"] == pytest.approx(4 * terms_of(usual, "discriminator", batch_of(usual, "discriminator"))["r1"])


@every_task
def test_the_translator_learns_nothing_from_the_discriminators_move_and_the_other_way_round(task):
    game = guided(task, "loss.r1.weight=1.0", "loss.r2.weight=1.0", "loss.adversarial=relativistic")
    for name in ("discriminator", "translator"):
        batch = batch_of(game, name)
        assert gradient_of(game, name, [batch]).isfinite().all()
        total = sum(player_of(game, name).objective(batch_of(game, name), Clock()).values())
        own = {id(weight) for weight in player_of(game, name).parameters()}
        moving = [
            weight
            for player in game.players
            for weight in player.parameters()
            if weight.requires_grad
            and torch.autograd.grad(total, weight, retain_graph=True, allow_unused=True)[0] is not None
        ]
        assert {id(weight) for weight in moving} == own


def test_before_a_number_of_images_there_is_no_adversarial_term():
    game = guided("superres", "loss.after=8")
    assert player_of(game, "discriminator").after == 8
    for images, there in ((0, False), (4, False), (8, True), (12, True)):
        assert ("adversarial" in terms_of(game, "translator", batch_of(game, "translator", images), images)) == there


@every_task
def test_without_weight_there_is_no_discriminator(task):
    game = guided(task, "loss.weight=0.0")
    assert [player.name for player in game.players] == ["translator"]
    assert terms_of(game, "translator", batch_of(game, "translator")).keys() == {"reconstruction"}


@every_task
def test_what_the_discriminator_was_shown_is_what_the_translator_goes_on_with(task):
    game = guided(task)
    gradient_of(game, "discriminator", parts_of(batch_of(game, "discriminator"), 2))
    batch = batch_of(game, "translator")
    assert batch.made is None, "it was kept in halves"
    halves = parts_of(batch, 2)
    assert all(half.made is not None and half.made.requires_grad for half in halves)
    kept = gradient_of(game, "translator", halves)
    again = batch_of(game, "translator")
    assert all(half.made is None for half in parts_of(again, 2)), "kept for one round"
    torch.testing.assert_close(gradient_of(game, "translator", parts_of(again, 2)), kept, rtol=0, atol=0)


@every_task
@pytest.mark.parametrize("loss", ["logistic", "relativistic"])
def test_micro_batches_give_the_gradient_of_the_whole_batch(task, loss):
    game = guided(task, "loss.r1.weight=1.0", "loss.r2.weight=1.0", f"loss.adversarial={loss}")
    for name in ("discriminator", "translator"):
        batch = batch_of(game, name)
        whole = gradient_of(game, name, [batch])
        assert whole.abs().max() > 0
        for cuts in ((2,), (1, 2, 3)):
            parts = gradient_of(game, name, parts_of(batch_of(game, name), *cuts))
            torch.testing.assert_close(parts, whole, rtol=1e-9, atol=1e-12)


@every_task
def test_a_process_draws_its_rows_of_the_batch_that_is_a_function_of_the_images_seen(task):
    asked = ("data.mirror=true", "training.seed=3") + (("problem.hints=true",) if task == "colorize" else ())
    data = made_up(channels=6, classes=("a", "b"), size=24) if task == "paired" else made_up(size=24)
    one, other = (guided(task, *asked, data=data) for _ in range(2))
    whole, part = batch_of(one, "discriminator", 20), batch_of(other, "translator", 20, slice(1, 3))
    for name in ("given", "wanted"):
        assert torch.equal(getattr(whole, name)[1:3], getattr(part, name))
        assert torch.equal(getattr(whole.rows(1, 3), name), getattr(part, name))
        assert not torch.equal(getattr(whole, name), getattr(batch_of(one, "discriminator", 24), name))
    other_seed = guided(task, *asked, "training.seed=4", data=data)
    assert not torch.equal(whole.wanted, batch_of(other_seed, "discriminator", 20).wanted)


def corners(pictures):
    """Where parts begin in pictures whose values tell their place: row * 16 + column."""
    return {divmod(int(value), 16) for value in pictures[:, 0, 0, 0]}


def test_parts_are_cut_everywhere_and_never_beyond_the_picture():
    places = torch.arange(12)[:, None] * 16 + torch.arange(12)[None, :]
    pictures = places.to(torch.uint8).expand(400, 1, 12, 12)
    where = torch.rand(2, 400, generator=torch.Generator().manual_seed(0))
    where[:, 0], where[:, 1] = 0.0, 1 - 2**-24
    parts = cut_out(pictures, where, Size(9, 10))
    assert parts.shape == (400, 1, 9, 10)
    assert corners(parts) == {(down, across) for down in range(4) for across in range(3)}
    assert corners(parts[:1]) == {(0, 0)}
    assert corners(parts[1:2]) == {(3, 2)}
    for part in parts[:50]:
        assert torch.equal(part.diff(dim=1), torch.full((1, 8, 10), 16, dtype=torch.uint8))
        assert torch.equal(part.diff(dim=2), torch.ones(1, 9, 9, dtype=torch.uint8))
    assert corners(cut_out(pictures, torch.full((2, 400), 0.5), Size(10, 8))) == {(1, 2)}, "the middle"
    assert cut_out(pictures, where, Size(12, 12)) is pictures


def test_both_pictures_of_a_pair_are_cut_and_mirrored_alike():
    base = np.random.default_rng(1).integers(0, 200, (8, 3, 24, 24), dtype=np.uint8)
    data = made_up(8, 6, 24, ("a", "b"))
    data.images[:, :3], data.images[:, 3:] = base, base + 50
    game = guided("paired", "data.mirror=true", data=data)
    batches = [batch_of(game, "discriminator", 4 * k) for k in range(6)]
    shifts = torch.cat([(batch.wanted - batch.given) * 127.5 for batch in batches])
    torch.testing.assert_close(shifts, torch.full_like(shifts, 50.0))
    assert len(torch.cat([batch.given for batch in batches]).flatten(1).unique(dim=0)) == 24, "cut anew each time"


@every_task
def test_pictures_that_are_held_out_are_never_drawn_with_none_of_their_pieces(task):
    groups = np.repeat(np.arange(6), 4)
    channels, classes = (6, ("a", "b")) if task == "paired" else (3, ())
    data = made_up(24, channels, 16, classes, groups=groups)
    data.images[:] = (groups * 10)[:, None, None, None]
    game = guided(task, "data.held_out=2", data=data)
    drawn = torch.cat([batch_of(game, "translator", 4 * k).wanted for k in range(8)])
    looked_at = game._examples[1]
    if task != "colorize":
        seen = set(((drawn + 1) * 12.75).round().flatten().int().tolist())
        shown = set(((looked_at + 1) * 12.75).round().flatten().int().tolist())
        assert (len(seen), len(shown)) == (4, 2)
        assert seen | shown == set(range(6))
    assert len(looked_at) == 8
    assert set(groups[game._seen]) & set(groups[game._unseen[1]]) == set()


@pytest.mark.parametrize(("size", "name"), [(10, "l1"), (12, "dssim"), (32, "perceptual")])
def test_the_score_is_nought_for_the_true_answer_and_named_for_what_it_is(size, name, monkeypatch):
    if name == "dssim":
        monkeypatch.setattr("ganvas.tasks.guided.find_weights", lambda: None)
    pictures = made_up(20, 6, size, ("a", "b"))
    pictures.images[10:, 3:] = pictures.images[10:, :3]
    for held_out, exact in ((0, False), (0, True)):
        some = made_up(10, 6, size, ("a", "b"))
        some.images[:] = pictures.images[10:] if exact else pictures.images[:10]
        game = guided("paired", f"data.held_out={held_out}", data=some, size=size)
        score = game.score({"translator": Half(3, factor=1.0)})
        assert score[0] == name
        assert (score[1] < 1e-3) == exact, "as it is"
    protocol = game.protocol()
    assert (protocol["metric"], protocol["count"], protocol["size"]) == (name, 10, size)
    assert protocol["problem"]["name"] == "paired"
    assert ("weights_sha256" in protocol) == (name == "perceptual")


def test_the_score_without_weights_is_structural_or_absolute_by_hand():
    data = made_up(5, 6, 10, ("a", "b"))
    game = guided("paired", data=data, size=10)
    made = np.round((data.images[:, :3].astype(float) - 127.5) * 0.5 + 127.5)
    expected = np.abs(made - data.images[:, 3:]).mean() / 255
    assert game.score({"translator": Half(3)})[1] == pytest.approx(expected, abs=1e-3)


def test_the_watch_measures_the_ratio_to_noise_on_pictures_seen_and_held_out():
    data = made_up(12, 6, 16, ("a", "b"))
    data.images[:, 3:] = data.images[:, :3] // 2 + 100
    game = guided("paired", "data.held_out=4", data=data)
    game.translator = Half(3)
    was = torch.get_rng_state()
    signs = game.diagnose()
    assert torch.equal(torch.get_rng_state(), was)
    held_out = game._unseen[1]
    for sign, indices in (("psnr/held_out", held_out), ("psnr/seen", np.setdiff1d(np.arange(12), held_out))):
        made = np.round((data.images[indices, :3].astype(float) - 127.5) * 0.5 + 127.5)
        error = ((made - data.images[indices, 3:]) ** 2).mean()
        assert signs[sign] == pytest.approx(10 * np.log10(255**2 / error), abs=0.05)
    assert guided("paired").diagnose().keys() == {"psnr/seen"}


def test_a_look_that_fails_leaves_the_translator_in_training():
    game = guided("inpaint")

    def fail(_pictures):
        assert not game.translator.training
        raise MemoryError

    with pytest.raises(MemoryError):
        game._applied(game.translator, torch.zeros(1, 3, 16, 16), fail)
    assert game.translator.training


@every_task
def test_a_preview_has_what_was_given_what_is_made_and_what_should_be_side_by_side(task):
    game = guided(task, "data.held_out=5")
    shown = game.preview(game.averaged)
    assert (shown.dtype, shown.shape) == (np.uint8, (15, 3, 16, 16))
    if task != "paired":
        true = game.data.images[game._unseen[1]].astype(int)
        assert np.abs(shown[2::3].astype(int) - true).max() <= 1
    assert np.array_equal(shown, game.preview(game.averaged)), "the same each time"
    assert game.translator.training


@every_task
def test_what_is_shared_is_the_averaged_translator_and_a_card_that_rebuilds_it(task):
    game = guided(task)
    averaged = {"translator": Half(3, factor=0.125)}
    averaged["translator"].inputs, averaged["translator"].outputs = game.problem.inputs, game.problem.outputs
    ((weights, card),) = game.publish(averaged, Clock(4_000, 1_000, 1.0)).values()
    assert weights["factor"].dtype == torch.float32
    assert weights["factor"].item() == 0.125
    assert (card["kind"], card["task"], card["mode"]) == ("translator", task, game.problem.mode)
    assert (card["images_seen"], card["problem"]["name"]) == (4_000, task)
    assert card["domains"] == (["drawing", "photo"] if task == "paired" else [])
    if task == "paired":
        backwards = guided(task, "problem.backwards=true")
        assert backwards.publish(averaged, Clock())["translator"][1]["domains"] == ["photo", "drawing"]


@pytest.mark.parametrize(
    ("task", "assignments", "told"),
    [
        ("paired", ("problem.name=superres",), "of another task than paired"),
        ("inpaint", ("data.pairs=true",), "data.pairs is for the task paired"),
        ("paired", ("data.pairs=false",), "data.pairs is for the task paired"),
        ("superres", ("loss.weight=0", "loss.reconstruction=0"), "nothing is learned"),
        ("inpaint", ("data.channels=1",), "in colour"),
        ("paired", ("translator={name='srresnet', scale=2}",), "stays as large as it is"),
        ("superres", ("translator.scale=3",), "multiples of 3"),
        ("superres", ("discriminator.layers=3",), "from 24 pixels a side on, and training sees 16"),
        ("superres", ("data.size=20",), "cannot be smaller"),
        ("colorize", ("problem.hint=true",), "hint"),
        ("superres", ("problem.degradation.name=blurr",), "no degradation named 'blurr'"),
        ("superres", ("loss.adversarial=hing",), "named 'hing'"),
        ("superres", ("loss.distance=l2",), "loss.distance"),
        ("superres", ("loss.after=-1",), "loss.after"),
        ("paired", ("data.held_out=12",), "leaves nothing to train on"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(task, assignments, told):
    with pytest.raises(UsageError) as caught:
        guided(task, *assignments)
    assert told in str(caught.value)
