"""Of traffic that keeps every rule, every byte is explained, nothing is a fault, and nothing is found."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.conforming import EXTENSIONS, conversation
from tests.wire_bytes import cut, talk, tiles
from utils.wire.conformance import findings
from utils.wire.units import Layer, SocketType

seeds = st.integers(0, 2**32 - 1)

#: Each form of STACK.md's "Wire forms" and of RFC 6455 and 7692 that a conversation must come to.
FORMS = {
    *(f"Socket.IO {kind.name}" for kind in SocketType),
    *(extension for extension, _, _ in EXTENSIONS),
    *("Engine.IO OPEN", "Engine.IO NOOP", "Engine.IO CLOSE", "Engine.IO PING and PONG", "probe"),
    *("with auth", "without auth", "namespace", "acknowledgement id", "msgpack packet"),
    *("record separator", "base64 attachment", "binary attachment", "JSONP answer", "JSONP form"),
    *(
        "chunked body",
        "chunk extension",
        "body in gzip",
        "body in deflate",
        "body until the end of the connection",
    ),
    *("keep-alive", "answer without a body", "no Engine.IO", "the 101 and the first frame in one segment"),
    *("fragments", "a control frame between fragments", "WebSocket ping", "close code"),
    *("deflated by the client", "deflated by the server"),
}


def test_every_form_comes_up():
    seen = set().union(*(conversation(random.Random(seed))[1] for seed in range(200)))
    assert seen >= FORMS


@given(seeds)
def test_every_byte_is_explained_and_nothing_is_amiss(seed):
    pieces, _ = conversation(random.Random(seed))
    units = talk(pieces)
    for unit in units:
        tiles(unit)
        assert unit.faults == ()
        assert unit.layer is not Layer.UNKNOWN
        assert unit.unexplained == 0, unit.explain()
        for span in unit.explain():
            assert span.label and span.meaning and span.clause, span
    assert findings(units) == ()


@given(seeds)
def test_however_it_is_cut_it_is_the_same(seed):
    chance = random.Random(seed)
    pieces, _ = conversation(chance)
    assert talk(cut(pieces, chance)) == talk(pieces)
