"""What a page is told of a notebook's widgets."""

from __future__ import annotations

import json

from nbformat.v4 import new_code_cell, new_notebook, new_output

from handouts.widgets import STATE, VIEW, gather
from tests import hostile


def showing(**states: dict[str, object]):
    cells = [
        new_code_cell(
            "x", outputs=[new_output("display_data", {VIEW: {"model_id": name}, "text/plain": "x"})]
        )
        for name in states
    ]
    kept = {STATE: {"state": {name: {"state": state} for name, state in states.items()}}}
    return new_notebook(cells=cells, metadata={"widgets": kept})


def test_what_widgets_share_stands_once():
    state = {"_esm": "export default {}", "_css": "a{}", "_view_count": 1, "layout": "x", "value": 3}
    found = gather(showing(one=state, two={**state, "value": 4}))
    assert (found.modules, found.styles) == (["export default {}"], ["a{}"])
    assert found.models == {
        "one": {"module": 0, "state": {"value": 3}},
        "two": {"module": 0, "state": {"value": 4}},
    }


def test_what_is_no_anywidget_is_left_to_its_static_form():
    notebook = showing(slider={"value": 3})
    assert gather(notebook).models == {}
    assert notebook.cells[0].outputs[0].data == {"text/plain": "x"}


@hostile.each_payload
def test_no_payload_ends_the_data(payload):
    told = gather(showing(one={"_esm": payload, "value": payload})).json()
    assert "<" not in told
    assert json.loads(told)["models"]["one"]["state"]["value"] == payload
