"""import."""

from typing import Annotated

from tyro.conf import Positional, arg

from ganvas import terminal
from ganvas.commands.printing import report
from ganvas.core.places import megabytes


def import_weights(
    file: Annotated[str, Positional, arg(metavar="FILE")],
    *,
    family: Annotated[str, arg(name="as", metavar="pix2pix|cyclegan|realesrgan|dcgan")],
    out: Annotated[str, arg(metavar="DIR")],
    statistics: Annotated[str | None, arg(metavar="picture|training")] = None,
    backwards: bool = False,
    json: bool = False,
) -> None:
    """Take over weights that another program trained; no code that the file holds is run.

    Args:
        file: A generator's file: .pth, .pt or .ckpt of torch.save, or .safetensors.
        family: Whose: pytorch-CycleGAN-and-pix2pix (pix2pix, cyclegan), ESRGAN and Real-ESRGAN (realesrgan), or
            PyTorch's example of DCGAN (dcgan).
        out: The folder to write, which the other commands then take as RUN.
        statistics: For batch normalisation of pix2pix and cyclegan: each picture's own, as their programs use; or those
            of the training.
        backwards: Of pix2pix: it was trained as BtoA, so that it makes the first of a pair of the second.
        json: One JSON object on stdout.
    """
    from ganvas.inference.foreign.importing import import_weights as write

    path = write(file, family, out=out, statistics=statistics, backwards=backwards)
    written = sorted(path.iterdir())
    size = sum(one.stat().st_size for one in written)
    report({"out": str(path), "family": family, "files": [str(one) for one in written], "bytes": size}, json)
    use = f"sample {path}" if family == "dcgan" else f"apply {path} photo.jpg --out DIR"
    terminal.say(f"{path}: {megabytes(size)}. Use it with: ganvas {use}")
