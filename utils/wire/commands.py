"""What the values of a connection to Redis say: commands, answers, and what is pushed to subscribers.

The rule kept here: a value is told from its own bytes; a password is passed
over, and what stands behind AUTH or in a rule of ACL's is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from utils.redaction import REDACTED, scrub
from utils.wire import queued, resp
from utils.wire.resp import HOLDERS, STRINGS, Kind, Reader, Token
from utils.wire.tiling import Tiler, shown
from utils.wire.units import Layer, Side, Span, Unit

#: So many values of one are told one by one.
MOST_TOLD = 500

#: What a subscriber is sent: a message; and at which place its channel stands.
_DELIVERIES = {b"message": 1, b"smessage": 1, b"pmessage": 2}

#: Commands that are answered by a push for each channel, and by nothing else.
_SUBSCRIBING = frozenset(
    {"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE"}
)
_CONFIRMATIONS = frozenset(word.lower().encode() for word in _SUBSCRIBING)

_PUBLISHING = frozenset({"PUBLISH", "SPUBLISH"})

#: Behind these words stand passwords; of ACL's rules, behind these signs.
_DOORS = frozenset({b"AUTH", b"AUTH2", b"REQUIREPASS", b"MASTERAUTH"})
_DOOR_SIGNS = (b">", b"<", b"#", b"!")


class Publication(NamedTuple):
    """A message on a channel: as it was published, or as a subscriber was sent it."""

    channel: bytes
    payload: bytes


class Role(NamedTuple):
    """What a value is in the talk of a connection."""

    asks: str = ""  # a command that is answered: its name
    answers: bool = False
    publishes: Publication | None = None
    delivers: Publication | None = None

    @property
    def carries(self) -> Publication | None:
        return self.publishes or self.delivers


def role(unit: Unit) -> Role:
    """What ``unit`` is: a command, an answer, a publication, a delivery; or nothing of all that."""
    if unit.layer is not Layer.REDIS:
        return Role()
    reader = Reader(inline=unit.side is Side.CLIENT)
    reader.read(unit.raw)
    return Value(unit.side, unit.raw, tuple(reader.tokens)).role


class Value(NamedTuple):
    """A whole value, and the tokens that it was cut into."""

    side: Side
    raw: bytes
    tokens: Sequence[Token]

    def of(self, token: Token) -> bytes:
        """The bytes of a string; of anything else, the word that it is."""
        return token.text if token.content is None else self.raw[token.content[0] : token.content[1]]

    @property
    def words(self) -> list[bytes]:
        """The first plain values of a command, an array or a push."""
        first = self.tokens[0]
        if first.kind is Kind.INLINE:
            return first.text.split()[:4]
        if first.kind not in HOLDERS:
            return []
        return [self.of(one) for one in self.tokens[1:5] if one.depth == 1 and one.kind not in HOLDERS]

    @property
    def name(self) -> str:
        """A command's name, in capitals."""
        words = self.words
        return shown(words[0], 40).upper() if words else ""

    @property
    def role(self) -> Role:
        """What it is in the talk of the connection."""
        words, kind = self.words, self.tokens[0].kind
        if self.side is Side.CLIENT:
            name = self.name
            published = Publication(*words[1:3]) if name in _PUBLISHING and len(words) > 2 else None
            return Role(asks="" if name in _SUBSCRIBING else name or "?", publishes=published)
        first = words[0] if words and kind in (Kind.ARRAY, Kind.PUSH) else b""
        place = _DELIVERIES.get(first)
        if place is not None and len(words) > place + 1:
            return Role(delivers=Publication(*words[place : place + 2]))
        return Role(answers=kind not in (Kind.PUSH, Kind.ATTRIBUTE) and first not in _CONFIRMATIONS)

    @property
    def hidden(self) -> frozenset[int]:
        """The numbers of the tokens of a command that may open a door."""
        if self.side is Side.SERVER:
            return frozenset()
        hidden: list[int] = []
        name, behind = self.name, self.name == "AUTH"
        for number, token in enumerate(self.tokens[2:], 2):
            word = self.of(token)
            if behind or (name == "ACL" and word.startswith(_DOOR_SIGNS)):
                hidden.append(number)
            behind = behind or word.upper() in _DOORS
        if name in ("AUTH", "HELLO") and len(hidden) > 1:
            hidden = hidden[1:]  # of two, the first is the user's name
        return frozenset(hidden)


# ── in one line ──────────────────────────────────────────────────────────────


def told(value: Value) -> str:
    """A value in one line."""
    first, what, words = value.tokens[0], value.role, value.words
    if what.carries is not None:
        verb = value.name if what.publishes else shown(words[0])
        return f"{verb} {shown(what.carries.channel, 30)} · {queued.told(what.carries.payload)}"
    if value.side is Side.CLIENT:
        return _command(value)
    if first.is_nothing:
        return "nothing"
    if first.kind in HOLDERS:
        noun = _LABELS[first.kind][0].lower()
        return scrub(f"{noun} of {int(first.text)}: {' '.join(shown(word, 30) for word in words)}")
    sign = "" if first.kind in STRINGS else first.kind.value.decode()
    return scrub(f"{sign}{shown(value.of(first), 80)}")


def _command(value: Value) -> str:
    if value.tokens[0].kind is Kind.INLINE:
        secret = any(word.upper() in _DOORS for word in value.tokens[0].text.split())
        return f"{value.name} {REDACTED}" if secret else scrub(shown(value.tokens[0].text, 90))
    hidden = value.hidden
    said = [
        REDACTED if number in hidden else shown(value.of(token), 30)
        for number, token in enumerate(value.tokens[2:12], 2)
    ]
    return scrub(" ".join([value.name, *said]))


def meaning(command: str, answer: Value) -> str:
    """What an answer to ``command`` tells beyond itself; empty if nothing."""
    first = answer.tokens[0]
    if command not in _PUBLISHING or first.kind is not Kind.INTEGER:
        return ""
    return f": {shown(first.text, 20)} got it"


# ── byte by byte ─────────────────────────────────────────────────────────────

_LABELS = {
    Kind.SIMPLE: ("Simple string", "A short text without line breaks."),
    Kind.ERROR: ("Error", "The command was refused, or failed."),
    Kind.INTEGER: ("Integer", "A whole number."),
    Kind.BULK: ("Bulk string", "So many bytes follow, whatever they are."),
    Kind.ARRAY: ("Array", "So many values follow."),
    Kind.NULL: ("Null", "There is no value."),
    Kind.BOOLEAN: ("Boolean", "True or false."),
    Kind.DOUBLE: ("Double", "A number with a fraction."),
    Kind.BIG_NUMBER: ("Big number", "A whole number of any size."),
    Kind.BULK_ERROR: ("Bulk error", "The command failed; so many bytes tell why."),
    Kind.VERBATIM: ("Verbatim string", "So many bytes follow, their format first."),
    Kind.MAP: ("Map", "So many keys follow, each with its value."),
    Kind.ATTRIBUTE: ("Attribute", "Says something about the value behind it."),
    Kind.SET: ("Set", "So many values follow, in no order."),
    Kind.PUSH: ("Push", "Sent without being asked for; so many values follow."),
    Kind.INLINE: ("Inline command", "A command as a line of words, as typed by hand."),
}

_MESSAGE = "Message"
_ARGUMENTS = {
    "command": ("Command", "What Redis is to do."),
    "channel": ("Channel", "Who has subscribed to it gets the message."),
    "message": (_MESSAGE, "What is passed on, byte by byte; Redis does not look into it."),
    "argument": ("Argument", "An argument of the command."),
    "push": ("Kind of push", "What has happened on the subscriber's channel."),
    "value": ("Value", "A value, as it was stored or told."),
}


def explained(value: Value, answered: str = "") -> tuple[Span, ...]:
    """The spans that tile the value; ``answered`` names the command that it answers, if it answers one."""
    tiler, hidden = Tiler(), value.hidden
    for number, token in enumerate(value.tokens[:MOST_TOLD]):
        label, what = _LABELS[token.kind]
        if number == 0 and answered:
            what = f"{what} It answers {shown(answered, 20)}{meaning(answered, value)}."
        begin = token.end if token.content is None else token.content[0]
        line = shown(value.raw[token.start : begin].strip())
        if token.kind is Kind.INLINE:
            line = _command(value)
        elif number in hidden and token.content is None:
            line = REDACTED
        tiler.lay(begin - tiler.at, Layer.REDIS, label, scrub(line), what, resp.clause(token.kind))
        if token.content is None:
            continue
        label, what = _ARGUMENTS[_part(value, number)]
        content, layer = value.of(token), Layer.REDIS
        if label == _MESSAGE:
            queued.lay(tiler, content)
            layer = Layer.PAYLOAD
        inside = REDACTED if number in hidden else scrub(shown(content))
        tiler.lay(token.content[1] - tiler.at, layer, label, inside, what, resp.CLAUSE)
        tiler.lay(2, Layer.REDIS, "End of line", "CR LF", "Ends the string.", resp.clause(token.kind))
    more = "More values, not told one by one."
    tiler.lay(len(value.raw) - tiler.at, Layer.REDIS, "More values", "", more, resp.CLAUSE)
    return tuple(tiler.spans)


def _part(value: Value, number: int) -> str:
    """What the string with that number does in its value."""
    what = value.role
    last = len(value.tokens) - 1
    if what.carries is not None and number > 1:
        # A pattern may stand before the channel; behind the message nothing is expected.
        return "message" if number == (3 if what.publishes else last) else "channel"
    if value.side is Side.CLIENT:
        return "command" if number == 1 else "argument"
    return "push" if what.delivers and number == 1 else "value"
