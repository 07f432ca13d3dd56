"""What the text of a snapshot says, as values that can be compared.

The rule kept here: what the recorder cut, hid or did not look into stays an
:class:`Unknown`, which equals nothing; of a long text that was cut, the digest
stands for it.  Nothing is evaluated: the grammar is that of
:mod:`utils.tracing.snapshots`, read token by token.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

#: Up to so many bytes a text is compared itself, beyond by its digest (the recorder's bound).
WHOLE_TEXT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """A value that is not known; ``text`` is what stands for it.  It equals nothing but itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A text of which the beginning and the digest are known; ``sha256`` is empty if it is not."""

    head: str | bytes
    length: int
    sha256: str


_STRING = re.compile(r"""b?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)
_CUT = re.compile(r"… \((\d+) in all(?:, sha256 ([0-9a-f]{64}))?\)")
_REST = re.compile(r"…(?: \(\d+ in all\))?")
_FOREIGN = re.compile(r"<[^<>]*>")
_SCALAR = re.compile(r"[^\s,:()\[\]{}'\"<>…]+")


@lru_cache(maxsize=20_000)
def read(text: str) -> Any:
    """The value that a snapshot's ``text`` tells; :class:`Unknown` for a text that tells none."""
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if "…" not in text and "<" not in text:
            return ast.literal_eval(text)
    try:
        value, end = _value(text, 0)
        return value if end == len(text) else Unknown(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return Unknown(text)


def _value(text: str, at: int) -> tuple[Any, int]:
    """The value at ``at``, and where it ends.  Raises ValueError where there is none."""
    if text.startswith("bytearray(", at):
        value, at = _value(text, at + len("bytearray("))
        if text.startswith("…", at):
            value, at = Unknown("…"), at + 1
        return value, _expect(text, at, ")")
    if found := _STRING.match(text, at):
        value, at = ast.literal_eval(found.group()), found.end()
        if cut := _CUT.match(text, at):
            return Cut(value, int(cut[1]), cut[2] or ""), cut.end()
        return value, at
    if found := _FOREIGN.match(text, at) or _REST.match(text, at):
        return Unknown(found.group()), found.end()
    opening = text[at : at + 1]
    if opening in ("[", "("):
        items, at = _items(text, at + 1, "]" if opening == "[" else ")")
        return (items if opening == "[" else tuple(items)), at
    if opening == "{":
        return _dict(text, at + 1)
    if found := _SCALAR.match(text, at):
        word = found.group()
        return (float(word) if word in ("inf", "-inf", "nan") else ast.literal_eval(word)), found.end()
    raise ValueError(f"no value at {at}")


def _items(text: str, at: int, closing: str) -> tuple[list[Any], int]:
    items: list[Any] = []
    while not text.startswith(closing, at):
        value, at = _value(text, at)
        items.append(value)
        if text.startswith(", ", at):
            at += 2
        elif text.startswith(",", at):
            at += 1
    return items, at + 1


def _dict(text: str, at: int) -> tuple[dict[Any, Any], int]:
    found: dict[Any, Any] = {}
    while not text.startswith("}", at):
        key, at = _value(text, at)
        if isinstance(key, Unknown):  # the rest was cut off
            return found | {"…": key}, _expect(text, at, "}")
        value, at = _value(text, _expect(text, at, ": "))
        found[key] = value
        if text.startswith(", ", at):
            at += 2
    return found, at + 1


def _expect(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise ValueError(f"no {mark!r} at {at}")
    return at + len(mark)


# ── as bytes ─────────────────────────────────────────────────────────────────


class Digest(NamedTuple):
    """Stands for bytes of that length that are not known themselves."""

    sha256: str


def key(data: bytes) -> bytes | Digest:
    """What ``data`` is looked up by: itself, or its digest if the recorder may have kept only that."""
    return data if len(data) <= WHOLE_TEXT else Digest(hashlib.sha256(data).hexdigest())


def keys(value: Any) -> Iterator[bytes | Digest]:
    """What a text or bytes may be looked up by; nothing for other values."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        yield key(value)
    elif isinstance(value, Cut) and value.sha256:
        yield Digest(value.sha256)


def length(value: Any) -> int:
    """How many bytes a text or bytes has, as far as that is known; 0 for other values."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    return value.length if isinstance(value, Cut) and isinstance(value.head, bytes) else 0


def composes(parts: Sequence[Any], data: bytes) -> bool:
    """Whether ``parts``, one after another, are ``data``; of a long one its digest is compared."""
    at = 0
    for part in parts:
        piece = data[at : at + length(part)]
        if key(piece) not in keys(part):
            return False
        at += len(piece)
    return at == len(data)


# ── as JSON ──────────────────────────────────────────────────────────────────


def canonical(value: Any) -> str | None:
    """The same text for all values that JSON writes alike; None if something in it is not known.

    Bytes count as the placeholders that Socket.IO puts in their place.
    """
    try:
        return json.dumps(_plain(value, [0]), sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None


def _plain(value: Any, attachments: list[int]) -> Any:
    if isinstance(value, Unknown) or (
        isinstance(value, Cut) and isinstance(value.head, str) and not value.sha256
    ):
        raise TypeError("not known")
    if isinstance(value, bytes) or (isinstance(value, Cut) and isinstance(value.head, bytes)):
        attachments[0] += 1
        return {"_placeholder": True, "num": attachments[0] - 1}
    if isinstance(value, Cut):
        return {"sha256": value.sha256}
    if isinstance(value, str):
        found = key(value.encode("utf-8", "surrogatepass"))
        return {"sha256": found.sha256} if isinstance(found, Digest) else value
    if isinstance(value, (list, tuple)):
        return [_plain(item, attachments) for item in value]
    if isinstance(value, dict):
        return {_name(name): _plain(item, attachments) for name, item in value.items()}
    return value


def _name(name: Any) -> str:
    """A dict's key as json.dumps writes it."""
    return name if isinstance(name, str) else str(json.dumps(name))


def inside(value: Any, wanted: str, depth: int = 6) -> bool:
    """Whether ``value``, or something in it, is written as the canonical JSON ``wanted``."""
    if canonical(value) == wanted:
        return True
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(inside(item, wanted, depth - 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(inside(item, wanted, depth - 1) for item in value)
    return False


def likeness(recorded: Any, data: Any) -> int | None:
    """How many values of ``recorded`` are known to stand in ``data``; None if one contradicts it.

    What was cut off contradicts nothing.  Bytes are like the placeholder for them.
    """
    if isinstance(recorded, Unknown):
        return 0
    if isinstance(recorded, (bytes, bytearray)) or (
        isinstance(recorded, Cut) and isinstance(recorded.head, bytes)
    ):
        return 1 if isinstance(data, dict) and data.get("_placeholder") is True else None
    if isinstance(recorded, Cut):
        same = isinstance(data, str) and data.startswith(str(recorded.head)) and len(data) == recorded.length
        return 1 if same else None
    if isinstance(recorded, (list, tuple)):
        if not isinstance(data, list):
            return None
        cut = bool(recorded) and isinstance(recorded[-1], Unknown) and len(recorded) <= len(data)
        return _alike(zip(recorded, data, strict=False)) if cut or len(recorded) == len(data) else None
    if isinstance(recorded, dict):
        known = {_name(name): item for name, item in recorded.items() if name != "…"}
        if not isinstance(data, dict) or not known.keys() <= data.keys():
            return None
        if len(known) < len(data) and "…" not in recorded:
            return None
        return _alike((item, data[name]) for name, item in known.items())
    return 1 if type(recorded) is type(data) and recorded == data else None


def _alike(pairs: Iterable[tuple[Any, Any]]) -> int | None:
    total = 0
    for recorded, data in pairs:
        found = likeness(recorded, data)
        if found is None:
            return None
        total += found
    return total


def resembles(value: Any, data: Any, depth: int = 6) -> bool:
    """Whether ``value``, or something in it, is a recorded container that is like ``data``."""
    if not isinstance(value, (list, tuple, dict)):
        return False
    if likeness(value, data):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and any(resembles(item, data, depth - 1) for item in inner)


def holds(value: Any, wanted: bytes | Digest, depth: int = 6) -> bool:
    """Whether ``value``, or something in it, is a text or bytes with the key ``wanted``."""
    if wanted in keys(value):
        return True
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(item, wanted, depth - 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds(item, wanted, depth - 1) for item in value)
    return False
