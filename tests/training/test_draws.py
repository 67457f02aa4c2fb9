import torch

from ganvas.training.draws import Draws, latents_of_seeds


def test_a_draw_depends_on_seed_role_and_position_only():
    first = Draws(3).normal("generator/latents", 640, 8, 5)
    torch.randn(100)  # other dice do not matter
    assert torch.equal(first, Draws(3).normal("generator/latents", 640, 8, 5))
    for other in (Draws(4).normal("generator/latents", 640, 8, 5), Draws(3).normal("other", 640, 8, 5)):
        assert not torch.equal(first, other)
    assert not torch.equal(first, Draws(3).normal("generator/latents", 704, 8, 5))


def test_draws_leave_pytorchs_own_dice_alone():
    before = torch.random.get_rng_state()
    draws = Draws(0)
    draws.uniform("a", 0, 10)
    draws.order("a", 0, 10, 5)
    with draws.initialising("generator"):
        torch.randn(3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_every_epoch_reads_each_item_once_in_an_order_of_its_own():
    draws = Draws(0)
    read = torch.cat([draws.order("d", start, 7, 10) for start in range(0, 70, 7)])
    epochs = read[:60].reshape(6, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 6


def test_the_order_does_not_depend_on_how_it_is_cut():
    whole = Draws(1).order("d", 5, 40, 12)
    pieces = torch.cat([Draws(1).order("d", 5 + start, 8, 12) for start in range(0, 40, 8)])
    assert torch.equal(whole, pieces)


def test_a_batch_larger_than_the_data_reads_on_through_epochs():
    assert sorted(Draws(0).order("d", 0, 9, 3).tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_normal_draws_are_standard_normal_and_uniform_ones_fill_the_unit_interval():
    normal, uniform = Draws(0).normal("n", 0, 20_000, 2), Draws(0).uniform("u", 0, 20_000)
    assert abs(normal.mean().item()) < 0.02
    assert abs(normal.std().item() - 1) < 0.02
    assert abs(uniform.mean().item() - 0.5) < 0.01
    assert uniform.min().item() >= 0
    assert uniform.max().item() < 1


def test_a_picture_seed_means_the_same_latent_in_any_company():
    assert torch.equal(latents_of_seeds([7], 16)[0], latents_of_seeds([1, 7, 3], 16)[1])
    assert not torch.equal(latents_of_seeds([7], 16), latents_of_seeds([8], 16))
