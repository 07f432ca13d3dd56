"""The report's sections: what was recorded, under which licences, each deed, and what is missing.

The rule kept here: a section is made of blocks from facts; an excerpt stands
once, where it is first needed, and is pointed to from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.deeds.finding import Deed
from utils.errors import InputError
from utils.libraries.licences import Licence, used
from utils.recording.facts import Facts
from utils.records import Excerpt, Level, Step, StepKind
from utils.redaction import scrub
from utils.report import gaps, octets, prose
from utils.report.blocks import (
    Anchor,
    Ask,
    Block,
    Code,
    Fold,
    Grid,
    Line,
    Paragraph,
    Picture,
    Question,
    Section,
    Source,
    Strong,
    Verbatim,
    line,
)
from utils.report.chapters import Chapter, Turn, chapter
from utils.views import wording
from utils.views.ladder import lay_out
from utils.views.licences import answers, name_of, spdx_page, statement
from utils.views.outline import depths

#: Of a ladder so many rungs are drawn in a chapter.
MOST_RUNGS = 30


@dataclass
class Report:
    """The sections of one report, in order.  ``deep``: every step that does the work, with its lines."""

    subject: Facts
    deep: bool = False
    _excerpts: dict[tuple[object, ...], str] = field(default_factory=dict)
    _unexplained: dict[str, int] = field(default_factory=dict)
    _failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The report's heading."""
        application = self.subject.recording.meta.extra.get("application")
        name = wording.visible(str(application[0])) if application else "a capture"
        return f"What {name} does with its libraries"

    def sections(self) -> Iterator[Section]:
        """Every section; the blocks of one are to be used up before the next is asked for."""
        yield Section("recorded", "What was recorded, and on what?", self._recorded())
        yield Section(
            "licences", "Which libraries does it stand on, and under which licences?", self._licences()
        )
        if self.subject.deeds.registered.seen:
            yield Section("registered", "What did the application register?", self._registered())
        for number, deed in enumerate(self.subject.deeds.told, 1):
            yield Section(f"deed-{number}", prose.title(deed), self._chapter(deed), prose.PARTS[deed.kind])
        yield Section("unseen", "What was not seen, and what is not proved?", self._unseen())

    def contents(self) -> Iterator[tuple[str, str, str]]:
        """Name, title and part of every section, without making any."""
        for section in self.sections():
            yield section.name, section.title, section.part

    # ── what was recorded ────────────────────────────────────────────────────

    def _recorded(self) -> Iterator[Block]:
        subject, meta = self.subject, self.subject.recording.meta
        yield Paragraph(
            line(
                "This report was made from a recording: the packets that crossed the network interface, and "
                "the calls of the libraries and of the application, on one clock. Nothing in it was typed "
                "by hand: every line number, byte and name is the recording’s."
            )
        )
        application = meta.extra.get("application")
        processes = ", ".join(
            f"{wording.visible(trace.process)} ({wording.count(len(trace.calls), 'call')} in "
            f"{wording.count(len(trace.threads), 'thread')})"
            for trace in subject.recording.traces
        )
        connections = len({frozenset(one.flow) for one in subject.messages.first_of_each_flow()})
        names = list(dict.fromkeys(subject.clients.values()))
        facts: list[tuple[str, str]] = [
            ("recording", wording.visible(meta.name)),
            ("application", wording.visible(scrub(" ".join(map(str, application)))) if application else ""),
            ("recorded", meta.created),
            ("how", wording.visible(f"{meta.mode}: {meta.why}")),
            ("on", f"Python {meta.python}, {meta.platform}" if subject.recording.traces else ""),
            ("processes", processes or "none was traced: there are packets, and no calls"),
            (
                "packets",
                f"{len(subject.recording.segments):,}, of {wording.count(connections, 'connection')}",
            ),
            ("messages", f"{len(subject.messages):,}"),
            ("clients", wording.visible(", ".join(names[:20])) + (" …" if len(names) > 20 else "")),
        ]
        yield Grid("The recording", ("what", "found"), tuple((line(a), line(b)) for a, b in facts if b))
        if meta.mode == "tap":
            yield Paragraph(
                line(
                    "The packets were taken from the two programs’ sockets: every byte of their contents is "
                    "exact, and the TCP headers around them are made up."
                )
            )
        lost = wording.lost(meta.packets_dropped, meta.bytes_lost)
        if lost:
            yield Paragraph(line(Strong(lost)))
        yield Ask("run.packets()")

    # ── licences ─────────────────────────────────────────────────────────────

    def _licences(self) -> Iterator[Block]:
        found = used(self.subject.recording)
        if not found:
            yield Paragraph(line("No call was recorded, so it is not known which libraries ran."))
            return
        yield Paragraph(
            line(
                f"{len(found)} libraries ran in this "
                "recording. Each statement below names the clause that it is taken from, and was looked up "
                "in the library’s own copy of its licence, which stands under it."
            )
        )
        rows = tuple(
            (
                line(wording.library(one.library)),
                line(Anchor(name_of(one), spdx_page(one))),
                line(_host(one)),
            )
            for one in found
        )
        yield Grid("Libraries", ("library", "licence", "repository"), rows)
        for one in found:
            yield from self._licence(one)
        yield Ask("run.licences()")

    def _licence(self, licence: Licence) -> Iterator[Block]:
        name = wording.library(licence.library)
        yield Question(f"What may be done with {name}?")
        rows: list[tuple[Line, ...]] = [
            (line("repository"), line(_host(licence))),
            (line("licence"), line(Anchor(name_of(licence), spdx_page(licence)), f" ({licence.basis})")),
        ]
        for terms in licence.terms:
            of = f" ({terms.spdx})" if len(licence.terms) > 1 else ""
            for question, clauses in answers(terms):
                told = "; ".join(statement(clause, [licence]) for clause in clauses) or "nothing"
                rows.append((line(f"{question}{of}"), line(told)))
        yield Grid(name, ("", ""), tuple(rows), quiet=True)
        for file in licence.texts:
            yield Fold(f"The licence in its own words: {wording.visible(file.name)}", (Verbatim(file.text),))
        if not licence.texts:
            yield Paragraph(line("Its text is not at hand, so nothing of this was looked up in it."))

    # ── what was registered ──────────────────────────────────────────────────

    def _registered(self) -> Iterator[Block]:
        deeds = self.subject.deeds
        known = deeds.registered
        yield Paragraph(
            line(
                "The recording begins before the application’s first line, so it saw each of these being "
                "registered. Whether it was used in this recording stands beside it."
            )
        )
        if known.handlers:
            rows = tuple(
                (
                    line(Code(handler.event)),
                    line(Code(handler.namespace or "?")),
                    line(Code(handler.function or "?")),
                    prose.site(handler.site),
                    line("yes" if deeds.handled(handler) else "✗ never called"),
                )
                for handler in known.handlers
            )
            yield Grid("Handlers", ("event", "namespace", "function", "registered at", "called"), rows)
        if known.routes:
            asked = deeds.asked
            rules = tuple(
                (
                    line(Code(route.rule)),
                    line(", ".join(route.methods) or "?"),
                    line(Code(route.endpoint or "?")),
                    prose.site(route.site),
                    line("yes" if route in asked else "✗ never asked for"),
                )
                for route in known.routes
            )
            yield Grid("Routes", ("rule", "methods", "endpoint", "registered at", "asked for"), rules)

    # ── a deed ───────────────────────────────────────────────────────────────

    def _chapter(self, deed: Deed) -> Iterator[Block]:
        try:
            told = chapter(self.subject, deed, Level.ESSENTIAL if self.deep else Level.LIBRARY)
        except InputError as error:
            self._failed.append((prose.title(deed), error.why or error.what))
            yield Paragraph(
                line(f"It happened {wording.count(deed.times, 'time')}. {error.what}: {error.why}.")
            )
            return
        for words in prose.lead(told):
            yield Paragraph(words)
        yield from self._own_lines(deed)
        if told.messages:
            yield Question("What goes over the wire?")
            yield Picture(lay_out(told.messages, self.subject.clients, MOST_RUNGS))
        if told.turns:
            yield Question("Which calls lead there, and back?")
            yield from self._calls(told)
        main = told.main()
        if main is not None:
            yield Question("Which bytes, and which line wrote each of them?")
            self._unexplained[deed.name] = told.unexplained
            yield from octets.told(told, main, self.subject, deep=self.deep)
        if told.hops:
            yield Question("Where did the time go?")
            yield from octets.times(told)
        yield Ask(f"run.stepper({deed.name!r})")

    def _own_lines(self, deed: Deed) -> Iterator[Block]:
        """The application's own function, as far as an excerpt goes."""
        for function in deed.functions[:1]:
            inside = deed.call if deed.call is not None and deed.call.code == function else None
            current = deed.site.line if deed.site is not None else inside.left if inside is not None else None
            excerpt = self.subject.excerpt(function, current)
            if excerpt is not None:
                yield from self._source(excerpt, prose.place(function, current or function.first_line))

    def _calls(self, told: Chapter) -> Iterator[Block]:
        for turn in told.turns:
            yield Paragraph(line(Strong(prose.turn_title(turn)), ". ", *prose.turn_words(turn)))
            if turn.like is None and turn.steps[0].kind is not StepKind.WIRE:
                yield from self._turn(turn)

    def _turn(self, turn: Turn) -> Iterator[Block]:
        sources: list[Block] = []
        for step in turn.steps:
            if step.excerpt is not None and self._worth(step):
                sources += self._source(step.excerpt, prose.step_place(step))
        rows = [
            (
                line(str(number)),
                line(wording.library(step.library) if step.library else wording.KIND_WORDS[step.kind]),
                line(
                    "· " * min(depth, 6), Code(wording.shorten(prose.short(wording.visible(step.title)), 90))
                ),
                (*prose.step_place(step), *self._pointer(step)),
                line(prose.step_words(step, first=number == turn.first)),
            )
            for number, (step, depth) in enumerate(
                zip(turn.steps, depths(turn.steps), strict=True), turn.first
            )
        ]
        header = ("#", "library", "function", "file and line", "what it does")
        yield Grid(f"Turn {turn.number}", header, tuple(rows), frozenset({0}), quiet=True)
        if sources:
            yield Fold(f"The lines of turn {turn.number}", tuple(sources))

    def _pointer(self, step: Step) -> Line:
        """The way to a step's lines, where they stand in the report."""
        name = None if step.excerpt is None else self._excerpts.get(_key(step.excerpt))
        return () if name is None else line(" ", Anchor("lines", f"#{name}"))

    def _worth(self, step: Step) -> bool:
        """Whether its lines are shown: in a deep report all; else if it writes, reads, sends or takes."""
        if self.deep or step.kind in (StepKind.SEND, StepKind.RECV):
            return True
        own = step.library is not None and not step.library.version
        return own or any(touch.what in ("writes", "reads") for touch in step.touches)

    def _source(self, excerpt: Excerpt, where: Line) -> Iterator[Source]:
        """The lines, if they do not stand in the report yet."""
        key = _key(excerpt)
        if key not in self._excerpts:
            self._excerpts[key] = f"source-{len(self._excerpts) + 1}"
            yield Source(
                self._excerpts[key], line(Code(wording.visible(excerpt.function)), " in ", *where), excerpt
            )

    # ── what is missing ──────────────────────────────────────────────────────

    def _unseen(self) -> Iterator[Block]:
        yield Paragraph(
            line(
                "A report is worth what it does not hide. Below stands what this recording cannot show, and "
                "each number that would have to be nought for the rest to be the whole truth."
            )
        )
        yield from gaps.counts(self.subject, self._unexplained)
        yield from gaps.untraced(self.subject)
        yield from gaps.uncalled(self.subject)
        yield from gaps.untold(self._failed, self.subject.deeds.left_out)
        yield from gaps.unproved(self.subject)
        yield from gaps.departures(self.subject)
        yield Ask("run.findings()")


def _key(excerpt: Excerpt) -> tuple[object, ...]:
    return excerpt.path, excerpt.function, excerpt.lines, excerpt.current


def _host(licence: Licence) -> Anchor:
    home = wording.web_link(licence.library.home)
    return Anchor(wording.visible(licence.library.home or "not stated"), home)
