"""augment: more data from a generator."""

from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.asking import GENERATOR
from ganvas.commands.printing import answer
from ganvas.core.quantities import parse_count


def augment(
    data: Annotated[str, Positional, arg(metavar="DATA")],
    *,
    run: Annotated[str, arg(name="with", metavar="RUN", help=GENERATOR)],
    out: Annotated[str, arg(metavar="DIR")],
    count: Annotated[str | None, arg(metavar="10k")] = None,
    balance: bool = False,
    truncation: Annotated[float, arg(metavar="0.7")] = 1.0,
    first_seed: Annotated[int, arg(metavar="N")] = 0,
    held_out: Annotated[str | None, arg(metavar="DATA")] = None,
    extractor: Annotated[str, arg(metavar="auto|NAME")] = "auto",
    steps: Annotated[int | None, arg(metavar="N")] = None,
    quick: bool = False,
    json: bool = False,
) -> None:
    """Write a labelled set of generated pictures, without near-copies of real ones, and measure what it is worth.

    Interrupted, it goes on when the same is asked again. Refusing near-copies is no privacy guarantee.

    Args:
        data: The real pictures that the run was trained on: a folder, a zip or a name.
        out: A new folder, which gets a subfolder for each class, augment.json and augment.html.
        count: Pictures to write; without it as many as there are real ones, or as --balance needs.
        balance: Make the classes of real and generated pictures together even, not each as often as it is.
        truncation: Below 1 pictures are more typical and less various.
        first_seed: Seeds are consecutive from here on; a file's name is its seed.
        held_out: Real pictures that training did not see, for the limit of what is near and for the classifiers;
            without it those that the run kept out, the named set's test part, or each tenth.
        extractor: Whose features show near-copies, beside the pixels: fashion, imagenet, pixels; auto chooses.
        steps: Steps of the gradient for each classifier; without it by the number of real pictures.
        quick: Compare the classifiers with one seed, not three.
        json: One JSON object on stdout.
    """
    from ganvas.inference.augmentation import augment_data
    from ganvas.inference.augmentation_page import NO_PRIVACY, copies_in_words, in_words, rows_of, write_page
    from ganvas.inference.usefulness import KINDS

    made = augment_data(
        data,
        run,
        out,
        count=None if count is None else parse_count(count),
        balance=balance,
        truncation=truncation,
        first_seed=first_seed,
        held_out=held_out,
        extractor=extractor,
        trials=1 if quick else 3,
        steps=steps,
        say=terminal.say,
    )
    page = write_page(made)
    to = answer({"out": out, "page": page} | made.summary, json)
    if made.usefulness is not None:
        heads = ("accuracy, trained on", *KINDS)
        terminal.show_table(rows_of(made.usefulness, made.summary["classifier"]["classes"]), heads, to=to)
        terminal.say(f"{made.usefulness.verdict}.\n{in_words(made)}", to)
    else:
        terminal.say(f"No classifiers were compared: {made.why_not}", to)
    terminal.say(f"{copies_in_words(made)}. {NO_PRIVACY}")
    terminal.say(f"{made.summary['pictures']:,} pictures in {out}; the report: {page}")
