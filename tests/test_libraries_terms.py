"""A licence is told by its text or by what states it, and a name that means several is taken for none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_libraries_clauses import COPIES
from utils.libraries import licences, terms
from utils.libraries.clauses import TERMS

MIT_CLASSIFIER = "License :: OSI Approved :: MIT License"
BSD_CLASSIFIER = "License :: OSI Approved :: BSD License"


@pytest.mark.parametrize("spdx", TERMS)
def test_a_licence_is_known_by_its_text_where_the_text_says_it_all(spdx):
    found = terms.identify(licences.text(COPIES[spdx]))
    # Version 2's text does not tell whether later versions may be chosen.
    assert found == ("" if spdx == "GPL-2.0-only" else spdx)


def test_two_licences_in_one_text_are_not_taken_for_one():
    both = licences.text("Flask") + licences.text("python-socketio")
    assert terms.identify(both) == ""


@given(st.text())
def test_no_licence_is_read_into_any_text(text):
    assert terms.identify(text) == ""


class TestMetadata:
    def test_an_expression_comes_first(self):
        assert terms.stated("BSD-3-Clause", "MIT", [MIT_CLASSIFIER]) == (
            "BSD-3-Clause",
            "License-Expression",
            "BSD-3-Clause",
        )

    def test_then_a_licence_field_that_is_one(self):
        assert terms.stated("", "apache-2.0", [BSD_CLASSIFIER]).expression == "Apache-2.0"

    def test_then_classifiers_that_name_one(self):
        assert terms.stated("", "whole text\nof a licence", [MIT_CLASSIFIER]) == (
            "MIT",
            "classifiers",
            "MIT License",
        )

    def test_a_classifier_that_names_a_family_says_which_and_decides_nothing(self):
        assert terms.stated("", "", [BSD_CLASSIFIER]) == ("", "classifiers", "BSD License")

    def test_one_of_two_classifiers_is_not_enough(self):
        assert terms.stated("", "", [MIT_CLASSIFIER, BSD_CLASSIFIER]).expression == ""

    def test_nothing_stated_is_nothing_known(self):
        assert terms.stated("", "", ["Programming Language :: Python"]) == ("", "", "")

    @given(st.text(), st.text(), st.lists(st.text().map(lambda word: f"License :: OSI Approved :: {word}")))
    def test_whatever_stands_there_gives_an_expression_or_none(self, expression, licence, classifiers):
        found = terms.stated(expression, licence, classifiers).expression
        assert found == "" or terms.canonical(found) == found


def test_the_licences_of_an_expression_are_told_apart():
    assert terms.identifiers("(MIT OR Apache-2.0) AND GPL-2.0-or-later WITH Classpath-exception-2.0") == (
        "MIT",
        "Apache-2.0",
        "GPL-2.0-or-later",
        "Classpath-exception-2.0",
    )
