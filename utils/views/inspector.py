"""The inspector: a widget over one message, its layers on one axis of bytes.

The rule kept here: as the stepper's.  All of the message is in the page, and
where no widget can run the same strip, bytes and fields stand as static HTML,
and as text.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from utils.records import Message
from utils.views import bundle, html, text
from utils.views.dump import dump
from utils.views.layers import lines, strip_element, strip_json
from utils.views.markup import element
from utils.views.markup import html as serialised
from utils.views.plain import message_json
from utils.views.view import HTML, PLAIN


class Inspector(anywidget.AnyWidget):
    """Shows one message; see :func:`inspector`."""

    _esm = bundle.script("inspector.js")
    _css = bundle.style()

    message = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, facts: Message) -> None:
        super().__init__()
        self._facts = facts
        self.set_trait("message", inspected(facts))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, PLAIN: str(self), HTML: static(self._facts)}, metadata

    def __str__(self) -> str:
        return "\n".join([*lines(dump(self._facts)), "", text.message_text(self._facts)])

    def __repr__(self) -> str:
        return str(self)


def inspected(message: Message) -> dict[str, Any]:
    """All that the page is told of ``message``."""
    shown = dump(message)
    return {
        **message_json(message.unit, shown),
        "heading": text.message_heading(message, shown),
        "strip": strip_json(shown),
    }


def static(message: Message) -> str:
    """What stands where no widget runs."""
    return serialised(element("div", strip_element(dump(message)), html.message_element(message)))


def inspector(message: Message) -> Inspector:
    """A widget over ``message``."""
    return Inspector(message)
