"""Under which licence a library is used, with the licence's own text at hand.

The rule kept here: the facts are the package's own, its metadata's first and
then its licence file's; a licence that neither of them names is said to be not
known.  Each statement of what it permits, asks and forbids is looked up in the
library's own copy, and one that is not found there is told.
"""

from __future__ import annotations

import importlib.metadata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from utils.libraries import places, terms
from utils.libraries.clauses import TERMS, Clause, Terms
from utils.libraries.installations import PYTHON, stated_by
from utils.libraries.terms import Stated
from utils.records import Library, Recording

#: What watches, and is no part of what is watched.
WATCHING = ("scapy",)


#: NAME.dist-info/licenses/LICENSE: a package's own licence stands no deeper (PEP 639).
_DEPTH = 3


class Text(NamedTuple):
    """A licence file as a library brought it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of one library.

    ``expression`` is SPDX's, empty where it is not known; ``basis`` says where
    it is known from, or why it is not.  ``texts`` are empty where none was
    installed with the library.
    """

    library: Library
    expression: str
    basis: str
    texts: tuple[Text, ...]
    terms: tuple[Terms, ...]  # of the licences that the expression names, as far as they are known
    unproved: frozenset[Clause]  # the statements that its own copy does not hold, if there is one

    @property
    def known(self) -> bool:
        return bool(self.expression)

    @property
    def unread(self) -> tuple[str, ...]:
        """The licences that it names, and of which no statement is known here."""
        return tuple(name for name in terms.identifiers(self.expression) if name not in TERMS)


def files(name: str, version: str = "") -> dict[str, str]:
    """The licence files that were installed with the distribution ``name``, and its notices: name → text.

    Those of that ``version``, in whichever Python it is, or else of what this
    one has.  Empty where there are none, or where it is not installed; "CPython"
    is Python itself.
    """
    where = places.holder(name, version)
    if name == PYTHON:
        file = where.standard_library / "LICENSE.txt"
        return {file.name: file.read_text(encoding="utf-8")} if file.is_file() else {}
    distribution = where.distribution(name)
    found = () if distribution is None else distribution.files or ()
    # What a package brings along of others' (fonts, say) stands elsewhere, with its own licence.
    own = [file for file in found if ".dist-info" in file.parts[0] and len(file.parts) <= _DEPTH]
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in own
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
    }


def text(name: str, version: str = "") -> str:
    """The licence of the distribution ``name`` in its own words; empty where it is not installed with it."""
    return next(iter(files(name, version).values()), "")


def of(library: Library, texts: Mapping[str, str] | None = None) -> Licence:
    """The licence of ``library``, as it is installed.

    With ``texts``, its licence files as they were kept with a recording,
    nothing is asked of what is installed here: ``library`` says what its
    metadata said.
    """
    said = _stated(library) if texts is None else _as_recorded(library)
    copies = files(library.name, library.version) if texts is None else texts
    whole = "\n".join(copies.values())
    expression, basis = said.expression, said.field
    if not expression:
        expression = terms.identify(whole)
        lacking = f"says {said.words!r}, which names no one licence" if said.words else "names none"
        told = "its own text does" if expression else "nor does a text of its own that is known here"
        basis = f"its metadata {lacking}; {told}"
    known = tuple(TERMS[name] for name in terms.identifiers(expression) if name in TERMS)
    return Licence(
        library,
        expression,
        basis,
        tuple(Text(name, text) for name, text in sorted(copies.items())),
        known,
        frozenset(clause for one in known for clause in one.unproved(whole)) if copies else frozenset(),
    )


def installed(names: Iterable[str]) -> list[Licence]:
    """The licences of the named distributions, and of Python; one that is not installed is left out."""
    found = []
    for name in names:
        try:
            found.append(of(places.distribution(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return [*found, of(places.python_library())]


def used(recording: Recording) -> list[Licence]:
    """The licences of the libraries that ran in ``recording``, those of which most functions ran first.

    A recording that keeps its sources keeps their licences; the others' are
    those of the versions installed here.
    """
    functions: dict[str, set[tuple[str, str]]] = defaultdict(set)
    owners: dict[str, Library] = {}
    versions, kept = recording.meta.versions, recording.sources
    for trace in recording.traces:
        for code in dict.fromkeys(call.code for call in trace.calls):
            where = places.place(code.filename)
            if where is not None and where.library.version:
                key = places.key(where.library, versions)
                owners[key] = where.library
                functions[key].add((where.path, code.name))
    found = []
    for key in sorted(functions, key=lambda key: (-len(functions[key]), key)):
        library = owners[key]
        if kept is None or key not in kept.libraries:
            found.append(of(library))
        elif text := kept.licences.get(key, ""):
            found.append(of(kept.libraries[key], {"LICENSE": text}))
        else:
            held = places.holder(library.name, library.version).library(library.name)
            same = held is not None and held.version == library.version
            found.append(of(kept.libraries[key], files(library.name, library.version) if same else {}))
    return found


def _stated(library: Library) -> Stated:
    if library.name == PYTHON:
        # It has no metadata.  Its licence file is a history, in which this licence stands whole.
        return Stated(library.licence, "its own text", library.licence)
    found = places.holder(library.name, library.version).distribution(library.name)
    if found is None:
        return _as_recorded(library)
    said = stated_by(found)
    return said._replace(field=f"its metadata, {said.field}")


def _as_recorded(library: Library) -> Stated:
    """What a recording noted is all that there is of a library that is not installed."""
    return Stated(terms.canonical(library.licence), "as it was recorded", library.licence)
