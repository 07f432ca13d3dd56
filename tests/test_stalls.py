"""A stall is data, a silence, the acknowledgement, and at once the next data; proved by the send before."""

from __future__ import annotations

from utils import lab
from utils.records import Endpoint, Flag, Flow, Segment, Transfer, TransferKind
from utils.streams.stalls import stalls

OUT = Flow(Endpoint("127.0.0.1", 80), Endpoint("127.0.0.1", 5000))
MS = 1_000_000


def data(ms, start, size):
    return Segment(ms * MS, OUT, 1001 + start, 1, Flag.ACK, b"x" * size)


def ack(ms, upto):
    return Segment(ms * MS, OUT.reverse, 1, 1001 + upto, Flag.ACK, b"")


OPENING = Segment(1, OUT, 1000, 0, Flag.SYN, b"")


def test_data_that_come_with_a_late_acknowledgement_were_kept_back():
    (stall,) = stalls([OPENING, data(10, 0, 5), ack(51, 5), data(52, 5, 7)])
    assert (stall.flow, stall.size, stall.waited_ns) == (OUT, 7, 42 * MS)
    assert not stall.proved


def test_who_had_handed_the_bytes_over_before_proves_it():
    sent = Transfer("server", 1, TransferKind.SEND, OUT, 5, 7, 11 * MS, 12 * MS)
    (stall,) = stalls([OPENING, data(10, 0, 5), ack(51, 5), data(52, 5, 7)], [sent])
    assert stall.proved and stall.waited_ns == 41 * MS


def test_what_was_handed_over_after_the_acknowledgement_did_not_wait_for_it():
    late = Transfer("server", 1, TransferKind.SEND, OUT, 5, 7, 51 * MS + 1, 52 * MS)
    assert stalls([OPENING, data(10, 0, 5), ack(51, 5), data(52, 5, 7)], [late]) == ()


def test_a_program_that_was_silent_itself_stalled_nobody():
    quick = [OPENING, data(10, 0, 5), ack(11, 5), data(52, 5, 7)]
    later = [OPENING, data(10, 0, 5), ack(51, 5), data(90, 5, 7)]
    assert stalls(quick) == stalls(later) == ()


def test_a_sequence_number_that_wraps_is_no_stall_more_or_less():
    wrap = [
        Segment(s.time_ns, s.flow, (s.sequence - 1003) % 2**32, s.acknowledgment, s.flags, s.payload)
        if s.flow == OUT
        else Segment(s.time_ns, s.flow, 1, (s.acknowledgment - 1003) % 2**32, s.flags, b"")
        for s in [OPENING, data(10, 0, 5), ack(51, 5), data(52, 5, 7)]
    ]
    assert len(stalls(wrap)) == 1


def test_of_the_mystery_every_late_packet_is_proved_and_on_the_cured_server_there_is_none():
    def found(name):
        recording = lab.replay(name).recording
        transfers = [transfer for trace in recording.traces for transfer in trace.transfers]
        return stalls(recording.segments, transfers)

    assert len(found("small_packets")) >= 5
    assert all(stall.proved for stall in found("small_packets"))
    assert found("small_packets_cured") == ()


def test_what_the_tap_made_up_tells_nothing():
    made_up = [
        Segment(s.time_ns, s.flow, s.sequence, s.acknowledgment, s.flags, s.payload, True)
        for s in [OPENING, data(10, 0, 5), ack(51, 5), data(52, 5, 7)]
    ]
    assert stalls(made_up) == ()
