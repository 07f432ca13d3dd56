"""The frozen values that flow through the lab: facts, extracted once.

The rule kept here: nothing here does I/O, interprets or renders.  Times are
integers in nanoseconds of the system's real-time clock (``time.time_ns()``), the
clock of the kernel's packet stamps: packets and frames need no other.

    traffic     what the capture yields
    traces      what the tracer yields
    sources     where code stands
    recordings  what a recording is
    journeys    what the views render
"""

from utils.records.journeys import Journey, Level, Step, StepKind, Touch
from utils.records.recordings import Meta, Recording, Service
from utils.records.sources import Definition, Excerpt, Library, Link, Sources
from utils.records.traces import Call, Code, HandOff, HandOffKind, Site, Trace, Transfer, TransferKind
from utils.records.traffic import Endpoint, Flag, Flow, Message, Segment

__all__ = [
    "Call",
    "Code",
    "Definition",
    "Endpoint",
    "Excerpt",
    "Flag",
    "Flow",
    "HandOff",
    "HandOffKind",
    "Journey",
    "Level",
    "Library",
    "Link",
    "Message",
    "Meta",
    "Recording",
    "Segment",
    "Service",
    "Site",
    "Sources",
    "Step",
    "StepKind",
    "Touch",
    "Trace",
    "Transfer",
    "TransferKind",
]
