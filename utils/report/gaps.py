"""What a recording cannot show, counted and named.

The rule kept here: a number that is nought is told like any other; only so can
it be believed where it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from utils import libraries
from utils.recording.facts import Facts
from utils.report import prose
from utils.report.blocks import Block, Code, Grid, Line, Paragraph, Points, Question, line
from utils.views import wording

#: So many departures from the protocols are told.
MOST_FINDINGS = 50


def counts(subject: Facts, unexplained: Mapping[str, int]) -> Iterator[Block]:
    """What should be nought."""
    recording, meta = subject.recording, subject.recording.meta
    rows: list[tuple[str, int]] = [
        ("packets that the capture had no room for", meta.packets_dropped),
        ("bytes that the capture missed", meta.bytes_lost),
        ("calls that the tracer lost", sum(trace.lost for trace in recording.traces)),
        ("errors inside the tracer", sum(trace.faults for trace in recording.traces)),
    ]
    if recording.traces:
        report = subject.check()
        rows += [
            ("bytes on the wire without exactly one send", report.data_bytes - report.sent_once),
            ("bytes on the wire without exactly one receive", report.data_bytes - report.received_once),
            ("  of them, left unread by one who closed", report.unread),
            ("messages whose times contradict their calls", report.messages - report.in_order),
            ("bytes in the chapters above without a proved line", sum(unexplained.values())),
        ]
    yield Grid(
        "What should be nought",
        ("what", "number"),
        tuple((line(what.strip()), line(f"{number:,}")) for what, number in rows),
        frozenset({1}),
    )


def untraced(subject: Facts) -> Iterator[Block]:
    """Who listened, and left no trace: it was not to be traced, or was killed before it wrote its own."""
    traced = {trace.process for trace in subject.recording.traces}
    names = sorted({one.name for one in subject.recording.meta.listening.values()}, key=str.casefold)
    missing = [wording.visible(name) for name in names if name not in traced]
    if traced and missing:
        yield Question("Of whom is no call known?")
        yield Paragraph(
            line(
                *prose.listed(Code(name) for name in missing),
                ": each listened, and left no trace. It was not traced, or it was killed before it could "
                "write one. What it sent and received is told by the packets alone.",
            )
        )


def uncalled(subject: Facts) -> Iterator[Block]:
    """What was registered and never called."""
    deeds = subject.deeds
    yield Question("What did the application register that was never used?")
    if not deeds.registered.seen:
        yield Paragraph(
            line(
                "That cannot be told: the recording began when the application ran already, so it did not "
                "see what was registered."
            )
        )
        return
    points: list[Line] = [
        line(
            "the handler for ",
            Code(one.event),
            " in ",
            Code(one.namespace or "?"),
            ": ",
            *prose.site(one.site),
        )
        for one in deeds.registered.handlers
        if not deeds.handled(one)
    ]
    points += [
        line("the route ", Code(route.rule), ": ", *prose.site(route.site))
        for route in deeds.registered.routes
        if route not in deeds.asked
    ]
    if points:
        yield Points(tuple(points))
    else:
        yield Paragraph(line("Nothing: every handler and every route was called at least once."))


def untold(failed: Sequence[tuple[str, str]], left_out: int) -> Iterator[Block]:
    """The deeds that have no journey, and those beyond the bound."""
    if failed:
        yield Question("Of which deeds could the way not be followed?")
        yield Points(tuple(line(title, ": ", wording.visible(why)) for title, why in failed))
    if left_out:
        yield Paragraph(line(f"{left_out:,} more different deeds are counted here and not told."))


def unproved(subject: Facts) -> Iterator[Block]:
    """The libraries to whose lines no link is proved, and those whose sources are of other versions here."""
    functions = {call.code for trace in subject.recording.traces for call in trace.calls}
    lacking: Counter[str] = Counter()
    for code in functions:
        where = libraries.place(code.filename)
        if (
            where is not None
            and where.library.version
            and libraries.link(code.filename, code.first_line).url is None
        ):
            lacking[wording.visible(where.library.name)] += 1
    if lacking:
        yield Question("Which lines have no link?")
        names = ", ".join(f"{name} ({wording.count(lacking[name], 'function')})" for name in sorted(lacking))
        yield Paragraph(
            line(
                "Where these keep their sources in their repositories is not proved, so the bare file and "
                f"line stand: {names}. The application’s own lines have none either."
            )
        )


def departures(subject: Facts) -> Iterator[Block]:
    """Where the traffic departs from its protocols."""
    yield Question("Where does the traffic depart from its protocols?")
    found = subject.departures()
    if not found:
        yield Paragraph(line(f"Nowhere, in {wording.count(len(subject.messages), 'message')}."))
        return
    rows = tuple(
        (
            line(str(place + 1)),
            line(finding.unit.side.value),
            line(wording.visible(finding.rule)),
            line(wording.visible(finding.got)),
            line(wording.visible(finding.clause)),
        )
        for place, finding in found[:MOST_FINDINGS]
    )
    header = ("message", "side", "what the protocol asks for", "what came", "clause")
    yield Grid(wording.count(len(found), "departure"), header, rows, frozenset({0}))
