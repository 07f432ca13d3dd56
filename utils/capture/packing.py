"""Compressed capture files: recognised by their first bytes, unpacked in memory.

The rule kept here: whatever a few bytes promise, no more than :data:`LARGEST`
comes out, and that it was cut is told; what is damaged gives what came before
the damage, and says so.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

#: What is packed may grow to this many bytes, no further: it may be a bomb.
LARGEST = 1 << 28

#: Bytes that are unpacked at a time; and the most that xz's dictionary may take.
_STEP = 1 << 20
_DICTIONARY = 1 << 27


class Unpacked(NamedTuple):
    """What a file holds, unpacked if it was packed."""

    data: bytes
    packing: str = ""  # the format's name; empty if it was not packed
    trouble: str = ""  # why ``data`` is not all of it; empty if it is


class Unknown(Exception):
    """The file is packed in a way that this Python cannot unpack; the argument is the format's name."""


class _Decompressor(Protocol):
    """What zlib, bz2 and lzma have in common, with zlib's oddities set aside."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the others' manners: it keeps by itself what it has not unpacked yet."""

    def __init__(self) -> None:
        self._one = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._one.eof

    @property
    def unused_data(self) -> bytes:
        return self._one.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._one.decompress(self._one.unconsumed_tail + data, max_length)


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY)


#: First bytes → the format's name, and what unpacks one member of it.
_FORMATS: dict[bytes, tuple[str, Callable[[], _Decompressor]]] = {
    b"\x1f\x8b": ("gzip", _Gzip),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", _xz),
}

#: Formats that the standard library cannot unpack, and the program that can.
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "Zstandard (zstd -d)",
    b"\x04\x22\x4d\x18": "LZ4 (lz4 -d)",
    b"PK\x03\x04": "ZIP (unzip)",
    b"7z\xbc\xaf\x27\x1c": "7-Zip (7z x)",
}


def unpack(data: bytes) -> Unpacked:
    """What ``data`` holds: itself, unless it is packed.

    Raises Unknown for a format that is recognised and cannot be unpacked here.
    """
    for magic, name in _FOREIGN.items():
        if data.startswith(magic):
            raise Unknown(name)
    for magic, (name, begin) in _FORMATS.items():
        if data.startswith(magic):
            content, trouble = _members(data, magic, begin)
            return Unpacked(content, name, trouble)
    return Unpacked(data)


def _members(data: bytes, magic: bytes, begin: Callable[[], _Decompressor]) -> tuple[bytes, str]:
    """The members of a packed file, one behind the other; and why this is not all, if it is not."""
    out = io.BytesIO()
    while data.startswith(magic):
        member, fed = begin(), data
        while not member.eof:
            left = LARGEST - out.tell()
            if not left:
                return out.getvalue(), f"it is unpacked up to {LARGEST >> 20} MiB and no further"
            try:
                part = member.decompress(fed, min(_STEP, left))
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                return out.getvalue(), f"what is packed is damaged ({error})"
            if not part and not fed and not member.eof:
                return out.getvalue(), "what is packed is cut off"
            out.write(part)
            fed = b""
        data = member.unused_data
    return out.getvalue(), "something else follows what is packed" if data.strip(b"\0") else ""
