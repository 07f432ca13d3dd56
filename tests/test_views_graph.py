"""The graph: what the picture draws, the text says."""

from __future__ import annotations

import re

from tests import hostile
from utils.views.graph import Edge, Graph, Node, graph
from utils.views.view import MERMAID

DRAWN = Graph(
    "Two ways",
    [Node("start", "app 1.0"), Node("end"), Node("elsewhere")],
    [Edge(0, 1, "the way that was gone"), Edge(0, 2, "the other", gone=False)],
)


def test_each_node_stands_in_the_text_with_the_ways_that_lead_on():
    assert str(graph(DRAWN)).splitlines() == [
        "Two ways",
        "",
        "start  app 1.0",
        "  ──  the way that was gone  → end",
        "  ··  the other              → elsewhere  (not here)",
        "",
        "end",
        "",
        "elsewhere",
    ]


def test_mermaid_draws_the_same_and_says_in_words_what_was_gone():
    lines = graph(DRAWN).rich[MERMAID].splitlines()
    assert lines[:3] == [
        "flowchart TB",
        "    accTitle: Two ways",
        "    accDescr: start, the way that was gone, to end",
    ]
    assert '    n0["start<br/>app 1.0"]' in lines
    assert '    n0 -->|"the way that was gone"| n1' in lines
    assert '    n0 -.->|"the other"| n2' in lines
    assert lines[-1] == "    class n2 left"


def test_all_ways_between_two_nodes_share_an_arrow_and_keep_their_lines():
    two = Graph("Both", [Node("a"), Node("b")], [Edge(0, 1, "one"), Edge(0, 1, "other"), Edge(1, 0, "back")])
    view = graph(two)
    assert [line for line in view.rich[MERMAID].splitlines() if "-->" in line] == [
        '    n0 -->|"one<br/>other"| n1',
        '    n1 -->|"back"| n0',
    ]
    assert str(view).count("→ b") == 2


def test_a_graph_without_ways_is_its_nodes():
    view = graph(Graph("One thing", [Node("it")], downwards=False))
    assert str(view).split() == ["One", "thing", "it"]
    assert view.rich[MERMAID].startswith("flowchart LR")


@hostile.each_payload
def test_no_text_becomes_syntax(payload):
    drawn = Graph(payload, [Node(payload, payload), Node("b")], [Edge(0, 1, payload)])
    lines = graph(drawn).rich[MERMAID].splitlines()
    quoted = [line.split('"')[1].replace("<br/>", "") for line in lines if '"' in line]
    assert len(lines) == 6 and len(quoted) == 3 and all(line.count('"') in (0, 2) for line in lines)
    for text in (*quoted, *(line.partition(": ")[2] for line in lines[1:3])):
        assert not re.search(r'["<>`|]', text)
        assert ";" not in re.sub(r"#\d+;", "", text)


def test_of_several_items_of_one_thing_the_picture_says_how_many_and_the_text_which():
    edges = [
        Edge(0, 1, f".handlers['{name}'], its _{name}()") for name in ("connect", "message", "disconnect")
    ]
    drawn = graph(Graph("Who calls whom", [Node("a"), Node("b")], edges))
    assert '|".handlers[#8230;] #215; 3"|' in drawn.rich[MERMAID]
    assert all(edge.label in drawn.text for edge in edges)


def test_a_long_label_stands_in_short_lines():
    drawn = graph(
        Graph("A way", [Node("a"), Node("b")], [Edge(0, 1, "alice: GET transport=websocket, with the sid")])
    )
    line = next(line for line in drawn.rich[MERMAID].splitlines() if "-->" in line)
    assert line.count("<br/>") >= 1
