"""How a class enters a generator and a discriminator, and what is asked of every family's shape."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.networks.growing import Growing
from ganvas.networks.layers import SpectralEmbedding, SpectralLinear, full_precision


def check_channels_and_classes(channels: int, classes: int) -> None:
    """Raise UsageError unless pictures can have so many channels and a network so many classes."""
    if not 1 <= channels <= 4:
        raise UsageError(f"{channels} channels: pictures have 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)")
    if classes < 0:
        raise UsageError(f"{classes} classes: use 0 for a network without classes, else how many there are")


class ClassTable(nn.Embedding):
    """A learned vector for each class: int64 [N] -> [N, F].

    A mixture of classes, weights [N, classes] in floating point, has the same mixture of their vectors.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The vectors."""
        return input.to(self.weight.dtype) @ self.weight if input.is_floating_point() else super().forward(input)


class ClassedLatent(nn.Module):
    """A generator's input: the latent and, beside it, a learned embedding of the class. Mirza & Osindero 2014, 3.2.

    latents [N, latent], labels int64 [N] in 0..classes-1 or weights of the classes [N, classes] -> [N, features]. With
    classes = 0 the latent passes alone and labels are not read. The embedding starts from N(0, 1), as the latents are
    drawn. Raises UsageError if labels are missing.
    """

    def __init__(self, latent: int, classes: int, embedding: int) -> None:
        super().__init__()
        self.classes = classes
        self.features = latent + embedding if classes else latent
        self.embedding = ClassTable(classes, embedding) if classes else None

    def forward(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """[N, latent], int64 [N] or float [N, classes] -> [N, features]."""
        return torch.cat(self.parts(latents, labels), dim=1)

    def parts(self, latents: Tensor, labels: Tensor | None) -> list[Tensor]:
        """The latent [N, latent] and, with classes, the embedding [N, embedding], before they are joined."""
        if self.embedding is None:
            return [latents]
        return [latents, self.embedding(present_labels(labels, self.classes))]


class ClassCondition(nn.Module):
    """What class-conditional normalisation reads: the class, or an embedding of it that all layers share.

    labels int64 [N], or weights of the classes [N, classes] -> the same, or with an embedding [N, embedding] (Brock,
    Donahue & Simonyan 2019, section 3). With classes = 0 it is None and labels are not read. Embeddings start with a
    length of about 1. Raises UsageError if labels are missing.
    """

    def __init__(self, classes: int, embedding: int | None) -> None:
        super().__init__()
        self.classes = classes
        self.embedding = ClassTable(classes, embedding) if classes and embedding else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(self.embedding.embedding_dim))

    def forward(self, labels: Tensor | None) -> Tensor | None:
        """int64 [N] or float [N, classes] -> the same or [N, embedding]; None without classes."""
        if not self.classes:
            return None
        labels = present_labels(labels, self.classes)
        return labels if self.embedding is None else self.embedding(labels)


class ClassNorm(nn.Module):
    """A normalisation whose scale and shift belong to the class: norm(maps) * (1 + scale(class)) + shift(class).

    With batch normalisation for norm this is conditional batch normalisation (Dumoulin, Shlens & Kudlur 2017, eq. 5;
    Miyato & Koyama 2018). scale, shift: maps from what `ClassCondition` gives to [N, C]: one table each
    (`table_norm`) or linear maps of a shared embedding; None without classes, where norm is all there is.
    """

    def __init__(self, norm: nn.Module, scale: nn.Module | None = None, shift: nn.Module | None = None) -> None:
        super().__init__()
        self.norm, self.scale, self.shift = norm, scale, shift

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """[N, C, H, W], int64 [N] or [N, embedding] -> [N, C, H, W]."""
        normed = self.norm(maps)
        if self.scale is None or self.shift is None:
            return normed
        return normed * (1 + self.scale(condition)[:, :, None, None]) + self.shift(condition)[:, :, None, None]


def table_norm(norm: nn.Module, channels: int, classes: int) -> ClassNorm:
    """A scale and a shift for each class and channel; the scales start from N(1, 0.02^2), the shifts from 0."""
    scale, shift = ClassTable(classes, channels), ClassTable(classes, channels)
    nn.init.normal_(scale.weight, std=0.02)
    nn.init.zeros_(shift.weight)
    return ClassNorm(norm, scale, shift)


class ProjectionHead(nn.Module):
    """A discriminator's output: a linear map of the last features, plus <embedding(class), pooled features>.

    Miyato & Koyama 2018, eq. 3. maps [N, features, H, W], labels int64 [N] -> logits [N]. Without an embedding
    only the linear map is there and labels are not read. Pooling sums over the positions and divides by the root of
    their number: then, with spectral norm, the class's part has the same Lipschitz constant, 1, as the linear part.
    Raises UsageError if labels are missing.
    """

    def __init__(self, linear: nn.Linear, embedding: nn.Embedding | None, positions: int) -> None:
        """positions: H * W."""
        super().__init__()
        self.root = math.sqrt(positions)
        self.linear = linear
        self.embedding = embedding

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        """[N, features, H, W], int64 [N] -> [N]."""
        logits = self._unconditional(maps)
        if self.embedding is None:
            return logits
        classes = self.embedding(present_labels(labels, self.embedding.num_embeddings))
        return logits + (classes * self._pooled(maps)).sum(dim=1)

    def classify(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """[N, features, H, W] -> the two parts of all classes' logits: the linear map's [N], the classes' [N, K].

        Raises UsageError without an embedding.
        """
        return self._unconditional(maps), class_logits(self._pooled(maps), self.embedding)

    def _unconditional(self, maps: Tensor) -> Tensor:
        return self.linear(maps.flatten(1)).squeeze(1)

    def _pooled(self, maps: Tensor) -> Tensor:
        return maps.sum(dim=(2, 3)) / self.root


class ProjectionDiscriminator(Growing):
    """A discriminator of features and a projection head; a family says what its features are and makes its head.

    The same weights serve both ways to use classes: to judge a picture as one of its class (`forward`, Miyato & Koyama
    2018) and to judge it as it is and tell its class (`classify`, Odena, Olah & Shlens 2017), by a softmax over the
    <embedding(k), pooled features>: the classifier from which the projection is derived (Miyato & Koyama, section 3).
    """

    head: ProjectionHead

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> what the head takes."""
        raise NotImplementedError

    def levels(self) -> list[list[nn.Module]]:
        """The layers with weights that lead to the features, from the picture on, those of a side together."""
        raise NotImplementedError

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, C, H, W] in [-1, 1], int64 [N] -> logits [N]; labels are not read without classes."""
        return self.head(self.features(images), labels)

    def classify(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[N, C, H, W] in [-1, 1] -> logits without a class [N], and of the classes [N, K]; their sum is `forward`'s.

        Raises UsageError without classes.
        """
        return self.head.classify(self.features(images))


def plain_head(features: int, positions: int, classes: int, *, bias: bool) -> ProjectionHead:
    """A head of ordinary layers for maps [N, features, H, W] of H * W positions; classes 0 = unconditional."""
    embedding = nn.Embedding(classes, features) if classes else None
    if embedding is not None:
        nn.init.normal_(embedding.weight, std=1 / math.sqrt(features))
    return ProjectionHead(nn.Linear(features * positions, 1, bias=bias), embedding, positions)


def spectral_head(features: int, positions: int, classes: int) -> ProjectionHead:
    """A head of spectrally normalised layers for maps [N, features, H, W]; classes 0 = unconditional."""
    embedding = SpectralEmbedding(classes, features) if classes else None
    return ProjectionHead(SpectralLinear(features * positions, 1), embedding, positions)


def class_logits(features: Tensor, embedding: nn.Embedding | None) -> Tensor:
    """<embedding(k), features> for each class k, in float32 also under autocast: [N, F] -> [N, K].

    Raises UsageError without an embedding.
    """
    if embedding is None:
        raise UsageError("This network knows no classes, so it cannot tell them: build it with classes=K, K above 0")
    with full_precision(features):
        table = embedding(torch.arange(embedding.num_embeddings, device=features.device))  # [K, F]
        return functional.linear(features.to(table.dtype), table)


def present_labels(labels: Tensor | None, classes: int) -> Tensor:
    """The labels, which a network with classes needs. Raises UsageError if there are none."""
    if labels is None:
        raise UsageError(f"This network knows {classes} classes: pass a label for each picture, int64 [N]")
    return labels
