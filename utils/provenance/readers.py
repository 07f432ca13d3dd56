"""Who takes the bytes of a message apart: data only.

The rule kept here: from the wire inwards; of two that deal with one field, the
more exact first.  What the entries mean, :mod:`.codecs` says.
"""

from __future__ import annotations

from utils.provenance.codecs import ANY, CALLER, ENDS, FIELD, JSON, START, Codec, Form, all_of

#: Who takes the bytes apart, from the wire inwards.
READERS = (
    # ── heads ──
    Codec(
        "http/client.py",
        "_read_headers",
        Form.LINE,
        ("{result}",),
        all_of((*FIELD, *ENDS), "fp.readline("),
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
            **all_of(("Path", "Separator", "Parameter", "Value"), "command, path = words[:2]"),
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
            **all_of(("Version", "Status code", "Reason"), "line.split(None, 2)"),
            "Line end": "self.fp.readline(",
        },
    ),
    Codec(
        "websocket/_socket.py",
        "recv_line",
        Form.LINE,
        ("{result}",),
        {**all_of((*START, *FIELD), CALLER), **all_of(ENDS, r'if c == b"\n"')},
    ),
    # ── bodies ──
    Codec(
        "http/client.py",
        "HTTPResponse.read",
        Form.BODY,
        ("{result}",),
        {"Body": CALLER, **all_of(JSON, CALLER)},
    ),
    Codec(
        "websocket/_exceptions.py",
        "WebSocketBadStatusException.__init__",
        Form.BODY,
        ("{resp_body}",),
        {"Body": CALLER, **all_of(JSON, CALLER)},
    ),
    Codec(
        "engineio/payload.py",
        "Payload.decode",
        Form.CONTENT,
        ("{encoded_payload}",),
        {
            "Record separator": r"encoded_payload.split('\x1e')",
            **all_of(("Form field", "Payload"), "urllib.parse.parse_qs("),
        },
    ),
    Codec(
        "urllib3/response.py",
        "HTTPResponse._handle_chunk",
        Form.BODY,
        ("{result}",),
        {"Body": "self._fp._safe_read(", **all_of(JSON, "self._fp._safe_read(")},
    ),
    Codec(
        "urllib3/response.py",
        "HTTPResponse._handle_chunk",
        Form.CHUNKS,
        (),
        {"Chunk end": "self._fp._safe_read(2)"},
    ),
    Codec(
        "urllib3/response.py",
        "HTTPResponse._update_chunk_length",
        Form.CHUNKS,
        (),
        all_of(("Chunk size", "Last chunk"), "int(line, 16)"),
    ),
    Codec(
        "http/client.py",
        "HTTPResponse._read_next_chunk_size",
        Form.CHUNKS,
        (),
        all_of(("Chunk size", "Last chunk"), "int(line, 16)"),
    ),
    Codec(
        "http/client.py",
        "HTTPResponse._get_chunk_left",
        Form.CHUNKS,
        (),
        {"Chunk end": "self._safe_read(2)"},
    ),
    Codec(
        "urllib3/response.py",
        "GzipDecoder.decompress",
        Form.CONTENT,
        ("{result}",),
        {"Compressed body": "self._obj.decompress("},
    ),
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
    Codec(
        "wsproto/frame_protocol.py",
        "XorMaskerSimple.process",
        Form.UNMASKED,
        ("{result}",),
        {"Application data": CALLER},
    ),
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
        "websocket/_abnf.py",
        "ABNF.validate",
        Form.MESSAGE,
        (),
        {"Close code": 'struct.unpack("!H", data_bytes)', "Close reason": "validate_utf8("},
    ),
    Codec(
        "websocket/_core.py",
        "WebSocket.recv_data",
        Form.MESSAGE,
        ("{result[1]}",),
        {"Application data": CALLER},
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
            "Attachment": "self.data = encoded_packet",
            "Attachment in base64": "self.data = base64.b64decode(",
            "Data": "self.data = encoded_packet[1:]",
            "Probe": "self.data = encoded_packet[1:]",
            **all_of(JSON, "self.json.loads("),
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
            **all_of(JSON, "self.json.loads("),
        },
    ),
    # ── a message queue ──
    Codec("redis/_parsers/socket.py", "SocketBuffer.readline", Form.LINE, ("{result}",), {ANY: CALLER}),
    Codec(
        "redis/_parsers/socket.py",
        "SocketBuffer.read",
        Form.STRING,
        ("{result}",),
        {"End of line": "return data[:-2]", ANY: CALLER},
    ),
    Codec("redis/client.py", "PubSub.handle_message", Form.QUEUED, ("{response[2]}",)),
)
