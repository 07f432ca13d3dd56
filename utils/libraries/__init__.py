"""The libraries beneath an application: whose a file is, where its lines are read, on what terms it is used.

The rule kept here: the facts are the installed packages' own, and are computed,
never typed; what no package tells is shown as not known.  Most ask for the
names below.

    installations  what this Python and others have installed, in which version, on what terms
    places         which file belongs to which library, here and anywhere
    links          a line's permalink, where it is proved
    excerpts       the source around a line
    clauses        what each licence permits, asks and forbids, with the words that say so
    terms          which licence a text or a package's metadata means
    licences       under which one a library is used
    opening        where JupyterLab opens an installed file
    wiring         which of the libraries' living objects holds which
"""

from utils.libraries.excerpts import (
    EXCERPT_LINES,
    definitions,
    excerpt,
    function_lines,
    line_text,
    line_with,
)
from utils.libraries.installations import PYTHON, STACK, Installation
from utils.libraries.links import LAYOUTS, link
from utils.libraries.places import (
    Place,
    distribution,
    holder,
    key,
    know,
    locate,
    modules,
    place,
    python_library,
)

__all__ = [
    "EXCERPT_LINES",
    "LAYOUTS",
    "PYTHON",
    "STACK",
    "Installation",
    "Place",
    "definitions",
    "distribution",
    "excerpt",
    "function_lines",
    "holder",
    "key",
    "know",
    "line_text",
    "line_with",
    "link",
    "locate",
    "modules",
    "place",
    "python_library",
]
