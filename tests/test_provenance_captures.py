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
    """Of all messages, but for those that a proxy passed on: it writes them anew."""
    run = lab.load(folder)
    ledgers = [run.book.ledger(message) for message in run.messages]
    return [one for one in ledgers if {one.sender, one.receiver} <= {"", "Redis"}]


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_byte_of_a_reference_recording_is_explained(folder):
    ledgers = ledgers_of(folder)
    lacking = [
        (ledger.message.unit.summary, ledger.unwritten, ledger.unread, [one.why for one in ledger.breaks])
        for ledger in ledgers
        if ledger.unexplained
    ]
    assert lacking == []
    assert ledgers or folder.name == "lost_session"  # there, nginx passed all of it on


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


def test_what_servers_tell_each_other_has_its_lines_and_what_the_queue_does_is_outside():
    run = lab.replay("two_servers")

    def ledger(word, whom):
        return next(
            run.book.ledger(message)
            for message in run.messages
            if message.unit.summary.startswith(word)
            and "bids placed" in message.unit.summary
            and run.names[message.flow.destination.port] == whom
        )

    given, taken = ledger("PUBLISH", "Redis"), ledger("message", "server 2")
    assert (given.sender, given.receiver) == ("", "Redis")
    assert (taken.sender, taken.receiver) == ("Redis", "")
    fields = {field.span.value: field for field in given.fields}
    assert fields["PUBLISH"].writer.code.name == "PythonRespSerializer.pack"
    name, event = fields['"method"'], fields['"bids placed"']
    assert name.step(Part.MADE).code.name == event.step(Part.MADE).code.name == "RedisManager._publish"
    assert name.writer.code.name == "PubSubManager.emit"
    assert "lab_server" in event.writer.code.filename
    read = {field.span.value: field for field in taken.fields}['"bids placed"']
    assert read.reader.code.name.endswith("._read_response")
    assert read.step(Part.GIVEN).code.name == "PubSubManager._handle_emit"


def test_there_is_something_to_explain():
    assert len(RECORDINGS) >= 9
