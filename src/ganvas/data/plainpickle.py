"""Pickled lists, dictionaries and byte arrays, read without running a pickle.

The operations of a pickle are read one by one and only those that build plain values are carried out here, on
stand-ins; nothing is imported and nothing is called, so there is nothing that a hostile file could use.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_OPERATIONS = 5_000_000
_MARK = object()
_KNOWN = {  # by module, as numpy 1 and numpy 2 name them
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct"},
    "numpy._core.multiarray": {"_reconstruct"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "_codecs": {"encode"},
}


class NotPlain(Exception):
    """A pickle that is damaged, or asks for anything but plain values; the message says what."""


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


@dataclass
class _Array:
    state: Any = None


@dataclass
class _Type:
    name: Any


def read_plain(content: bytes) -> Any:
    """The value of a pickle of dictionaries, lists, numbers, text, bytes and uint8 arrays. Raises NotPlain.

    Text of Python 2 comes as bytes.
    """
    try:
        return _plain(_run(content))
    except NotPlain:
        raise
    except Exception as error:  # damaged operations surface as IndexError, ValueError, KeyError and others
        raise NotPlain(f"it is damaged ({type(error).__name__}: {error})") from None


def _run(content: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
        name = operation.name
        if name == "STOP":
            return stack.pop()
        if count > MAX_OPERATIONS:
            raise NotPlain("it is far longer than such data is")
        if name in _PUSHES:
            stack.append(_PUSHES[name](argument))
        elif name in _BUILDS:
            _BUILDS[name](stack)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[_expect(argument, int)] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[_expect(argument, int)])
        elif name not in ("PROTO", "FRAME"):
            raise NotPlain(f"it holds the operation {name}, which plain values do not need")
    raise NotPlain("it has no end")


def _since_mark(stack: list[Any]) -> list[Any]:
    place = len(stack) - 1 - next(i for i, item in enumerate(reversed(stack)) if item is _MARK)
    items = stack[place + 1 :]
    del stack[place:]
    return items


def _last(stack: list[Any], count: int) -> list[Any]:
    if len(stack) < count:
        raise NotPlain("it is damaged")
    items = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return items


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if not all(isinstance(key, (str, bytes, int)) for key in items[::2]):  # hashing a deep tuple overflows the C stack
        raise NotPlain("it has a dictionary whose keys are not text or numbers")
    return dict(zip(items[::2], items[1::2], strict=True))


def _extend(stack: list[Any], items: list[Any]) -> None:
    _expect(stack[-1], list).extend(items)


def _update(stack: list[Any], items: list[Any]) -> None:
    _expect(stack[-1], dict).update(_pairs(items))


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise NotPlain(f"it has a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _known(module: Any, name: Any) -> _Global:
    if _expect(name, str) not in _KNOWN.get(_expect(module, str), ()):
        raise NotPlain(f"it asks for {module[:80]}.{name[:80]}, which plain data does not need")
    return _Global(module, name)


def _called(stack: list[Any]) -> None:
    """REDUCE: what a call would give, for the few calls that numpy's and Python's own byte arrays are saved as."""
    function, arguments = _last(stack, 2)
    match function.name if isinstance(function, _Global) else None:
        case "_reconstruct":
            stack.append(_Array())
        case "_frombuffer":
            values, kind, shape, order = arguments
            stack.append(_Array((1, shape, kind, order == "F", values)))
        case "dtype":
            stack.append(_Type(arguments[0]))
        case "encode":
            stack.append(_expect(arguments[0], str).encode("latin-1"))
        case _:
            raise NotPlain("it calls something that is not plain data")


def _built(stack: list[Any]) -> None:
    """BUILD: give an array its shape and bytes; a type's details (its byte order) do not matter for bytes."""
    (state,) = _last(stack, 1)
    if isinstance(stack[-1], _Array):
        stack[-1].state = state
    elif not isinstance(stack[-1], _Type):
        raise NotPlain("it changes something that is not plain data")


def _plain(value: Any) -> Any:
    """The array of an array's stand-in, one level deep in a dictionary, where data sets keep theirs."""
    if isinstance(value, dict):
        return {key: _to_array(inner) if isinstance(inner, _Array) else inner for key, inner in value.items()}
    return _to_array(value) if isinstance(value, _Array) else value


def _to_array(array: _Array) -> np.ndarray:
    _, shape, kind, fortran, content = array.state
    if kind.name not in ("u1", b"u1", "uint8") or fortran:
        raise NotPlain("it holds an array of something else than bytes in rows")
    content = content.encode("latin-1") if isinstance(content, str) else bytes(_expect_bytes(content))
    return np.frombuffer(content, np.uint8).reshape(tuple(int(side) for side in shape))


def _expect_bytes(value: Any) -> bytes | bytearray:
    if not isinstance(value, (bytes, bytearray)):
        raise NotPlain("it has an array without bytes")
    return value


def _old_text(value: str) -> bytes:
    return value.encode("latin-1")


def _same(value: Any) -> Any:
    return value


_PUSHES: dict[str, Callable[[Any], Any]] = {
    "MARK": lambda _: _MARK,
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "GLOBAL": lambda both: _known(*both.split(" ", 1)),
    **dict.fromkeys(["STRING", "BINSTRING", "SHORT_BINSTRING"], _old_text),
    **dict.fromkeys(["BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"], _same),
    **dict.fromkeys(["UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"], _same),
    **dict.fromkeys(["INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"], _same),
}
_BUILDS: dict[str, Callable[[list[Any]], None]] = {
    "LIST": lambda stack: stack.append(_since_mark(stack)),
    "DICT": lambda stack: stack.append(_pairs(_since_mark(stack))),
    "TUPLE": lambda stack: stack.append(tuple(_since_mark(stack))),
    "TUPLE1": lambda stack: stack.append(tuple(_last(stack, 1))),
    "TUPLE2": lambda stack: stack.append(tuple(_last(stack, 2))),
    "TUPLE3": lambda stack: stack.append(tuple(_last(stack, 3))),
    "APPEND": lambda stack: _extend(stack, _last(stack, 1)),
    "APPENDS": lambda stack: _extend(stack, _since_mark(stack)),
    "SETITEM": lambda stack: _update(stack, _last(stack, 2)),
    "SETITEMS": lambda stack: _update(stack, _since_mark(stack)),
    "STACK_GLOBAL": lambda stack: stack.append(_known(*_last(stack, 2))),
    "REDUCE": _called,
    "BUILD": _built,
}
