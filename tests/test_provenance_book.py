"""Every byte of a real run has its writer and its reader; a broken step is told, and only it."""

from __future__ import annotations

import uuid
from ast import literal_eval
from dataclasses import replace

import pytest
import websocket

from utils import lab
from utils.provenance.book import Book
from utils.provenance.ledger import Part
from utils.provenance.ranges import size
from utils.records import StepKind
from utils.run import Run
from utils.wire.units import Layer, Side

PAGES = ("/auctions", "/static/auctions.css", "/lots", "/nowhere", "/")


def everything(session):
    """Pages, a client by WebSocket, one by polling; events, acknowledgements, binary, rooms, broadcasts."""
    import requests

    browser = requests.Session()
    browser.trust_env = False
    for page in PAGES:
        browser.get(session.server.url + page, timeout=30)
    alice = session.connect("alice")
    bob = session.connect("bob", transports=["polling"])
    for client in (alice, bob):
        client.call("lots", {}, timeout=30)
        # Without the picture: python-socketio's client loses what comes behind an attachment.
        client.call("join", {"lot": 1, "after": 1}, timeout=30)
    alice.call("bid", {"id": str(uuid.uuid4()), "lot": 1, "bidder": "älice", "cents": 99000}, timeout=30)
    assert bob.receive(timeout=30)[0] == "bids placed"
    alice.call("upload", bytes(range(256)), timeout=30)
    alice.call("long", "x" * 70_000, timeout=30)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    database = tmp_path_factory.mktemp("house") / "bids.db"
    lab.start("lab_server", "--port", "0", "--database", f"sqlite:///{database}", mode="tap")
    try:
        yield lab.record(everything)
    finally:
        lab.stop()


def written_by(run, which, label):
    """The function and the file that wrote the field of that label, and its line's text."""
    field = next(one for one in run.book.ledger(run._message(which)).fields if one.span.label == label)
    return field.step(Part.MADE).code.name


def without(run, process, wanted):
    """The run as it would be if what is not ``wanted`` had not been recorded of ``process``."""
    traces = []
    for trace in run.recording.traces:
        if trace.process == process:
            trace = replace(trace, calls=tuple(map(wanted, trace.calls)))
        traces.append(trace)
    return Run(replace(run.recording, traces=tuple(traces)))


def named(call, path, name):
    return call.code.filename.endswith(path) and call.code.name == name


class TestARealRun:
    def test_no_byte_is_unexplained(self, run):
        lacking = {
            message.unit.summary: (ledger.unwritten, ledger.unread, [one.why for one in ledger.breaks])
            for message in run.messages
            if (ledger := run.book.ledger(message)).unexplained
        }
        assert lacking == {}
        assert sum(len(message.unit.raw) for message in run.messages) > 90_000

    def test_what_nobody_received_or_read_came_after_a_close(self, run):
        for message in run.messages:
            ledger = run.book.ledger(message)
            assert ledger.late or not (ledger.unreceived or ledger.unused)

    def test_each_field_has_the_function_that_makes_it(self, run):
        assert written_by(run, "bid", "FIN, RSV and opcode") == "ABNF.format"
        assert written_by(run, "bid", "Masking key") == "ABNF.format"
        assert written_by(run, "bid", "Array begins") == "Packet.encode"
        assert written_by(run, "bids placed", "Packet type") == "Packet.encode"

    def test_a_value_leads_to_the_applications_own_line(self, run):
        ledger = run.book.ledger(run._message("bid"))
        cents = next(one for one in ledger.fields if one.span.value == "99000")
        assert cents.writer.part is Part.VALUE
        assert cents.writer.code.name == "everything"
        assert cents.reader.code.name == "Packet.decode"
        assert cents.step(Part.GIVEN).code.filename.endswith("lab_server/answers.py")

    def test_what_a_handler_returns_is_in_its_acknowledgement(self, run):
        ack = next(m for m in run.messages if m.side is Side.SERVER and m.unit.summary.startswith("ACK #1"))
        fields = run.book.ledger(ack).fields
        value = next(one for one in fields if one.span.label == "Name" and one.span.value == '"lots"')
        assert value.writer.code.filename.endswith("lab_server/answers.py")

    def test_a_page_is_its_templates(self, run):
        page = next(m for m in run.messages if m.side is Side.SERVER)
        body = next(one for one in run.book.ledger(page).fields if one.span.label == "Body")
        assert body.writer.code.filename.endswith("flask/templating.py")

    def test_the_way_of_a_byte_begins_with_its_writer_and_ends_in_the_socket(self, run):
        for message in run.messages:
            ledger = run.book.ledger(message)
            for field in ledger.fields:
                assert field.written[-1].part is Part.SENT
                if not ledger.late:
                    assert field.read[0].part is Part.RECEIVED

    def test_every_entry_names_a_recorded_call(self, run):
        calls = {(call.process, call.id): call for trace in run.recording.traces for call in trace.calls}
        for message in run.messages:
            for field in run.book.ledger(message).fields:
                for entry in (*field.written, *field.read):
                    assert entry.call is None or (entry.process, entry.call) in calls

    def test_a_line_is_the_one_that_does_it(self, run):
        from pathlib import Path

        ledger = run.book.ledger(run._message("bid"))
        key = next(one for one in ledger.fields if one.span.label == "Masking key").writer
        line = Path(key.code.filename).read_text().splitlines()[key.line - 1]
        assert "get_mask_key(4)" in line


class TestABrokenStep:
    def test_a_masked_payload_that_was_recorded_otherwise(self, run):
        def spoil(call):
            # A long one is cut off, and says so.
            if named(call, "_abnf.py", "ABNF.format") and call.result and "…" not in call.result:
                *before, last = literal_eval(call.result)
                return replace(call, result=repr(bytes([*before, last ^ 1])))
            return call

        broken = without(run, "client", spoil)
        message = broken._message("bid")
        ledger = broken.book.ledger(message)
        assert ledger.unwritten == 1
        assert any("ABNF.format recorded" in one.why for one in ledger.breaks)
        assert "unexplained" in broken.provenance("bid").text

    @pytest.mark.parametrize(
        ("path", "name", "process", "labels"),
        [
            ("socketio/packet.py", "Packet.encode", "client", {"Array begins", "Event name", "Number"}),
            ("socketio/packet.py", "Packet.__init__", "client", {"Event name", "Name", "Number", "String"}),
            ("websocket/_abnf.py", "ABNF.format", "client", {"Masking key", "Mask bit and length"}),
        ],
    )
    def test_a_step_whose_snapshot_is_missing_explains_nothing(self, run, path, name, process, labels):
        def forget(call):
            return replace(call, result=None, arguments={}) if named(call, path, name) else call

        broken = without(run, process, forget)
        ledger = broken.book.ledger(broken._message("bid"))
        lacking = {one.span.label for one in ledger.fields if size(one.unwritten)}
        assert labels <= lacking
        assert ledger.unwritten and not ledger.unread

    def test_a_reader_whose_snapshot_is_missing_reads_nothing(self, run):
        def forget(call):
            known = named(call, "socketio/packet.py", "Packet.decode")
            return replace(call, arguments={}) if known else call

        broken = without(run, "server", forget)
        ledger = broken.book.ledger(broken._message("bid"))
        assert ledger.unread > 50 and not ledger.unwritten

    def test_a_snapshot_that_was_cut_proves_nothing(self, run):
        def cut(call):
            if named(call, "socketio/packet.py", "Packet.encode") and call.result:
                return replace(call, result=call.result[:20] + "'… (80 in all)")
            return call

        broken = without(run, "client", cut)
        assert broken.book.ledger(broken._message("bid")).unwritten > 50

    def test_a_process_that_was_not_traced(self, run):
        traces = tuple(trace for trace in run.recording.traces if trace.process == "server")
        ledger = Book(replace(run.recording, traces=traces), run.messages).ledger(run._message("bid"))
        assert ledger.unwritten == len(ledger.message.unit.raw)
        assert ledger.unread == 0

    def test_a_send_that_is_recorded_twice_sends_nothing(self, run):
        message = run._message("bid")
        traces = []
        for trace in run.recording.traces:
            twice = [one for one in trace.transfers if one.kind.value == "send" and one.flow == message.flow]
            traces.append(replace(trace, transfers=trace.transfers + tuple(twice)))
        ledger = Book(replace(run.recording, traces=tuple(traces)), run.messages).ledger(message)
        assert ledger.unwritten == len(message.unit.raw)


def test_what_is_tampered_with_on_the_way_is_told_to_the_byte(monkeypatch):
    """A program that changes the price between Engine.IO and the WebSocket."""
    honest = websocket.WebSocket.send

    def tampering(self, payload, *rest):
        if isinstance(payload, str):
            payload = payload.replace("12500", "12999")
        return honest(self, payload, *rest)

    def scenario(session):
        alice = session.connect("alice")
        monkeypatch.setattr(websocket.WebSocket, "send", tampering)
        alice.emit("replace old value", {"lot": 1, "cents": 12500})
        assert alice.receive(timeout=30) == ["replaced values", {"lot": 1, "cents": 12999}]

    lab.start("lab_server", "--port", "0", "--lesson", "seed", mode="tap")
    try:
        run = lab.record(scenario)
    finally:
        lab.stop()
    ledger = run.book.ledger(run._message("replace old value"))
    number = next(one for one in ledger.fields if one.span.value == "12999")
    assert ledger.unwritten == size(number.unwritten) == 5
    whys = " ".join(one.why for one in ledger.breaks)
    assert "Packet.encode recorded '500', the wire has '999'" in whys
    assert "12999 is not among what the packet was made of" in whys
    assert ledger.unread == 0
    text = run.provenance("replace old value").text
    assert "5 unexplained" in text and "✗" in text
    # What the server says after it is what it was told: explained, all of it.
    assert run.book.ledger(run._message("replaced values")).unexplained == 0


def test_the_messages_of_a_journey_are_counted_together(run):
    text = run.provenance("bid").text
    assert text.splitlines()[0].endswith(", 0 unexplained")
    carried = [step for step in run.journey("bid").steps if step.kind is StepKind.WIRE]
    assert f"in {len(carried)} messages" in text.splitlines()[0]


def test_every_layer_is_there(run):
    layers = {field.span.layer for message in run.messages for field in run.book.ledger(message).fields}
    assert layers == set(Layer) - {Layer.UNKNOWN, Layer.REDIS}
