"""The reference recordings: no byte of theirs is without a writer and a reader."""

from __future__ import annotations

import pytest

from utils import lab, libraries
from utils.provenance.carriers import RECORDED_WHOLE
from utils.wire.units import Side

RECORDINGS = sorted(path.parent for path in lab.captures().glob("*/meta.json"))


def ledgers_of(run):
    """The ledgers of all messages; of a recording made before evidence was kept whole, those of its events."""
    witnesses = [
        call
        for trace in run.recording.traces
        for call in trace.calls
        if (place := libraries.place(call.code.filename)) is not None
        and (place.path, call.code.name) in RECORDED_WHOLE
    ]
    whole = all(call.arguments is not None for call in witnesses)
    messages = run.messages if whole else [m for name in run._event_names() for m in run.events(name)]
    return [run.book.ledger(message) for message in messages]


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_byte_of_a_reference_recording_is_explained(folder):
    ledgers = ledgers_of(lab.load(folder))
    lacking = [
        (ledger.message.unit.summary, ledger.unwritten, ledger.unread, [one.why for one in ledger.breaks])
        for ledger in ledgers
        if ledger.unexplained
    ]
    assert lacking == []
    assert {ledger.message.side for ledger in ledgers} == set(Side)


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_what_was_not_received_or_not_read_came_after_a_close(folder):
    for ledger in ledgers_of(lab.load(folder)):
        assert ledger.late or not (ledger.unreceived or ledger.unused)
