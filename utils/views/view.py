"""A view: one value that a notebook, a terminal and a test can all read.

The rule kept here: each view carries its plain text beside every richer form,
so it can be read where nothing but text can, and compared where nothing but
text is stable.  No repr holds a memory address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HTML = "text/html"
MERMAID = "text/vnd.mermaid"
PLAIN = "text/plain"


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """Plain ``text``, and the same in other media types (``rich``: type → content)."""

    text: str
    rich: Mapping[str, str] = field(default_factory=dict)

    @property
    def html(self) -> str:
        """The HTML form; KeyError if this view has none."""
        return self.rich[HTML]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {PLAIN: self.text, **self.rich}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text
