"""What is done once and what once for each: counted in two recordings, not declared."""

from __future__ import annotations

import pytest

from tests.markup_reader import Reader
from utils import lab
from utils.errors import InputError


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], list[str]]:
    """(library, function) → the counts, and what follows."""
    found = {}
    for line in str(lab.fanout("one_bid", "crowd")).splitlines()[2:]:
        name, *numbers = line.rsplit(maxsplit=5 if "for each" in line else 3)
        library, _, function = name.strip().rpartition("  ")
        found[library.strip(), function.strip()] = [*numbers[:2], " ".join(numbers[2:])]
    return found


def test_the_packet_is_made_and_its_json_written_once(rows):
    assert rows["python-socketio", "Packet.encode"] == ["1", "1", "once"]
    assert rows["python-engineio", "Packet.__init__"] == ["1", "1", "once"]


def test_each_receiver_has_a_queue_a_frame_and_a_send_of_its_own(rows):
    for name in [
        ("CPython", "Queue.put"),
        ("wsproto", "FrameProtocol._serialize_frame"),
        ("", "socket.send"),
    ]:
        assert rows[name] == ["2", "5", "once for each"]


def test_every_function_is_one_or_the_other(rows):
    assert {often for *_, often in rows.values()} == {"once", "once for each"}


def test_two_of_one_size_tell_no_difference_that_is_not_there():
    view = str(lab.fanout("one_bid", "one_bid"))
    assert "told to 2 and to 2" in view and "FrameProtocol._serialize_frame" in view


def test_the_page_shows_the_same_and_a_run_without_the_event_is_refused():
    view = lab.fanout("one_bid", "crowd")
    assert "told to 2 and to 5" in Reader(view.html).text
    with pytest.raises(InputError, match="no journey"):
        lab.fanout("heartbeat", "crowd")
