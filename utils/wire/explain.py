"""Spans of whole units, made when somebody looks.

The rule kept here: the spans tile the unit's raw bytes.  A masked byte stands
where its unmasked one is explained; compressed bytes are one block, because no
byte of theirs stands for one of the text's.
"""

from __future__ import annotations

from utils.wire import engineio, http, websocket
from utils.wire.tiling import Tiler, shown
from utils.wire.units import Layer, Span


def http_message(raw: bytes, head: http.Head, body: http.Body, carries_packets: bool) -> tuple[Span, ...]:
    """The spans of a request or a response."""
    tiler = Tiler()
    http.lay_head(tiler, head, raw)
    coded = bool(head.get("content-encoding"))
    for start, end in body.runs:
        what = "The length of the data that follows, in hexadecimal."
        ended = 2 if tiler.at > head.size else 0
        tiler.lay(ended, Layer.HTTP, "Chunk end", "CR LF", "Ends the chunk's data.", "RFC 9112 §7.1")
        size = shown(raw[tiler.at : start].strip())
        tiler.lay(start - tiler.at, Layer.HTTP, "Chunk size", size, what, "RFC 9112 §7.1")
        if coded:
            what = "Compressed: no byte of it stands for one of the text's."
            value = f"{end - start} bytes, {head.get('content-encoding')}"
            tiler.lay(end - start, Layer.HTTP, "Compressed body", value, what, "RFC 9110 §8.4")
        elif carries_packets and len(body.runs) == 1:
            engineio.lay_payload(tiler, raw[start:end])
            tiler.rest(end)
        else:
            value = shown(raw[start:end])
            tiler.lay(end - start, Layer.HTTP, "Body", value, "What the message carries.", "RFC 9110 §6.4")
    if tiler.at < len(raw) and "chunked" in head.get("transfer-encoding").lower():
        ended = 2 if body.runs else 0
        tiler.lay(ended, Layer.HTTP, "Chunk end", "CR LF", "Ends the chunk's data.", "RFC 9112 §7.1")
        what = "A chunk of no bytes, and an empty line: the body is complete."
        tiler.lay(len(raw) - tiler.at, Layer.HTTP, "Last chunk", "0", what, "RFC 9112 §7.1")
    return tiler.rest(len(raw))


def frame(
    raw: bytes, header: websocket.Frame, payload: bytes, whole: bytes | None, alone: bool
) -> tuple[Span, ...]:
    """The spans of a frame; ``whole`` is the message that it ends, if it does."""
    tiler = Tiler()
    websocket.lay_header(tiler, header, raw)
    end = len(raw)
    if header.opcode is websocket.Opcode.CLOSE:
        websocket.lay_close(tiler, payload)
    elif header.opcode.is_control:
        what = "Sent back unchanged by the other side."
        tiler.lay(end - tiler.at, Layer.WEBSOCKET, "Application data", shown(payload), what, "RFC 6455 §5.5")
    elif header.rsv & 4:
        told = "cannot be inflated" if whole is None and header.fin else shown(whole or b"")
        what = "Deflated: no byte of it stands for one of the text's."
        tiler.lay(end - tiler.at, Layer.WEBSOCKET, "Compressed payload", told, what, "RFC 7692 §7.2")
    elif not alone:
        what = "A part of a message; its last frame tells what it is."
        tiler.lay(end - tiler.at, Layer.WEBSOCKET, "Fragment", shown(payload), what, "RFC 6455 §5.4")
    elif header.opcode is websocket.Opcode.BINARY:
        what = "A binary attachment; Engine.IO sends it bare, without its type."
        value = payload[:24].hex(" ") + (" …" if len(payload) > 24 else "")
        clause = "engine.io-protocol: WebSocket"
        tiler.lay(end - tiler.at, Layer.PAYLOAD, "Attachment", value, what, clause)
    else:
        engineio.lay_text(tiler, payload.decode("utf-8", "surrogateescape"))
    return tiler.rest(end)
