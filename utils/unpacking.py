"""Packed files, unpacked as far as they may go.

The rule kept here: memory is taken for what is there, never for what is
allowed; a file of a few bytes that unpacks to gigabytes costs no more than the
bound.
"""

from __future__ import annotations

import gzip
from pathlib import Path

_PIECE = 1 << 20


def unpacked(path: Path, most: int) -> bytes:
    """What the gzip file holds, or its first ``most`` + 1 bytes: then it is too large.

    Raises OSError, EOFError or zlib.error if it is missing, cut off or none.
    """
    found = bytearray()
    with gzip.open(path, "rb") as packed:
        while len(found) <= most and (piece := packed.read(min(_PIECE, most + 1 - len(found)))):
            found += piece
    return bytes(found)
