"""What licences say is said in their own words."""

from __future__ import annotations

import pytest

from utils.libraries import licences
from utils.libraries.clauses import TERMS

#: A distribution installed with the lab or its tests that brings the licence's text.
COPIES = {
    "MIT": "python-socketio",
    "BSD-2-Clause": "Pygments",
    "BSD-3-Clause": "Flask",
    "ISC": "pexpect",
    "Apache-2.0": "websocket-client",
    "MPL-2.0": "bidict",
    "PSF-2.0": "CPython",
    "GPL-2.0-only": "scapy",
}


def test_each_licence_in_the_table_has_a_copy_to_be_held_against():
    assert COPIES.keys() == TERMS.keys()


@pytest.mark.parametrize("spdx", TERMS)
def test_every_statement_stands_in_a_real_copy_of_its_licence(spdx):
    copy = licences.text(COPIES[spdx])
    assert copy
    assert TERMS[spdx].unproved(copy) == ()


@pytest.mark.parametrize("spdx", TERMS)
def test_and_in_no_copy_of_a_licence_that_says_other_things(spdx):
    # Of the two BSD licences one is the beginning of the other; PSF's text is a history of several.
    for other, library in COPIES.items():
        if other != spdx and (spdx, other) != ("BSD-2-Clause", "BSD-3-Clause"):
            assert TERMS[spdx].unproved(licences.text(library))
