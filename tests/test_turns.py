"""A thread works in turns, and each turn has exactly one cause."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.worlds import Process, flow
from utils.journeys.turns import FOREVER, Turns
from utils.records import HandOffKind, TransferKind

WAY = flow(40000)


def test_a_turn_lasts_from_one_waking_to_the_next():
    server = Process("server")
    loop = server.call(1, "loop", 1, None)
    first = server.recv(1, WAY, 0, 4, 10, 20, call=loop)
    second = server.recv(1, WAY, 4, 4, 30, 40, call=loop)
    turns = Turns([server.trace])
    turn = turns.at("server", 1, 25)
    assert (turn.begin_ns, turn.end_ns, turn.cause) == (20, 40, first)
    last = turns.at("server", 1, 99)
    assert (last.begin_ns, last.end_ns, last.cause) == (40, FOREVER, second)
    assert turns.at("server", 1, 5).cause is None


def test_the_end_of_a_stream_begins_a_turn_of_its_own():
    """What a thread does on being told that the peer is gone belongs to nobody's message."""
    server = Process("server")
    loop = server.call(1, "loop", 1, None)
    data = server.recv(1, WAY, 0, 4, 10, 20, call=loop)
    end = server.recv(1, WAY, 4, 0, 30, 40, call=loop)
    turns = Turns([server.trace])
    assert (turns.at("server", 1, 25).cause, turns.at("server", 1, 25).end_ns) == (data, 40)
    assert turns.at("server", 1, 50).cause == end


def test_the_waiting_for_the_next_turn_is_no_part_of_this_one():
    server = Process("server")
    writer = server.call(1, "writer", 1, None)
    maker = server.call(2, "maker", 1, 50)
    get = server.call(1, "get", 2, 21, writer)
    put = server.call(2, "put", 15, 16, maker)
    encode = server.call(1, "encode", 25, 26, writer)
    waiting = server.call(1, "get", 30, None, writer)  # waits for ever: the next turn's business
    server.call(1, "look", 31, 32, waiting)  # and so is what it does before it waits
    server.hands(HandOffKind.QUEUE, put, get, 15, 21)
    turns = Turns([server.trace])
    turn = turns.at("server", 1, 25)
    assert [call.id for call in turns.calls(turn)] == [encode]


def test_a_call_that_sent_before_it_waited_is_a_part_of_both():
    client = Process("client")
    post = client.call(1, "post", 10, 60)
    client.send(1, WAY, 0, 5, 20, 21, call=post)
    client.recv(1, WAY.reverse, 0, 5, 30, 40, call=post)
    turns = Turns([client.trace])
    assert [call.id for call in turns.calls(turns.at("client", 1, 15))] == [post]


def test_bytes_wake_the_thread_that_reads_them_however_they_are_cut():
    client, server = Process("client"), Process("server")
    emit = client.call(1, "emit", 1, 9)
    sent = client.send(1, WAY, 100, 50, 2, 3, call=emit)
    loop = server.call(7, "loop", 1, None)
    before = server.recv(7, WAY, 90, 10, 1, 2, call=loop)
    head = server.recv(7, WAY, 100, 2, 4, 5, call=loop)
    rest = server.recv(7, WAY, 102, 60, 6, 7, call=loop)
    turns = Turns([client.trace, server.trace])
    assert [cause for _, cause in turns.woken_by(sent)] == [head, rest]
    assert before not in turns.receivers(sent)


def test_what_one_call_reads_bit_by_bit_wakes_once():
    """A frame's header and its payload are one waking; the next frame is another."""
    client = Process("client")
    run = client.call(1, "Thread.run", 1, None)
    loop = client.call(1, "read_loop", 2, None, run)
    first = client.call(1, "recv_frame", 3, 30, loop)
    client.recv(1, WAY, 0, 2, 4, 10, call=first)
    client.recv(1, WAY, 2, 7, 11, 20, call=first)
    second = client.call(1, "recv_frame", 40, 60, loop)
    client.recv(1, WAY, 9, 2, 41, 50, call=second)
    turns = Turns([client.trace])
    frame = turns.at("client", 1, 25)
    assert (frame.begin_ns, frame.end_ns) == (10, 40)  # then the loop comes round
    assert (frame.cause.offset, frame.cause.end) == (0, 9)
    assert (turns.at("client", 1, 55).cause.offset, turns.at("client", 1, 55).cause.end) == (9, 11)


def test_a_head_and_its_body_wake_the_programs_own_thread_once():
    """The main thread has no Thread.run above it: whoever asked twice for one answer stands one call higher."""
    client = Process("client")
    get = client.call(1, "Session.get", 1, 60)
    send = client.call(1, "Session.send", 2, 50, get)
    head = client.call(1, "read_head", 3, 20, send)
    client.recv(1, WAY, 0, 40, 4, 10, call=head)
    body = client.call(1, "read_body", 21, 40, send)
    client.recv(1, WAY, 40, 90, 22, 30, call=body)
    turns = Turns([client.trace])
    assert turns.at("client", 1, 15) == turns.at("client", 1, 35)
    assert turns.at("client", 1, 35).cause.end == 130


def test_a_handoff_wakes_the_thread_that_takes_it():
    server = Process("server")
    handler = server.call(1, "handler", 1, 50)
    start = server.call(1, "start", 10, 12, handler)
    run = server.call(2, "run", 14, 40)
    handoff = server.hands(HandOffKind.THREAD, start, run, 10, 14)
    turns = Turns([server.trace])
    ((turn, cause),) = turns.woken_by(handoff)
    assert (turn.thread, turn.cause, cause) == (2, handoff, handoff)
    assert turns.effects(turns.at("server", 1, 20)) == [handoff]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=20), st.lists(st.integers(1, 9), min_size=1, max_size=20)
)
def test_every_read_byte_is_traced_back_to_the_send_that_wrote_it(sent, read):
    """However a stream is written and read, offsets alone say who wrote what."""
    client, server = Process("client"), Process("server")
    emit = client.call(1, "emit", 1, 999)
    loop = server.call(1, "loop", 1, None)
    offset = 0
    for length in sent:
        client.send(1, WAY, offset, length, offset * 2 + 1, offset * 2 + 2, call=emit)
        offset += length
    total, offset = offset, 0
    for length in read:
        length = min(length, total - offset)
        server.recv(1, WAY, offset, length, 1000 + offset, 1001 + offset, call=loop)
        offset += length
    turns = Turns([client.trace, server.trace])
    for transfer in server.transfers:
        writers = turns.senders(WAY, transfer.offset, transfer.end)
        owned = {byte for send in writers for byte in range(send.offset, send.end)}
        assert set(range(transfer.offset, transfer.end)) <= owned
        assert all(send.offset < transfer.end and transfer.offset < send.end for send in writers)


def test_a_loop_that_asks_again_has_begun_something_new():
    """A client that polls: each answer wakes it, and the next question is its own program's."""
    client = Process("client")
    run = client.call(1, "Thread.run", 1, None)
    loop = client.call(1, "poll_loop", 2, None, run)
    for at in (10, 50):
        ask = client.call(1, "ask", at, at + 20, loop)
        client.send(1, WAY, at, 10, at + 1, at + 2, call=ask)
        client.recv(1, WAY.reverse, at, 10, at + 3, at + 10, call=ask)
        client.call(1, "understand", at + 22, at + 25, loop)
    turns = Turns([client.trace])
    answered, asking = turns.at("client", 1, 35), turns.at("client", 1, 51)
    assert (answered.begin_ns, answered.end_ns) == (20, 50)
    assert asking.cause is None and [call.code.name for call in turns.calls(asking)] == ["ask"]


def test_to_find_nothing_more_after_an_answer_changes_nothing():
    """A server that has answered looks once more; that the client has closed by then is chance."""
    server = Process("server")
    run = server.call(1, "Thread.run", 1, 90)
    handle = server.call(1, "handle", 2, 90, run)
    server.recv(1, WAY, 0, 10, 5, 6, call=handle)
    answer = server.call(1, "answer", 10, 40, handle)
    server.send(1, WAY.reverse, 0, 10, 11, 12, call=answer)
    server.recv(1, WAY, 10, 0, 13, 14, call=answer)
    finish = server.call(1, "finish", 50, 55, handle)
    turns = Turns([server.trace])
    turn = turns.at("server", 1, 12)
    assert turn.begin_ns == 6 and finish in [call.id for call in turns.calls(turn)]


def test_what_waits_for_the_next_connection_wakes_at_its_end():
    """Between requests a stream's end is what the thread waited for."""
    server = Process("server")
    run = server.call(1, "Thread.run", 1, 90)
    handle = server.call(1, "handle", 2, 90, run)
    server.recv(1, WAY, 0, 10, 5, 6, call=handle)
    answer = server.call(1, "answer", 10, 40, handle)
    server.send(1, WAY.reverse, 0, 10, 11, 12, call=answer)
    following = server.call(1, "read_request", 42, 60, handle)
    end = server.recv(1, WAY, 10, 0, 43, 50, call=following)
    client = Process("client")
    close = client.moves(TransferKind.CLOSE, 1, WAY, 10, 0, 48, 49)
    turns = Turns([server.trace, client.trace])
    assert turns.at("server", 1, 55).cause is end
    assert [cause for _, cause in turns.woken_by(close)] == [end]
