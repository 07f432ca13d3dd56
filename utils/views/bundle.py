"""The page's scripts as one module, since a widget is handed exactly one.

The rule kept here: the scripts are plain ES modules that a browser can load as
they are.  A file imports its siblings by name and without renaming, one
statement a line; joining them leaves out those lines, and nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from utils.views import palette

#: The widgets' scripts, each with those that it needs, in the order in which they need each other.
SCRIPTS = {
    "stepper.js": ("dom.js", "ways.js", "bytes.js", "lanes.js", "values.js", "stepper.js"),
    "inspector.js": ("dom.js", "bytes.js", "inspector.js"),
    "live.js": ("dom.js", "live.js"),
}

#: What is said first, the others may say more exactly.
STYLES = ("stepper.css", "live.css")

_IMPORT = re.compile(r'^import \{ [\w, ]+ \} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function|class|const)", re.MULTILINE)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def script(widget: str = "stepper.js") -> str:
    """A widget's module: its default export holds ``render``."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _read(name))) for name in SCRIPTS[widget])


@cache
def style() -> str:
    """The widgets' style sheets, the palette's variables first."""
    return palette.css_variables(".lab-stepper") + "\n".join(map(_read, STYLES))
