"""Spans of whole units, made when somebody looks.

The rule kept here: the spans tile the unit's raw bytes.  A masked byte stands
where its unmasked one is explained; compressed bytes are one block, because no
byte of theirs stands for one of the text's.
"""

from __future__ import annotations

from collections.abc import Sequence

from utils.redaction import scrub
from utils.wire import engineio, http, websocket
from utils.wire.body import Run
from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, shown
from utils.wire.units import Layer, Span

#: Fragments that stand further into their message than this are explained without what came before.
_FARTHEST = 1 << 16


def http_message(
    raw: bytes, head: http.Head, runs: Sequence[Run], content: bytes, carries_packets: bool
) -> tuple[Span, ...]:
    """The spans of a request or a response; ``content`` is its body, inflated."""
    tiler = Tiler()
    http.lay_head(tiler, head, raw)
    inner = Tiler()
    coded = head.get("content-encoding")
    if coded:
        what = f"Compressed ({shown(coded)}): no byte of it stands for one of the text's."
        size = sum(end - start for start, end in runs)
        told = engineio.decode_payload(content).told if carries_packets else scrub(shown(content))
        inner.lay(size, Layer.HTTP, "Compressed body", shown(told), what, "RFC 9110 §8.4")
    elif carries_packets:
        engineio.lay_payload(inner, content)
    elif "json" in head.get("content-type").lower():
        lay_json(inner, content.decode("utf-8", "surrogateescape"))
    inner.lay(
        sum(end - start for start, end in runs) - inner.at,
        Layer.HTTP,
        "Body",
        shown(scrub(shown(content, 400))),
        "What the message carries.",
        "RFC 9110 §6.4",
    )
    chunked = "chunked" in head.get("transfer-encoding").lower()
    _lay_runs(tiler, raw, runs, inner.spans)
    if chunked and tiler.at < len(raw):
        if runs:
            _lay_chunk_end(tiler, raw)
        what = "A chunk of no bytes, then an empty line: the body is complete."
        tiler.lay(len(raw) - tiler.at, Layer.HTTP, "Last chunk", "0", what, "RFC 9112 §7.1")
    return tiler.rest(len(raw))


def _lay_runs(tiler: Tiler, raw: bytes, runs: Sequence[Run], spans: Sequence[Span]) -> None:
    """Lay the body's spans, run by run, and the chunks' framing between the runs."""
    at = first = 0
    for number, (start, end) in enumerate(runs):
        if tiler.at < start:
            if number:
                _lay_chunk_end(tiler, raw)
            what = "The length of the data that follows, in hexadecimal."
            size = shown(raw[tiler.at : start].strip())
            tiler.lay(start - tiler.at, Layer.HTTP, "Chunk size", size, what, "RFC 9112 §7.1")
        until = at + end - start
        while first < len(spans) and spans[first].end <= at:
            first += 1
        last = first
        while last < len(spans) and spans[last].start < until:
            last += 1
        tiler.copy(spans[first:last], at, until)
        at = until


def _lay_chunk_end(tiler: Tiler, raw: bytes) -> None:
    size = 2 if raw[tiler.at : tiler.at + 1] == b"\r" else 1
    told = "CR LF" if size == 2 else "LF"
    tiler.lay(size, Layer.HTTP, "Chunk end", told, "Ends the chunk's data.", "RFC 9112 §7.1")


def frame(raw: bytes, header: websocket.Frame) -> tuple[Span, ...]:
    """The spans of a frame that is a whole message, or a control frame."""
    payload = websocket.unmask(header.key, raw[header.head :])
    tiler = Tiler()
    websocket.lay_header(tiler, header, raw)
    if header.opcode is websocket.Opcode.CLOSE:
        websocket.lay_close(tiler, payload)
    elif header.opcode.is_control:
        what = "Sent back unchanged by the other side."
        tiler.lay(len(payload), Layer.WEBSOCKET, "Application data", shown(payload), what, "RFC 6455 §5.5")
    elif header.opcode is websocket.Opcode.BINARY:
        engineio.lay_binary(tiler, payload)
    else:
        engineio.lay_text(tiler, payload.decode("utf-8", "surrogateescape"))
    return tiler.rest(len(raw))


def compressed(raw: bytes, header: websocket.Frame, whole: bytes | None) -> tuple[Span, ...]:
    """The spans of a frame of a deflated message; ``whole`` is the message that it ends, if it does."""
    tiler = Tiler()
    websocket.lay_header(tiler, header, raw)
    if whole is not None:
        told = shown(_told(whole))
    else:
        told = "cannot be inflated" if header.fin else "a part; the last frame tells what it is"
    what = "Deflated: no byte of it stands for one of the text's."
    tiler.lay(header.length, Layer.WEBSOCKET, "Compressed payload", told, what, "RFC 7692 §7.2")
    return tiler.rest(len(raw))


def _told(message: bytes) -> str:
    """What a message says, without its secrets; of bytes that are no text, themselves."""
    try:
        return engineio.decode_text(message.decode("utf-8")).told
    except UnicodeDecodeError:
        return shown(message)


def fragment(
    raw: bytes, header: websocket.Frame, opcode: websocket.Opcode, before: int, pieces: Sequence[bytes]
) -> tuple[Span, ...]:
    """The spans of a frame of several; ``pieces`` are the message's, of which ``before`` bytes precede it."""
    tiler = Tiler()
    websocket.lay_header(tiler, header, raw)
    payload = websocket.unmask(header.key, raw[header.head :])
    inner = Tiler()
    end = before + len(payload)
    known = b"".join(pieces)[:end] if end <= _FARTHEST else b""
    if len(known) < end:
        what = "A part of a message; its other frames tell what it is."
        tiler.lay(len(payload), Layer.WEBSOCKET, "Fragment", shown(payload), what, "RFC 6455 §5.4")
    elif opcode is websocket.Opcode.BINARY:
        engineio.lay_binary(inner, known)
    else:
        engineio.lay_text(inner, known.decode("utf-8", "surrogateescape"))
    tiler.copy(inner.spans, before, end)
    return tiler.rest(len(raw))
