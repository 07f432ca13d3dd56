"""The reference recordings: no byte of theirs is without a writer and a reader."""

from __future__ import annotations

import pytest

from utils import lab
from utils.provenance.ledger import Part
from utils.wire import websocket
from utils.wire.units import Side

#: In these a client's frames are written by hand: no library wrote them, and none read the answers.
BY_HAND = ("frames", "namespaces")

#: And so is what these have their clients say.
TROUBLES = {
    f"{name}{cured}" for name in ("lost_events", "broken_close", "hostile_input") for cured in ("", "_cured")
}

RECORDINGS = sorted(
    path.parent
    for path in lab.captures().glob("*/meta.json")
    if path.parent.name not in {*BY_HAND, *TROUBLES}
)


def ledgers_of(folder):
    """Of all messages between traced processes: what a queue or a proxy did, nobody has seen."""
    run = lab.load(folder)
    told = {trace.process for trace in run.recording.traces}
    silent = {service.name for service in run.recording.meta.services.values()} - told
    return [
        run.book.ledger(message)
        for message in run.messages
        if silent.isdisjoint(run.names.get(end.port) for end in message.flow)
    ]


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_byte_of_a_reference_recording_is_explained(folder):
    ledgers = ledgers_of(folder)
    lacking = [
        (ledger.message.unit.summary, ledger.unwritten, ledger.unread, [one.why for one in ledger.breaks])
        for ledger in ledgers
        if ledger.unexplained
    ]
    assert lacking == []
    assert ledgers or folder.name in ("killed_server", "lost_session")  # there, nginx passed all of it on


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_what_was_not_received_or_not_read_came_after_a_close(folder):
    for ledger in ledgers_of(folder):
        assert ledger.late or not (ledger.unreceived or ledger.unused)


def test_a_line_that_many_messages_have_is_told_at_its_own_message():
    """The client asks twice: by requests, and by websocket-client, which has the same Host, and the same end."""
    run = lab.replay("one_bid")
    asked, granted = (run.book.ledger(message) for message in run.messages_of("alice")[2:4])
    head = [field for field in asked.fields if field.span.layer.value == "HTTP"]
    assert {"Host", "Connection"} <= {field.span.value for field in head}
    writers = {field.writer.code.filename.rpartition("/")[2] for field in head}
    readers = {field.reader.code.filename.rpartition("/")[2] for field in granted.fields}
    assert writers == {"_handshake.py"}
    assert readers == {"_http.py", "_socket.py"}


def test_of_frames_by_hand_the_servers_half_is_explained():
    """Fragments, pings and pongs too; but for the frame that the server refuses to read."""
    frames, namespaces = (
        [
            websocket.parse(ledger.message.unit.raw)
            for ledger in ledgers_of(lab.captures() / name)
            if (ledger.unwritten if ledger.message.side is Side.SERVER else ledger.unread)
        ]
        for name in BY_HAND
    )
    assert namespaces == []
    assert [frame.key for frame in frames] == [b""]  # the rude one's, who did not mask


def test_a_fragments_bytes_are_read_where_the_whole_message_is():
    run = lab.replay("frames")
    parts = [message for message in run.messages if message.unit.summary.startswith("fragment")]
    readers = {
        field.span.label: field.reader.code.name
        for message in parts
        for field in run.book.ledger(message).fields
    }
    assert readers["Packet type"] == readers["Event name"] == "Packet.decode"
    assert readers["Masking key"] == "FrameDecoder.parse_header"


def test_a_pong_gives_back_what_its_ping_brought():
    run = lab.replay("frames")
    ping, pong = (
        run.book.ledger(next(one for one in run.messages if f"WebSocket {kind}" in one.unit.summary))
        for kind in ("ping", "pong")
    )
    asked, given = ping.fields[-1], pong.fields[-1]
    assert asked.span.label == given.span.label == "Application data"
    assert asked.reader.code.name == "FrameDecoder.process_buffer"
    assert given.step(Part.MADE).code.name == "FrameProtocol.pong"
    assert given.writer.code.name == "Connection.send"  # the event's payload is handed over there


def test_there_is_something_to_explain():
    assert len(RECORDINGS) >= 9
