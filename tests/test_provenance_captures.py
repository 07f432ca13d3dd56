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


def test_there_is_something_to_explain():
    assert len(RECORDINGS) >= 9
