"""One form for every answer: what a handler returns becomes the acknowledgement.

``{"ok": true, ...}`` when the request was granted, and when it was not
``{"ok": false, "error": {"code": ..., "message": ..., ...}}``.  It goes to the
sender alone; no exception and no traceback ever leaves the server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask_socketio import SocketIO
from sqlalchemy.exc import SQLAlchemyError

from lab_server.messages import AnyMessage, parse
from lab_server.rules import Refused

log = logging.getLogger(__name__)

Answer = dict[str, Any]


def answers(
    schema: type[AnyMessage],
) -> Callable[[Callable[[AnyMessage], Answer]], Callable[..., Answer]]:
    """Make a handler of raw arguments from one of a checked message.

    The handler gets an instance of ``schema`` and returns the fields of its
    answer; it raises Refused to say no.
    """

    def decorate(handler: Callable[[AnyMessage], Answer]) -> Callable[..., Answer]:
        @wraps(handler)
        def handle(*arguments: Any) -> Answer:
            try:
                return {"ok": True, **handler(parse(schema, arguments))}
            except Refused as refused:
                return refusal(refused)
            except SQLAlchemyError as error:
                # Not known whether it was committed: the same request, sent again, finds out.
                log.error("database unavailable", extra={"reason": type(error).__name__})
                return refusal(Refused("unavailable", "The auction's records cannot be reached; try again."))

        return handle

    return decorate


def refusal(refused: Refused) -> Answer:
    """The answer that says no."""
    return {"ok": False, "error": {"code": refused.code, "message": refused.message, **refused.details}}


def answer_failures(socketio: SocketIO) -> None:
    """Let a handler that fails be logged here, and answered without its traceback."""

    @socketio.on_error_default
    def failed(error: Exception) -> Answer:
        log.error("a handler failed", exc_info=error)
        return refusal(Refused("internal", "The server failed; its log says how."))
