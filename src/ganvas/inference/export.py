"""A network as one file for other programs: ONNX, a PyTorch program, or its weights.

    .onnx         opset 18; drawn by onnxruntime and many others, without Python or PyTorch
    .pt2          a program of torch.export; drawn by PyTorch alone, without Ganvas
    .safetensors  the weights, in float32 or bfloat16

Inputs of both programs of a generator, by these names and in this order: latents float32 [batch, Z], standard normal;
truncation float32 [], 1 for none; and, only where there are classes, labels int64 [batch]. Output: pictures float32
[batch, C, H, W], about [-1, 1]; a pixel is round((picture + 1) * 127.5) within 0 to 255. The batch is any number.
Of a translator: images float32 [batch, inputs, height, width] -> pictures float32 [batch, outputs, height * scale,
width * scale], of any height and width; what the channels mean is the card's mode (`modes`).
The card is in each: ONNX files and weights have it in their metadata as "ganvas", programs as an extra "card.json".
"""

import copy
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental import _config as shape_settings

from ganvas.core import card as cards
from ganvas.core import files
from ganvas.core.errors import UsageError
from ganvas.inference import weights
from ganvas.inference.classifier import Classifier
from ganvas.inference.drawing import Drawing, Translating
from ganvas.inference.generator import Generator
from ganvas.inference.pictures import is_folder
from ganvas.inference.saving import licensed, save, weights_precision
from ganvas.inference.translator import Translator

OPSET = 18
INPUTS = ("latents", "truncation", "labels")
IMAGES = "images"  # the input of a translator
OUTPUT = "pictures"
_TRACED = (45, 53)  # height and width beyond the least, that are multiples of nothing
_SIDES = ("batch", "channels", "height", "width")
_MADE_SIDES = ("batch", "channels", "made_height", "made_width")
NETWORK = "network."  # what the names of the network's weights begin with in an ONNX file


def export(
    network: Generator | Translator, out: str | Path, *, precision: str = "float32", licence: str | None = None
) -> Path:
    """Write a network as the kind of file that `out` names, or as a folder (`saving.save`), and return its path.

    precision: of the weights; float32, or bfloat16 for .safetensors and folders. licence: as for `saving.save`.
    Raises UsageError for an ending that is no kind of file, a precision that the kind has not, and where the extra
    `export` is not installed; DataError if the file cannot be written.
    """
    path = Path(out)
    if is_folder(out):
        return save(network, path, precision=precision, licence=licence)
    kind = path.suffix.lower()
    if kind not in _KINDS:
        raise UsageError(f"{out}: end it with {', '.join(_KINDS)}, or with / for a folder")
    if precision != "float32" and kind != ".safetensors":
        raise UsageError(
            f"--precision {precision}: {kind} files are float32, which draws the same everywhere; leave it out, or "
            "write a .safetensors"
        )
    dtype = weights_precision(precision)
    content = _KINDS[kind](network, licensed(network.card, licence), dtype)
    with files.written_to(out):
        files.write_bytes(path, content)
    return path


def needs(*packages: str) -> None:
    """Raise UsageError unless these packages of the extra `export` are installed."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UsageError(f"ONNX files need {', '.join(missing)}: pip install 'ganvas[export]'")


def _weights(network: Generator | Translator, card: dict[str, Any], precision: torch.dtype) -> bytes:
    return weights.as_bytes(network.network.state_dict(), card, precision)


def _program(network: Generator | Translator, card: dict[str, Any], precision: torch.dtype) -> bytes:
    content = io.BytesIO()
    with _quietly():
        program = _exported(network)
        for module in program.graph_module.modules():
            for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
                node.meta.pop("stack_trace", None)  # with the paths of this machine
        torch.export.save(program, content, extra_files={"card.json": cards.write(card)})
    return content.getvalue()


def as_onnx(network: Generator | Translator, card: dict[str, Any]) -> bytes:
    """The content of an ONNX file. Raises UsageError without the extra `export`."""
    return _onnx(lambda: _exported(network), names_of(network), OUTPUT, card)


def names_of(network: Generator | Translator) -> tuple[str, ...]:
    """The inputs of an exported program."""
    if isinstance(network, Translator):
        return (IMAGES,)
    return INPUTS[: 3 if network.classes else 2]


def export_classifier(classifier: Classifier, out: str | Path) -> Path:
    """Write a classifier as an ONNX file, opset 18, and return its path.

    Input: pictures float32 [batch, C, H, W], of which a pixel p in 0 to 255 is p / 127.5 - 1. Output: logits float32
    [batch, K], in the order of the card's classes, whose softmax is the probabilities. Raises UsageError for another
    ending and without the extra `export`, DataError if the file cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() != ".onnx":
        raise UsageError(
            f"{out}: a classifier is written as .onnx; its weights are in the run as classifier.safetensors"
        )
    pictures = torch.zeros(2, classifier.channels, *classifier.size.hw)

    def exported() -> torch.export.ExportedProgram:
        network: Any = copy.deepcopy(classifier.network).cpu()
        with torch.no_grad():
            network = network.to(memory_format=torch.contiguous_format)
            return torch.export.export(network, (pictures,), dynamic_shapes=({0: torch.export.Dim("batch")},))

    content = _onnx(exported, ("pictures",), "logits", classifier.card)
    with files.written_to(out):
        files.write_bytes(path, content)
    return path


def _onnx(
    exported: Callable[[], torch.export.ExportedProgram], names: Sequence[str], output: str, card: dict[str, Any]
) -> bytes:
    """An ONNX file of a program with these inputs and this output, and with a card.

    All have a batch of any number; pictures that go in may have any height and width.
    """
    needs("onnx", "onnxscript")
    with _quietly():
        # Not optimised: what draws it does that itself, and every weight keeps its name, so that it is found again.
        program = torch.onnx.export(
            exported(),
            input_names=names,
            output_names=[output],
            opset_version=OPSET,
            optimize=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.producer_name = "ganvas"
    model.metadata_props.add(key=cards.KEY, value=json.dumps(card))
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces, with the paths of this machine
    del model.graph.value_info[:]  # shapes that are counted from others in as many ways as there are versions
    for values, names_of_sides in ((model.graph.input, _SIDES), (model.graph.output, _MADE_SIDES)):
        for value in values:
            for side, name in zip(value.type.tensor_type.shape.dim, names_of_sides, strict=False):
                if side.dim_param:
                    side.dim_param = name
    content: bytes = model.SerializeToString()
    return content


_KINDS: dict[str, Callable[[Generator | Translator, dict[str, Any], torch.dtype], bytes]] = {
    ".onnx": lambda network, card, precision: as_onnx(network, card),
    ".pt2": _program,
    ".safetensors": _weights,
}


def _exported(network: Generator | Translator) -> torch.export.ExportedProgram:
    return _of_translator(network) if isinstance(network, Translator) else _of_generator(network)


def _of_translator(translator: Translator) -> torch.export.ExportedProgram:
    """The graph of a translator on the CPU, for a batch of any number and pictures of any height and width.

    torch.export takes a size of 1 for another kind of size, which would leave out pictures of one `multiple`; as do
    its conditions on sizes, such as that one is no multiple, where they are not put off. Both are switched off.
    """
    network = copy.deepcopy(translator.network).cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    images = torch.zeros(2, network.inputs, *(network.least + side for side in _TRACED))
    shapes = ({place: torch.export.Dim(_SIDES[place]) for place in (0, 2, 3)},)
    with torch.no_grad(), shape_settings.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        return torch.export.export(
            Translating(network),
            (images,),
            dynamic_shapes=shapes,
            prefer_deferred_runtime_asserts_over_guards=True,
        )


def _of_generator(generator: Generator) -> torch.export.ExportedProgram:
    """The graph of a generator on the CPU, for a batch of any number."""
    network = copy.deepcopy(generator.network).cpu().to(memory_format=torch.contiguous_format)
    arguments: tuple[Tensor, ...] = (torch.zeros(2, network.latent), torch.tensor(1.0))
    batch = torch.export.Dim("batch")
    shapes: tuple[dict[int, Any], ...] = ({0: batch}, {})
    if generator.classes:
        arguments, shapes = (*arguments, torch.zeros(2, dtype=torch.int64)), (*shapes, {0: batch})
    with torch.no_grad():
        return torch.export.export(Drawing(network), arguments, dynamic_shapes=shapes)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's words on itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
