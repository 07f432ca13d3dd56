"""The widgets of a notebook that was run, for a page without a kernel.

The rule kept here: a widget enters as the module, the style and the state that
JupyterLab itself is handed; static/widgets.js runs the one on the other.  What
is no anywidget is not held up as one: its static form stands in its place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

#: What every widget has, and no module of ours asks for.
_OF_JUPYTER = {"layout", "tabbable", "tooltip"}


@dataclass(slots=True)
class Widgets:
    """The widgets of one page; what several share stands once."""

    modules: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    def json(self) -> str:
        """All but the styles, as JSON in which no parser of HTML finds markup."""
        told = {"modules": self.modules, "models": self.models}
        return json.dumps(told, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def gather(notebook: NotebookNode) -> Widgets:
    """The anywidgets of ``notebook``; views of any others are taken out of its outputs."""
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    found = Widgets()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            view = output.get("data", {}).get(VIEW)
            if view is None:
                continue
            state = states.get(view["model_id"], {}).get("state", {})
            if "_esm" not in state:
                del output["data"][VIEW]
                continue
            found.models[view["model_id"]] = {
                "module": _place(found.modules, state["_esm"]),
                "state": {k: v for k, v in state.items() if not k.startswith("_") and k not in _OF_JUPYTER},
            }
            _place(found.styles, state.get("_css", ""))
    return found


def _place(values: list[str], value: str) -> int:
    """Where ``value`` stands in ``values``, to which it is added if need be."""
    if value not in values:
        values.append(value)
    return values.index(value)
