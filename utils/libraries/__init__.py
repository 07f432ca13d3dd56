"""The libraries beneath an application: whose a file is, where its lines are read, on what terms it is used.

The rule kept here: the facts are the installed packages' own, and are computed,
never typed; what no package tells is shown as not known.  Most ask for the
names below; :mod:`.licences` and :mod:`.terms` know what may be done with a
library, :mod:`.opening` where JupyterLab opens a file of it, and
:mod:`.wiring` which of its living objects holds which.
"""

from utils.libraries.places import (
    EXCERPT_LINES,
    LAYOUTS,
    STACK,
    Place,
    definitions,
    distribution,
    excerpt,
    function_lines,
    line_text,
    line_with,
    link,
    locate,
    modules,
    place,
    python_library,
    standard_library,
    stated_licence,
)

__all__ = [
    "EXCERPT_LINES",
    "LAYOUTS",
    "STACK",
    "Place",
    "definitions",
    "distribution",
    "excerpt",
    "function_lines",
    "line_text",
    "line_with",
    "link",
    "locate",
    "modules",
    "place",
    "python_library",
    "standard_library",
    "stated_licence",
]
