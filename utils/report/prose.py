"""The report's sentences, made from the facts.

The rule kept here: a sentence says what the recording shows and no more; where
it cannot say, it says so.  Names of the application and of libraries are set as
code, so that no name can be taken for prose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from utils import libraries
from utils.deeds.finding import Deed, Kind
from utils.provenance.origin import is_application
from utils.records import Code as Function
from utils.records import Message, Site, Step, StepKind, Touch
from utils.report.blocks import Anchor, Code, Line, Piece, line
from utils.report.chapters import Chapter, Turn
from utils.views import wording

#: What can wake a thread.
WAKING = (StepKind.RECV, StepKind.HANDOFF, StepKind.CLOCK, StepKind.SOCKET)

_TITLES = {
    "construct": "What does the line that makes the Socket.IO server build?",
    "route": "What does @app.route register, and where?",
    "on": "What does the line that registers an event handler do?",
    "serve": "What makes the application listen?",
    "open": "How does a client open a connection?",
    "upgrade": "How does polling become a WebSocket?",
    "connect": "How does a client join a namespace?",
    "heartbeat": "How do both sides know that the other is still there?",
    "disconnect": "How does a client leave a namespace?",
    "close": "How does the connection end?",
}

PARTS = {
    Kind.BUILT: "How is it built?",
    Kind.CONNECTION: "How does a connection live?",
    Kind.PAGE: "Which pages does it serve?",
    Kind.EVENT: "Which events does it hear?",
    Kind.EMIT: "What does it send?",
    Kind.TASK: "What does it do by itself?",
}


def title(deed: Deed) -> str:
    """The question that a chapter answers."""
    if deed.name in _TITLES:
        return _TITLES[deed.name]
    where = f" in {deed.namespace}" if deed.namespace not in ("", "/") else ""
    if deed.kind is Kind.PAGE:
        return f"What happens when somebody asks for {deed.name}?"
    if deed.kind is Kind.CONNECTION:
        verb = "connects" if deed.event == "connect" else "leaves"
        return f"What does the application do when a client {verb}{where}?"
    if deed.kind is Kind.TASK:
        return f"What starts {short(deed.name.removeprefix('thread '))}?"
    if deed.kind is Kind.EMIT:
        if deed.site is None:
            return f"Where does “{deed.event}”{where} come from, which no line seen here sent?"
        return f"How does “{deed.event}”, sent in {short(deed.site.code.name)}, reach the clients?"
    if deed.name.startswith("acknowledgement"):
        return (
            f"What happens when a client acknowledges, and {short(deed.name.rpartition(' ')[2])} is waiting?"
        )
    if not deed.functions:
        return f"What becomes of “{deed.event}”{where}, for which no handler was called?"
    return f"What happens when a client sends “{deed.event}”{where}?"


def short(name: str) -> str:
    """A function's name without the function that it was made in."""
    return name.rpartition("<locals>.")[2]


# ── a chapter's first paragraph ──────────────────────────────────────────────


def lead(chapter: Chapter) -> Iterator[Line]:
    """What happened, by whose line, and how far it went: a paragraph each."""
    yield tuple(_happened(chapter.deed))
    if not chapter.shown:
        yield line("The recording holds no step of it that can be told.")
        return
    yield tuple(_way(chapter))
    ending = _ending(chapter)
    if ending:
        yield ending


def _happened(deed: Deed) -> Iterator[Piece]:
    times = "once" if deed.times == 1 else f"{deed.times:,} times; this is the first"
    yield f"It happened {times}."
    for function in deed.functions[:1]:
        if deed.kind is Kind.EMIT and deed.site is not None:
            yield " The application asks for it in "
            yield Code(function.name)
            yield ", at "
            yield from place(deed.site.code, deed.site.line)
            yield "."
            if deed.call is not None:
                yield " The line calls "
                yield Code(deed.call.code.name)
                yield " of "
                yield library_of(deed.call.code)
                yield "."
            continue
        yield " The library calls the application’s "
        yield Code(function.name)
        if deed.handler not in ("", deed.event):
            yield ", which is registered for "
            yield Code(deed.handler)
        yield ", which begins at "
        yield from place(function, function.first_line)
        yield "."
    if not deed.functions:
        if deed.site is not None:
            yield " The line that asks for it is the application’s own: "
            yield from place(deed.site.code, deed.site.line)
            yield "."
        elif deed.kind in (Kind.EVENT, Kind.PAGE):
            yield " No function of the application was seen at it."
        elif deed.kind is Kind.EMIT:
            yield " Another process sent it, by way of the message queue, or its sender was not traced."


def _way(chapter: Chapter) -> Iterator[Piece]:
    steps, shown = chapter.journey.steps, chapter.shown
    threads = dict.fromkeys((step.process, step.thread) for step in steps if step.kind is not StepKind.WIRE)
    processes = dict.fromkeys(process for process, _ in threads)
    yield f"The recording shows {wording.count(len(steps), 'step')} in "
    yield f"{wording.count(len(threads), 'thread')} of "
    yield from listed(Code(wording.visible(process)) for process in processes)
    names = libraries_of(steps)
    if names:
        yield ", through "
        yield from listed(names)
    yield (
        "."
        if len(shown) == len(steps)
        else (f"; {len(shown)} of them tell the way, and stand below. The others only serve these.")
    )


def _ending(chapter: Chapter) -> Line:
    if not chapter.messages and not chapter.left_out:
        return line("No byte was put on the wire for it.")
    count = len(chapter.messages) + chapter.left_out
    told = [
        f"It put {wording.count(count, 'message')} on the wire",
        f", of {chapter.size:,} bytes" if not chapter.left_out else "",
        ". ",
    ]
    if chapter.unexplained:
        told.append(
            f"Of {wording.count(chapter.unexplained, 'byte')} the writer or the reader is not proved."
        )
    elif chapter.messages:
        but = f", but for what was done by {' and '.join(chapter.outside)}" if chapter.outside else ""
        told.append(
            f"Of each of these bytes the line that wrote it is proved, and the line that read it{but}."
        )
    return line("".join(told))


# ── turns and steps ──────────────────────────────────────────────────────────


def turn_title(turn: Turn) -> str:
    """``2. server, thread _thread (alice)``."""
    first = turn.steps[0]
    where = "the wire" if first.kind is StepKind.WIRE else wording.visible(first.process)
    thread = f", {wording.visible(first.thread)}" if first.thread else ""
    return f"{turn.number}. {where}{thread}"


def turn_words(turn: Turn) -> Line:
    """What woke the thread, or what crossed the wire, or that it is the same again."""
    first = turn.steps[0]
    if first.kind is StepKind.WIRE:
        told = [
            (Code(wording.shorten(wording.visible(step.title), 90)), size_of(step)) for step in turn.steps
        ]
        return tuple(listed_pairs(told))
    if turn.like is not None:
        return line(f"The same {wording.count(len(turn.steps), 'step')} as in turn {turn.like}.")
    if first.kind in WAKING:
        return line(f"{_capital(wording.visible(first.note))}.")
    return line("The way begins here." if turn.number == 1 else "The thread goes on.")


def size_of(step: Step) -> str:
    return wording.count(len(step.message.unit.raw), "byte") if step.message is not None else ""


def listed_pairs(told: Iterable[tuple[Code, str]]) -> Iterator[Piece]:
    """Each thing with its size."""
    for number, (what, size) in enumerate(told):
        yield "; " if number else ""
        yield what
        yield f", {size}" if size else ""
    yield "."


def step_words(step: Step, *, first: bool) -> str:
    """What a step does, in few words; what the ``first`` one of a turn tells stands over it."""
    if step.touches:
        return "; ".join(map(touch_words, step.touches[:2]))
    if step.kind is StepKind.CALL:
        return "hands the work on" if step.onward else ""
    return "" if first and step.kind in WAKING else wording.visible(step.note)


def touch_words(touch: Touch) -> str:
    """``writes 47 bytes of event "bid" […]``."""
    size = sum(end - start for start, end in touch.ranges)
    whole = size == len(touch.message.unit.raw)
    amount = "all" if whole else wording.count(size, "byte")
    return f"{touch.what} {amount} of {wording.shorten(wording.visible(touch.message.unit.summary), 40)}"


def step_place(step: Step) -> Line:
    """File and line, linked where the link is proved; the file alone where there is none."""
    if step.excerpt is not None:
        address = wording.web_link(step.link.url) if step.link is not None else None
        return line(Anchor(wording.file_line(step.excerpt), address, code=True))
    if step.link is not None and step.link.url is not None:
        return line(Anchor("its line", wording.web_link(step.link.url)))
    return ()


# ── places and names ─────────────────────────────────────────────────────────


def place(function: Function, number: int | None) -> Line:
    """``flask/app.py:902``, linked where it is proved."""
    where = libraries.place(function.filename)
    if where is None:
        return line("a place that has no file")
    told = wording.visible(where.path if number is None else f"{where.path}:{number}")
    address = libraries.link(function.filename, number or function.first_line).url
    return line(Anchor(told, wording.web_link(address), code=True))


def site(at: Site | None) -> Line:
    """The application's line, or that it is not known."""
    return line("not known") if at is None else place(at.code, at.line)


def library_of(function: Function) -> str:
    where = libraries.place(function.filename)
    return (
        "the application"
        if where is None or is_application(function)
        else wording.visible(where.library.name)
    )


def libraries_of(steps: Iterable[Step]) -> list[str]:
    """The libraries that the steps go through, in their order, without the application itself."""
    found = (step.library for step in steps if step.library is not None and step.library.version)
    return list(dict.fromkeys(wording.visible(library.name) for library in found if library is not None))


def listed(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """``a, b and c``."""
    found = list(pieces)
    for number, piece in enumerate(found):
        if number:
            yield " and " if number == len(found) - 1 else ", "
        yield piece


def message_words(message: Message, clients: wording.Clients) -> str:
    """``alice → server``."""
    return " → ".join(clients.ends(message))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
