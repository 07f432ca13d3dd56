"""Values of RESP, made by hand, and a conversation with Redis."""

from __future__ import annotations

from hypothesis import strategies as st

from utils.wire.resp import HOLDERS, STRINGS, Kind
from utils.wire.units import Side

_WORDS = st.binary(max_size=20).map(lambda word: word.translate(None, b"\r\n"))
_NUMBERS = st.integers(-(10**25), 10**25).map(lambda number: str(number).encode())
_DOUBLES = st.floats().map(lambda number: repr(number).encode())

_LEAVES = st.one_of(
    st.tuples(st.just(Kind.SIMPLE), _WORDS),
    st.tuples(st.just(Kind.ERROR), _WORDS),
    st.tuples(st.sampled_from([Kind.INTEGER, Kind.BIG_NUMBER]), _NUMBERS),
    st.tuples(st.sampled_from(sorted(STRINGS, key=str)), st.binary(max_size=60)),
    st.just((Kind.NULL, b"")),
    st.tuples(st.just(Kind.BOOLEAN), st.sampled_from([b"t", b"f"])),
    st.tuples(st.just(Kind.DOUBLE), _DOUBLES),
)

#: Values: (kind, bytes), or (kind, [values]).
VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([Kind.ARRAY, Kind.SET, Kind.PUSH]), st.lists(inner, max_size=4)),
        st.tuples(
            st.sampled_from([Kind.MAP, Kind.ATTRIBUTE]),
            st.lists(st.tuples(inner, inner), max_size=3).map(
                lambda pairs: [x for pair in pairs for x in pair]
            ),
        ),
    ),
    max_leaves=12,
)


def encoded(value) -> bytes:
    """A value's bytes."""
    kind, content = value
    if kind in HOLDERS:
        return kind.value + b"%d\r\n" % (len(content) // HOLDERS[kind]) + b"".join(map(encoded, content))
    if kind in STRINGS:
        return kind.value + b"%d\r\n%b\r\n" % (len(content), content)
    return kind.value + content + b"\r\n"


def command(*words: bytes | str) -> bytes:
    """A command, as a client sends it."""
    strings = [word.encode() if isinstance(word, str) else word for word in words]
    return encoded((Kind.ARRAY, [(Kind.BULK, word) for word in strings]))


def push(*words: bytes, kind: Kind = Kind.PUSH) -> bytes:
    """What a subscriber is sent; of version 2 it is an array."""
    return encoded((kind, [(Kind.BULK, word) for word in words]))


#: What python-socketio 5.14 and later puts into the queue, and what it did before.
QUEUED = (
    b'{"method": "emit", "event": "bids placed", "data": [{"lot": 1}], "binary": false, "namespace": "/", '
    b'"room": "lot 1", "skip_sid": null, "callback": null, "host_id": "5a"}'
)
#: As ``pickle.dumps`` wrote it for {"method": "emit", "event": "x"}.
PICKLED = b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x06method\x94\x8c\x04emit\x94\x8c\x05event\x94\x8c\x01x\x94u."
#: It would call posix.getpid, which harms nobody.
CALLING = b"\x80\x04\x95\x17\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06getpid\x94\x93\x94)R\x94."

C, S = Side.CLIENT, Side.SERVER

TALK = [
    (C, command("HELLO", "3", "AUTH", "ada", "open sesame", "SETNAME", "one")),
    (S, encoded((Kind.MAP, [(Kind.BULK, b"server"), (Kind.BULK, b"redis"), (Kind.BULK, b"proto"), (Kind.INTEGER, b"3")]))),
    (C, command("SUBSCRIBE", "flask-socketio")),
    (S, push(b"subscribe", b"flask-socketio", b"1")),
    (C, command("PUBLISH", "flask-socketio", QUEUED) + command("PING")),
    (S, push(b"message", b"flask-socketio", QUEUED)),
    (S, b":2\r\n+PONG\r\n"),
    (C, b"GET a\r\n"),
    (S, b"$-1\r\n"),
    (S, push(b"pmessage", b"flask*", b"flask-socketio", CALLING, kind=Kind.ARRAY)),
    (C, command("GET", "b")),
    (S, b"|1\r\n+ttl\r\n:3600\r\n$1\r\nx\r\n"),
    (C, command("NO SUCH")),
    (S, b"-ERR unknown command\r\n"),
]  # fmt: skip
