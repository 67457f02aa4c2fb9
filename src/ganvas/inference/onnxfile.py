"""A network in an ONNX file, run by onnxruntime; the network is there too, from the file's own weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.core import card as cards
from ganvas.core.errors import DataError, UsageError
from ganvas.inference import weights
from ganvas.inference.export import IMAGES, NETWORK, OUTPUT, names_of, needs
from ganvas.inference.generator import Generator
from ganvas.inference.translator import MEMORY, Translator
from ganvas.networks.translating import Translator as Network

_CPU = torch.device("cpu")
_CONSTANT = "lifted_tensor"  # in the names of what the exporter adds
# Of batch normalisation; nothing reads the second after training, so that no graph holds it.
_MEAN, _COUNT = "running_mean", "num_batches_tracked"


class OnnxGenerator(Generator):
    """A generator whose pictures onnxruntime draws, in float32 on the CPU.

    What needs weights or gradients finds the network rebuilt.
    """

    def __init__(self, network: nn.Module, card: dict[str, Any], session: Any) -> None:
        super().__init__(network, card, _CPU, "float32")
        self._session = session

    def at(self, precision: str) -> Generator:
        """Itself: an ONNX file is drawn in float32. Raises UsageError for another precision."""
        check_precision(precision)
        return self

    def _draw(self, latents: Tensor, classes: Tensor | None, truncation: float) -> Tensor:
        if classes is not None and classes.is_floating_point():  # the file takes whole classes, the network a mixture
            return super()._draw(latents, classes, truncation)
        given = {"latents": latents.numpy(), "truncation": np.array(truncation, np.float32)}
        if classes is not None:
            given["labels"] = classes.numpy()
        return torch.from_numpy(self._session.run([OUTPUT], given)[0])


class OnnxTranslator(Translator):
    """A translator whose pictures onnxruntime makes, in float32 on the CPU.

    How far it looks, and what memory it takes, is measured on the network rebuilt.
    """

    def __init__(
        self, network: Network, card: dict[str, Any], session: Any, *, memory: int = MEMORY, at: int | None = None
    ) -> None:
        super().__init__(network, card, _CPU, "float32", memory=memory, at=at)
        self._run = _Session(network, session)

    def _drawing(self, bits: int) -> Network:
        return self._run

    def _measured(self, bits: int) -> Network:
        return self.network


class _Session(Network):
    """A network that onnxruntime runs."""

    def __init__(self, network: Network, session: Any) -> None:
        super().__init__()
        self.inputs, self.outputs, self.scale = network.inputs, network.outputs, network.scale
        self.multiple, self.least, self.reach = network.multiple, network.least, network.reach
        self._session = session

    def forward(self, images: Tensor) -> Tensor:
        """The file extends pictures itself."""
        given = {IMAGES: images.contiguous().numpy()}
        return torch.from_numpy(self._session.run([OUTPUT], given)[0])


def load_onnx(file: Path, *, memory: int = MEMORY, at: int | None = None) -> Generator | Translator:
    """What an ONNX file of `ganvas export` holds. memory, at: as of `Translator`.

    Raises UsageError without the extra `export`, DataError for a file that is damaged or not of Ganvas.
    """
    needs("onnx", "onnxruntime")
    import onnxruntime  # of the extra, and slow to import

    held, card, content = _read(file)
    network: Any = weights.network_of(card, held, str(file))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        inputs = tuple(one.name for one in session.get_inputs())
        outputs = [one.name for one in session.get_outputs()]
    except Exception as error:  # onnxruntime's own have no common base of their own
        raise DataError(f"{file} cannot be run by onnxruntime: {error}") from None
    with cards.named(str(file)):
        loaded: Generator | Translator
        if card["kind"] == cards.TRANSLATOR:
            loaded = OnnxTranslator(network, card, session, memory=memory, at=at)
        else:
            loaded = OnnxGenerator(network, card, session)
    if inputs != names_of(loaded) or outputs != [OUTPUT]:
        raise DataError(f"{file} takes {', '.join(inputs)} and was changed since `ganvas export`: export it anew")
    return loaded


def check_precision(precision: str) -> None:
    """Raise UsageError for a precision that an ONNX file is not drawn in."""
    if precision not in ("auto", "float32"):
        raise UsageError(
            f"--precision {precision}: ONNX files are drawn in float32; leave it out, or load a .safetensors"
        )


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any], bytes]:
    """The network's weights by name, the card, and the file's whole content."""
    import onnx  # of the extra, and slow to import

    try:
        content = file.read_bytes()
        model = onnx.load_model_from_string(content)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read: {error}") from None
    except Exception:  # protobuf's own
        raise DataError(
            f"{file} is damaged or not an ONNX file. Export it anew: ganvas export RUN --out {file.name}"
        ) from None
    card = cards.read({one.key: one.value for one in model.metadata_props}.get(cards.KEY), str(file))
    held = {}
    for tensor in model.graph.initializer:
        own = tensor.name.startswith(NETWORK) and _CONSTANT not in tensor.name
        if own and tensor.data_location != onnx.TensorProto.EXTERNAL:
            held[tensor.name.removeprefix(NETWORK)] = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
    counts = {name.removesuffix(_MEAN) + _COUNT: torch.tensor(0) for name in held if name.endswith(_MEAN)}
    return held | counts, card, content
