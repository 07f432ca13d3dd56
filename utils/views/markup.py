"""The only place where markup is written: a tree, serialised by the standard library.

The rule kept here: no markup is ever joined from strings.  Text and attribute
values enter as data and leave escaped; characters that act are shown (see
:func:`utils.views.wording.visible`); an address leaves as a link only if it is
http's.  Styles are written inline, since a stored notebook keeps nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from utils.views import wording

Child = Element | str | None


#: Where a name may be broken: behind a slash, a dot, an underscore; not in ``ws.py``, nor in ``__init__``.
_BREAKS = re.compile(r"(?<=/)|(?<=\.)(?!py\b)|(?<=[^\W_]_)(?=[^\W_])")


def element(tag: str, /, *children: Child, **attributes: str | None) -> Element:
    """An element; None among children or attributes stands for nothing.

    Attribute names are spelled with ``_`` for ``-`` and may end in ``_`` where
    Python reserves the word (``class_``).  Newlines in text are kept.
    """
    made = Element(
        tag,
        {
            name.rstrip("_").replace("_", "-"): wording.visible(value)
            for name, value in attributes.items()
            if value is not None
        },
    )
    for child in children:
        if isinstance(child, str):
            _append_text(made, "\n".join(map(wording.visible, child.split("\n"))))
        elif child is not None:
            made.append(child)
    return made


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def html(tree: Element) -> str:
    """The tree as HTML."""
    return ElementTree.tostring(tree, encoding="unicode", method="html")


def breakable(name: str) -> list[Child]:
    """A file's or a function's name, which may be broken behind its dots, slashes and underscores."""
    found: list[Child] = []
    for part in _BREAKS.split(name):
        found += [part, Element("wbr")]
    return found[:-1]


def link(address: str | None, *text: Child) -> Element:
    """A link that opens elsewhere; plain text where the address may not be followed."""
    target = wording.web_link(address)
    if target is None:
        return element("span", *text)
    style = css(color="inherit", text_decoration="underline")
    return element("a", *text, href=target, target="_blank", rel="noopener noreferrer", style=style)


def measured(text: str) -> Element:
    """A measured time: an element of its own, since it differs from run to run."""
    return element("time", text)


def css(**properties: str) -> str:
    """Properties as an inline style: ``css(font_weight="bold")``."""
    return ";".join(f"{name.replace('_', '-')}:{value}" for name, value in properties.items())


def drawing(
    drawn: Iterable[Child],
    width: int,
    height: int,
    description: str,
    *,
    font: str = "var(--jp-ui-font-family, sans-serif)",
) -> Element:
    """An SVG picture of ``width`` × ``height`` pixels, no wider than its page.

    ``description`` is its alternative text.
    """
    return element(
        "svg",
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=str(width),
        role="img",
        aria_label=description,
        style=css(max_width="100%", height="auto", font_family=font),
    )
