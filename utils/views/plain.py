"""A journey as plain JSON values: what the stepper's page is handed.

The rule kept here: every text is worded here, by the same functions as the
text view's, so that the page only places it.  What many steps share (lanes,
libraries, sources, messages) stands once and is pointed to by its index.  No
path of this machine is handed on; ``opener`` alone decides what is told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from utils.records import Excerpt, Journey, Level, Step
from utils.views import text, wording
from utils.views.dump import Dump, dump
from utils.views.highlight import highlight
from utils.views.outline import Lane, arrows, lane_of, lanes
from utils.views.palette import slug
from utils.views.ways import Ways
from utils.wire.units import Unit

#: Gives the address at which an excerpt's installed file can be opened, or None.
Opener = Callable[[Excerpt], str | None]

Json = dict[str, Any]


class _Shared:
    """Values by the order in which they were first asked for."""

    def __init__(self) -> None:
        self.values: list[Json] = []
        self._index: dict[Hashable, int] = {}

    def index(self, key: Hashable, make: Callable[[], Json]) -> int:
        if key not in self._index:
            self._index[key] = len(self.values)
            self.values.append(make())
        return self._index[key]


def journey_json(journey: Journey, opener: Opener | None = None, ways: Ways | None = None) -> Json:
    """All that a page needs to show ``journey`` at any level; with ``ways``, who wrote and read each byte."""
    drawn = lanes(journey.steps)
    places = {lane: place for place, lane in enumerate(drawn)}
    libraries, sources, messages = _Shared(), _Shared(), _Shared()
    steps = [_step(step, places, libraries, sources, messages, opener, ways) for step in journey.steps]
    return {
        "name": wording.visible(journey.name),
        "how": f"{text.visible_mode(journey)}, {'traced' if journey.traced else 'not traced'}",
        "levels": [
            {"value": int(level), "word": wording.LEVEL_WORDS[level], "count": len(journey.at(level))}
            for level in Level
        ],
        "lanes": [
            {
                "process": wording.visible(lane.process),
                "thread": wording.visible(lane.thread),
                "shape": mark.shape,
                "glyph": mark.glyph,
                "ink": mark.ink.name,
            }
            for lane, mark in drawn.items()
        ],
        "libraries": libraries.values,
        "sources": sources.values,
        "messages": messages.values,
        "lines": ways.lines if ways is not None else [],
        "arrows": [[arrow.start, arrow.end, arrow.kind] for arrow in arrows(journey.steps)],
        "steps": steps,
    }


def _step(
    step: Step,
    places: dict[Lane, int],
    libraries: _Shared,
    sources: _Shared,
    messages: _Shared,
    opener: Opener | None,
    ways: Ways | None,
) -> Json:
    library, excerpt, message = step.library, step.excerpt, step.message
    made: Json = {
        "kind": wording.KIND_WORDS[step.kind],
        "level": int(step.level),
        "lane": places[lane_of(step)],
        "turn": step.turn,
        "depth": step.depth,
        "since_ns": step.since_ns,
        "place": wording.place(step),
        "title": wording.visible(step.title),
        "moment": text.moment(step),
        "note": wording.visible(step.note),
        "sentence": wording.step_sentence(step),
        "touches": [wording.touch(one) for one in step.touches],
        "arguments": [[wording.visible(name), wording.visible(value)] for name, value in step.arguments],
        "result": None if step.result is None else wording.visible(step.result),
        "library": None,
        "source": None,
        "message": None,
        "mark": None,
    }
    if library is not None:
        made["library"] = libraries.index(
            library, lambda: {"label": wording.library(library), "licence": wording.licence(library)}
        )
    if excerpt is not None:
        made["source"] = sources.index((excerpt.path, excerpt.lines), lambda: _source(excerpt))
        made["current"] = excerpt.current
        made["file"] = wording.file_line(excerpt)
        made["link"] = wording.web_link(step.link.url) if step.link else None
        made["link_sentence"] = text.link_sentence(step)
        made["open"] = opener(excerpt) if opener else None
    if message is not None:
        shown = dump(message, step.span)
        made["message"] = messages.index(
            (message.flow, message.start, shown.windows),
            lambda: {
                **message_json(message.unit, shown),
                "ways": ways.of(message) if ways is not None else None,
            },
        )
        made["own"] = [
            [start, end]
            for one in step.touches
            if (one.message.flow, one.message.start) == (message.flow, message.start)
            for start, end in one.ranges
            if one.what != "carries"
        ]
        made["heading"] = text.message_heading(message, shown)
        made["mark"] = shown.mark
    return made


def _source(excerpt: Excerpt) -> Json:
    lines = wording.source_lines(excerpt)
    pieces = highlight(["" if line is None else line[1] for line in lines])
    return {
        "lines": [
            None if line is None else [line[0], coloured]
            for line, coloured in zip(lines, pieces, strict=True)
        ]
    }


def message_json(unit: Unit, shown: Dump) -> Json:
    """One message: its bytes, its fields, and what is wrong with it."""
    return {
        "length": len(shown.raw),
        "column": "unmasked text" if shown.unmasked else "text",
        "windows": [
            {"start": start, "hex": "".join(shown.hexes(start, end)), "text": shown.text(start, end)}
            for start, end in shown.windows
        ],
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "range": text.span_range(span.start, span.end),
                "layer": span.layer.value,
                "tint": slug(span.layer),
                "label": wording.visible(span.label),
                "value": wording.shorten(wording.visible(span.value), 200),
                "meaning": wording.visible(span.meaning),
                "clause": wording.visible(span.clause),
            }
            for span in shown.spans
        ],
        "faults": [text.fault_sentence(unit, fault) for fault in shown.faults],
    }
