"""Cached statistics of reference pictures: .npz files with `mu` and `sigma`, as the field's tools read them.

Beside the two stand `count` and `protocol`, a JSON text that says which pictures were seen by what. Nothing in the file
is a pickle.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.errors import DataError
from ganvas.core.files import replacing
from ganvas.metrics.frechet import Statistics, from_moments

Key = Mapping[str, Any]  # what the statistics depend on: data, part, count, and the extractor's protocol


def path_of(folder: Path, key: Key) -> Path:
    """Where statistics of this key are kept."""
    digest = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()
    return folder / f"{key['extractor']}-{digest[:24]}.npz"


def write(path: Path, statistics: Statistics, key: Key) -> None:
    """Write statistics so that the file is whole or not there."""
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez(
            stream,
            mu=statistics.mean.numpy(),
            sigma=statistics.covariance.numpy(),
            count=np.int64(statistics.count),
            protocol=np.array(json.dumps(dict(key), sort_keys=True)),
        )


def read(path: Path, key: Key) -> Statistics:
    """The statistics in a file, which must be those of this key.

    Raises DataError if the file is damaged, or holds statistics of something else: it says which field differs.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
            mean, covariance, count = held["mu"], held["sigma"], int(held["count"])
            protocol = json.loads(str(held["protocol"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise DataError(f"The reference statistics {path} are damaged. Delete the file; it is made anew") from None
    wanted = dict(key)
    differing = sorted(name for name in wanted.keys() | protocol.keys() if wanted.get(name) != protocol.get(name))
    if differing:
        name = differing[0]
        raise DataError(
            f"The reference statistics {path} are of another protocol: {name} is {protocol.get(name)!r} there and "
            f"{wanted.get(name)!r} here. Delete the file, or ask for what it holds"
        )
    dimensions = mean.shape[0] if mean.ndim == 1 else -1
    if covariance.shape != (dimensions, dimensions) or not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataError(
            f"The reference statistics {path} are damaged: their shapes or values cannot be. Delete the file"
        )
    return from_moments(torch.from_numpy(mean), torch.from_numpy(covariance), count)
