"""A view is text first, and says nothing of where it lives in memory."""

from __future__ import annotations

import pytest

from utils.views.view import HTML, MERMAID, View


def test_a_notebook_gets_every_form_and_a_terminal_the_text():
    view = View("plain", {HTML: "<p>rich</p>"})
    assert view._repr_mimebundle_() == {"text/plain": "plain", "text/html": "<p>rich</p>"}
    assert str(view) == repr(view) == "plain"
    assert view.html == "<p>rich</p>"


def test_a_view_without_html_says_so():
    with pytest.raises(KeyError, match=HTML):
        _ = View("plain", {MERMAID: "sequenceDiagram"}).html
