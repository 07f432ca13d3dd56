"""The auctioneer's namespace, ``/auctioneer``: open, close and show lots.

Who connects to it shows the token in the auth payload of the CONNECT packet;
who has none gets a CONNECT_ERROR.  The token is checked once and at no other
place: the libraries deliver events only from clients that are connected.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from typing import Any

from flask_socketio import ConnectionRefusedError, SocketIO

from lab_server.answers import Answer, answers
from lab_server.herald import room_of
from lab_server.house import House, NewLot
from lab_server.messages import CloseLot, OpenLot, ShowPicture, picture_type

log = logging.getLogger(__name__)

NAMESPACE = "/auctioneer"


def register(socketio: SocketIO, house: House, token: str, *, on_change: Callable[[], object]) -> None:
    """Bring the namespace to ``socketio``.

    ``on_change`` is called when the time of the next closing may have changed.
    """

    @socketio.on("connect", namespace=NAMESPACE)
    def connect(auth: Any = None) -> None:
        shown = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(shown, str) or not hmac.compare_digest(shown.encode(), token.encode()):
            log.warning("auctioneer refused")
            raise ConnectionRefusedError("the auctioneer's token is needed")

    @socketio.on("open", namespace=NAMESPACE)
    @answers(OpenLot)
    def open_lot(request: OpenLot) -> Answer:
        lot = house.open_lot(NewLot(**request.model_dump())).as_json()
        on_change()
        socketio.emit("lot opened", {"now": house.now(), "lot": lot})
        return {"lot": lot}

    @socketio.on("close", namespace=NAMESPACE)
    @answers(CloseLot)
    def close_lot(request: CloseLot) -> Answer:
        closes_at = house.now() + 1000 * request.in_seconds
        lot = house.set_closing_time(request.lot, closes_at).as_json()
        socketio.emit("lot changed", {"now": house.now(), "lot": lot}, to=room_of(request.lot))
        on_change()
        return {"lot": lot}

    @socketio.on("picture", namespace=NAMESPACE)
    @answers(ShowPicture)
    def show_picture(request: ShowPicture) -> Answer:
        media_type = picture_type(request.content)
        house.set_picture(request.lot, request.content, media_type)
        news = {"lot": request.lot, "type": media_type, "content": request.content}
        socketio.emit("picture", news, to=room_of(request.lot))
        return {}
