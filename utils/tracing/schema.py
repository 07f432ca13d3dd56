"""The form of a trace's file, as it is checked when one is loaded.

The rule kept here: every column, type and bound of the document stands here;
what is not exactly so is no trace.  To write one needs nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Index = Annotated[int, Field(ge=0)]
MaybeIndex = Index | None
#: Nanoseconds: what the columns of numbers can hold, with room for sums.
Time = Annotated[int, Field(ge=-(1 << 62), le=1 << 62)]
#: Of a file, from its first line on.
Line = Annotated[int, Field(ge=-1, lt=1 << 31)]
Size = Annotated[int, Field(ge=0, lt=1 << 62)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Columns(_Strict):
    """Lists of one length."""

    @model_validator(mode="after")
    def _of_one_length(self) -> _Columns:
        lengths = {len(column) for _, column in self}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        return self

    def rows(self) -> Iterable[tuple[Any, ...]]:
        return zip(*(column for _, column in self), strict=True)


class _Calls(_Columns):
    """The columns of calls; times count from the document's ``base_ns``."""

    id: list[Index]
    thread: list[int]
    code: list[Index]
    parent: list[MaybeIndex]
    depth: list[Index]
    enter: list[Time]
    leave: list[Time | None]
    site: list[MaybeIndex]
    left: list[Line | None]
    arguments: list[list[tuple[Index, Index]] | None]
    result: list[MaybeIndex]
    exception: list[MaybeIndex]


class _Transfers(_Columns):
    thread: list[int]
    kind: list[str]
    flow: list[Index]
    offset: list[Size]
    length: list[Size]
    start: list[Time]
    end: list[Time]
    call: list[MaybeIndex]
    site: list[MaybeIndex]
    data: list[str | None]
    exception: list[MaybeIndex]


class _HandOffs(_Columns):
    kind: list[str]
    given: list[Index]
    taken: list[Index]
    given_at: list[Time]
    taken_at: list[Time]


class Document(_Strict):
    format: Literal["socketio-lab trace"]
    version: Literal[1]
    process: str
    pid: int
    python: str
    lost: Index
    faults: Index
    base_ns: Time
    threads: dict[str, str]
    texts: list[str]
    codes: list[tuple[Index, Index, Line]]  # filename, name, first line
    sites: list[tuple[Index, Line]]  # code, line
    flows: list[tuple[Index, Port, Index, Port]]  # host, port, host, port
    calls: _Calls
    transfers: _Transfers
    handoffs: _HandOffs
