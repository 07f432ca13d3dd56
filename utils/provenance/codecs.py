"""The functions that write and read the bytes of a message: data only.

The rule kept here: a function stands in these lists for what its snapshot can
prove (which of its values equals which form of the message) and for the fields
that it makes or takes apart, each with a piece of the source that does it.  No
line number is written down: the piece is looked for in the installed function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Form(IntEnum):
    """What a message is on its way, from the wire inwards."""

    HEAD = 0  # the start line and the fields of an HTTP message
    LINE = 1  # one line of them, without its end
    FRAME = 2  # a WebSocket frame
    MASKED = 3  # its payload, as it stands on the wire
    BODY = 4  # an HTTP body, without the chunks' framing
    MESSAGE = 5  # a frame's payload, unmasked and inflated
    PACKET = 6  # an Engine.IO packet
    SOCKET = 7  # the Socket.IO packet in it


@dataclass(frozen=True)
class Codec:
    """One function, and what its snapshot proves.

    ``shows`` says what of the snapshot is the form: ``result``, an argument's
    name, or a template of both (``{keyword}: {value}``).  Empty: nothing; such
    a step is proved by one that happened inside it, around it or beside it.
    ``fields`` maps the label of a span to a piece of the line that deals with
    it; a label may begin with its layer, and end in its value.  ``EACH`` as the piece stands for the
    line that holds the longest beginning of the field's own text, ``CALLER``
    for the line from which the function was called, ``LEFT`` for the one that
    it returned from.
    """

    path: str  # as the lists of utils.tracing.catalog tell it
    name: str  # qualified
    form: Form
    shows: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


EACH, CALLER, LEFT = "<each>", "<caller>", "<left>"

_JSON = (
    "Event name",
    "Array begins",
    "Array ends",
    "Object begins",
    "Object ends",
    "Name separator",
    "Value separator",
    "Name",
    "String",
    "Number",
    "Literal",
    "White space",
    "More JSON",
    "No JSON",
)
_START = ("Version", "Status code", "Reason", "Method", "Path", "Separator", "Parameter", "Value")
_FIELD = ("Field name", "Field value")
_ENDS = ("Line end", "End of head")


def _all(labels: tuple[str, ...], piece: str) -> dict[str, str]:
    return dict.fromkeys(labels, piece)


#: Who makes the bytes, the innermost form first.
WRITERS = (
    Codec(
        "socketio/packet.py",
        "Packet.encode",
        Form.SOCKET,
        ("{result}", "{result[0]}"),
        {
            "Socket.IO Packet type": "encoded_packet = str(self.packet_type)",
            "Attachments": "str(len(attachments)) + '-'",
            "Socket.IO Separator -": "str(len(attachments)) + '-'",
            "Namespace": "encoded_packet += self.namespace",
            "Socket.IO Separator ,": "encoded_packet += self.namespace",
            "Acknowledgement id": "encoded_packet += str(self.id)",
            **_all(_JSON, "self.json.dumps("),
        },
    ),
    Codec(
        "engineio/packet.py",
        "Packet.encode",
        Form.PACKET,
        ("{result}",),
        {
            "Engine.IO Packet type": "encoded_packet = str(self.packet_type)",
            "Binary mark": "'b' + base64.b64encode(",
            "Attachment": "'b' + base64.b64encode(",
            "Data": "encoded_packet += self.data",
            "Probe": "encoded_packet += self.data",
            **_all(_JSON, "self.json.dumps("),
        },
    ),
    Codec(
        "engineio/payload.py",
        "Payload.encode",
        Form.BODY,
        ("{result}",),
        {
            "Record separator": r"encoded_payload += '\x1e'",
            "JSONP call": "'___eio['",
            "Payload": "encoded_payload.replace(",
            "JSONP end": "'\");'",
        },
    ),
    # ── frames ──
    Codec("websocket/_core.py", "WebSocket.send", Form.MESSAGE, ("{payload}",)),
    Codec("websocket/_abnf.py", "ABNF.create_frame", Form.MESSAGE, ("{data}",)),
    Codec("websocket/_abnf.py", "ABNF.mask", Form.MASKED, ("{result}",)),
    Codec(
        "websocket/_abnf.py",
        "ABNF.format",
        Form.FRAME,
        ("{result}",),
        {
            "FIN, RSV and opcode": "self.fin << 7",
            "Mask bit and length": "self.mask_value << 7",
            "Extended length": "struct.pack(",
            "Masking key": "self.get_mask_key(4)",
        },
    ),
    Codec("simple_websocket/ws.py", "Base.send", Form.MESSAGE, ("{data}",)),
    Codec(
        "wsproto/frame_protocol.py",
        "FrameProtocol.close",
        Form.FRAME,
        ("{result}",),
        {"Close code": 'struct.pack("!H", code)', "Close reason": "_truncate_utf8("},
    ),
    Codec("wsproto/frame_protocol.py", "FrameProtocol.send_data", Form.MESSAGE, ("{payload}",)),
    Codec(
        "wsproto/frame_protocol.py",
        "FrameProtocol._serialize_frame",
        Form.FRAME,
        ("{result}",),
        {
            "FIN, RSV and opcode": "self._make_fin_rsv_opcode(",
            "Mask bit and length": "header = bytearray(",
            "Extended length": "struct.pack(",
            "Masking key": "os.urandom(4)",
            "Compressed payload": "extension.frame_outbound(",
        },
    ),
    Codec("wsproto/connection.py", "Connection.send", Form.FRAME, ("{result}",)),
    # ── requests ──
    Codec(
        "http/client.py",
        "HTTPConnection._output",
        Form.LINE,
        ("{s}",),
        {**_all(_START, CALLER), **_all(_FIELD, CALLER)},
    ),
    Codec("http/client.py", "HTTPConnection._send_output", Form.HEAD, (), _all(_ENDS, r'b"\r\n".join(')),
    Codec("http/client.py", "HTTPConnection.send", Form.HEAD, ("{data}",)),
    Codec("http/client.py", "HTTPConnection.send", Form.BODY, ("{data}",)),
    Codec(
        "websocket/_handshake.py",
        "_get_handshake_headers",
        Form.LINE,
        ("{result[0]}",),
        {**_all(_START, EACH), **_all(_FIELD, EACH)},
    ),
    Codec("websocket/_handshake.py", "_get_handshake_headers", Form.HEAD, ("{result[0]}",)),
    Codec("websocket/_handshake.py", "handshake", Form.HEAD, (), _all(_ENDS, r'"\r\n".join(headers)')),
    # ── responses ──
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.send_response_only",
        Form.LINE,
        ("HTTP/1.0 {code} {message}", "HTTP/1.1 {code} {message}"),
        _all((*_START, *_ENDS), r'("%s %d %s\r\n"'),
    ),
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.send_header",
        Form.LINE,
        ("{keyword}: {value}",),
        _all((*_FIELD, *_ENDS), r'("%s: %s\r\n"'),
    ),
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.end_headers",
        Form.HEAD,
        (),
        {"End of head": r'self._headers_buffer.append(b"\r\n")'},
    ),
    Codec(
        "werkzeug/serving.py",
        "WSGIRequestHandler.run_wsgi.<locals>.write",
        Form.BODY,
        ("{data}",),
        {"Chunk size": "hex(len(data))", "Chunk end": r'self.wfile.write(b"\r\n")'},
    ),
    Codec(
        "werkzeug/serving.py",
        "WSGIRequestHandler.run_wsgi.<locals>.execute",
        Form.BODY,
        (),
        {"Last chunk": r'self.wfile.write(b"0\r\n\r\n")'},
    ),
    Codec("socketserver.py", "_SocketWriter.write", Form.HEAD, ("{b}",)),
    Codec("socketserver.py", "_SocketWriter.write", Form.BODY, ("{b}",)),
    Codec(
        "h11/_writers.py",
        "write_any_response",
        Form.HEAD,
        (),
        _all(_START, r'write(b"HTTP/1.1 %s %s\r\n"'),
    ),
    Codec(
        "h11/_writers.py",
        "write_headers",
        Form.HEAD,
        (),
        {
            **_all(_FIELD, r'write(b"%s: %s\r\n"'),
            "Line end": r'write(b"%s: %s\r\n"',
            "End of head": r'write(b"\r\n")',
        },
    ),
    Codec("h11/_connection.py", "Connection.send", Form.HEAD, ("{result}",)),
)

#: Who takes the bytes apart, from the wire inwards.
READERS = (
    # ── heads ──
    Codec(
        "http/client.py",
        "_read_headers",
        Form.LINE,
        ("{result}",),
        _all((*_FIELD, *_ENDS), "fp.readline("),
    ),
    Codec(
        "werkzeug/serving.py",
        "WSGIRequestHandler.make_environ",
        Form.LINE,
        ("{result[REQUEST_METHOD]} {result[RAW_URI]} {result[SERVER_PROTOCOL]}",),
    ),
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.parse_request",
        Form.LINE,
        (),
        {
            "Method": "command, path = words[:2]",
            **_all(("Path", "Separator", "Parameter", "Value"), "command, path = words[:2]"),
            "Version": "version = words[-1]",
            "Line end": r"requestline.rstrip('\r\n')",
        },
    ),
    Codec(
        "http/client.py",
        "HTTPResponse._read_status",
        Form.LINE,
        ("{result[0]} {result[1]} {result[2]}",),
        {
            **_all(("Version", "Status code", "Reason"), "line.split(None, 2)"),
            "Line end": "self.fp.readline(",
        },
    ),
    Codec(
        "websocket/_socket.py",
        "recv_line",
        Form.LINE,
        ("{result}",),
        {**_all((*_START, *_FIELD), CALLER), **_all(_ENDS, r'if c == b"\n"')},
    ),
    # ── bodies ──
    Codec(
        "http/client.py",
        "HTTPResponse.read",
        Form.BODY,
        ("{result}",),
        {"Body": CALLER, **_all(_JSON, CALLER)},
    ),
    Codec("engineio/payload.py", "Payload.__init__", Form.BODY, ("{encoded_payload}",), {"Body": CALLER}),
    Codec(
        "engineio/payload.py",
        "Payload.decode",
        Form.BODY,
        ("{encoded_payload}",),
        {
            "Record separator": r"encoded_payload.split('\x1e')",
            **_all(("Form field", "Payload"), "urllib.parse.parse_qs("),
        },
    ),
    Codec("engineio/client.py", "Client._send_request", Form.BODY, ("{result}",)),
    # ── frames ──
    Codec(
        "wsproto/frame_protocol.py",
        "FrameDecoder.parse_header",
        Form.FRAME,
        (),
        {
            "FIN, RSV and opcode": "opcode = data[0] & OPCODE_MASK",
            "Mask bit and length": "payload_len_short = data[1]",
            "Extended length": "self.parse_extended_payload_length(",
            "Masking key": "masking_key = self.buffer.consume_exactly(4)",
        },
    ),
    Codec("wsproto/frame_protocol.py", "XorMaskerSimple.process", Form.MASKED, ("{data}",)),
    Codec("wsproto/frame_protocol.py", "XorMaskerSimple.process", Form.MESSAGE, ("{result}",)),
    Codec(
        "wsproto/frame_protocol.py",
        "FrameProtocol._process_close",
        Form.MESSAGE,
        (),
        {"Close code": 'struct.unpack("!H", data[:2])', "Close reason": 'data[2:].decode("utf-8")'},
    ),
    Codec("simple_websocket/ws.py", "Base.receive", Form.MESSAGE, ("{result}",)),
    Codec(
        "websocket/_abnf.py",
        "frame_buffer.recv_header",
        Form.FRAME,
        (),
        {"FIN, RSV and opcode": "opcode = b1 & 0xF", "Mask bit and length": "length_bits = b2 & 0x7F"},
    ),
    Codec(
        "websocket/_abnf.py",
        "frame_buffer.recv_length",
        Form.FRAME,
        (),
        {"Extended length": "struct.unpack("},
    ),
    Codec(
        "websocket/_abnf.py", "frame_buffer.recv_mask", Form.FRAME, (), {"Masking key": "self.recv_strict(4)"}
    ),
    Codec(
        "websocket/_core.py",
        "WebSocket.recv_data",
        Form.MESSAGE,
        ("{result[1]}",),
        {"Close code": CALLER, "Close reason": CALLER, "Application data": CALLER},
    ),
    Codec("websocket/_core.py", "WebSocket.recv", Form.MESSAGE, ("{result}",)),
    # ── packets ──
    Codec(
        "engineio/packet.py",
        "Packet.decode",
        Form.PACKET,
        ("{encoded_packet}",),
        {
            "Engine.IO Packet type": "self.packet_type = int(encoded_packet[0])",
            "Binary mark": "b64 = not self.binary",
            "Attachment": "self.data = ",
            "Data": "self.data = encoded_packet[1:]",
            "Probe": "self.data = encoded_packet[1:]",
            **_all(_JSON, "self.json.loads("),
        },
    ),
    Codec("socketio/packet.py", "Packet.add_attachment", Form.PACKET, ("{attachment}",)),
    Codec(
        "socketio/packet.py",
        "Packet.decode",
        Form.SOCKET,
        ("{encoded_packet}",),
        {
            "Socket.IO Packet type": "self.packet_type = int(ep[0:1])",
            "Attachments": "attachment_count = int(ep[0:dash])",
            "Socket.IO Separator -": "dash = ep.find('-')",
            "Namespace": "self.namespace = ep[0:sep]",
            "Socket.IO Separator ,": "sep = ep.find(',')",
            "Acknowledgement id": "self.id = int(ep[:i])",
            **_all(_JSON, "self.json.loads("),
        },
    ),
)

#: Who hands over the values that the bytes are made of, or gets those that they make.
CARRIERS = (
    ("engineio/packet.py", "Packet.__init__"),
    ("engineio/client.py", "Client.send"),
    ("engineio/server.py", "Server.send"),
    ("flask_socketio/__init__.py", "SocketIO._handle_event"),
    ("flask_socketio/__init__.py", "SocketIO.call"),
    ("flask_socketio/__init__.py", "SocketIO.emit"),
    ("flask_socketio/__init__.py", "SocketIO.send"),
    ("flask_socketio/__init__.py", "call"),
    ("flask_socketio/__init__.py", "emit"),
    ("flask_socketio/__init__.py", "send"),
    ("flask/json/provider.py", "DefaultJSONProvider.dumps"),
    ("flask/templating.py", "_render"),
    ("flask/templating.py", "render_template"),
    ("engineio/base_server.py", "BaseServer._bad_request"),
    ("engineio/base_server.py", "BaseServer._ok"),
    ("socketio/manager.py", "Manager.trigger_callback"),
    ("socketio/client.py", "Client._handle_ack"),
    ("socketio/client.py", "Client._handle_connect"),
    ("socketio/client.py", "Client._handle_event"),
    ("socketio/client.py", "Client._trigger_event"),
    ("socketio/client.py", "Client.call"),
    ("socketio/client.py", "Client.connect"),
    ("socketio/client.py", "Client.emit"),
    ("socketio/client.py", "Client.send"),
    ("socketio/manager.py", "Manager.emit"),
    ("socketio/packet.py", "Packet.__init__"),
    ("socketio/packet.py", "Packet.reconstruct_binary"),
    ("socketio/server.py", "Server._handle_ack"),
    ("socketio/server.py", "Server._handle_connect"),
    ("socketio/server.py", "Server._handle_event"),
    ("socketio/server.py", "Server._handle_event_internal"),
    ("socketio/server.py", "Server._trigger_event"),
    ("socketio/server.py", "Server.call"),
    ("socketio/server.py", "Server.emit"),
    ("socketio/server.py", "Server.send"),
    ("socketio/simple_client.py", "SimpleClient.call"),
    ("socketio/simple_client.py", "SimpleClient.emit"),
    ("socketio/simple_client.py", "SimpleClient.receive"),
    ("werkzeug/wsgi.py", "FileWrapper.__next__"),
)

#: The functions whose snapshots are taken whole.
WITNESSES = frozenset(
    {(codec.path, codec.name) for codec in (*WRITERS, *READERS) if codec.shows} | set(CARRIERS)
)
