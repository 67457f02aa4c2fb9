"""Pictures told by a classifier, one by one; and how often it is right where their classes are known."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.data.decode import decode, one_picture, quiet_pillow
from ganvas.data.listing import is_picture, suffix_of
from ganvas.data.loading import Wish, blocks, own_threads
from ganvas.data.locating import locate
from ganvas.data.report import SetAside
from ganvas.data.source import Say, Source
from ganvas.inference.classifier import Classifier

_SMALLEST = 1  # pixels a side
_NAMED = 5  # classes that the classifier does not know


@dataclass(frozen=True)
class Answer:
    """What a picture is taken for. picture: its name. meant: the class it is known to be of, None where none is."""

    picture: str
    label: str
    probability: float
    meant: str | None = None


@dataclass(frozen=True)
class ClassScore:
    """How a class fares. count: pictures of it. right: of these, those taken for it. told: pictures taken for it.

    confused: the other class that its pictures are most often taken for, with how often; None where none is.
    """

    name: str
    count: int
    right: int
    told: int
    confused: tuple[str, int] | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self)


def classify_pictures(classifier: Classifier, where: Sequence[str], say: Say) -> Iterator[Answer]:
    """Answers for picture files, folders, archives and named sets, in their order; `say` is told what is set aside.

    Subfolders, or labels, that have the name of one of the classifier's classes say what is meant.
    Raises DataError for a file that is no picture, and where nothing can be read.
    """
    for one in where:
        if Path(one).is_file() and is_picture(suffix_of(one)):
            yield _of_file(classifier, Path(one))
        else:
            source = locate(one, say)
            try:
                yield from _of_source(classifier, source, say)
            finally:
                source.close()


def scores(answers: Sequence[Answer], classes: Sequence[str]) -> tuple[float, list[ClassScore]] | None:
    """The accuracy over answers whose class is known, and each class's part in it; None where none is known."""
    known = [answer for answer in answers if answer.meant is not None]
    if not known:
        return None
    pairs = Counter((answer.meant, answer.label) for answer in known)
    told = Counter(answer.label for answer in known)
    found = []
    for name in classes:
        taken = {label: count for (meant, label), count in pairs.items() if meant == name}
        wrong = Counter({label: count for label, count in taken.items() if label != name}).most_common(1)
        found.append(ClassScore(name, sum(taken.values()), taken.get(name, 0), told[name], wrong[0] if wrong else None))
    return sum(score.right for score in found) / len(known), found


def _of_file(classifier: Classifier, path: Path) -> Answer:
    with one_picture(path):
        picture = decode(path.read_bytes(), classifier.size, classifier.channels, _SMALLEST)
    (label,), (probabilities,) = classifier.classify(picture[None])
    return Answer(str(path), classifier.classes[label], float(probabilities[label]))


def _of_source(classifier: Classifier, source: Source, say: Say) -> Iterator[Answer]:
    wish = Wish(classifier.size, classifier.channels, _SMALLEST, own_threads())
    aside: list[SetAside] = list(source.aside)
    with quiet_pillow():
        for block in blocks(source, wish, say):
            aside += block.aside
            labels, probabilities = classifier.classify(block.images)
            for index, label, its in zip(block.kept, labels, probabilities, strict=True):
                meant = None if source.labels is None else source.classes[source.labels[index]]
                known = meant if meant in classifier.classes else None
                yield Answer(source.title(index), classifier.classes[label], float(its[label]), known)
    for one in aside:
        say(f"set aside: {one.short_path} {one.reason}")
    if others := [name for name in source.classes if name not in classifier.classes]:
        shown = ", ".join(others[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
        say(f"not among the classifier's {len(classifier.classes)} classes, and so in no score: {shown}")
