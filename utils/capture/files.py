"""Capture files: TCP segments in, TCP segments out.

The rule kept here: a file gives all that it holds.  What cannot be used is
counted by its name, and never stops the rest from being read.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from utils.capture import containers, headers
from utils.capture.index import index
from utils.capture.pcapng import Writer
from utils.capture.segmenting import segments as segments_of
from utils.records import Segment
from utils.streams.segments import Segments


@dataclass
class Contents:
    """What a capture file held."""

    segments: Segments
    packets: int = 0  # of any kind
    clipped: int = 0  # packets that were longer than what was stored of them
    refused: Counter[str] = field(default_factory=Counter)  # packets without a segment, by what they are
    ends_early: int | None = None  # the offset from which on the file makes no sense
    why: str = ""  # it ends early


def read(path: Path, *, synthetic: bool = False) -> Contents:
    """The TCP segments of a pcap or pcapng file, plain or packed.

    ``synthetic`` says that the file was made from what the tap saw.  Raises
    CaptureFileError if it is no capture file.
    """
    found = index(containers.content(Path(path)))
    cut = segments_of(found, synthetic=synthetic)
    contents = Contents(cut.segments, len(found), int((found.length > found.end - found.start).sum()))
    contents.refused = cut.refused
    if found.stop is not None:
        contents.ends_early, contents.why = found.stop.offset, found.stop.why
    return contents


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Write segments as a pcapng file that any tool opens; stamps keep their nanoseconds.

    Link and IP headers are made anew, and so are the checksums.  A file of
    synthetic segments says so in its comment.
    """
    ordered = iter(segments)
    first = next(ordered, None)
    comment = "link and IP headers made anew"
    if first is not None and first.synthetic:  # then all of them are
        comment = "headers made up from what the sockets were handed; every payload byte is exact"
    with Path(path).open("wb") as file:
        writer = Writer(file, comment=comment)
        for segment in itertools.chain([first] if first is not None else [], ordered):
            writer.write(segment.time_ns, headers.packet(segment))
