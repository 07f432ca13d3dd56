"""What each licence permits, asks and forbids, each statement with the words that say so.

The rule kept here: a statement stands beside its clause and beside words of the
licence itself, and counts as proved for a library only where that library's own
copy of the licence holds those words.  A licence that is not in the table has
no statements: nothing is guessed from a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Clause(NamedTuple):
    """One statement of a licence."""

    said: str  # in our words
    clause: str  # where it stands
    words: str  # the licence's own, as they stand there


@dataclass(frozen=True, slots=True)
class Terms:
    """One licence.  ``denies`` is what its authors do not answer for."""

    spdx: str
    title: str
    permits: tuple[Clause, ...]
    asks: tuple[Clause, ...]
    forbids: tuple[Clause, ...]
    denies: tuple[Clause, ...]
    told_by_text: bool = True  # whether the text alone says which identifier it has

    @property
    def clauses(self) -> tuple[Clause, ...]:
        return (*self.permits, *self.asks, *self.forbids, *self.denies)

    def unproved(self, text: str) -> tuple[Clause, ...]:
        """The statements whose words ``text``, a copy of the licence, does not hold."""
        flat = _flat(text)
        return tuple(clause for clause in self.clauses if _flat(clause.words) not in flat)


_BSD_PERMITS = (
    Clause(
        "to use it and to pass it on, as source or built, for any purpose",
        "grant",
        "Redistribution and use in source and binary forms",
    ),
    Clause("to change it, and to pass that on", "grant", "with or without modification, are permitted"),
)
_BSD_ASKS = (
    Clause(
        "in sources: keep the copyright notice, the conditions and the disclaimer",
        "condition 1",
        "Redistributions of source code must retain the above copyright notice",
    ),
    Clause(
        "with anything built: put the same into its documentation",
        "condition 2",
        "Redistributions in binary form must reproduce the above copyright notice",
    ),
)
_BSD_DENIES = (
    Clause("any warranty", "disclaimer", "ANY EXPRESS OR IMPLIED WARRANTIES"),
    Clause("to be liable for damages", "disclaimer", "BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL"),
)

_ALL = (
    Terms(
        "MIT",
        "MIT License",
        permits=(
            Clause("to use it for any purpose", "grant", "to deal in the Software without restriction"),
            Clause("to change it and to build it into other works", "grant", "use, copy, modify, merge"),
            Clause(
                "to pass it on, under other terms and for money, too",
                "grant",
                "publish, distribute, sublicense, and/or sell copies",
            ),
        ),
        asks=(
            Clause(
                "keep the copyright notice and this text in every copy",
                "condition",
                "The above copyright notice and this permission notice shall be included",
            ),
        ),
        forbids=(),
        denies=(
            Clause("any warranty", "disclaimer", "WITHOUT WARRANTY OF ANY KIND"),
            Clause("to be liable", "disclaimer", "BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY"),
        ),
    ),
    Terms("BSD-2-Clause", 'BSD 2-Clause "Simplified" License', _BSD_PERMITS, _BSD_ASKS, (), _BSD_DENIES),
    Terms(
        "BSD-3-Clause",
        'BSD 3-Clause "New" License',
        _BSD_PERMITS,
        _BSD_ASKS,
        forbids=(
            Clause(
                "to advertise with its authors' names without their written permission",
                "condition 3",
                "may be used to endorse or promote products derived from",
            ),
        ),
        denies=_BSD_DENIES,
    ),
    Terms(
        "ISC",
        "ISC License",
        permits=(
            Clause(
                "to use it, to change it and to pass it on, for any purpose",
                "grant",
                "Permission to use, copy, modify, and/or distribute this software for any purpose",
            ),
        ),
        asks=(
            Clause(
                "keep the copyright notice and this text in every copy",
                "condition",
                "copyright notice and this permission notice appear in all copies",
            ),
        ),
        forbids=(),
        denies=(
            Clause("any warranty", "disclaimer", "DISCLAIMS ALL WARRANTIES"),
            Clause("to be liable for damages", "disclaimer", "IN NO EVENT SHALL THE AUTHOR BE LIABLE"),
        ),
    ),
    Terms(
        "Apache-2.0",
        "Apache License 2.0",
        permits=(
            Clause(
                "to use it, to change it and to pass it on, under other terms, too",
                "section 2",
                "copyright license to reproduce, prepare Derivative Works of",
            ),
            Clause(
                "to use what its contributors hold patents on",
                "section 3",
                "patent license to make, have made, use",
            ),
        ),
        asks=(
            Clause("give a copy of the licence with it", "section 4 (a)", "a copy of this License"),
            Clause(
                "say in each changed file that you changed it",
                "section 4 (b)",
                "prominent notices stating that You changed the files",
            ),
            Clause(
                "keep the copyright, patent and trademark notices of the sources",
                "section 4 (c)",
                "all copyright, patent, trademark, and attribution notices",
            ),
            Clause("pass its NOTICE file on, where it has one", "section 4 (d)", '"NOTICE" text file'),
        ),
        forbids=(
            Clause(
                "to use its authors' names and trademarks, but to say where it comes from",
                "section 6",
                "does not grant permission to use the trade names",
            ),
            Clause(
                "to sue for patents over it and to keep its patent licence",
                "section 3",
                "shall terminate as of the date such litigation is filed",
            ),
        ),
        denies=(
            Clause("any warranty", "section 7", "WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND"),
            Clause("to be liable for damages", "section 8", "be liable to You for damages"),
        ),
    ),
    Terms(
        "MPL-2.0",
        "Mozilla Public License 2.0",
        permits=(
            Clause(
                "to use it, to change it and to pass it on",
                "section 2.1 (a)",
                "to use, reproduce, make available, modify, display, perform, distribute",
            ),
            Clause(
                "to build it into a larger work that has terms of your choice",
                "section 3.3",
                "You may create and distribute a Larger Work under terms of Your choice",
            ),
        ),
        asks=(
            Clause(
                "pass its own files on under this licence, with your changes in them",
                "section 3.1",
                "must be under the terms of this License",
            ),
            Clause(
                "with anything built, say how its source is to be had",
                "section 3.2 (a)",
                "how they can obtain a copy of such Source Code Form",
            ),
        ),
        forbids=(
            Clause(
                "to remove its notices",
                "section 3.4",
                "You may not remove or alter the substance of any license notices",
            ),
            Clause(
                "to use its contributors' trademarks",
                "section 2.3",
                "does not grant any rights in the trademarks",
            ),
        ),
        denies=(
            Clause("any warranty", "section 6", "without warranty of any kind"),
            Clause("to be liable for damages", "section 7", "Limitation of Liability"),
        ),
    ),
    Terms(
        "PSF-2.0",
        "Python Software Foundation License 2.0",
        permits=(
            Clause(
                "to use it, to change it and to pass it on",
                "section 2",
                "prepare derivative works, distribute, and otherwise use Python",
            ),
        ),
        asks=(
            Clause(
                "keep this licence and the copyright notice in it",
                "section 2",
                "are retained in Python alone or in any derivative version",
            ),
            Clause(
                "sum up what you changed, where you pass a changed one on",
                "section 3",
                "a brief summary of the changes made to Python",
            ),
        ),
        forbids=(
            Clause(
                "to advertise with its trademarks",
                "section 7",
                "does not grant permission to use PSF trademarks",
            ),
        ),
        denies=(
            Clause("any warranty", "section 4", "PSF MAKES NO REPRESENTATIONS OR WARRANTIES"),
            Clause("to be liable for damages", "section 5", "PSF SHALL NOT BE LIABLE"),
        ),
    ),
    Terms(
        "GPL-2.0-only",
        "GNU General Public License, version 2 only",
        permits=(
            Clause(
                "to run it for any purpose", "section 0", "The act of running the Program is not restricted"
            ),
            Clause(
                "to keep, and to publish, what it puts out",
                "section 0",
                "the output from the Program is covered only if its contents constitute a work based on",
            ),
            Clause(
                "to change it and to pass it on, for money, too",
                "sections 1 and 2",
                "You may modify your copy or copies of the Program",
            ),
        ),
        asks=(
            Clause(
                "pass a work that contains it on as a whole under this licence, at no charge for the licence",
                "section 2 (b)",
                "to be licensed as a whole at no charge to all third parties",
            ),
            Clause(
                "give the source with anything built",
                "section 3 (a)",
                "the complete corresponding machine-readable source code",
            ),
            Clause(
                "say in each changed file what you changed, and when",
                "section 2 (a)",
                "stating that you changed the files and the date of any change",
            ),
            Clause(
                "give a copy of the licence with it, and keep its notices",
                "section 1",
                "give any other recipients of the Program a copy of this License",
            ),
        ),
        forbids=(
            Clause(
                "to add restrictions for those who get it from you",
                "section 6",
                "You may not impose any further restrictions",
            ),
            Clause(
                "to pass it on in any other way",
                "section 4",
                "except as expressly provided under this License",
            ),
        ),
        denies=(
            Clause("any warranty", "section 11", "THERE IS NO WARRANTY FOR THE PROGRAM"),
            Clause("to be liable for damages", "section 12", "BE LIABLE TO YOU FOR DAMAGES"),
        ),
        told_by_text=False,  # whether later versions may be chosen stands beside it
    ),
)

#: SPDX identifier → what it says.
TERMS: Mapping[str, Terms] = {terms.spdx: terms for terms in _ALL}


def _flat(text: str) -> str:
    """The words alone: how a copy breaks its lines, and quotes, says nothing."""
    return " ".join(text.replace("“", '"').replace("”", '"').split()).lower()
