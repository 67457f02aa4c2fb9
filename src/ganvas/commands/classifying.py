"""classify."""

from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import answer
from ganvas.core.errors import UsageError


def classify(
    run: Annotated[str, Positional, arg(metavar="RUN")],
    pictures: Annotated[tuple[str, ...], Positional, arg(metavar="PICTURES")],
    *,
    json: bool = False,
) -> None:
    """Tell what pictures show, by the classifier of a run of the recipe few-labels.

    Where the pictures' own classes are known, from subfolders or labels, the answer is a score.

    Args:
        run: A run's folder, or a classifier.safetensors file.
        pictures: Picture files, folders, zips, or names of data sets.
        json: One JSON object on stdout.
    """
    from ganvas.inference.classification import classify_pictures, scores
    from ganvas.inference.classifier import load_classifier

    if not pictures:
        raise UsageError("Which pictures? Give files, folders, zips, or the name of a data set")
    classifier = load_classifier(run)
    answers = list(classify_pictures(classifier, pictures, terminal.say))
    content = {"run": run, "classes": list(classifier.classes), "pictures": [vars(one) for one in answers]}
    found = scores(answers, classifier.classes)
    if found is None:
        rows = [(one.picture, one.label, f"{one.probability:.1%}") for one in answers]
        terminal.show_table(rows, ("picture", "class", "probability"), to=answer(content, json))
        return
    accuracy, parts = found
    known = sum(part.count for part in parts)
    score = {"accuracy": accuracy, "count": known, "of_class": [part.as_dict() for part in parts]}
    to = answer(content | {"score": score}, json)
    table = [
        (
            part.name,
            f"{part.count:,}",
            f"{part.right / part.count:.1%}" if part.count else "",
            f"{part.right / part.told:.1%}" if part.told else "",
            f"{part.confused[0]} ({part.confused[1]:,})" if part.confused else "",
        )
        for part in parts
    ]
    terminal.show_table(table, ("class", "pictures", "recall", "precision", "most often taken for"), to=to)
    terminal.say(f"accuracy {accuracy:.2%} on {known:,} pictures whose class is known, of {len(answers):,}", to)
