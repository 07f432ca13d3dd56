"""Values as bounded, safe texts.

The rule kept here: to look at a value runs no code of others and changes
nothing.  Only values whose type is exactly one of Python's own plain types are
looked into, two levels deep and up to a bound; of all others only the type's
name is taken (and of a member of an enumeration, its own).  ``freeze`` copies
the little that is needed while the program runs; ``render`` makes the text
afterwards, and takes out what is secret by its name.  The text of a value that
is neither cut nor secret nor foreign (nor infinite) is a Python literal:
``ast.literal_eval`` gives the value back.

Where the value itself is evidence, in the functions that encode and decode,
``freeze_whole`` looks as deep as it goes, up to a larger bound; of a text
beyond that it keeps the digest, by which equality can still be proved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from enum import EnumType
from typing import Any

from utils.redaction import REDACTED, is_secret, scrub

#: Of a str or bytes, so many characters or bytes are kept.
MOST_TEXT = 1024
#: Of a list, tuple or dict, so many items.
MOST_ITEMS = 12
#: How far containers are looked into.
MOST_DEPTH = 2
#: The same bounds where a value is evidence: characters or bytes of a text, values in all, levels.
WHOLE_TEXT = 4096
WHOLE_VALUES = 2000
WHOLE_DEPTH = 16
#: Of a longer text the digest is taken, up to so many characters or bytes.
MOST_DIGESTED = 1 << 20
#: Bits of the largest int that is written out.
MOST_BITS = 512
#: Characters of a type's name.
MOST_NAME = 200


# The marks with which the tuple of a frozen value begins that is no scalar: (mark, length, content).
# Such tuples hold atoms and each other, so the garbage collector soon lets go of them.
_CUT, _LIST, _TUPLE, _DICT, _BYTEARRAY, _DIGESTED, _FOREIGN = range(7)

_type_name: Callable[[type], str] = type.__dict__["__name__"].__get__


def type_name(kind: type) -> str:
    """The name of ``kind``, or its beginning: past its metaclass, and as a plain str whatever it is."""
    return "".join((_type_name(kind),))[:MOST_NAME]


#: What stands for a value that is not looked into.
_Foreign = tuple[int, int, str]

#: id(type) → what stands for its values.
_foreign: dict[int, _Foreign] = {}
#: The types, kept so that their ids stay their own.
_kept: list[type] = []
#: Types beyond so many are named afresh each time.
_MOST_TYPES = 10_000


def freeze(value: Any, depth: int = MOST_DEPTH) -> Any:
    """A small immutable copy of ``value``, or of its beginning, for :func:`render`."""
    if value is None:
        return None
    kind = type(value)
    if kind is str or kind is bytes:
        return value if len(value) <= MOST_TEXT else (_CUT, len(value), value[:MOST_TEXT])
    if kind is int or kind is bool or kind is float:
        return value
    if kind is dict:
        return (_DICT, len(value), _items(value, depth) if depth else ())
    if kind is list or kind is tuple:
        head = value[:MOST_ITEMS] if depth else ()
        return (
            _LIST if kind is list else _TUPLE,
            len(value),
            tuple([freeze(item, depth - 1) for item in head]),
        )
    return _foreign.get(id(kind)) or _freeze_rare(value, kind)


def _freeze_rare(value: Any, kind: type) -> Any:
    if kind is bytearray:
        return (_BYTEARRAY, len(value), bytes(value[:MOST_TEXT]))
    if kind is type:
        return (_FOREIGN, 0, f"class {type_name(value)}")
    if type(kind) is EnumType:
        name = object.__getattribute__(value, "_name_")
        return (_FOREIGN, 0, f"{type_name(kind)}.{name}" if type(name) is str else type_name(kind))
    foreign = (_FOREIGN, 0, type_name(kind))
    if len(_foreign) < _MOST_TYPES:
        _kept.append(kind)
        _foreign[id(kind)] = foreign
    return foreign


def freeze_whole(value: Any) -> Any:
    """An immutable copy of all of ``value`` that the larger bounds allow, for :func:`render`."""
    if value is None:
        return None
    kind = type(value)
    if (kind is str or kind is bytes) and len(value) <= WHOLE_TEXT:
        return value
    # The most frequent are told apart first.
    return _foreign.get(id(kind)) or _freeze_whole(value, WHOLE_DEPTH, [WHOLE_VALUES])


def _freeze_whole(value: Any, depth: int, room: list[int]) -> Any:
    """As :func:`freeze`; ``room`` holds how many values may still be looked into."""
    kind = type(value)
    if kind is str or kind is bytes:
        if len(value) <= WHOLE_TEXT:
            return value
        if len(value) > MOST_DIGESTED:
            return (_CUT, len(value), value[:MOST_TEXT])
        return (_DIGESTED, len(value), (value[:MOST_TEXT], digest(value)))
    if kind is bytearray:
        copy = _freeze_whole(bytes(value[: MOST_DIGESTED + 1]), 0, room)
        return (
            (_BYTEARRAY, len(value), copy)
            if isinstance(copy, bytes) or copy[0] == _DIGESTED
            else freeze(value)
        )
    if kind is not dict and kind is not list and kind is not tuple:
        return freeze(value, 0)
    most = max(room[0], 0) if depth else 0
    room[0] -= min(len(value), most)
    if kind is dict:
        items = list(value.items())[:most]
        pairs = [(_freeze_whole(key, 0, room), _freeze_whole(item, depth - 1, room)) for key, item in items]
        return (_DICT, len(value), tuple(pairs))
    head = [_freeze_whole(item, depth - 1, room) for item in value[:most]]
    return (_LIST if kind is list else _TUPLE, len(value), tuple(head))


def digest(value: str | bytes) -> str:
    """The SHA-256 of ``value``, of a text's UTF-8 bytes, in hexadecimal."""
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data, usedforsecurity=False).hexdigest()


def _items(value: dict[Any, Any], depth: int) -> tuple[tuple[Any, Any], ...]:
    # A copy first, in one step: another thread may change the dict meanwhile.
    items = list(value.items())[:MOST_ITEMS]
    return tuple([(freeze(key, 0), freeze(item, depth - 1)) for key, item in items])


# ── texts ────────────────────────────────────────────────────────────────────


def render(frozen: Any, name: str = "") -> str:
    """The text of a frozen value that goes by ``name``."""
    if name and is_secret(name) and frozen is not None and not isinstance(frozen, bool):
        return REDACTED
    if isinstance(frozen, tuple):
        return _render_marked(frozen)
    if isinstance(frozen, str):
        return repr(scrub(frozen))
    if isinstance(frozen, bytes):
        return repr(scrub(frozen.decode("latin-1")).encode("latin-1"))
    if isinstance(frozen, int) and frozen.bit_length() > MOST_BITS:
        return f"<int of {frozen.bit_length()} bits>"
    return repr(frozen)


def _render_marked(frozen: tuple[Any, ...]) -> str:
    mark, length, content = frozen
    if mark == _FOREIGN:
        return f"<{content}>"
    if mark == _CUT:
        return f"{render(content)}… ({length} in all)"
    if mark == _DIGESTED:
        head, sha256 = content
        return f"{render(head)}… ({length} in all, sha256 {sha256})"
    if mark == _BYTEARRAY and isinstance(content, tuple):
        return f"bytearray({_render_marked(content)})"
    if mark == _BYTEARRAY:
        return f"bytearray({render(content)}){'…' if length > len(content) else ''}"
    if mark == _DICT:
        inside = [f"{render(key)}: {render(item, _name(key))}" for key, item in content]
        return _enclosed("{", inside, length, "}")
    if _is_named_pair(content, length):
        # A header as a pair of name and value.
        inside = [render(content[0]), REDACTED]
    else:
        inside = [render(item) for item in content]
    if mark == _LIST:
        return _enclosed("[", inside, length, "]")
    return _enclosed("(", inside, length, ",)" if length == 1 else ")")


def _is_named_pair(content: tuple[Any, ...], length: int) -> bool:
    """Whether it is a header: a secret name, and its value."""
    return length == 2 == len(content) and is_secret(_name(content[0]))


def _name(frozen: Any) -> str:
    """The name that ``frozen`` is; empty if it is none."""
    if isinstance(frozen, bytes):
        return frozen.decode("latin-1")
    return frozen if isinstance(frozen, str) else ""


def _enclosed(opening: str, inside: list[str], length: int, closing: str) -> str:
    if length > len(inside):
        inside = [*inside, f"… ({length} in all)"] if inside else ["…"]
        closing = closing[-1]
    return opening + ", ".join(inside) + closing


def render_arguments(names: Iterable[str], frozen: Iterable[Any]) -> dict[str, str]:
    """The texts of a call's arguments, by name and in the function's order."""
    return {name: render(value, name) for name, value in zip(names, frozen, strict=False)}
