"""Who makes the bytes of a message: data only.

The rule kept here: the innermost form first, and of one form the caller before
the called.  What the entries mean, :mod:`.codecs` says.
"""

from __future__ import annotations

from utils.provenance.codecs import ANY, CALLER, EACH, ENDS, FIELD, JSON, START, Codec, Form, all_of

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
            **all_of(JSON, "self.json.dumps("),
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
            "Attachment": "encoded_packet = self.data",
            "Attachment in base64": "'b' + base64.b64encode(",
            "Data": "encoded_packet += self.data",
            "Probe": "encoded_packet += self.data",
            **all_of(JSON, "self.json.dumps("),
        },
    ),
    Codec(
        "engineio/payload.py",
        "Payload.encode",
        Form.CONTENT,
        ("{result}",),
        {
            "Record separator": r"encoded_payload += '\x1e'",
            "JSONP call": "'___eio['",
            "Payload": "encoded_payload.replace(",
            "JSONP end": "'\");'",
        },
    ),
    Codec(
        "flask/json/provider.py",
        "DefaultJSONProvider.dumps",
        Form.CONTENT,
        ("{result}",),
        all_of(JSON, "json.dumps("),
        less=b"\n",
    ),
    Codec(
        "flask/json/provider.py",
        "DefaultJSONProvider.response",
        Form.CONTENT,
        (),
        {"White space": 'f"{self.dumps('},
    ),
    Codec(
        "werkzeug/wrappers/response.py",
        "Response.__init__",
        Form.CONTENT,
        ("{response}",),
        {"Body": CALLER},
    ),
    Codec(
        "engineio/base_server.py",
        "BaseServer._gzip",
        Form.BODY,
        ("{result}",),
        {"Compressed body": "gz.write(response)"},
    ),
    Codec(
        "engineio/base_server.py",
        "BaseServer._deflate",
        Form.BODY,
        ("{result}",),
        {"Compressed body": "zlib.compress(response)"},
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
    Codec(
        "wsproto/frame_protocol.py",
        "FrameProtocol.ping",
        Form.MESSAGE,
        ("{payload}",),
        {"Application data": "self._serialize_frame(Opcode.PING, payload)"},
    ),
    Codec(
        "wsproto/frame_protocol.py",
        "FrameProtocol.pong",
        Form.MESSAGE,
        ("{payload}",),
        {"Application data": "self._serialize_frame(Opcode.PONG, payload)"},
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
        {**all_of(START, CALLER), **all_of(FIELD, CALLER)},
    ),
    Codec("http/client.py", "HTTPConnection._send_output", Form.HEAD, (), all_of(ENDS, r'b"\r\n".join(')),
    Codec("http/client.py", "HTTPConnection.send", Form.HEAD, ("{data}",)),
    Codec("http/client.py", "HTTPConnection.send", Form.BODY, ("{data}",)),
    Codec(
        "websocket/_handshake.py",
        "_get_handshake_headers",
        Form.LINE,
        ("{result[0]}",),
        {**all_of(START, EACH), **all_of(FIELD, EACH)},
    ),
    Codec("websocket/_handshake.py", "_get_handshake_headers", Form.HEAD, ("{result[0]}",)),
    Codec("websocket/_handshake.py", "handshake", Form.HEAD, (), all_of(ENDS, r'"\r\n".join(headers)')),
    # ── responses ──
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.send_response_only",
        Form.LINE,
        ("HTTP/1.0 {code} {message}", "HTTP/1.1 {code} {message}"),
        all_of((*START, *ENDS), r'("%s %d %s\r\n"'),
    ),
    Codec(
        "http/server.py",
        "BaseHTTPRequestHandler.send_header",
        Form.LINE,
        ("{keyword}: {value}",),
        all_of((*FIELD, *ENDS), r'("%s: %s\r\n"'),
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
    ),
    Codec(
        "werkzeug/serving.py",
        "WSGIRequestHandler.run_wsgi.<locals>.write",
        Form.CHUNKS,
        (),
        {"Chunk size": "hex(len(data))", "Chunk end": r'self.wfile.write(b"\r\n")'},
    ),
    Codec(
        "werkzeug/serving.py",
        "WSGIRequestHandler.run_wsgi.<locals>.execute",
        Form.CHUNKS,
        (),
        {"Last chunk": r'self.wfile.write(b"0\r\n\r\n")'},
    ),
    Codec("werkzeug/wsgi.py", "FileWrapper.__next__", Form.BODY, ("{result}",), {"Body": "self.file.read("}),
    Codec("socketserver.py", "_SocketWriter.write", Form.HEAD, ("{b}",)),
    Codec("socketserver.py", "_SocketWriter.write", Form.CHUNKS, ("{b}",), {"Unexplained": CALLER}),
    Codec(
        "h11/_writers.py",
        "write_any_response",
        Form.HEAD,
        (),
        all_of(START, r'write(b"HTTP/1.1 %s %s\r\n"'),
    ),
    Codec(
        "h11/_writers.py",
        "write_headers",
        Form.HEAD,
        (),
        {
            **all_of(FIELD, r'write(b"%s: %s\r\n"'),
            "Line end": r'write(b"%s: %s\r\n"',
            "End of head": r'write(b"\r\n")',
        },
    ),
    Codec("h11/_connection.py", "Connection.send", Form.HEAD, ("{result}",)),
    # ── a message queue ──
    Codec(
        "redis/commands/core.py",
        "PubSubCommands.publish",
        Form.QUEUED,
        ("{message}",),
        all_of(JSON, CALLER),
    ),
    # In one piece, or, with a long argument, in several.
    Codec(
        "redis/connection.py",
        "PythonRespSerializer.pack",
        Form.RESP,
        ("{result[0]}",),
        {
            "Array": "buff = SYM_EMPTY.join((SYM_STAR,",
            "Bulk string": "                        SYM_DOLLAR,",
            "End of line": "                        SYM_CRLF,",
            ANY: "                        arg,",
        },
    ),
    Codec(
        "redis/connection.py",
        "PythonRespSerializer.pack",
        Form.RESP,
        ("{result}",),
        {
            "Array": "buff = SYM_EMPTY.join((SYM_STAR,",
            "Message": "output.append(arg)",
            ANY: "for arg in map(self.encode, args):",
        },
    ),
)
