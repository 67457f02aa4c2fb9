"""Which of the 1,000 modes of stacked digits a picture shows, told by a classifier; and what comes of counting them."""

import numpy as np
import torch
from torch import Tensor

from ganvas import data
from ganvas.data.named.stacked_digits import MODES
from ganvas.metrics.classifier import accuracy, train_classifier

SURE = 0.9  # a picture counts as sure if the classifier gives its digit this probability in each channel
_AT_ONCE = 1_000


class DigitReader:
    """A classifier of single digits, trained on four fifths of them. accuracy: on the other fifth."""

    def __init__(self, digits: data.Dataset, seed: int = 0) -> None:
        """digits: grey pictures with labels 0..9."""
        if digits.labels is None:
            raise ValueError(f"{digits.where} has no labels")
        pictures, labels = torch.from_numpy(np.array(digits.images)), torch.from_numpy(np.array(digits.labels))
        held_out = torch.arange(len(labels)) % 5 == 0
        self._model = train_classifier(pictures[~held_out], labels[~held_out], 10, seed=seed)
        self.accuracy = accuracy(self._model, pictures[held_out], labels[held_out])

    @torch.no_grad()
    def read(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 [N, 3, H, W] -> the modes, int64 [N] in 0..999, and whether the classifier is sure, bool [N]."""
        read = []
        for part in pictures.split(_AT_ONCE):
            logits = self._model.head(self._model(part.flatten(0, 1)[:, None].float() / 255))
            read.append(logits.softmax(dim=1).max(dim=1))
        sureness, digits = (torch.cat(values).view(-1, 3) for values in zip(*read, strict=True))
        return digits @ torch.tensor([100, 10, 1]), (sureness >= SURE).all(dim=1)


def found(modes: Tensor) -> int:
    """How many different modes there are among the modes [N] of generated pictures. Metz et al. 2017, section 3.3.1."""
    return len(modes.unique())


def divergence_from_uniform(modes: Tensor, count: int = MODES) -> float:
    """KL(p || uniform) in nats, p the shares of `count` modes among modes [N]: 0 for all alike, log(count) for one.

    Metz et al. 2017, section 3.3.1; Srivastava et al. 2017. Few pictures give a positive value of their own: about
    (count - 1) / 2N for N uniform draws.
    """
    shares = torch.bincount(modes, minlength=count).double() / len(modes)
    return float(torch.special.xlogy(shares, shares * count).sum())
