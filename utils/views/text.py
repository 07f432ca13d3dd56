"""Journeys, steps, messages and bytes as plain text: the tested truth.

The rule kept here: the same values give the same characters, on any machine;
columns are aligned for a fixed-width font; no line ends in a space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from utils.records import Flow, Journey, Level, Message, Step
from utils.views import wording
from utils.views.dump import ROW, Dump, dump
from utils.views.outline import depths
from utils.wire.units import Fault, Span, Unit


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Aligned columns, two spaces apart; those numbered in ``right`` are flush right."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


# ── journeys and steps ───────────────────────────────────────────────────────


def journey_heading(journey: Journey, level: Level) -> str:
    """``event "bid" · 24 of 180 steps (libraries) · live, traced``."""
    shown = len(journey.at(level))
    steps = wording.count(len(journey.steps), "step")
    amount = steps if shown == len(journey.steps) else f"{shown} of {steps}"
    how = f"{visible_mode(journey)}, {'traced' if journey.traced else 'not traced'}"
    return f"{wording.visible(journey.name)} · {amount} ({wording.LEVEL_WORDS[level]}) · {how}"


def visible_mode(journey: Journey) -> str:
    return wording.visible(journey.mode)


def journey_text(journey: Journey, level: Level = Level.LIBRARY, *, times: bool = True) -> str:
    """The steps of a journey, one a line, under a line for each turn.

    Without ``times`` the text holds nothing that differs between two runs of
    the same code: what a notebook can compare.
    """
    steps = journey.at(level)
    right = frozenset({0, 1, 2} if times else {0})
    rows = [
        _step_row(number, step, depth, times)
        for number, (step, depth) in enumerate(zip(steps, depths(steps), strict=True), 1)
    ]
    body = table(rows, right=right)
    lines = [journey_heading(journey, level)]
    turn = None
    for step, line in zip(steps, body.splitlines(), strict=True):
        if (step.turn, step.process, step.thread) != turn:
            turn = (step.turn, step.process, step.thread)
            lines += ["", wording.place(step)]
        lines.append(f"  {line}")
    return "\n".join(lines)


def _step_row(number: int, step: Step, depth: int, times: bool) -> list[str]:
    row = [str(number)]
    if times:
        took = "" if step.duration_ns is None else wording.duration(step.duration_ns)
        row += [wording.since(step.since_ns), took]
    row.append(wording.library(step.library) if step.library else wording.KIND_WORDS[step.kind])
    row.append("  " * depth + wording.shorten(wording.visible(step.title), 64))
    row.append(wording.file_line(step.excerpt) if step.excerpt else "")
    return row


def step_text(journey: Journey, number: int, level: Level = Level.LIBRARY) -> str:
    """Everything about step ``number`` (from 1) of those that ``level`` shows."""
    steps = journey.at(level)
    if not 1 <= number <= len(steps):
        raise IndexError(f"step {number} of {len(steps)}")
    step = steps[number - 1]
    lines = [
        f"Step {number} of {len(steps)} · {wording.KIND_WORDS[step.kind]} · {wording.place(step)}",
        wording.visible(step.title),
        moment(step),
    ]
    if step.library:
        lines.append(f"{wording.library(step.library)} ({wording.licence(step.library)})")
    if step.note:
        lines.append(wording.visible(step.note))
    lines += [wording.touch(one) for one in step.touches]
    if step.arguments:
        lines += ["", "arguments"]
        lines += [f"  {wording.visible(name)} = {wording.visible(value)}" for name, value in step.arguments]
    if step.result is not None:
        lines += ["", "result", f"  {wording.visible(step.result)}"]
    if step.excerpt:
        lines += ["", f"source  {wording.file_line(step.excerpt)}", *excerpt_lines(step)]
        lines.append(f"  {link_sentence(step)}")
    if step.message:
        lines += ["", message_text(step.message, step.span)]
    return "\n".join(lines)


def moment(step: Step) -> str:
    """When a step was, and how long it took."""
    at = f"at {wording.since(step.since_ns)}"
    return at if step.duration_ns is None else f"{at}, took {wording.duration(step.duration_ns)}"


def link_sentence(step: Step) -> str:
    """The address of the step's line on its forge, or that there is none."""
    address = wording.web_link(step.link.url) if step.link else None
    if address is None:
        return "no proved link: read the installed file"
    return address if step.link and step.link.proved else f"{address} (not proved)"


def excerpt_lines(step: Step) -> Iterator[str]:
    """The source lines of a step, numbered, the current one marked."""
    excerpt = step.excerpt
    if excerpt is None:
        return
    lines = wording.source_lines(excerpt)
    width = len(str(max((line[0] for line in lines if line is not None), default=0)))
    for line in lines:
        if line is None:
            yield f"    {wording.GAP:>{width}}"
            continue
        number, code = line
        pointer = "→" if number == excerpt.current else " "
        yield f"  {pointer} {number:>{width}}  {code}".rstrip()


# ── messages and bytes ───────────────────────────────────────────────────────


def message_text(message: Message, mark: tuple[int, int] | None = None) -> str:
    """A message: its summary, its bytes, and the meaning of each span."""
    shown = dump(message, mark)
    lines = [message_heading(message, shown), *dump_lines(shown)]
    lines += ["", table([_span_row(shown, span) for span in shown.spans], right=frozenset({0}))]
    lines += [fault_sentence(message.unit, fault) for fault in shown.faults]
    return "\n".join(lines)


def message_heading(message: Message, shown: Dump) -> str:
    words = [wording.visible(message.unit.summary), wording.count(len(shown.raw), "byte")]
    if shown.mark:
        words.append(f"this step: {span_range(*shown.mark)}")
    if shown.hidden:
        words.append(f"{wording.count(shown.hidden, 'byte')} not shown")
    return " · ".join(words)


def span_range(start: int, end: int) -> str:
    """``byte 4`` or ``bytes 0–3``: offsets in the message, the last one included."""
    return f"byte {start}" if end - start == 1 else f"bytes {start}–{end - 1}"


def dump_lines(shown: Dump) -> Iterator[str]:
    """Offset, hex and text; a marked byte stands between brackets."""
    width = max(4, len(str(len(shown.raw))))
    column = "unmasked text" if shown.unmasked else "text"
    yield f"{'offset':<{width + 2}}  {'hex':<{ROW * 3 + 1}} {column}".rstrip()
    for row in shown.rows():
        if row is None:
            yield f"{wording.GAP:>{width}}"
            continue
        end = row.runs[-1].end
        hexes = _hex_column(shown, row.start, end)
        yield f"{row.start:>{width}}    {hexes:<{ROW * 3 + 1}} {shown.text(row.start, end)}"


def _hex_column(shown: Dump, start: int, end: int) -> str:
    cells = []
    inside = False
    for at, digits in enumerate(shown.hexes(start, end), start):
        marked = shown.marked(at)
        cells.append((" " if marked == inside else "[" if marked else "]") + digits)
        inside = marked
    return "".join(cells) + ("]" if inside else "")


def _span_row(shown: Dump, span: Span) -> list[str]:
    here = "→" if shown.marks(span) else " "
    return [
        f"{here} {span.start}–{span.end - 1}" if span.end - span.start > 1 else f"{here} {span.start}",
        span.layer.value,
        wording.visible(span.label),
        wording.shorten(wording.visible(span.value), 60),
        wording.visible(span.clause),
    ]


def fault_sentence(unit: Unit, fault: Fault) -> str:
    """Where the grammar ends: at which byte, of which side, what was expected there, and what came."""
    where = f"✗ byte {fault.offset} (of all that the {unit.side.value} sent, {unit.start + fault.offset})"
    sentence = f"{where}: expected {wording.visible(fault.expected)}, got {wording.visible(fault.got)}"
    return f"{sentence} ({wording.visible(fault.clause)})" if fault.clause else sentence


#: What stands over the cells of a packet list.
PACKET_HEADER = ["#", "time", "from", "to", "layer", "what", "bytes"]


def packets_text(
    messages: Sequence[Message],
    clients: Mapping[int, str] | None = None,
    start_ns: int | None = None,
    *,
    whole: bool = False,
    start: int = 1,
    most: int | None = None,
) -> str:
    """One message a line: number, time, who to whom, layer, summary, size (see :func:`packet_rows`)."""
    rows = packet_rows(messages, clients, start_ns, whole=whole, start=start, most=most)
    return table([PACKET_HEADER, *rows], right=frozenset({0, 1, 6}))


def packet_rows(
    messages: Sequence[Message],
    clients: Mapping[int, str] | None = None,
    start_ns: int | None = None,
    *,
    whole: bool = False,
    start: int = 1,
    most: int | None = None,
) -> Iterable[list[str]]:
    """The cells of a packet list; times count from ``start_ns``, or from the first message.

    The rows are those from number ``start`` on, and at most so many.

    ``whole``: these are all messages of a capture, so that bytes between them are missing bytes.
    """
    if not messages:
        return
    who = wording.Clients(messages, clients)
    begin = messages[0].first_ns if start_ns is None else start_ns
    ends: dict[Flow, int] = {}
    last = len(messages) if most is None else start - 1 + most
    for number, message in enumerate(messages[start - 1 : last], start):
        sender, receiver = who.ends(message)
        told = summary(message.unit)
        # Of a flow's first row only the capture's beginning tells what should come before.
        expected = ends.get(message.flow, 0 if start == 1 else message.start)
        hole = message.start - expected if whole else 0
        if hole > 0:
            told = f"✗ {wording.count(hole, 'byte')} missing before it: {told}"
        ends[message.flow] = message.end
        yield [
            str(number),
            wording.since(message.first_ns - begin),
            sender,
            receiver,
            message.unit.layer.value,
            wording.visible(told),
            f"{len(message.unit.raw):,}",
        ]


def summary(unit: Unit) -> str:
    """What a unit is, in one line; and the first thing that is wrong with it."""
    if not unit.faults:
        return unit.summary
    fault = unit.faults[0]
    more = f" (and {len(unit.faults) - 1} more)" if len(unit.faults) > 1 else ""
    return f"{wording.shorten(unit.summary, 60)} ✗ expected {fault.expected}, got {fault.got}{more}"
