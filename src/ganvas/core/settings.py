"""Settings: frozen, checked dataclasses, written to and read from TOML, changed by `a.b=value`.

A setting whose type admits None has None as its default, because TOML cannot say None: None is left out.
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform

import pydantic
import pydantic.dataclasses
import tomli_w
from pydantic import PlainValidator

from ganvas.core.errors import UsageError
from ganvas.core.parts import nearest
from ganvas.core.sizes import Size

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def settings(cls: type[T]) -> type[T]:
    """Class decorator: a frozen, keyword-only dataclass whose values are checked and whose keys are known."""
    config = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
    return pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=config)(cls)  # type: ignore[return-value]


def from_dict(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Build settings from plain values.

    where: the dotted place of these settings inside larger ones, for messages.
    Raises UsageError that names each unknown key (with the nearest known one), wrong type or impossible value.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{where or 'the settings'}: expected a table of settings, not {values!r}")
    try:
        return cls(**values)
    except pydantic.ValidationError as error:
        lines = [_explain(problem, cls, where) for problem in error.errors()[:5]]
        raise UsageError("\n".join(lines)) from None


def by_name(table: Any, where: str, usual: str) -> PlainValidator:
    """For a field with the settings of whichever part is named, so that its own keys are checked by its own class.

    table: from a name to the part, whose Settings these are. where: of the field, for messages. usual: the name where
    none is given.
    """

    def read(values: Any) -> Any:
        if dataclasses.is_dataclass(values):
            return values
        if not isinstance(values, Mapping):
            raise UsageError(
                f"{where}: expected a table of settings, not {values!r}; for another: {where}.name={usual}"
            )
        return from_dict(table(str(values.get("name", usual))).Settings, values, where)

    return PlainValidator(read)


def _explain(problem: Any, cls: type, where: str) -> str:
    place = [str(step) for step in problem["loc"]]
    dotted = ".".join(part for part in [where, *place] if part)
    if problem["type"] == "unexpected_keyword_argument":
        deeper = [name for name in _dotted_names(cls) if name.endswith(f".{place[-1]}")]
        known = _fields_at(cls, place[:-1])
        return f"{dotted} is not a setting: " + (f"did you mean {deeper[0]}?" if deeper else nearest(place[-1], known))
    if problem["type"] in ("missing", "missing_keyword_only_argument"):
        return f"{dotted} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{dotted or 'settings'}: {message[:1].lower()}{message[1:]} (got {problem['input']!r})"


def _dotted_names(cls: Any) -> Iterator[str]:
    for field in dataclasses.fields(cls):
        yield field.name
        if dataclasses.is_dataclass(field.type):
            yield from (f"{field.name}.{inner}" for inner in _dotted_names(field.type))


def _fields_at(cls: Any, place: list[str]) -> list[str]:
    for step in place:
        field = {f.name: f for f in dataclasses.fields(cls)}.get(step)
        options = [field.type, *getattr(field.type, "__args__", ())] if field else []
        cls = next((t for t in options if dataclasses.is_dataclass(t)), None)
        if cls is None:
            return []
    return [f.name for f in dataclasses.fields(cls)]


def to_dict(value: Any) -> dict[str, Any]:
    """The plain values of settings, nested, with None left out and tuples as lists, as TOML and JSON have them."""
    plain: dict[str, Any] = _plain(value)
    return plain


def _plain(item: Any) -> Any:
    if isinstance(item, Size):
        return item.plain
    if dataclasses.is_dataclass(item):
        item = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    if isinstance(item, Mapping):
        return {key: _plain(inner) for key, inner in item.items() if inner is not None}
    if isinstance(item, (list, tuple)):
        return [_plain(inner) for inner in item]
    return item


def to_toml(value: Any) -> str:
    """Settings as TOML text; `from_dict(cls, tomllib.loads(text))` gives them back."""
    return tomli_w.dumps(to_dict(value))


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises UsageError that names the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None


def override(values: dict[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """A copy of nested values with `a.b=value` assignments applied; each value is read as TOML, else as text.

    Raises UsageError for an assignment without "=" or one that goes below a plain value.
    """
    values = _copy(values)
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise UsageError(f"--set {assignment}: write it as name=value, for example training.batch=128")
        table = values
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise UsageError(f"--set {assignment}: {key} is a value and has no settings below it")
        table[keys[-1]] = _literal(text.strip())
    return values


def _copy(values: Any) -> Any:
    return {key: _copy(inner) for key, inner in values.items()} if isinstance(values, dict) else values


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
