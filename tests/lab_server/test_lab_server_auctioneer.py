"""The auctioneer's namespace: closed without the token, and with it the lots' master."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import socketio
from bidders import RawClient, ask, bid, connect, hear
from conftest import Served

from lab_server.catalogue import LOTS

PODIUM = "/auctioneer"
NEW = {"title": "Compass", "opening_cents": 500, "increment_cents": 10, "open_for_seconds": 600}


@pytest.fixture
def auctioneer(join_in: Callable[..., socketio.SimpleClient], served: Served) -> socketio.SimpleClient:
    return join_in(namespace=PODIUM, auth={"token": served.auction.settings.auctioneer_token})


@pytest.mark.parametrize(
    "auth", [None, {}, {"token": ""}, {"token": None}, {"token": 1}, "token", [], {"token": "é"}]
)
def test_without_the_token_nobody_gets_in(served: Served, auth: Any) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError, match="One or more namespaces failed to connect"):
        connect(served.url, namespace=PODIUM, auth=auth)


def test_who_is_refused_is_told_so_on_the_wire(served: Served) -> None:
    client = RawClient(served.url)
    client.send('40/auctioneer,{"token":"guess"}')
    assert client.receive() == '44/auctioneer,{"message":"the auctioneer\'s token is needed"}'
    client.close()


def test_events_of_who_is_not_connected_do_nothing(served: Served) -> None:
    client = RawClient(served.url)
    client.join_namespace()
    client.send('42/auctioneer,7["close",{"lot":1}]')
    client.send('428["lots",{}]')
    assert client.receive().startswith("438")  # the answer to the second; the first has none
    assert served.auction.house.lot(1)[0].closes_at > served.auction.house.now() + 1000
    client.close()


def test_a_new_lot_is_told_to_everybody(
    auctioneer: socketio.SimpleClient, join_in: Callable[..., Any]
) -> None:
    ada = join_in()
    answer = ask(auctioneer, "open", NEW)
    assert answer["ok"]
    assert hear(ada, "lot opened")["lot"] == answer["lot"]
    assert ask(ada, "bid", bid(answer["lot"]["id"], "Ada", 500))["ok"]


def test_a_lot_is_closed_by_the_hammer(
    auctioneer: socketio.SimpleClient, join_in: Callable[..., Any]
) -> None:
    ada = join_in()
    ask(ada, "join", {"lot": 1})
    ask(ada, "bid", bid(1, "Ada", 12_000))
    assert ask(auctioneer, "close", {"lot": 1})["ok"]
    assert hear(ada, "lot changed")["lot"]["id"] == 1
    closed = hear(ada, "lot closed")["lot"]
    assert closed["closed"]
    assert closed["highest"]["bidder"] == "Ada"
    assert ask(ada, "bid", bid(1, "Grace", 20_000))["error"]["code"] == "closed"
    assert ask(auctioneer, "close", {"lot": 1})["error"]["code"] == "closed"


def test_a_picture_goes_to_the_lots_room_as_binary(
    auctioneer: socketio.SimpleClient, join_in: Callable[..., Any]
) -> None:
    ada = join_in()
    ask(ada, "join", {"lot": 2})
    assert hear(ada, "picture")["content"] == LOTS[1].picture
    content = b"\xff\xd8\xff" + bytes(range(256)) * 700
    assert ask(auctioneer, "picture", {"lot": 2, "content": content})["ok"]
    assert hear(ada, "picture") == {"lot": 2, "type": "image/jpeg", "content": content}


@pytest.mark.parametrize(
    ("event", "message", "code"),
    [
        ("open", {**NEW, "title": "<b>Compass</b>"}, "invalid"),
        ("open", {**NEW, "open_for_seconds": 10**9}, "invalid"),
        ("close", {"lot": 77}, "unknown_lot"),
        ("close", {"lot": 1, "in_seconds": -1}, "invalid"),
        ("picture", {"lot": 1, "content": b"GIF89a"}, "invalid"),
        ("picture", {"lot": 1, "content": "\x89PNG"}, "invalid"),
        ("picture", {"lot": 77, "content": b"\xff\xd8\xff"}, "unknown_lot"),
    ],
)
def test_the_auctioneer_is_no_less_checked(
    auctioneer: socketio.SimpleClient, served: Served, event: str, message: dict[str, Any], code: str
) -> None:
    before = served.auction.house.lots()
    assert ask(auctioneer, event, message)["error"]["code"] == code
    assert served.auction.house.lots() == before
