"""The ledger as text and HTML: what is not explained is told, and nothing of it runs."""

from __future__ import annotations

from dataclasses import replace

from tests import builders, hostile
from tests.markup_reader import Reader
from utils import libraries
from utils.provenance.ledger import Break, Entry, Field, Ledger, Part
from utils.records import Code
from utils.views.ledger import FOLDED, count, line_of, provenance


def linker(entry):
    return libraries.link(entry.code.filename, entry.line)


def entry(part, code, line):
    return Entry(part, "client", 1, code, line, 0)


def a_ledger(message=None, **facts):
    message = message or builders.event_message()
    made = builders.code_of(builders.engineio.packet.Packet.encode)
    fields = tuple(
        Field(span, (entry(Part.MADE, made, 45),), (entry(Part.READ, made, 73),))
        for span in message.unit.explain()
    )
    return Ledger(message, fields, **facts)


def test_each_field_is_a_row_with_its_lines():
    ledger = a_ledger()
    view = provenance(ledger, [ledger], linker)
    assert view.text.count("engineio/packet.py:45 Packet.encode") == len(ledger.fields)
    assert view.text.splitlines()[0].endswith("in 1 message, 0 unexplained")
    page = Reader(view.html)
    assert "engineio/packet.py:73 Packet.encode" in page.text
    assert all(line == line.rstrip() for line in view.text.splitlines())
    assert page.elements


def test_what_is_not_explained_is_counted_and_told():
    ledger = a_ledger()
    first, *rest, last = ledger.fields
    span = first.span
    missing = replace(last, read=(), unread=((last.span.start, last.span.end),))
    broken = replace(
        ledger,
        fields=(replace(first, unwritten=((span.start, span.end),)), *rest, missing),
        breaks=(
            Break(
                True, None, None, ((span.start, span.end),), "Packet.encode recorded 'a', the wire has 'b'"
            ),
        ),
        unreceived=last.span.end - last.span.start,
    )
    text = provenance(broken, [broken], linker).text
    assert f"{span.end - span.start} unexplained" in text
    assert "✗ unexplained" in text
    assert "✗ byte 0: Packet.encode recorded" in text
    assert f"{broken.unreceived} never received by a traced process" in count([broken])


def test_a_message_after_the_close_is_told_apart():
    ledger = a_ledger(late=True)
    first, *rest = ledger.fields
    late = replace(ledger, fields=(replace(first, read=(), unread=((0, 1),)), *rest))
    assert late.unexplained == 0
    assert "1 left unread after the Close" in count([late])


def test_a_line_without_a_file_is_told_by_its_function():
    cell = Code("/nowhere/ipykernel_1/2.py", "scenario", 1)
    line = line_of(entry(Part.VALUE, cell, 4), linker)
    assert line == ("line 4 of scenario", None)


def test_of_a_message_with_many_fields_those_with_the_same_lines_stand_together_first():
    message = builders.event_message("bid", list(range(FOLDED)))
    ledger = a_ledger(message)
    view = provenance(ledger, [ledger], linker)
    page = Reader(view.html)
    assert len(page.find("table")) == 2 and len(page.find("details")) == 1
    assert f"Field by field: {len(ledger.fields)} fields" in page.text
    together, each = view.text.split("Field by field")
    assert together.count("packet.py:45") == 1
    assert each.count("packet.py:45") == len(ledger.fields)


def test_whose_value_it_is_stands_below_the_line_that_wrote_it():
    ledger = a_ledger()
    mine = Code("/nowhere/ipykernel_1/2.py", "scenario", 1)
    fields = tuple(replace(one, written=(entry(Part.VALUE, mine, 4), *one.written)) for one in ledger.fields)
    view = provenance(replace(ledger, fields=fields), [ledger], linker)
    assert "value from line 4 of scenario" in Reader(view.html).text
    assert "value to" not in Reader(view.html).text


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    ledger = a_ledger(builders.hostile_message(payload))
    odd = replace(
        ledger,
        fields=tuple(
            replace(one, written=(entry(Part.MADE, Code("<x>", payload, 1), 1),)) for one in ledger.fields
        ),
        breaks=(Break(True, None, None, ((0, 1),), payload),),
    )
    view = provenance(odd, [odd, odd], linker, {40001: payload}, caption=payload)
    usual = provenance(a_ledger(), [a_ledger(), a_ledger()], linker)
    kinds = {tag for tag, _ in Reader(view.html).elements}
    assert kinds <= {tag for tag, _ in Reader(usual.html).elements} | {"span", "p"}


def test_what_a_program_did_that_was_not_traced_is_told_and_not_counted_as_unexplained():
    ledger = a_ledger()
    fields = tuple(
        replace(one, written=(), unwritten=((one.span.start, one.span.end),)) for one in ledger.fields
    )
    told = replace(ledger, fields=fields, sender="Redis")
    assert told.unwritten == told.unexplained == 0
    size = len(told.message.unit.raw)
    assert f"{size} written by Redis, which was not traced" in count([told])
    view = provenance(told, [told], linker)
    assert view.text.count("Redis, which was not traced") == len(fields) + 2
    assert "✗ unexplained" not in view.text
