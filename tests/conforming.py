"""Traffic that keeps every rule, in every form that the stack has: what a reader must explain to the last byte.

One conversation is one connection, drawn by chance.  ``Speaker.forms`` tells
which forms it came to use, so that a test can see that none was left out.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from tests.wire_bytes import ACCEPT, KEY, framed
from utils.wire.units import Side

Pieces = list[tuple[Side, bytes]]

C, S = Side.CLIENT, Side.SERVER
WORDS = ["bid", "é€", "", "a b", "\\", '"', "😀", "/", "1", "x" * 200, "\u2028"]
NAMESPACES = ["", "/admin,", "/a/b,", "/é,"]

#: What a 101 may agree on: (the field's value, whether the client's and the server's window go on).
EXTENSIONS: list[tuple[str, bool, bool]] = [
    ("permessage-deflate", True, True),
    ("permessage-deflate; server_no_context_takeover", True, False),
    ("permessage-deflate; client_no_context_takeover", False, True),
    ("permessage-deflate; client_no_context_takeover; server_no_context_takeover", False, False),
    ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=11", True, True),
]

HANDSHAKE = {
    "sid": "lv_VI97HAXpY6yYWAAAB",
    "upgrades": ["websocket"],
    "pingInterval": 25000,
    "pingTimeout": 20000,
}


class Deflater:
    """One side's permessage-deflate (RFC 7692, section 7.2.1)."""

    def __init__(self, takeover: bool, bits: int = 15) -> None:
        self._takeover, self._bits = takeover, bits
        self._begin()

    def _begin(self) -> None:
        self._packer = zlib.compressobj(wbits=-self._bits)

    def __call__(self, data: bytes) -> bytes:
        packed = self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        if not self._takeover:
            self._begin()
        return packed[:-4]


class Speaker:
    """Says, by chance, what conforms."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.forms: set[str] = set()
        self.deflate: dict[Side, Deflater] = {}
        self._acks = iter(range(10**6))
        self._keys = iter(range(10**6))

    def form(self, name: str) -> None:
        self.forms.add(name)

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    # ── JSON and Socket.IO ───────────────────────────────────────────────────

    def value(self, depth: int = 0) -> Any:
        kind = self.chance.randrange(8 if depth < 3 else 6)
        plain = [
            None,
            True,
            self.chance.randint(-(2**53), 2**53),
            self.chance.random(),
            self.chance.choice(WORDS),
            1e300,
        ]
        if kind < 6:
            return plain[kind]
        inner = [self.value(depth + 1) for _ in range(self.chance.randrange(3))]
        return inner if kind == 6 else {self.chance.choice(WORDS): item for item in inner}

    def json(self, data: Any) -> str:
        separators = self.chance.choice([(",", ":"), (", ", ": ")])
        return json.dumps(data, ensure_ascii=self.maybe(), separators=separators)

    def packet(self, side: Side) -> list[str | bytes]:
        """A Socket.IO packet, with the attachments that follow it."""
        kinds = {
            C: ["CONNECT", "EVENT", "BINARY_EVENT", "DISCONNECT"],
            S: ["EVENT", "BINARY_EVENT", "CONNECT_ERROR"],
        }
        kind = self.chance.choice([*kinds[side], "EVENT", "ACK", "BINARY_ACK"])
        self.form(f"Socket.IO {kind}")
        namespace = self.chance.choice(NAMESPACES)
        if namespace:
            self.form("namespace")
        if kind == "CONNECT":
            # A namespace of its own, which nobody speaks in before it is confirmed: it never is.
            namespace = f"/fresh{next(self._acks)},"
            auth = self.chance.choice(["", '{"token":"let me in"}'])
            self.form(f"{'with' if auth else 'without'} auth")
            return [f"40{namespace}{auth}"]
        if kind == "DISCONNECT":
            return [f"41/left{next(self._acks)},"]
        if kind == "CONNECT_ERROR":
            return [f"44/no{next(self._acks)}," + self.json({"message": "no", "data": {"code": 7}})]
        values = [self.value() for _ in range(self.chance.randrange(4))]
        if kind in ("EVENT", "BINARY_EVENT"):
            values.insert(0, self.chance.choice(["bid", "é", 'a "quoted" name', "x" * 130]))
        number = ""
        if kind in ("ACK", "BINARY_ACK") or self.maybe(0.3):
            number = str(next(self._acks))
            self.form("acknowledgement id")
        if kind in ("EVENT", "ACK"):
            return [f"4{2 if kind == 'EVENT' else 3}{namespace}{number}{self.json(values)}"]
        many = self.chance.randint(1, 3)
        values += [{"_placeholder": True, "num": place} for place in range(many)]
        attachments = [self.chance.randbytes(self.chance.choice((0, 1, 30, 300))) for _ in range(many)]
        digit = 5 if kind == "BINARY_EVENT" else 6
        # What begins as a packet of the msgpack parser would is one: no attachment does here.
        attachments = [b"\x01" + attachment for attachment in attachments]
        return [f"4{digit}{many}-{namespace}{number}{self.json(values)}", *attachments]

    # ── polling ──────────────────────────────────────────────────────────────

    def payload(self, side: Side, first: str = "") -> str:
        """Engine.IO packets as one polling body's text."""
        parts: list[str | bytes] = [first] if first else []
        for _ in range(self.chance.randint(0 if parts else 1, 4)):
            parts += self.packet(side)
        if side is S and not first and self.maybe(0.2):
            parts.append("6")
            self.form("Engine.IO NOOP")
        if len(parts) > 1:
            self.form("record separator")
        encoded = []
        for part in parts:
            if isinstance(part, bytes):
                self.form("base64 attachment")
                encoded.append("b" + base64.b64encode(part).decode())
            else:
                encoded.append(part)
        return "\x1e".join(encoded)

    def fields(self) -> str:
        known = [
            "Host: 127.0.0.1:5000", "User-Agent: test/1.0 (x; y)", "Accept: */*", "Cookie: a=b; c=d", "X-Odd.Name_: é",
            "Authorization: Bearer abc.def", "Empty:", "Origin: http://127.0.0.1:5000", "Vary: Origin, Cookie",
        ]  # fmt: skip
        return "".join(
            f"{field}\r\n" for field in self.chance.sample(known, self.chance.randrange(len(known)))
        )

    def target(self, transport: str, jsonp: int | None, opened: bool) -> str:
        parts = ["EIO=4", f"transport={transport}", f"t={self.chance.randrange(10**6):x}"]
        parts += ["sid=abc"] if opened else []
        parts += [f"j={jsonp}"] if jsonp is not None else []
        parts += ["token=a%20secret"] if self.maybe(0.2) else []
        self.chance.shuffle(parts)
        return "/socket.io/?" + "&".join(parts)

    def body(self, data: bytes, *, response: bool, coded: bool) -> tuple[str, bytes]:
        """Fields and bytes of a body: compressed, in chunks, or as it is."""
        fields = ""
        if coded:
            coding, pack = self.chance.choice([
                ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda d: zlib.compress(d)[2:-4]),
            ])  # fmt: skip
            data = pack(data)
            fields += f"Content-Encoding: {coding}\r\n"
            self.form(f"body in {coding}")
        if not self.maybe(0.4):
            return f"{fields}Content-Length: {len(data)}\r\n", data
        self.form("chunked body")
        made = b""
        at = 0
        while at < len(data):
            part = data[at : at + self.chance.choice((1, 7, 100, 5000))]
            extension = self.chance.choice(["", "", ";name=value", ' ; x="y"'])
            self.form("chunk extension" if extension else "chunk")
            made += f"{len(part):{self.chance.choice('xX')}}{extension}\r\n".encode() + part + b"\r\n"
            at += len(part)
        trailer = self.chance.choice(["", "", "X-Trailer: yes\r\n"])
        return f"{fields}Transfer-Encoding: chunked\r\n", made + f"0\r\n{trailer}\r\n".encode()

    def poll(self, opened: bool = True) -> Pieces:
        """A GET, answered with packets."""
        jsonp = self.chance.randrange(9) if self.maybe(0.2) else None
        asked = f"GET {self.target('polling', jsonp, opened)} HTTP/1.1\r\n{self.fields()}\r\n"
        if opened:
            text = self.payload(S)
        else:
            self.form("Engine.IO OPEN")
            text = self.payload(S, "0" + self.json(HANDSHAKE))
        body = text.encode()
        kind = "text/plain; charset=UTF-8"
        if jsonp is not None:
            self.form("JSONP answer")
            body = f"___eio[{jsonp}]({json.dumps(text)});".encode()
            kind = "text/javascript"
        framing, raw = self.body(body, response=True, coded=self.maybe(0.3))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{self.fields()}{framing}\r\n"
        return [(C, asked.encode()), (S, head.encode() + raw)]

    def post(self) -> Pieces:
        text = self.payload(C)
        jsonp = self.maybe(0.2)
        body = text.encode()
        if jsonp:
            self.form("JSONP form")
            body = b"d=" + quote_plus(text).encode()
        framing, raw = self.body(body, response=False, coded=False)
        target = self.target("polling", 1 if jsonp else None, True)
        asked = f"POST {target} HTTP/1.1\r\n{self.fields()}{framing}\r\n"
        framing, told = self.body(b"ok" if jsonp else b"OK", response=True, coded=False)
        return [(C, asked.encode() + raw), (S, f"HTTP/1.1 200 OK\r\n{framing}\r\n".encode() + told)]

    def other(self) -> Pieces:
        """What a page asks for besides."""
        self.form("no Engine.IO")
        status = self.chance.choice(
            ["200 OK", "304 Not Modified", "204 No Content", "404 Not Found", "400 Bad Request"]
        )
        asked = f"{self.chance.choice(['GET', 'HEAD', 'OPTIONS'])} /auctions?page=2 HTTP/1.1\r\n{self.fields()}\r\n"
        head = f"HTTP/1.1 {status}\r\n{self.fields()}"
        if asked.startswith("HEAD") or status[0] == "3" or status.startswith("204"):
            self.form("answer without a body")
            return [(C, asked.encode()), (S, f"{head}\r\n".encode())]
        page = self.chance.choice(['{"code":1,"message":"no"}', "<!doctype html><p>é", ""])
        kind = "application/json" if page.startswith("{") else "text/html"
        framing, raw = self.body(page.encode(), response=True, coded=self.maybe(0.3))
        return [(C, asked.encode()), (S, f"{head}Content-Type: {kind}\r\n{framing}\r\n".encode() + raw)]

    # ── WebSocket ────────────────────────────────────────────────────────────

    def frame(self, side: Side, payload: bytes, opcode: int, fin: bool = True, rsv: int = 0) -> bytes:
        key = (next(self._keys) * 0x9E3779B1 % 2**32).to_bytes(4)
        return framed(payload, opcode=opcode, fin=fin, rsv=rsv, client=side is C, key=key)

    def message(self, side: Side, said: str | bytes) -> bytes:
        """A WebSocket message: compressed or not, in one frame or several, with control frames between."""
        opcode = 1 if isinstance(said, str) else 2
        data = said.encode() if isinstance(said, str) else said
        rsv = 0
        deflate = self.deflate.get(side)
        if deflate is not None and self.maybe(0.8):
            self.form(f"deflated by the {side.value}")
            rsv, data = 4, deflate(data)
        if not self.maybe(0.25):
            return self.frame(side, data, opcode, rsv=rsv)
        self.form("fragments")
        edges = sorted(self.chance.randrange(len(data) + 1) for _ in range(self.chance.randint(1, 3)))
        parts = [data[a:b] for a, b in zip([0, *edges], [*edges, len(data)], strict=True)]
        made = b""
        for place, part in enumerate(parts):
            made += self.frame(
                side, part, 0 if place else opcode, place == len(parts) - 1, 0 if place else rsv
            )
            if place < len(parts) - 1 and self.maybe(0.3):
                self.form("a control frame between fragments")
                made += self.frame(side, b"there?", 10)
        return made

    def said(self, side: Side) -> bytes:
        if self.maybe(0.1):
            self.form("msgpack packet")
            return self.message(side, b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa3bid\xcd\x04\xe2")
        parts = self.packet(side)
        if len(parts) > 1:
            self.form("binary attachment")
        return b"".join(self.message(side, part) for part in parts)

    def heartbeat(self) -> Pieces:
        if self.maybe(0.3):
            self.form("WebSocket ping")
            data = self.chance.randbytes(self.chance.randrange(126))
            return [(S, self.frame(S, data, 9)), (C, self.frame(C, data, 10))]
        self.form("Engine.IO PING and PONG")
        return [(S, self.message(S, "2")), (C, self.message(C, "3"))]

    def upgrade(self) -> Pieces:
        offered, agreed = "", ""
        if self.maybe(0.6):
            extension, client, server = self.chance.choice(EXTENSIONS)
            bits = (11, 12) if "window" in extension else (15, 15)
            self.deflate = {C: Deflater(client, bits[0]), S: Deflater(server, bits[1])}
            offered = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
            agreed = f"Sec-WebSocket-Extensions: {extension}\r\n"
            self.form(extension)
        asked = (
            f"GET {self.target('websocket', None, True)} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offered}{self.fields()}\r\n"
        )
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ACCEPT}\r\n{agreed}\r\n"
        )
        pieces: Pieces = [(C, asked.encode()), (S, answer.encode())]
        if self.maybe():
            self.form("probe")
            return [
                *pieces,
                (C, self.message(C, "2probe")),
                (S, self.message(S, "3probe")),
                (C, self.message(C, "5")),
            ]
        self.form("the 101 and the first frame in one segment")
        pieces[1] = (S, answer.encode() + self.message(S, "0" + self.json(HANDSHAKE)))
        return pieces

    def closing(self) -> Pieces:
        if self.maybe(0.3):
            self.form("Engine.IO CLOSE")
            return [(C, self.message(C, "1"))]
        code = self.chance.choice([1000, 1001, 1003, 1007, 1009, 1011, 1013, 3000, 4999])
        self.form("close code")
        reason = self.chance.choice([b"", "enough: é".encode()])
        return [(C, self.frame(C, code.to_bytes(2) + reason, 8)), (S, self.frame(S, code.to_bytes(2), 8))]


def conversation(chance: random.Random) -> tuple[Pieces, set[str]]:
    """One connection from its first byte, and the forms in it."""
    speaker = Speaker(chance)
    pieces: Pieces = []
    if speaker.maybe(0.7):
        pieces += speaker.poll(opened=False)
        steps: list[Callable[[], Pieces]] = [speaker.poll, speaker.post, speaker.other]
        for _ in range(chance.randrange(6)):
            pieces += chance.choice(steps)()
            speaker.form("keep-alive")
    if speaker.maybe(0.8):
        pieces += speaker.upgrade()
        for _ in range(chance.randrange(12)):
            if speaker.maybe(0.2):
                pieces += speaker.heartbeat()
            else:
                side = chance.choice([C, S])
                pieces.append((side, speaker.said(side)))
        if speaker.maybe(0.7):
            pieces += speaker.closing()
    elif speaker.maybe(0.3):
        speaker.form("body until the end of the connection")
        asked = f"GET {speaker.target('polling', None, True)} HTTP/1.0\r\n\r\n"
        pieces += [(C, asked.encode()), (S, b"HTTP/1.1 200 OK\r\n\r\n" + speaker.payload(S).encode())]
    return pieces, speaker.forms
