"""Where the links of the prose lead in a hand-out, which is carried away from its repository.

The rule kept here: no link leads nowhere.  A notebook becomes its page, a file
of the repository a page that shows it, and an address on the web stays.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from handouts.course import FOLDER, ROOT
from utils.errors import InputError

#: Where the pages of the repository's files stand.
FILES = "files"


class Links:
    """Leads links over, and notes which files were asked for."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self.files: set[str] = set()  # paths below the repository's root

    def lead(self, markup: str) -> str:
        """``markup`` with its links led over.  Raises InputError for one that leads nowhere."""
        tree = BeautifulSoup(markup, "html.parser")
        for link in tree.find_all("a", href=True):
            link["href"] = self.target(str(link["href"]))
        return str(tree)

    def target(self, address: str) -> str:
        """The same address as a hand-out's page has it."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not parts.path:
            return address
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        path = posixpath.normpath(posixpath.join(FOLDER.name, unquote(parts.path)))
        folder, name = posixpath.split(path)
        if folder == FOLDER.name and name.endswith(".ipynb") and Path(name).stem in self._names:
            return f"{Path(name).stem}.html{fragment}"
        if path.startswith("..") or not (ROOT / path).exists():
            raise InputError(
                f"a link leads to {address}, where nothing is", next_step="mend it in its notebook"
            )
        self.files.add(path)
        return f"{FILES}/{path}.html{fragment}"
