"""The reference recordings: no byte of theirs is without a writer and a reader."""

from __future__ import annotations

import pytest

from utils import lab

RECORDINGS = sorted(path.parent for path in lab.captures().glob("*/meta.json"))


def ledgers_of(folder):
    run = lab.load(folder)
    return [run.book.ledger(message) for message in run.messages]


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_byte_of_a_reference_recording_is_explained(folder):
    ledgers = ledgers_of(folder)
    lacking = [
        (ledger.message.unit.summary, ledger.unwritten, ledger.unread, [one.why for one in ledger.breaks])
        for ledger in ledgers
        if ledger.unexplained
    ]
    assert lacking == []
    assert ledgers


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


def test_there_is_something_to_explain():
    assert len(RECORDINGS) >= 9
