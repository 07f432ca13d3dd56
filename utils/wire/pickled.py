"""Pickles, taken apart and never loaded.

The rule kept here: a pickle is a program, and this only reads its text: each
instruction with its name and its argument, as :mod:`pickletools` cuts them.
Nothing that it names is looked up, imported or called.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator
from typing import Any, NamedTuple

from utils.redaction import scrub
from utils.wire.tiling import Tiler, shown
from utils.wire.units import Layer

#: How a pickle of protocol 2 or later begins (PEP 307): PROTO, and its number.
BEGINNINGS = tuple(bytes([0x80, version]) for version in range(2, 6))

#: So many instructions are told one by one.
MOST = 2000

_CLAUSE = "Python: pickletools"

#: Of longer arguments, no more than this is told.
_MOST_SHOWN = 400

#: What the instructions do that make a pickle dangerous.
_ACTS = {
    "GLOBAL": "Imports a module and takes a name out of it.",
    "STACK_GLOBAL": "Imports the module and takes the name that were put on the stack before.",
    "INST": "Imports a class and calls it.",
    "OBJ": "Calls a class that was put on the stack.",
    "NEWOBJ": "Makes an object: calls the class's __new__.",
    "NEWOBJ_EX": "Makes an object: calls the class's __new__.",
    "REDUCE": "Calls what stands on the stack, whatever it is, with the arguments above it.",
    "BUILD": "Hands a state to the object, which may run its code.",
    "EXT1": "Takes what was registered under this number.",
    "EXT2": "Takes what was registered under this number.",
    "EXT4": "Takes what was registered under this number.",
}

#: Instructions that call something which the pickle itself names.
CALLING = frozenset({"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE"})

#: Instructions that put a text on the stack.
_TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")


class Instruction(NamedTuple):
    """One instruction of a pickle: ``start`` to ``end`` are its bytes."""

    start: int
    end: int
    name: str
    argument: str


def looks_pickled(data: bytes) -> bool:
    """Whether ``data`` begins as a pickle does."""
    return data.startswith(BEGINNINGS)


def instructions(data: bytes) -> Iterator[Instruction]:
    """The instructions of ``data``, until it ends, or something in it is none."""
    file = io.BytesIO(data)
    try:
        for opcode, argument, place in pickletools.genops(file):
            yield Instruction(place or 0, file.tell(), opcode.name, _text(argument))
    except (ValueError, ArithmeticError, LookupError):
        return


def names(data: bytes) -> tuple[str, ...]:
    """What a pickle would import, ``module.name`` each, as far as its text tells."""
    found: list[str] = []
    texts: list[str] = []
    for one in instructions(data):
        if one.name in _TEXTS:
            texts = [*texts[-1:], one.argument]
        elif one.name in ("GLOBAL", "INST"):
            found.append(one.argument.replace(" ", "."))
        elif one.name == "STACK_GLOBAL":
            found.append(".".join(texts))
    return tuple(dict.fromkeys(found))


def told(data: bytes) -> str:
    """A pickle in a few words."""
    found = list(instructions(data))
    calls = sum(one.name in CALLING for one in found)
    imported = ", ".join(names(data))
    if not imported:
        return f"a pickle of {len(found)} instructions that imports nothing"
    return f"a pickle that imports {shown(imported)}" + (f" and calls {calls}×" if calls else "")


def lay(tiler: Tiler, data: bytes) -> None:
    """Lay the instructions; what is none is left to others."""
    begin = tiler.at
    for number, one in enumerate(instructions(data)):
        if number >= MOST:
            break
        what = _ACTS.get(one.name, "An instruction of the pickle; it is read here, and not carried out.")
        value = shown(scrub(one.argument)) if one.argument else ""
        tiler.lay(begin + one.end - tiler.at, Layer.PAYLOAD, f"Pickle: {one.name}", value, what, _CLAUSE)


def _text(argument: Any) -> str:
    if argument is None:
        return ""
    if isinstance(argument, int):
        bits = argument.bit_length()
        return str(argument) if bits <= 256 else f"an integer of {bits:,} bits"
    if isinstance(argument, bytes | bytearray):
        return repr(bytes(argument[:_MOST_SHOWN]))
    return str(argument)[:_MOST_SHOWN]
