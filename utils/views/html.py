"""Journeys and messages as static HTML: what stands where no widget runs.

The rule kept here: it reads well with every style stripped (a forge does that)
and on a light or a dark page: colour only ever comes as a tint with its own
dark ink.  No script, no style sheet, no address but http's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.etree.ElementTree import Element

from utils.records import Journey, Level, Message, Step, StepKind
from utils.views import text, wording
from utils.views.dump import Dump, Run, dump
from utils.views.markup import Child, css, element, html, link, measured
from utils.views.outline import depths
from utils.views.palette import DARK_INK, FILLS, marks
from utils.views.tables import chip, table
from utils.views.view import HTML, View
from utils.wire.units import Layer

_CODE = "var(--jp-code-font-family, ui-monospace, monospace)"
_LINE = "1px solid rgba(128,128,128,.4)"
_BLOCK = css(
    margin=".4em 0",
    padding=".5em .7em",
    overflow_x="auto",
    border=_LINE,
    border_radius=".3em",
    font_family=_CODE,
    font_size=".9em",
    line_height="1.45",
    white_space="pre",
)
_QUIET = css(opacity=".8")
_MONO = css(font_family=_CODE)


def steps(journey: Journey, level: Level = Level.LIBRARY) -> View:
    """The steps that ``level`` shows, each to be opened, under its thread."""
    return View(text.journey_text(journey, level), {HTML: html(journey_element(journey, level))})


def message(of: Message, mark: tuple[int, int] | None = None) -> View:
    """One message: its bytes, coloured by layer, and what each of them means."""
    return View(text.message_text(of, mark), {HTML: html(message_element(of, mark))})


# ── journeys and steps ───────────────────────────────────────────────────────


def journey_element(journey: Journey, level: Level) -> Element:
    shown = journey.at(level)
    glyphs = {process: mark.glyph for process, mark in marks(step.process for step in shown).items()}
    whole = _message_numbers(shown)
    indents = depths(shown)
    body: list[Child] = [element("p", element("b", text.journey_heading(journey, level)))]
    numbered = list(enumerate(shown, 1))
    for _, turn in groupby(numbered, key=lambda pair: (pair[1].turn, pair[1].process, pair[1].thread)):
        group = list(turn)
        first = group[0][1]
        body.append(
            element(
                "p",
                element("span", f"{glyphs[first.process]} ", aria_hidden="true"),
                wording.place(first),
                style=css(margin=".8em 0 .2em", font_weight="600"),
            )
        )
        body += [step_element(number, step, indents[number - 1], whole) for number, step in group]
    return element("section", *body, class_="lab-journey", aria_label=f"Journey of {journey.name}")


def _message_numbers(shown: tuple[Step, ...]) -> dict[tuple[object, int], int]:
    """Where each message's bytes are drawn: at its step on the wire, else at its first."""
    found: dict[tuple[object, int], int] = {}
    for number, step in enumerate(shown, 1):
        if step.message is not None:
            key = (step.message.flow, step.message.start)
            if step.kind is StepKind.WIRE:
                found[key] = number
            elif step.span is not None:
                found.setdefault(key, number)
    return found


def step_element(number: int, step: Step, depth: int, drawn_at: dict[tuple[object, int], int]) -> Element:
    """One step: a line, and behind it everything else that is known of it."""
    who = wording.library(step.library) if step.library else wording.KIND_WORDS[step.kind]
    line = element(
        "summary",
        f"{number}. ",
        element("code", wording.visible(step.title)),
        f" · {who} · ",
        measured(wording.since(step.since_ns)),
    )
    return element(
        "details",
        line,
        element("div", *_step_body(step, number, drawn_at), style=css(margin="0 0 .6em 1.2em")),
        style=css(margin_left=f"{min(depth, 8)}em"),
    )


def _step_body(step: Step, number: int, drawn_at: dict[tuple[object, int], int]) -> Iterator[Child]:
    facts: list[Child] = [f"{wording.KIND_WORDS[step.kind]}, ", measured(text.moment(step))]
    if step.library:
        facts.append(f" · {wording.licence(step.library)}")
    yield element("div", *facts, style=_QUIET)
    if step.note:
        yield element("div", wording.visible(step.note))
    for touch in step.touches:
        yield element("div", wording.touch(touch))
    if step.excerpt:
        where = link(step.link.url if step.link else None, wording.file_line(step.excerpt))
        proved = "" if step.link and step.link.proved else f" ({text.link_sentence(step)})"
        yield element("div", "source: ", where, proved)
        yield element("pre", *_source(step), style=_BLOCK)
    values = [(wording.visible(name), wording.visible(value)) for name, value in step.arguments]
    if step.result is not None:
        values.append(("→ result", wording.visible(step.result)))
    if values:
        rows: list[list[Child]] = [[name, element("code", value)] for name, value in values]
        yield table("Values", ["name", "value"], rows)
    if step.message is not None:
        at = drawn_at.get((step.message.flow, step.message.start), number)
        if at == number:
            yield message_element(step.message, step.span)
        else:
            yield element(
                "div", f"bytes in play: {wording.visible(step.message.unit.summary)}, see step {at}"
            )


def _source(step: Step) -> Iterator[Child]:
    excerpt = step.excerpt
    if excerpt is None:
        return
    for line, (number, _) in zip(
        text.excerpt_lines(step), (line or (None, "") for line in excerpt.lines), strict=True
    ):
        if number is not None and number == excerpt.current:
            yield element("b", line)
            yield "\n"
        else:
            yield line + "\n"


# ── messages and bytes ───────────────────────────────────────────────────────


def message_element(of: Message, mark: tuple[int, int] | None = None) -> Element:
    """A figure: the legend, the bytes, the meaning of each span, and the faults."""
    shown = dump(of, mark)
    rows: list[list[Child]] = [
        [
            element("span", text.span_range(span.start, span.end), style=css(white_space="nowrap")),
            chip(span.layer),
            element("b" if shown.marks(span) else "span", wording.visible(span.label)),
            element("code", wording.shorten(wording.visible(span.value), 200)),
            wording.visible(span.meaning),
            wording.visible(span.clause),
        ]
        for span in shown.spans
    ]
    header = ["bytes", "layer", "field", "value", "what it does", "where it is defined"]
    return element(
        "figure",
        *_octets(of, shown),
        table("What each byte means", header, rows) if rows else None,
        class_="lab-message",
        style=css(margin=".6em 0"),
    )


def bytes_element(of: Message) -> Element:
    """The same figure without the table: what each byte means stands elsewhere."""
    return element("figure", *_octets(of, dump(of)), class_="lab-message", style=css(margin=".6em 0"))


def _octets(of: Message, shown: Dump) -> Iterator[Child]:
    legend: list[Child] = []
    for layer in shown.layers:
        legend += [chip(layer), " "]
    yield element("figcaption", text.message_heading(of, shown), style=css(font_weight="600"))
    yield element("div", *legend, style=css(margin=".4em 0"))
    yield element("pre", *_dump(shown), style=_BLOCK)
    yield from (element("p", text.fault_sentence(of.unit, fault)) for fault in shown.faults)


def _dump(shown: Dump) -> Iterator[Child]:
    width = max(4, len(str(len(shown.raw))))
    for row, line in zip([None, *shown.rows()], text.dump_lines(shown), strict=True):
        if row is None:
            yield line + "\n"
            continue
        yield f"{row.start:>{width}}    "
        end = row.runs[-1].end
        for run in row.runs:
            before = " " if run.start > row.start else ""
            yield from (before, _run(shown, run, " ".join(shown.hexes(run.start, run.end))))
        yield " " * ((row.start + 16 - end) * 3 + 2)
        for run in row.runs:
            yield _run(shown, run, shown.text(run.start, run.end))
        yield "\n"


def _run(shown: Dump, run: Run, content: str) -> Element:
    span = None if run.span is None else shown.spans[run.span]
    fill = FILLS[span.layer if span else Layer.UNKNOWN]
    style = css(background_color=fill.tint.light, background_image=fill.pattern, color=DARK_INK)
    if run.marked:
        style += ";" + css(font_weight="bold", text_decoration="underline")
    title = f"{span.layer.value} · {span.label} · {wording.shorten(span.value, 80)}" if span else None
    return element("span", content, style=style, title=title)
