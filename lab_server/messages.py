"""What a client may send: one schema for each event.

A message is taken whole or refused whole.  Types are exact (a ``1.0`` is no
integer, a ``true`` is no number), unknown fields are errors, every text and
number has its bounds, and no refusal repeats what the client sent.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lab_server.rules import MAX_CENTS, Refused

#: The longest time that a lot may be open for, in seconds: a week.
MAX_OPEN_SECONDS = 7 * 24 * 3600

#: The largest picture, in bytes; its base64 form over polling still fits a message.
MAX_PICTURE = 256 * 1024

#: The first bytes of the picture formats that every browser shows.
PICTURE_FORMATS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


def _one_spelling(text: str) -> str:
    # "é" can be written in two ways that look the same; two names that look the same are one.
    return unicodedata.normalize("NFC", text)


def _is_uuid(text: str) -> str:
    if str(UUID(text)) != text:
        raise ValueError("not in canonical form")
    return text


#: Letters and digits of any script, with spaces and a little punctuation between: no markup,
#: and no invisible characters, which would make two names look the same.
Name = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=40,
        pattern=r"^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} .'’-]*[\p{L}\p{M}\p{N}.])?$",
    ),
    AfterValidator(_one_spelling),
]
#: One line of plain text: nothing that a browser could take for markup, no control characters.
Line = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^<>\x00-\x1f\x7f]+$")]
Paragraph = Annotated[str, StringConstraints(max_length=400, pattern=r"^[^<>\x00-\x1f\x7f]*$")]
Cents = Annotated[int, Field(gt=0, le=MAX_CENTS)]
LotId = Annotated[int, Field(gt=0, le=2**31 - 1)]


class Message(BaseModel):
    """The base of all schemas: exact types, no unknown fields, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ListLots(Message):
    """``lots``: all lots, and the server's time."""


class Join(Message):
    """``join``: follow a lot; the answer holds its bids numbered above ``after``."""

    lot: LotId
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Leave(Message):
    """``leave``: follow a lot no longer."""

    lot: LotId


class PlaceBid(Message):
    """``bid``: offer ``cents`` for a lot.  ``id`` is a UUID, fresh for every new bid."""

    id: Annotated[str, StringConstraints(min_length=36, max_length=36), AfterValidator(_is_uuid)]
    lot: LotId
    bidder: Name
    cents: Cents


class OpenLot(Message):
    """``open``: put a lot up for sale.  For the auctioneer."""

    title: Line
    description: Paragraph = ""
    opening_cents: Cents
    increment_cents: Cents
    open_for_seconds: Annotated[int, Field(gt=0, le=MAX_OPEN_SECONDS)]


class CloseLot(Message):
    """``close``: let a lot close in so many seconds from now.  For the auctioneer."""

    lot: LotId
    in_seconds: Annotated[int, Field(ge=0, le=MAX_OPEN_SECONDS)] = 0


class ShowPicture(Message):
    """``picture``: a PNG or JPEG for a lot, as binary.  For the auctioneer."""

    lot: LotId
    content: Annotated[bytes, Field(max_length=MAX_PICTURE)]


AnyMessage = TypeVar("AnyMessage", bound=Message)


def parse(schema: type[AnyMessage], arguments: tuple[Any, ...]) -> AnyMessage:
    """The one argument of an event, as ``schema`` wants it.  Raises Refused if it is not so."""
    if len(arguments) != 1:
        raise Refused("invalid", f"This event takes one argument, not {len(arguments)}.")
    try:
        return schema.model_validate(arguments[0])
    except ValidationError as error:
        # The input is left out: an error message is no way to get one's markup shown.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Refused("invalid", _explain(schema, first["loc"], first["type"], first["msg"])) from None


def picture_type(content: bytes) -> str:
    """The media type that the bytes themselves show.  Raises Refused if none that we know."""
    for start, media_type in PICTURE_FORMATS:
        if content.startswith(start):
            return media_type
    raise Refused("invalid", "content: neither a PNG nor a JPEG.")


def _explain(schema: type[Message], location: tuple[int | str, ...], kind: str, text: str) -> str:
    known = set(schema.model_fields)
    if kind == "extra_forbidden":
        return f"A field too many; this event knows {', '.join(sorted(known)) or 'none'}."
    if kind == "string_pattern_mismatch":
        # The pattern itself would be exact, and of no help.
        text = "It holds characters that have no place here"
    where = ".".join(str(part) for part in location if part in known)
    return f"{where}: {text}." if where else f"{text}."
