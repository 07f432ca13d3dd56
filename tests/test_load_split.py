"""Wire, server and client are told apart by the packets that carry a request's number."""

from __future__ import annotations

import os

import pytest

from utils import lab
from utils.errors import InputError
from utils.load import split, standard
from utils.load.shown import Apart
from utils.load.split import Times
from utils.wire.units import Side, SocketType


def test_each_request_has_its_three_parts():
    run = lab.replay("echoes")
    asked = {}
    for message in run.messages:
        for packet in message.unit.packets:
            if packet.socketio and message.side is Side.CLIENT and packet.socketio.event == "echo":
                asked[packet.socketio.id] = message.first_ns
            if packet.socketio and packet.socketio.type is SocketType.ACK:
                assert packet.socketio.id in asked
    stamps = {number: (sent - 7, sent + 10**9) for number, sent in asked.items()} | {10**6: (1, 2)}
    found = split.split(run.recording.segments, run.recording.meta.port, stamps)
    assert len(found) == len(asked)
    assert all(each.out == 7 and each.server > 0 for each in found)
    assert all(each.server + each.back == 10**9 for each in found)


def test_times_survive_their_file_and_another_file_is_refused(tmp_path):
    times = [Times(1, 2, 3), Times(4, 5, 6)]
    assert split.load(split.save(times, tmp_path / "apart.json")) == times
    (tmp_path / "other.json").write_text("{}")
    for name in ("other.json", "nothing.json"):
        with pytest.raises(InputError, match="holds no times"):
            split.load(tmp_path / name)


def test_the_servers_share_is_told_and_drawn():
    apart = Apart([Times(1, 8, 1)] * 3)
    assert apart.server_share == 0.8
    assert "the server takes 8 ns: 80%" in apart.plot.finding
    assert repr(apart) == apart._repr_mimebundle_()["text/plain"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="packets are captured on POSIX systems")
def test_a_real_capture_tells_every_echo_apart():
    from utils.capture import rights

    if rights.choose_mode().name != "live":
        pytest.skip("reading packets needs a right that this user lacks")
    found = split.capture(standard.APART)
    assert len(found) == standard.APART.workload.count
    assert all(each.server > 0 for each in found)
