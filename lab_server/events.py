"""The protocol of bidders and onlookers, on the default namespace.

A client asks, and the acknowledgement answers: ``lots``, ``join``, ``leave``
and ``bid``.  What happens to a lot is told to the lot's room, and only after
it has been committed: ``bids placed``, ``lot changed``, ``countdown``, ``lot
closed`` and ``picture``; a new lot is told to everybody: ``lot opened``.

Bids carry numbers without gaps.  A client that sees a gap, or comes back after
a pause, joins again with the last number that it knows, and misses nothing.
"""

from __future__ import annotations

from typing import Any

from flask_socketio import SocketIO, emit, join_room, leave_room

from lab_server.answers import Answer, answers, refusal
from lab_server.herald import Herald, news, room_of
from lab_server.house import House
from lab_server.lessons import Lesson
from lab_server.messages import Join, Leave, ListLots, PlaceBid
from lab_server.rules import Refused


def register(socketio: SocketIO, house: House, lessons: frozenset[Lesson]) -> None:
    """Bring the protocol to ``socketio``."""
    herald = Herald(socketio)

    def send_picture(lot_id: int) -> None:
        picture = house.picture(lot_id)
        if picture is not None:
            content, media_type = picture
            emit("picture", {"lot": lot_id, "type": media_type, "content": content})

    @socketio.on("lots")
    @answers(ListLots)
    def lots(_request: ListLots) -> Answer:
        return {"now": house.now(), "lots": [lot.as_json() for lot in house.lots()]}

    @socketio.on("join")
    @answers(Join)
    def join(request: Join) -> Answer:
        # First the room, then the history: a bid in between comes twice, and has a number.
        join_room(room_of(request.lot))
        try:
            lot, bids = house.lot(request.lot, after=request.after)
        except Refused:
            leave_room(room_of(request.lot))
            raise
        if lot.has_picture and request.after == 0:
            send_picture(request.lot)
        return {"now": house.now(), "lot": lot.as_json(), "bids": [bid.as_json() for bid in bids]}

    @socketio.on("leave")
    @answers(Leave)
    def leave(request: Leave) -> Answer:
        leave_room(room_of(request.lot))
        return {}

    @socketio.on("bid")
    @answers(PlaceBid)
    def bid(request: PlaceBid) -> Answer:
        placed = house.place_bid(request.id, request.lot, request.bidder, request.cents)
        # Committed; now it may be told.  If it was sent before, it is told again: whoever
        # knows the number already passes over it.
        if not herald.defers(request.lot, placed):
            emit("bids placed", news(request.lot, [placed]), to=room_of(request.lot))
        return {"bid": placed.as_json()}

    @socketio.on("*")
    def unknown(_event: str, *_arguments: Any) -> Answer:
        return refusal(Refused("unknown_event", "This server knows no event of that name."))

    if Lesson.EARLY_EMIT in lessons:
        # The lesson: the client is told about lots before it is told that it is connected.
        @socketio.on("connect")
        def connect() -> None:
            emit("lots", {"now": house.now(), "lots": [lot.as_json() for lot in house.lots()]})
