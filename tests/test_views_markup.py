"""Markup is a tree: data goes in as data and comes out as data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests import hostile
from tests.markup_reader import Reader
from utils.views import wording
from utils.views.markup import breakable, css, drawing, element, html, link, measured


@given(st.text(), st.text())
def test_text_and_attributes_come_back_as_they_went_in(text, title):
    read = Reader(html(element("p", text, title=title)))
    assert read.elements == [("p", {"title": wording.visible(title)})]
    assert read.text == "\n".join(map(wording.visible, text.split("\n")))
    assert read.open == [] and read.declarations == []


@hostile.each_payload
def test_no_payload_leaves_its_place(payload):
    read = Reader(html(element("div", payload, element("b", payload, title=payload), payload)))
    assert read.elements == [("div", {}), ("b", {"title": wording.visible(payload)})]


@hostile.each_payload
def test_a_link_leads_to_the_web_or_nowhere(payload):
    (tag, attributes), *rest = Reader(html(link(payload, payload))).elements
    assert not rest
    assert tag == "span" or attributes["href"].startswith(("http://", "https://"))


def test_a_link_opens_elsewhere_and_gives_nothing_away():
    read = Reader(html(link("https://a.org/x#L1", "x")))
    assert read.find("a", href="https://a.org/x#L1", target="_blank", rel="noopener noreferrer")


def test_children_keep_their_order_and_nothing_stands_for_nothing():
    tree = element("p", "a", element("b", "c"), None, "d", element("i"), "e\nf", hidden=None)
    assert html(tree) == "<p>a<b>c</b>d<i></i>e\nf</p>"


def test_names_that_python_reserves_or_cannot_spell():
    assert html(element("a", class_="x", aria_label="y")) == '<a class="x" aria-label="y"></a>'
    assert css(font_weight="bold", color="red") == "font-weight:bold;color:red"


def test_a_measured_time_is_an_element_of_its_own():
    assert html(measured("1.00 ms")) == "<time>1.00 ms</time>"


def test_a_name_may_be_broken_behind_its_signs_and_stays_the_same_text():
    made = element("p", *breakable("wsproto/frame_protocol.py:414 <b>"))
    assert html(made) == "<p>wsproto/<wbr>frame_<wbr>protocol.py:414 &lt;b&gt;</p>"


def test_a_name_is_not_broken_where_nothing_would_be_left_of_it():
    made = element("p", *breakable("a/__init__.py:42 _SocketIOMiddleware.__call__"))
    assert html(made) == "<p>a/<wbr>__init__.py:42 _SocketIOMiddleware.<wbr>__call__</p>"


def test_a_drawing_says_what_it_shows_and_fits_its_page():
    drawn = drawing([element("rect")], 40, 30, 'a <b> & "c"')
    assert drawn.get("role") == "img" and drawn.get("viewBox") == "0 0 40 30"
    assert "max-width:100%" in str(drawn.get("style"))
    assert drawn.get("aria-label") == 'a <b> & "c"'
