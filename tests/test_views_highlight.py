"""Colouring source changes no character of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from utils.views import wording
from utils.views.highlight import highlight


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_the_pieces_of_a_line_are_the_line(lines):
    found = highlight(lines)
    assert ["".join(text for _, text in line) for line in found] == lines


def test_keywords_strings_and_names_are_told_apart():
    (line,) = highlight(["def f(): return 'x', 1  # why"])
    kinds = {text.strip(): kind for kind, text in line if kind}
    assert kinds["def"] == kinds["return"] == "keyword"
    found = [kinds[text] for text in ("f", "'x'", "1", "# why")]
    assert found == ["function", "string", "number", "comment"]


def test_every_installed_excerpt_is_kept():
    for step in builders.bid_journey().steps:
        if step.excerpt:
            lines = [line[1] if line else "" for line in wording.source_lines(step.excerpt)]
            assert ["".join(text for _, text in line) for line in highlight(lines)] == lines
