"""Words and numbers, as every view spells them.

The rule kept here: a text that came from outside is shown, never obeyed.
:func:`visible` turns each character that a terminal or a page would act on
(controls, direction overrides, line breaks, lone surrogates) into an escape
that the reader sees; :func:`web_link` lets no address through but http's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from utils.records import Endpoint, Excerpt, Level, Library, Message, Step, StepKind, Touch
from utils.wire.units import Side

LEVEL_WORDS: dict[Level, str] = {
    Level.LIBRARY: "libraries",
    Level.ESSENTIAL: "essential",
    Level.ALL: "all",
}

KIND_WORDS: dict[StepKind, str] = {
    StepKind.CALL: "call",
    StepKind.SEND: "send",
    StepKind.RECV: "receive",
    StepKind.WIRE: "on the wire",
    StepKind.HANDOFF: "hand-off",
    StepKind.SOCKET: "connection",
    StepKind.CLOCK: "clock",
}

#: Stands where lines or bytes are left out.
GAP = "⋮"

#: Unicode's general categories of what acts instead of showing.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""``text`` with every acting character escaped: a newline becomes ``\n``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _ACTING else c for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    short = {9: r"\t", 10: r"\n", 13: r"\r"}.get(number)
    if short:
        return short
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def shorten(text: str, most: int) -> str:
    """At most ``most`` characters, the last an ellipsis where text was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def duration(nanoseconds: int) -> str:
    """A time span with its unit, to three digits: ``850 ns``, ``12.3 µs``, ``4.56 ms``, ``1.20 s``."""
    sign = "-" if nanoseconds < 0 else ""
    amount = float(abs(nanoseconds))
    if amount < 999.5:
        return f"{sign}{amount:.0f} ns"
    for unit in ("µs", "ms", "s"):
        amount /= 1000
        if amount < 999.5 or unit == "s":
            break
    digits = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
    return f"{sign}{amount:.{digits}f} {unit}"


def times(ratio: float) -> str:
    """A ratio, to two digits or three: ``1.04 ×``, ``3.4 ×``, ``41 ×``."""
    digits = 2 if ratio < 1.95 else 1 if ratio < 9.95 else 0
    return f"{ratio:,.{digits}f} ×"


def since(nanoseconds: int) -> str:
    """A moment, counted from a journey's start: always in ms, so that moments compare by eye."""
    return f"{nanoseconds / 1e6:+,.3f} ms"


def count(number: int, noun: str) -> str:
    """``1 byte``, ``2 bytes``, ``1,024 bytes``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def lost(packets: int, size: int) -> str:
    """What a capture missed, by the kernel's count of packets and by the sequence numbers; or nothing."""
    if not packets and not size:
        return ""
    return f"✗ the capture is not whole: {count(packets, 'packet')} dropped, {count(size, 'byte')} lost"


def library(of: Library) -> str:
    """Name and version; an application has no version."""
    return visible(f"{of.name} {of.version}".rstrip())


def licence(of: Library) -> str:
    return visible(of.licence) or "no licence stated"


def place(step: Step) -> str:
    """Where the thing happened: ``server · request (alice)``."""
    return " · ".join(visible(part) for part in (step.process, step.thread) if part)


def file_line(excerpt: Excerpt) -> str:
    """``flask/app.py:1536``, or the file alone where no line is marked."""
    path = visible(excerpt.path)
    return path if excerpt.current is None else f"{path}:{excerpt.current}"


def source_lines(excerpt: Excerpt) -> list[tuple[int, str] | None]:
    """An excerpt's lines without the indentation that they share, tabs as spaces; None is a gap."""
    lines = [None if line is None else (line[0], visible(line[1].expandtabs(4))) for line in excerpt.lines]
    written = [line[1] for line in lines if line is not None and line[1].strip()]
    shared = min((len(code) - len(code.lstrip(" ")) for code in written), default=0)
    return [None if line is None else (line[0], line[1][shared:].rstrip()) for line in lines]


def web_link(address: str | None) -> str | None:
    """``address`` if it is an absolute http(s) address, else None."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.netloc else None


def step_sentence(step: Step) -> str:
    """One line that says what a step is, for lists, tooltips and screen readers."""
    words = [visible(step.title), KIND_WORDS[step.kind], place(step)]
    if step.library:
        words.insert(1, library(step.library))
    return ", ".join(words)


def touch(of: Touch) -> str:
    """``writes bytes 6, 8–52 of event "bid" [...]``."""
    places = ", ".join(str(start) if end - start == 1 else f"{start}–{end - 1}" for start, end in of.ranges)
    noun = "byte" if sum(end - start for start, end in of.ranges) == 1 else "bytes"
    return f"{of.what} {noun} {places} of {visible(of.message.unit.summary)}"


class Clients:
    """The names that the ends of a capture's connections go by.

    ``named`` maps a port to the name of what is there; a client without one is
    numbered by its first message, because ports differ from run to run.  A
    server without one is the server.
    """

    def __init__(self, messages: Iterable[Message] = (), named: Mapping[int, str] | None = None) -> None:
        self._named = named or {}
        self._names: dict[Endpoint, str] = {}
        self.add(messages)

    def add(self, messages: Iterable[Message]) -> None:
        """More messages of the same capture."""
        # A capture's many messages know their flows, and need not all be looked at.
        first = getattr(messages, "first_of_each_flow", None)
        for message in messages if first is None else first():
            end = _client_end(message)
            if end not in self._names:
                given = self._named.get(end.port)
                self._names[end] = visible(given) if given else f"client {len(self._names) + 1}"

    @property
    def names(self) -> list[str]:
        """Each name once, by first message."""
        return list(dict.fromkeys(self._names.values()))

    def name(self, message: Message) -> str:
        """The client at this message's end of the wire."""
        return self._names[_client_end(message)]

    def ends(self, message: Message) -> tuple[str, str]:
        """Sender and receiver: ``("alice", "server")``."""
        name, server = self.name(message), self.server(message)
        return (name, server) if message.side is Side.CLIENT else (server, name)

    def server(self, message: Message) -> str:
        """The server at the other end."""
        end = message.flow.destination if message.side is Side.CLIENT else message.flow.source
        return visible(self._named.get(end.port, "server"))


def _client_end(message: Message) -> Endpoint:
    return message.flow.source if message.side is Side.CLIENT else message.flow.destination
