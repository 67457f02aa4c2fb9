"""The variational autoencoder (Kingma & Welling 2014): the likelihood baseline, with any generator as its decoder.

One player with two networks. The encoder gives q(z|x) = N(mean, variance) of a picture x, z is drawn from it, and the
decoder, a generator, gives the mean of p(x|z) = N(G(z), sd^2). What is descended is the negative evidence lower bound,
-E_q log p(x|z) + beta KL(q(z|x) || N(0, I)), in nats a picture. Afterwards the decoder is a generator like any other.
"""

import dataclasses
import math
from typing import Self

import torch
from torch import Tensor, nn

from ganvas import networks
from ganvas.data import Dataset
from ganvas.losses import likelihood
from ganvas.tasks.autoencode_settings import AutoencodeSettings
from ganvas.tasks.diagnostics import Labelled, Looks, as_found, even_parts
from ganvas.tasks.pictures import PictureTask
from ganvas.training.clock import Clock
from ganvas.training.draws import latents_of_seeds
from ganvas.training.players import Player, Terms

_FIRST_SD = 0.5  # of a pixel's noise, where it is learned: about that of the pictures themselves


@dataclasses.dataclass(frozen=True)
class AutoencodeBatch:
    """One move's draws. real: uint8 [N, C, H, W]. labels: int64 [N], None without classes. noise: [N, Z], normal."""

    real: Tensor
    labels: Tensor | None
    noise: Tensor

    def __len__(self) -> int:
        return len(self.real)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        labels = None if self.labels is None else self.labels[start:stop]
        return type(self)(self.real[start:stop], labels, self.noise[start:stop])


class PixelNoise(nn.Module):
    """The log of a pixel's standard deviation given its latent, one for all; learned. Rybkin et al. 2021.

    "Simple and Effective VAE Training with Calibrated Decoders": it settles where errors and KL are in balance.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_sd = nn.Parameter(torch.tensor(math.log(_FIRST_SD)))


class Autoencode(PictureTask):
    """The game of one player on a data set."""

    Settings = AutoencodeSettings

    def __init__(self, chosen: AutoencodeSettings, data: Dataset, unseen: Dataset | None = None) -> None:
        """Build networks and player. Raises UsageError if the networks cannot make or take pictures of that size.

        unseen: real pictures for the watch; without them it takes those that are held out of the data, if any are.
        """
        super().__init__(chosen, data, unseen)
        self.generator = self._build(networks.generator, "generator", chosen.generator)
        self.encoder = self._build(networks.encoder, "encoder", chosen.encoder, latent=self.generator.latent)
        parts: dict[str, nn.Module] = {"encoder": self.encoder, "generator": self.generator}
        if chosen.loss.sd is None:
            self._noise = PixelNoise().to(self.device, self.dtype)
            parts["noise"] = self._noise
        self.players = [Player("autoencoder", parts, self._terms, chosen.autoencoder_optimizer)]
        self._looks: Looks | None = None

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> AutoencodeBatch:
        """The batch of a move: pictures in the player's endless reading of the data, fresh noise."""
        role, place = player.name, self._place(clock, player.moves, move)
        indices = self._drawn_indices(role, place, rows)
        noise = self._draws.normal(f"{role}/noise", place, self.chosen.training.batch, self.generator.latent)[rows]
        return AutoencodeBatch(
            self._drawn_pictures(role, place, rows, indices),
            self._labels_of(self.data, indices),
            noise.to(self.device, self.dtype),
        )

    def _terms(self, batch: AutoencodeBatch, clock: Clock) -> Terms:
        reconstruction, kl = self._bound(batch)
        return {"reconstruction": reconstruction, "kl": self.chosen.loss.beta * kl}

    def _bound(self, batch: AutoencodeBatch) -> tuple[Tensor, Tensor]:
        """-log p(x|z) of one z a picture, z = mean + sd * noise (the reparametrisation, section 2.4), and the KL."""
        real = self._laid_out(batch.real)
        with self._autocast():
            mean, log_variance = (part.to(self.dtype) for part in self.encoder(real, batch.labels))
            decoded = self.generator(mean + (log_variance / 2).exp() * batch.noise, batch.labels)
        reconstruction = likelihood.gaussian(real, decoded.to(self.dtype), self._log_sd())
        return reconstruction, likelihood.kl_to_standard_normal(mean, log_variance)

    def _log_sd(self) -> Tensor:
        sd = self.chosen.loss.sd
        return self._noise.log_sd if sd is None else torch.tensor(math.log(sd), device=self.device, dtype=self.dtype)

    def diagnose(self) -> dict[str, float]:
        """Signs of health, of the same pictures and latents each time; `training.health` says what they mean."""
        seen, unseen = self._looked_at
        if len(seen) < 2:
            return {}
        if self._looks is None:
            self._looks = Looks(seen.pictures, unseen.pictures, self._training_pictures())
        parts = even_parts(len(seen), self._looked_at_once)
        labels = [None if seen.labels is None else seen.labels[part.start : part.stop] for part in parts]
        with torch.no_grad(), as_found(self.generator):
            fakes = [self._generate_from_seeds(part, its) for part, its in zip(parts, labels, strict=True)]
            reconstruction, kl = self._mean_bound(seen)
            signs = {"kl": kl, "elbo/seen": -reconstruction - kl}
            if len(unseen):
                signs["elbo/held_out"] = -sum(self._mean_bound(unseen))
        return self._looks(fakes) | signs

    def _mean_bound(self, some: Labelled) -> tuple[float, float]:
        """The two parts of the bound, over all of these pictures, with the noise of the seeds from 0 on."""
        noise = latents_of_seeds(range(len(some)), self.generator.latent).to(self.device, self.dtype)
        whole = AutoencodeBatch(some.pictures, some.labels, noise)
        parts = even_parts(len(some), self._looked_at_once)
        shares = [len(part) * torch.stack(self._bound(whole.rows(part.start, part.stop))) for part in parts]
        reconstruction, kl = (torch.stack(shares).sum(dim=0) / len(some)).tolist()
        return reconstruction, kl
