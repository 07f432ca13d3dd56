"""Inputs to begin with: the conversation made by hand, one example of each form, and the captures.

The rule kept here: every form that a decoder knows is in a seed, because a
fuzzer finds a handshake by chance only after years.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests import links
from tests.conforming import conversation
from tests.fuzz.scripts import write, write_segments
from tests.redis_bytes import PICKLED, TALK, command, push
from tests.traffic import said
from tests.wire_bytes import CONVERSATION, UPGRADE, framed, switching
from utils.wire.units import Side

_CAPTURES = Path(__file__).parents[2] / "captures"
_FORMS = [
    b'0{"sid":"x","upgrades":["websocket"],"pingInterval":25000}',
    b'40/admin,{"t":"ok"}\x1e42/admin,12["q",1]\x1e43/admin,12[1]\x1e44/admin,{"message":"no"}\x1e41/a?b=c,',
    b'451-["f",{"_placeholder":true,"num":0}]\x1ebAQID\x1e461-/a,1[{"_placeholder":true,"num":0}]\x1eb/w==',
    b'___eio[0]("42[\\"a\\",1]");',
    b"d=42%5B%22a%22%5D%1E2probe",
    b'12:0{"sid":"x"}2:40',
    b"\x00\x01\x04\xff42[]",
    b'42["a",-1.5e+10,true,null,NaN,"\\ud800\\n",{"":[]}]',
    b"\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a\xc4\x01\x00\xa2id\xcc\xff",
    b"\x83\xa4type\xd2\x00\x00\x00\x02\xa3nsp\xd9\x01/\xa4data\xdc\x00\x02\xcb@\x00\x00\x00\x00\x00\x00\x00\xc0",
]


def _answer(body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _connections() -> Iterator[bytes]:
    client, server = Side.CLIENT, Side.SERVER
    yield write(0, CONVERSATION)
    yield write(0, [(side, data[:-3]) for side, data in CONVERSATION])
    yield write(0, [piece for side, data in CONVERSATION for piece in ((side, data), (side, 3))])
    yield write(1, CONVERSATION[8:])
    yield write(5, [(client, framed("2probe")), (server, switching() + framed("3probe", client=False))])
    yield write(5, [(server, 200), (server, framed("3probe", client=False)), (client, framed("5"))])
    yield write(5, [(server, b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"), (client, UPGRADE)])
    yield write(1, [(client, framed("2")), (server, b"HTTP/1.1 400 Bad\r\n\r\n<!DOCTYPE HTML>")])
    for form in _FORMS:
        yield write(4, [(server, _answer(form))])
        yield write(1, [(client, framed(form, opcode=1)), (server, framed(form, client=False))])
        yield write(
            1,
            [
                (server, framed(form[:9], client=False, fin=False)),
                (server, framed(form[9:], client=False, opcode=0)),
            ],
        )
    body = _FORMS[1]
    for coding, packed in (("gzip", gzip.compress(body, mtime=0)), ("deflate", zlib.compress(body))):
        yield write(4, [(server, _answer(packed, f"Content-Encoding: {coding}\r\n"))])
    chunks = b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:40], body[40:]))
    yield write(
        4,
        [(server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nA: b\r\n\r\n")],
    )
    for beginning in (2, 3):
        packer = zlib.compressobj(wbits=-15)
        frames = []
        for _ in range(3):
            packed = (packer.compress(b'42["replaced values",1]') + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            frames.append((server, framed(packed, client=False, opcode=1, rsv=4)))
            if beginning == 3:
                packer = zlib.compressobj(wbits=-15)
        yield write(beginning, frames)
    for code in (0, 999, 1000, 1005, 3000, 65535):
        yield write(
            1, [(client, framed(code.to_bytes(2) + b"\xc3\xa9\xff", opcode=8)), (client, framed("2"))]
        )
    yield write(1, [(client, b"\x82\xff" + (2**63).to_bytes(8) + bytes(20)), (client, framed("2"))])


def _redis() -> Iterator[bytes]:
    """A conversation with Redis: whole, broken off, with holes; and the forms that it lacks."""
    yield write(0, TALK)
    yield write(0, [(side, data[:-3]) for side, data in TALK])
    yield write(0, [piece for side, data in TALK for piece in ((side, data), (side, 3))])
    yield write(0, [(Side.SERVER, push(b"message", b"a", PICKLED)), (Side.CLIENT, command("AUTH", "a", "b"))])
    yield write(0, [(Side.SERVER, b"~1\r\n#t\r\n=5\r\ntxt:x\r\n!3\r\nERR\r\n,1.5\r\n(99\r\n*-1\r\n_\r\n")])


def _captures() -> Iterator[bytes]:
    """A small file of every link type, of every packing, and of both formats."""
    for form in links.FORMS:
        yield links.pcap(form.link_type, *(form.packet(version, links.tcp(b"42[]")) for version in (4, 6)))
    plain = links.pcap(1, *(form.packet(4, links.tcp(b"2")) for form in links.FORMS if form.link_type == 1))
    yield from (
        pack(plain) for pack in (bz2.compress, lzma.compress, lambda data: gzip.compress(data, mtime=0))
    )


def _segments() -> Iterator[bytes]:
    """Conversations long enough to be passed over by columns, and the odd ones."""
    for base in (0, 1):
        yield write_segments(base, CONVERSATION)
        for deflated in (False, True):
            yield write_segments(
                base, said(random.Random(base), 40, deflated=deflated, fragments=0.1, odd=0.1)
            )
    for seed in range(4):
        yield write_segments(seed, conversation(random.Random(seed))[0], largest=90)


def seeds() -> dict[str, list[bytes]]:
    """The inputs to begin with, for each target."""
    captures = [path.read_bytes() for path in sorted(_CAPTURES.glob("*/*.pcapng"))]
    return {
        "connection": list(_connections()),
        "redis": list(_redis()),
        # The first byte chooses the decoder.
        "decoders": [
            bytes([n]) + form for n in range(7) for form in (*_FORMS, *(d for _, d in CONVERSATION))
        ],
        "capture": [*_captures(), *captures, *(gzip.compress(data, mtime=0) for data in captures[:1])],
        "segments": list(_segments()),
    }


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` with a few of the changes that fuzzers make, at random places."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(found) + 1)
        size = min(chance.choice((1, 1, 2, 4, 16, 64)), len(found) - at)
        match chance.randrange(7):
            case 0:
                found[at : at + size] = b""
            case 1:
                found[at:at] = found[at : at + size]
            case 2:
                found[at : at + size] = chance.randbytes(size)
            case 3:
                found[at:at] = chance.randbytes(size)
            case 4 if size:
                found[at] ^= 1 << chance.randrange(8)
            case 5:
                found[at : at + size] = chance.choice((b"\0", b"\xff", b"\r\n", b"[", b'"', b"\x1e")) * size
            case _:
                other = chance.randrange(len(found) + 1)
                found[at:at] = found[other : other + size]
    return bytes(found)
