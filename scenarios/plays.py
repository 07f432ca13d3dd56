"""The scenarios: what the clients do while everything is watched.

The rule kept here: a scenario is a function of a session, waits for what it
asked for, and never for a length of time; so it can be recorded again and
again, in a notebook, in a test, and for the recordings in captures/.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scenarios import beyond, troubles
from scenarios.handwriting import bid_of, frame

if TYPE_CHECKING:
    from utils.subject.session import Session

#: How long an answer may take, in seconds: a slow machine is no error.
PATIENCE = 30

#: The lot that is bid for; it has a picture.
LOT = 1


def one_bid(session: Session) -> None:
    """Alice bids in the seed's way, and everybody is told."""
    alice, bob = session.connect("alice"), session.connect("bob")
    alice.emit("replace old value", {"lot": LOT, "cents": 12500})
    for client in (alice, bob):
        client.receive(timeout=PATIENCE)


def opening(session: Session) -> None:
    """The application is built and begins to serve; somebody asks for the page."""
    session.get("/auctions")


def smallest_opening(session: Session) -> None:
    """The same of the smallest application, which serves by ``socketio.run``."""
    session.get("/")


def polling(session: Session) -> None:
    """A client that never gets a WebSocket: each packet is in the body of a request."""
    alice = session.connect("alice", transports=["polling"])
    alice.emit("replace old value", {"lot": LOT, "cents": 12500})
    alice.receive(timeout=PATIENCE)


def websocket_only(session: Session) -> None:
    """A client that asks for a WebSocket at once, and never polls."""
    alice = session.connect("alice", transports=["websocket"])
    alice.emit("replace old value", {"lot": LOT, "cents": 12500})
    alice.receive(timeout=PATIENCE)


def upgrade_refused(session: Session) -> None:
    """Something on the way takes ``Connection: Upgrade`` off, as a proxy does that nobody told otherwise."""
    alice = session.connect("alice", websocket={"connection": "Connection: close"})
    alice.emit("replace old value", {"lot": LOT, "cents": 12500})
    alice.receive(timeout=PATIENCE)


def auction(session: Session) -> None:
    """Two enter a lot's room and are shown its picture; a bid is acknowledged, and told to the room."""
    alice, bob = session.connect("alice", in_order=True), session.connect("bob", in_order=True)
    for client in (alice, bob):
        lot = client.call("join", {"lot": LOT}, timeout=PATIENCE)["lot"]
        client.receive(timeout=PATIENCE)
    # Nobody may outbid herself, should it be played again.
    bidder = "Alice" if not lot["highest"] or lot["highest"]["bidder"] != "Alice" else "Carol"
    bid = {"id": str(uuid.uuid4()), "lot": LOT, "bidder": bidder, "cents": lot["minimum_cents"]}
    alice.call("bid", bid, timeout=PATIENCE)
    for client in (alice, bob):
        client.receive(timeout=PATIENCE)


def answers(session: Session) -> None:
    """The server asks for an acknowledgement, and a client sends bytes."""
    alice = session.connect("alice", in_order=True)
    alice.emit("ask me")
    for _ in ("the question", "that it was answered"):
        alice.receive(timeout=PATIENCE)
    alice.emit("picture", bytes(range(16)))
    alice.receive(timeout=PATIENCE)


def guestbook(session: Session) -> None:
    """Two have the book open, one signs it, and somebody reads the guests."""
    alice, bob = session.connect("alice"), session.connect("bob")
    alice.call("sign", "Alice", timeout=PATIENCE)
    for client in (alice, bob):
        client.receive(timeout=PATIENCE)
    session.get("/guests")


def echoes(session: Session) -> None:
    """The same question is asked and answered over and over: the first times warm up."""
    alice = session.connect("alice", transports=["websocket"])
    for number in range(30):
        alice.call("echo", number, timeout=PATIENCE)


def heartbeat(session: Session) -> None:
    """Nobody says anything, and the server asks whether the client is still there."""
    with _pings(2) as heard:
        session.connect("alice")
        # The second comes when the first has been answered, and its answer has been understood.
        assert heard.wait(PATIENCE), "no heartbeat came"


def frames(session: Session) -> None:
    """Frames by hand: three sizes, three pieces around a ping, a Close; and one that breaks a rule."""
    hand = session.by_hand("hand")
    hand.ask(frame("40"))
    for size in (125, 126, 65536):
        hand.ask(frame(bid_of(size)))
    hand.send(frame('42["replace', fin=0))
    hand.ask(frame("still there?", opcode="PING"))
    hand.send(frame(' old value","in three', fin=0, opcode="CONTINUATION"))
    hand.ask(frame(' pieces"]', opcode="CONTINUATION"))
    hand.ask(frame((1000).to_bytes(2, "big") + b"enough", opcode="CLOSE"))
    rude = session.by_hand("rude")
    rude.ask(frame("40", mask=0))


def crowd(session: Session) -> None:
    """One bids, and five are told."""
    everybody = [session.connect(name) for name in ("alice", "bob", "carol", "dave", "erin")]
    everybody[0].emit("replace old value", {"lot": LOT, "cents": 12500})
    for client in everybody:
        client.receive(timeout=PATIENCE)


def three_words(session: Session) -> None:
    """Three events in a row, each handled in a thread of its own."""
    alice = session.connect("alice")
    for word in ("one", "two", "three"):
        alice.emit("say", word)
    for _ in range(3):
        alice.receive(timeout=PATIENCE)


def three_words_in_order(session: Session) -> None:
    """The same, each handled where it was read."""
    three_words(session)


def ask_everybody(session: Session) -> None:
    """The server asks all for an acknowledgement at once, and two answer."""
    alice, bob = session.connect("alice", in_order=True), session.connect("bob", in_order=True)
    alice.emit("ask everybody")
    for client in (alice, bob):
        for _ in ("the question", "one answer", "the other answer"):
            client.receive(timeout=PATIENCE)


def namespaces(session: Session) -> None:
    """Two namespaces over one connection, by hand: refused, admitted, used, and one of them left."""
    hand = session.by_hand("hand")
    hand.ask(frame("40"))
    hand.ask(frame("40/staff,"))
    hand.ask(frame('40/staff,{"word":"please"}'))
    hand.ask(frame('42/staff,7["say","hello"]'))
    hand.receive()
    hand.send(frame("41/staff,"))
    hand.ask(frame('42["say","still here"]'))


@contextmanager
def _pings(count: int) -> Iterator[threading.Event]:
    """An event that is set when python-engineio's client has logged so many pings."""
    heard = threading.Event()
    left = [count]

    def listen(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("Received packet PING"):
            left[0] -= 1
            if not left[0]:
                heard.set()
        return False  # nothing is to be printed

    log = logging.getLogger("engineio.client")
    level = log.level
    log.setLevel(logging.INFO)
    log.addFilter(listen)
    try:
        yield heard
    finally:
        log.removeFilter(listen)
        # Left unset, it would print what python-engineio sees to it that nobody is told unasked.
        log.setLevel(level or logging.ERROR)


@dataclass(frozen=True, slots=True)
class Play:
    """One reference recording: which application, started how, and what is done with it."""

    scenario: Callable[[Session], None]
    application: tuple[str, ...]  # a module, and its arguments
    journeys: tuple[str, ...]  # what the recording is there to show
    from_start: bool = False  # from the application's first line on
    cured: bool = False  # of the fault that the scenario is there to show
    unread: bool = False  # the server may end a connection before it has read all
    cluster: Mapping[str, Any] = field(default_factory=dict)  # how several processes are started; none: one
    killed: int = 0  # so many of them do not live to tell

    @property
    def name(self) -> str:
        return self.scenario.__name__ + ("_cured" if self.cured else "")


_SEED = ("lab_server", "--port", "0", "--lesson", "seed")
_SMALLEST = ("scenarios.smallest",)
_TALK = ("scenarios.talk",)
_GUESTBOOK = ("scenarios.guestbook",)


def _trouble(
    scenario: Callable[[Session], None], lesson: str, *journeys: str, unread: bool = False
) -> tuple[Play, Play]:
    """The same on a server that has the fault, and on the cured one."""
    server = ("lab_server", "--port", "0")
    return (
        Play(scenario, (*server, "--lesson", lesson), journeys, unread=unread),
        Play(scenario, server, journeys, cured=True, unread=unread),
    )


_WEBSOCKET = ("open", "upgrade", "connect", "disconnect", "close")
_OPENING = ("construct", "route", "on", "serve")

#: The reference recordings in captures/.
PLAYS = (
    Play(
        one_bid,
        _SEED,
        (*_WEBSOCKET, "event in", "broadcast out", "replace old value", "replaced values"),
    ),
    Play(opening, _SEED, (*_OPENING, "GET /auctions"), from_start=True),
    Play(smallest_opening, _SMALLEST, (*_OPENING, "GET /"), from_start=True),
    Play(polling, _SEED, ("open", "connect", "event in", "broadcast out", "disconnect")),
    Play(websocket_only, _SEED, ("connect", "event in", "broadcast out", "disconnect", "close")),
    Play(upgrade_refused, _SEED, ("open", "connect", "event in", "broadcast out", "disconnect")),
    Play(
        auction,
        ("lab_server", "--port", "0"),
        (*_WEBSOCKET, "enter a room", "binary out", "bid", "bids placed", "ack from the server"),
    ),
    Play(
        beyond.two_servers,
        ("lab_server",),
        (*_WEBSOCKET, "enter a room", "broadcast out", "bid", "bids placed", "ack from the server"),
        cluster={"servers": 2},
    ),
    Play(beyond.lost_session, ("lab_server",), ("open",), cluster={"servers": 2, "sticky": "none"}),
    Play(beyond.forged_news, ("lab_server",), ("bids placed",), cluster={"servers": 2, "open_queue": True}),
    Play(beyond.killed_server, ("lab_server",), ("bid",), cluster={"servers": 2}, killed=1),
    Play(answers, _SMALLEST, (*_WEBSOCKET, "ack from the client", "binary in", "binary out", "heard")),
    Play(echoes, ("scenarios.echo",), ("connect", "event in", "ack from the server", "echo")),
    Play(crowd, _SEED, (*_WEBSOCKET, "event in", "broadcast out")),
    Play(
        guestbook,
        _GUESTBOOK,
        (*_OPENING, *_WEBSOCKET, "GET /guests", "sign", "signed", "ack from the server"),
        from_start=True,
    ),
    # Of several events in a row, which is handled first, and how they are read, is chance.
    Play(three_words, _TALK, _WEBSOCKET),
    Play(three_words_in_order, (*_TALK, "--in-order"), _WEBSOCKET),
    # Frames are the point here: who writes them by hand has no libraries to walk through.
    Play(frames, _SEED, ()),
    Play(namespaces, _TALK, ()),
    # Whose answer comes first is chance.
    Play(ask_everybody, _TALK, _WEBSOCKET),
    Play(heartbeat, ("lab_server", "--port", "0", "--ping-interval", "1"), (*_WEBSOCKET, "heartbeat")),
    *_trouble(troubles.lost_events, "unguarded", "open", "connect"),
    *_trouble(troubles.broken_close, "leftover-frames", unread=True),
    *_trouble(troubles.hostile_input, "unguarded", unread=True),
    *_trouble(troubles.small_packets, "nagle", "connect", "bid", "bids placed"),
    *_trouble(troubles.trusting, "seed", *_WEBSOCKET, "replace old value"),
)
