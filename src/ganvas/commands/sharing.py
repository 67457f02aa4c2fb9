"""export, push."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.asking import Run
from ganvas.commands.printing import report
from ganvas.core.errors import UsageError
from ganvas.core.places import megabytes


def export(
    run: Run,
    *,
    out: Annotated[str, arg(metavar="FILE.onnx|FILE.safetensors|FILE.pt2|FOLDER/")],
    back: bool = False,
    precision: Annotated[str, arg(metavar="float32|bfloat16")] = "float32",
    licence: Annotated[str | None, arg(metavar="NAME")] = None,
    json: bool = False,
) -> None:
    """Write a trained generator or translator for other programs, or as a folder to share; or a classifier, as ONNX.

    For the classifier of a run give its classifier.safetensors.

    Args:
        out: The kind is its ending: ONNX, weights, a program of torch.export; or a folder with weights, card and page.
        back: The other direction of a run of unpaired pictures.
        precision: Of the weights; bfloat16 halves .safetensors files and folders.
        licence: Under which it may be used, as CC-BY-4.0, for its card; without it what the run says.
        json: One JSON object on stdout.
    """
    from ganvas.inference.classifier import is_classifier, load_classifier
    from ganvas.inference.export import export as write
    from ganvas.inference.export import export_classifier
    from ganvas.inference.loading import load

    if is_classifier(Path(run)):
        if back or licence is not None or precision != "float32":
            raise UsageError("A classifier is exported as it is: leave --back, --precision and --licence out")
        path = export_classifier(load_classifier(run, device="cpu"), out)
    else:
        path = write(load(run, back=back), out, precision=precision, licence=licence)
    written = sorted(path.iterdir()) if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in written)
    report({"out": str(path), "files": [str(file) for file in written], "bytes": size}, json)
    terminal.say(f"{path}: {megabytes(size)}")


def push(
    run: Run,
    name: Annotated[str, Positional, arg(metavar="USER/NAME")],
    *,
    precision: Annotated[str, arg(metavar="float32|bfloat16")] = "float32",
    licence: Annotated[str | None, arg(metavar="NAME")] = None,
    private: bool = False,
    back: bool = False,
    json: bool = False,
) -> None:
    """Put a trained generator or translator on the hub (huggingface.co), where ganvas.load("user/name") finds it.

    Args:
        name: Its name there.
        precision: Of the weights.
        licence: Under which it may be used, as CC-BY-4.0, for its card; without it what the run says.
        private: A new one is for nobody else's eyes.
        back: The other direction of a run of unpaired pictures.
        json: One JSON object on stdout.
    """
    from ganvas.inference.loading import load

    address = load(run, back=back).push(name, precision=precision, licence=licence, private=private)
    report({"address": address}, json)
    terminal.say(f"{name} is at {address}")
