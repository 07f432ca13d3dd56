"""A stepper or an inspector as one HTML file that needs nothing else: no kernel, no server, no network.

The rule kept here: the file asks for nothing (its content policy forbids it),
and what it shows enters as JSON that no parser of HTML can take for markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from utils.records import Journey, Level, Message
from utils.views import bundle
from utils.views.inspector import inspected
from utils.views.markup import element, html
from utils.views.plain import Opener, journey_json
from utils.views.view import View
from utils.views.ways import Ways

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"

_STILL_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_MOUNT = """
const model = JSON.parse(document.getElementById("shown").textContent);
render({ model: { get: (name) => model[name] }, el: document.querySelector("main") });
"""

_BODY = "body{margin:0 auto;padding:1rem;max-width:120rem;background:#fff;color:#1a1a1a}"
_DARK = "@media(prefers-color-scheme:dark){body{background:#111;color:#eee;color-scheme:dark}}"


def page(
    journey: Journey,
    level: Level = Level.LIBRARY,
    *,
    at: int = 1,
    opener: Opener | None = None,
    ways: Ways | None = None,
) -> str:
    """The stepper's page; ``at`` is the number (from 1) of the step that it opens at.

    A fragment behind the page's address, ``#step=5&level=2``, opens it elsewhere.
    """
    state = {
        "journey": journey_json(journey, opener, ways),
        "level": int(level),
        "at": at - 1,
        "reference": "",
    }
    return _page(journey.name, f"{journey.name} · journey", state, "stepper.js")


def still(title: str, views: Sequence[View]) -> str:
    """A page of ``views`` that stand one below the other, and need no script."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'",
        ),
        element("title", title),
        _verbatim("style", _BODY + _DARK),
    )
    heading = html(element("h1", title))
    # A view's own form is HTML already, escaped where it was made.
    body = "\n".join(view.html for view in views)
    return (
        f'<!doctype html>\n<html lang="en">{html(head)}<body><main>{heading}\n{body}</main></body></html>\n'
    )


def inspector_page(message: Message) -> str:
    """The inspector's page."""
    return _page(message.unit.summary, message.unit.summary, {"message": inspected(message)}, "inspector.js")


def _page(heading: str, title: str, state: Mapping[str, object], widget: str) -> str:
    # Inside a script element only "<" can end or change anything.
    data = json.dumps(state, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    tree = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            element("title", title),
            _verbatim("style", _BODY + _DARK + bundle.style()),
        ),
        element(
            "body",
            element("main", element("h1", heading, class_="lab-unseen")),
            _verbatim("script", data, id="shown", type="application/json"),
            _verbatim("script", bundle.script(widget) + _MOUNT, type="module"),
        ),
        lang="en",
    )
    return "<!doctype html>\n" + html(tree)


def _verbatim(tag: str, content: str, **attributes: str) -> Element:
    """A script or a style, which HTML does not escape; only the project's own text, or JSON, enters."""
    made = element(tag, **attributes)
    made.text = content
    return made
