"""``meta.json``: what a recording says of itself, and how that is checked.

The rule kept here: the file is a document of exactly this form, of a version
that is named in it; whatever else it holds, it is refused with the place that
is wrong.  Nothing in it is obeyed: it names no file and no code.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from utils.errors import CaptureFileError
from utils.records import Meta, Service

FORMAT = "socketio-lab recording"
VERSION = 1

#: No description is longer than this, in bytes.
MOST_BYTES = 1 << 24

Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=0)]
#: A port as a name of JSON.
PortName = Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Extra(BaseModel):
    """What a recording may say beside; of what is used, the form is held."""

    model_config = ConfigDict(strict=True, extra="allow")

    application: list[str] = []
    clients: dict[PortName, str] = {}
    other_ports: Annotated[list[Port], Field(alias="other ports")] = []
    secrets: str = ""


class _Description(_Strict):
    """The document; the first two are missing in those that were written before they were named."""

    format: Literal["socketio-lab recording"] = "socketio-lab recording"
    version: Literal[1] = 1
    name: str
    mode: Literal["live", "tap", "replay"]
    why: str
    created: str
    python: str
    platform: str
    versions: dict[str, str]
    port: Port
    bytes_lost: Count = 0
    packets_dropped: Count = 0
    extra: dict[str, Any] = {}
    services: dict[PortName, tuple[str, Literal["http", "redis"], bool]] = {}


def write(meta: Meta, path: Path) -> None:
    """Write ``meta``; equal ones make equal files."""
    document = {"format": FORMAT, "version": VERSION, **asdict(meta)}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Meta:
    """Read what :func:`write` wrote.  Raises CaptureFileError if it is not there, or is not that."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise CaptureFileError(
            f"{path.parent} is no recording",
            why=f"it holds no {path.name}",
            next_step="name a folder that a recording was saved to",
        ) from None
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    if len(content) > MOST_BYTES:
        raise _unreadable(path, f"it is larger than {MOST_BYTES >> 20} MiB")
    try:
        found = _Description.model_validate_json(content)
        # Validated for its own sake; what is kept is the document's.
        _Extra.model_validate(found.extra)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _unreadable(path, f"{where or 'the document'}: {first['msg']}") from error
    facts = found.model_dump(exclude={"format", "version", "services"})
    services = {int(port): Service(*service) for port, service in found.services.items()}
    return Meta(**facts, services=services)


def _unreadable(path: Path, why: str) -> CaptureFileError:
    return CaptureFileError(
        f"{path} cannot be read as a recording's description",
        why=why,
        next_step="make the recording again, or use the version of the lab that wrote it",
    )
