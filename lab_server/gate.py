"""What every HTTP request passes before Socket.IO and Flask see it.

A WSGI middleware.  It answers only to the server's own names, so that a
foreign site cannot make a browser believe that it *is* this server (DNS
rebinding); and it turns away what Engine.IO would hang on, drop or stumble
over, with a status that says so.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from wsproto.utilities import RemoteProtocolError

from lab_server.guard import Guard, is_engineio_text

log = logging.getLogger(__name__)

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]

#: A Host header: a name or an address, and perhaps a port.  (Werkzeug's own check of trusted
#: hosts cannot hold an IPv6 address.)
_HOST = re.compile(r"(?P<name>[a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")

#: Where Socket.IO is served.
SOCKETIO_PATH = "/socket.io/"


class Refusal(Exception):
    """A request that is answered with ``status`` and goes no further."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class OriginRule:
    """The origins that a browser may connect from: the server's own, and those named, exactly.

    Engine.IO's own rule believes any X-Forwarded-Host; this one asks the Host
    header alone, which HostGate has checked.
    """

    def __init__(self, others: tuple[str, ...]) -> None:
        self._others = others

    def __call__(self, origin: str, environ: dict[str, Any]) -> bool:
        """Whether a page of ``origin`` may connect."""
        own = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST')}"
        return origin == own or origin in self._others


class HostGate:
    """Answers only requests that call the server by one of its own names."""

    def __init__(self, application: WSGIApplication, allowed_hosts: tuple[str, ...]) -> None:
        self._application = application
        self._allowed_hosts = allowed_hosts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        host = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
        if host is None or host["name"].lower() not in self._allowed_hosts:
            return _answer(start_response, Refusal(HTTPStatus.BAD_REQUEST, "not a name of this server"))
        return self._application(environ, start_response)


class PollingGate:
    """Looks into requests for Socket.IO: into POSTs, and into WebSocket handshakes."""

    def __init__(self, application: WSGIApplication, guard: Guard) -> None:
        self._application = application
        self._guard = guard

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        if not environ.get("PATH_INFO", "").startswith(SOCKETIO_PATH):
            return self._application(environ, start_response)
        try:
            if environ["REQUEST_METHOD"] == "POST":
                self._check_post(environ)
            elif "HTTP_UPGRADE" in environ:
                _check_handshake(environ)
            return self._application(environ, start_response)
        except Refusal as refusal:
            return _answer(start_response, refusal)
        except RemoteProtocolError as error:
            return _answer(start_response, Refusal(HTTPStatus.BAD_REQUEST, str(error)))

    def _check_post(self, environ: dict[str, Any]) -> None:
        limits = self._guard.limits
        sid = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0]
        try:
            body = _read(environ, limits.message_bytes)
            packets = body.split("\x1e")
            if len(packets) > limits.packets_per_post:
                raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too many packets in one request")
            if not self._guard.allows(sid, len(packets)):
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many packets")
            if not all(map(_is_polling_packet, packets)):
                raise Refusal(HTTPStatus.BAD_REQUEST, "not an Engine.IO payload")
        except Refusal:
            self._guard.dismiss(sid)
            raise
        environ["wsgi.input"] = io.BytesIO(body.encode())


def _check_handshake(environ: dict[str, Any]) -> None:
    # Engine.IO would answer half a handshake with a list of packets, which is no WSGI.
    tokens = [token.strip().lower() for token in environ.get("HTTP_CONNECTION", "").split(",")]
    if environ["HTTP_UPGRADE"].lower() == "websocket" and "upgrade" not in tokens:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Upgrade without Connection: Upgrade")


def _read(environ: dict[str, Any], limit: int) -> str:
    declared = environ.get("CONTENT_LENGTH", "")
    if not declared.isascii() or not declared.isdigit():
        raise Refusal(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
    # Compared as text first: an integer of ten thousand digits is work, too.
    if len(declared) > len(str(limit)) or int(declared) > limit:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {limit} bytes")
    try:
        text: str = environ["wsgi.input"].read(int(declared)).decode()
    except UnicodeDecodeError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "not UTF-8") from None
    return text


def _is_polling_packet(text: str) -> bool:
    if text[:1] != "b":
        return is_engineio_text(text)
    try:
        base64.b64decode(text[1:], validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _answer(start_response: Any, refusal: Refusal) -> Iterable[bytes]:
    log.warning("request refused", extra={"status": refusal.status.value, "reason": str(refusal)[:120]})
    body = f"{refusal.status.phrase}: {refusal}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(f"{refusal.status.value} {refusal.status.phrase}", headers)
    return [body]
