"""The protocol of a score: everything that has to be the same before two numbers may be compared."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.version import VERSION

# Fields in which two protocols may differ and their scores still be compared.
_MAY_DIFFER = ("seeds", "version")
UNKNOWN = "unknown"  # a field that a file of an earlier version does not have
_FORMERLY = {"input": UNKNOWN, "channels": UNKNOWN, "fit": UNKNOWN}  # fields that came later than the first files
_FOUND = ("r_squared", "statistic", "p_value", "verdict", "equal_pairs")  # which those had among the parameters


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a score came to be.

    metric: fd, kd, precision ... extractor, weights_sha256, layer, resize, input: what saw the pictures and how, None
    where nothing was learned or no features are used. channels: of all pictures; UNKNOWN in files of before. fit: how
    the pictures that are judged came to their size, before the extractor; reference_part says it of the others.
    rounding: how pictures became integers. count: generated pictures. reference: the name of the real data;
    reference_sha256: of its pixels and labels; reference_part: which of its pictures; reference_count: how many.
    seeds: of the generated pictures. parameters: of the metric (k, subsets ...).
    """

    metric: str
    extractor: str | None
    weights_sha256: str | None
    layer: str | None
    resize: str | None
    input: str | None
    channels: int | str
    fit: str
    count: int
    reference: str
    reference_sha256: str
    reference_part: str
    reference_count: int
    seeds: str
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    rounding: str = "uint8, to the nearest"
    version: str = VERSION


@dataclasses.dataclass(frozen=True)
class Score:
    """A number with all that it takes to believe it.

    spread: the standard deviation over subsets or splits, None where the metric has none. floor: the same score of real
    held-out pictures, None where there are none; floor_count: how many of those. at_floor_count: the score of only so
    many of the judged pictures, where they are more and the score depends on their number. better: "lower" or "higher".
    baseline: the same score of what has learned nothing and is to be surpassed, with its spread and the word for it;
    None where there is none.
    found: what else came out (a verdict, p-values ...). warnings: why the number may mislead, in sentences.
    """

    name: str
    value: float
    better: str
    protocol: Protocol
    spread: float | None = None
    floor: float | None = None
    floor_count: int | None = None
    at_floor_count: float | None = None
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    baseline: float | None = None
    baseline_spread: float | None = None
    baseline_name: str | None = None

    @property
    def floor_in_words(self) -> str:
        """The floor, the number of pictures it is of, and the score that is to be held against it; "" without one."""
        if self.floor is None:
            return ""
        of = f"{self.floor:.4g} ({self.floor_count:,} pictures"
        return f"{of})" if self.at_floor_count is None else f"{of}; as many judged: {self.at_floor_count:.4g})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Score":
        """What `as_dict` gave, here or in an earlier version. Raises KeyError or TypeError if it is something else."""
        held = {**_FORMERLY, **values["protocol"]}
        parameters = {name: value for name, value in held["parameters"].items() if name not in _FOUND}
        found = {name: value for name, value in held["parameters"].items() if name in _FOUND}
        protocol = Protocol(**{**held, "parameters": parameters})
        return cls(**{"found": found, **values, "protocol": protocol, "warnings": tuple(values["warnings"])})


def differences(protocols: Sequence[Protocol]) -> dict[str, list[Any]]:
    """The fields in which protocols differ so that their scores say nothing about each other, with each one's value.

    What is not known may differ, so it counts as differing.
    """
    found = {}
    for field in dataclasses.fields(Protocol):
        values = [getattr(protocol, field.name) for protocol in protocols]
        if field.name not in _MAY_DIFFER and any(value != values[0] or value == UNKNOWN for value in values):
            found[field.name] = values
    return found
