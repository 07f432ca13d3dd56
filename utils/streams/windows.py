"""Records out of a buffer, at many places at once.

The rule kept here: a place needs no alignment (headers stand where the packets
before them end), and each record is copied once, whole: its fields are views.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Integers = NDArray[Any]


class Window:
    """All the records of one kind in ``data``, whatever byte they begin at."""

    def __init__(self, data: bytes, kind: DTypeLike) -> None:
        size = np.dtype(kind).itemsize
        # Of data shorter than a record the first record is zeros: whoever asks for no matter which finds one.
        whole = data if len(data) >= size else bytes(size)
        self._records = np.ndarray((len(whole) - size + 1,), kind, whole, strides=(1,))

    def __call__(self, places: Integers) -> NDArray[Any]:
        """The records that begin at ``places``; each must lie in the buffer to its end."""
        return self._records[places]


def layout(size: int, **fields: tuple[str, int] | tuple[Any, int]) -> np.dtype[Any]:
    """A record of ``size`` bytes, by the type and the place of the fields that matter."""
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype(
        {"names": list(fields), "formats": list(formats), "offsets": list(offsets), "itemsize": size}
    )
