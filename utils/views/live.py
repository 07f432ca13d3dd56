"""The live view: a widget whose rows come while somebody bids, for the projector.

The rule kept here: what was shown is in the page, and bounded; the page asks
the kernel only for what it missed.  Where no widget can run, the latest rows
stand as static HTML.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import anywidget
import traitlets

from utils.records import Message
from utils.views import bundle, text, wording
from utils.views.markup import element, html
from utils.views.palette import marks, slug
from utils.views.tables import table
from utils.views.view import HTML, PLAIN

#: So many rows are kept, the latest.
KEPT = 1000

#: A row's summary is no longer than this.
LONGEST = 200

Json = dict[str, Any]


class Live(anywidget.AnyWidget):
    """Shows messages as they come; see :func:`live`."""

    _esm = bundle.script("live.js")
    _css = bundle.style()

    heading = traitlets.Unicode(read_only=True).tag(sync=True)
    state = traitlets.Unicode("live", read_only=True).tag(sync=True)
    lost = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._clients = wording.Clients()
        self._rows: deque[Json] = deque(maxlen=KEPT)
        self._count = self._bytes = 0
        self._lock = threading.Lock()  # rows come from another thread than questions
        self._stop: Callable[[], None] = lambda: None
        self.set_trait("heading", wording.visible(heading))
        self.on_msg(self._asked)

    # ── as a screen ──────────────────────────────────────────────────────────

    def show(self, messages: Sequence[Message], dropped: int, missing: int) -> None:
        """Add the rows of ``messages``; so many packets were dropped and bytes are missing, in all."""
        with self._lock:
            self._clients.add(messages)
            fresh = [self._row(message) for message in messages]
            self._rows.extend(fresh)
            self._tell(fresh[-KEPT:])
        self.set_trait("lost", wording.lost(dropped, missing))

    def end(self, why: str) -> None:
        """No more rows will come."""
        self.set_trait("state", wording.visible(why))

    # ── for whoever wrote the cell ───────────────────────────────────────────

    @property
    def rows(self) -> list[Json]:
        """The latest rows, as the page is told of them."""
        with self._lock:
            return list(self._rows)

    def stop_by(self, stop: Callable[[], None]) -> None:
        """Say how whatever shows rows here is stopped."""
        self._stop = stop

    def stop(self) -> None:
        """Watch no longer; the rows stay."""
        self._stop()

    # ── rows ─────────────────────────────────────────────────────────────────

    def _row(self, message: Message) -> Json:
        self._count += 1
        self._bytes += len(message.unit.raw)
        sender, receiver = self._clients.ends(message)
        mark = marks(["server", *self._clients.names])[sender]
        return {
            "number": self._count,
            "time": _clock(message.last_ns),
            "from": sender,
            "to": receiver,
            "ink": mark.ink.name,
            "glyph": mark.glyph,
            "layer": message.unit.layer.value,
            "tint": slug(message.unit.layer),
            "socketio": any(packet.socketio is not None for packet in message.unit.packets),
            "what": wording.shorten(wording.visible(text.summary(message.unit)), LONGEST),
            "bytes": f"{len(message.unit.raw):,}",
        }

    def _tell(self, rows: Sequence[Json]) -> None:
        total = f"{wording.count(self._count, 'message')}, {wording.count(self._bytes, 'byte')}"
        self.send({"rows": list(rows), "total": total})

    def _asked(self, widget: object, content: object, buffers: object) -> None:
        """A page was opened (again), and has the rows up to the number ``since``."""
        since = content.get("since") if isinstance(content, dict) else None
        if isinstance(since, int):
            with self._lock:
                self._tell([row for row in self._rows if row["number"] > since])

    # ── where no widget runs ─────────────────────────────────────────────────

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, PLAIN: str(self), HTML: self.static()}, metadata

    def static(self) -> str:
        """The rows so far, as HTML."""
        header = ["time", "from", "to", "layer", "what", "bytes"]
        rows = [[row[name] for name in header] for row in self.rows]
        if not rows:
            return html(element("p", f"{self.heading}: run the cell, and rows come as packets do."))
        return html(table(self.heading, header, rows, right=frozenset({0, 5})))

    def __str__(self) -> str:
        return str(self.heading)

    def __repr__(self) -> str:
        return str(self)


def live(heading: str) -> Live:
    """An empty live view."""
    return Live(heading)


def _clock(time_ns: int) -> str:
    """The time of day, here, to the millisecond."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds):%H:%M:%S}.{rest // 1_000_000:03}"
