"""Which licence a text or a package's metadata means, as SPDX names it.

The rule kept here: an expression is SPDX's or it is none; a text is that
licence whose statements all stand in it, and where several could be meant, none
is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from utils.libraries.clauses import TERMS

#: Classifiers that name one licence; "BSD License" names several.
_CLASSIFIED = {
    "Apache Software License": None,  # of any version
    "BSD License": None,
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": None,
}
_CLASSIFIER = "License :: OSI Approved :: "


class Stated(NamedTuple):
    """A licence as a package's metadata tells it."""

    expression: str  # SPDX; empty if the metadata names no one licence
    field: str  # where in the metadata it stands; empty if nowhere
    words: str  # what stands there


def stated(expression: str, licence: str, classifiers: Iterable[str]) -> Stated:
    """The licence that the three fields of a package's metadata tell, the surest first.

    They are ``License-Expression`` (PEP 639), ``License``, which counts as far as
    it is an SPDX expression, and the classifiers, which count as far as they
    name one licence.
    """
    said = [line.removeprefix(_CLASSIFIER) for line in classifiers if line.startswith(_CLASSIFIER)]
    lines = licence.strip().splitlines()
    for field, words in (
        ("License-Expression", expression),
        ("License", lines[0] if len(lines) == 1 else ""),
    ):
        if words and (found := canonical(words)):
            return Stated(found, field, words)
    named = [_CLASSIFIED.get(word) for word in said]
    if named and all(named):
        return Stated(" AND ".join(dict.fromkeys(filter(None, named))), "classifiers", ", ".join(said))
    words = expression or ", ".join(said) or (lines[0] if lines else "")
    field = "License-Expression" if expression else "classifiers" if said else "License" if lines else ""
    return Stated("", field, words)


def canonical(expression: str) -> str:
    """``expression`` as SPDX spells it; empty if it is none."""
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return ""


def identify(text: str) -> str:
    """The SPDX identifier of the licence whose statements all stand in ``text``; empty if it is not sure."""
    found = [terms for terms in TERMS.values() if not terms.unproved(text)]
    if not found or not all(terms.told_by_text for terms in found):
        return ""
    most = max(found, key=lambda terms: len(terms.clauses))
    # The three clauses hold the two; anything else together is more than one licence.
    others = [terms for terms in found if not set(terms.clauses) <= set(most.clauses)]
    return "" if others else most.spdx


_IDENTIFIER = re.compile(r"[\w.+-]+")
_OPERATORS = frozenset({"AND", "OR", "WITH"})


def identifiers(expression: str) -> tuple[str, ...]:
    """The licences that an SPDX expression names, in its order; an exception's name follows its licence's."""
    words = _IDENTIFIER.findall(expression)
    return tuple(dict.fromkeys(word for word in words if word not in _OPERATORS))
