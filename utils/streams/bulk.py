"""The Socket.IO packets of many text messages at once.

The rule kept here: an event or an acknowledgement about which nothing is
unusual is told by columns, its JSON by a fast decoder; and it equals what
:func:`utils.wire.socketio.decode` gives.  Any other message is left to whoever
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from utils.streams.payloads import Payloads
from utils.streams.windows import Integers
from utils.wire import socketio
from utils.wire.units import SocketPacket, SocketType

_MESSAGE, _EVENT, _ACK = b"423"
_ARRAY, _SLASH, _COMMA, _ZERO = b"[/,0"

#: The longest acknowledgement id that a column holds, in digits.
_MOST_DIGITS = 18

#: By the code in a column; 0 is for whatever is unusual.
_TYPES = np.array([None, SocketType.EVENT, SocketType.ACK], object)

_parse = msgspec.json.Decoder(list).decode
_new = tuple.__new__


def packets(
    texts: Payloads, otherwise: Callable[[int], Iterable[SocketPacket]], begin: int = 0
) -> Iterator[tuple[int, SocketPacket]]:
    """The packets of whole Engine.IO messages, the ``4`` included, each with its message's number.

    Of a message that is unusual, ``otherwise`` gives the packets, by its
    number, which counts from ``begin``.  They come one by one: many that live
    at once would keep the garbage collector busy.
    """
    buffer, packet_type, event, parse, new = texts.buffer, SocketPacket, SocketType.EVENT, _parse, _new
    place = begin - 1
    for kind, namespace, number, at, end in _heads(texts):
        place += 1
        if kind is not None:
            try:
                data = parse(buffer[at:end])
            except (ValueError, RecursionError):
                pass  # a decoder of its own: whatever it refuses is looked at again
            else:
                if kind is not event or (data and type(data[0]) is str):
                    # As SocketPacket(...) does, at half the cost.
                    yield place, new(packet_type, (kind, namespace, number, data, 0))
                    continue
        for packet in otherwise(place):
            yield place, packet


def _heads(texts: Payloads) -> Iterator[tuple[SocketType | None, str, int | None, int, int]]:
    """For each message: type (None for an unusual one), namespace, id, and where its JSON is."""
    byte = np.frombuffer(texts.buffer + b"\0", np.uint8)
    begins, ends = texts.begins, texts.ends
    first, second = byte[begins], byte[np.minimum(begins + 1, len(byte) - 1)]
    codes = np.where(second == _EVENT, 1, 2) * ((first == _MESSAGE) & ((second == _EVENT) | (second == _ACK)))
    arrays = _next(byte, _ARRAY, begins)
    codes[arrays >= ends] = 0
    ids = begins + 2
    namespaces = ["/"] * len(begins)
    named = np.flatnonzero((codes > 0) & (byte[np.minimum(ids, len(byte) - 1)] == _SLASH))
    if len(named):
        commas = _next(byte, _COMMA, ids[named])
        ids[named] = commas + 1
        for place, slash, comma in zip(
            named.tolist(), (begins[named] + 2).tolist(), commas.tolist(), strict=True
        ):
            name = texts.buffer[slash:comma]
            try:
                namespaces[place] = name.decode("utf-8")
            except UnicodeDecodeError:
                codes[place] = 0
            if b"?" in name:  # a query, which is no part of it
                codes[place] = 0
    numbers, sound = _numbers(byte, ids, arrays, codes > 0)
    codes[~sound] = 0
    for place in np.flatnonzero((codes > 0) & (ends - arrays > socketio.DEEPEST)).tolist():
        # Only long texts can be nested too deep, or hold too many values.
        if not socketio.shallow(texts.buffer[arrays[place] : ends[place]]):
            codes[place] = 0
    return zip(_TYPES[codes].tolist(), namespaces, numbers, arrays.tolist(), ends.tolist(), strict=True)


def _next(byte: NDArray[np.uint8], wanted: int, places: Integers) -> Integers:
    """Where ``wanted`` next stands, from each of the places on; behind the end if nowhere."""
    found = np.append(np.flatnonzero(byte == wanted), len(byte))
    next_ones: Integers = found[np.searchsorted(found, places)]
    return next_ones


def _numbers(
    byte: NDArray[np.uint8], begins: Integers, ends: Integers, wanted: NDArray[np.bool_]
) -> tuple[list[int | None], NDArray[np.bool_]]:
    """The numbers that stand there, None where nothing does; and whether nothing but digits does."""
    sizes = ends - begins
    sound = wanted & (sizes >= 0) & (sizes <= _MOST_DIGITS)
    values = np.zeros(len(sizes), np.int64)
    for at in range(int(sizes[sound].max(initial=0))):
        own = np.flatnonzero(sound & (sizes > at))
        digits = byte[begins[own] + at].astype(np.int64) - _ZERO
        sound[own[(digits < 0) | (digits > 9)]] = False
        values[own] = values[own] * 10 + digits
    numbers = values.astype(object)
    numbers[sizes == 0] = None
    return numbers.tolist(), sound
