"""Every view of a hundred hostile payloads, stored in a trusted notebook and exported as a page: none of them runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat import v4
from nbformat.sign import NotebookNotary
from playwright.sync_api import Page, expect

from tests import builders, hostile
from tests.browser.jupyter import DEADLINE
from tests.test_versions_stackdiff import journey as steps
from tests.test_versions_stackdiff import step
from tests.test_views_ledger import a_ledger, linker
from utils.latency.hops import Hop
from utils.records import Endpoint, Flow, Message
from utils.versions.stackdiff import compare
from utils.views import html, ladder, sidebyside, tables
from utils.views.inspector import static
from utils.views.ledger import provenance
from utils.views.plots import waterfall
from utils.views.view import HTML, MERMAID, PLAIN
from utils.wire.conformance import Finding

pytestmark = pytest.mark.browser

#: Payloads in a cell: JupyterLab draws a cell when it comes into sight.
EACH = 10


def outputs(payloads: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """What each view of a run would leave in a notebook, with ``payloads`` wherever text comes from outside."""
    messages = [
        named(builders.hostile_message(payload), port) for port, payload in enumerate(payloads, 40001)
    ]
    clients = dict(enumerate(payloads, 40001))
    for payload, message in zip(payloads, messages, strict=True):
        journey = builders.hostile_journey(payload)
        found = Finding(message.unit, 0, payload, payload, payload)
        for view in (
            html.steps(journey),
            html.message(message),
            tables.packets([message], clients, whole=True),
            tables.findings([message], [(0, found)]),
            tables.frames(journey),
            tables.checks([tables.Check(payload, payload, False, payload)]),
            provenance(a_ledger(message), [a_ledger(message)], linker, clients, caption=payload),
            sidebyside.diff(
                compare(steps(step(payload, text=payload)), steps()), payload, ({payload: payload}, {})
            ),
        ):
            yield {PLAIN: view.text, HTML: view.html}
        yield {PLAIN: "", HTML: static(message)}
    plot = waterfall(
        [Hop(payload, payload, 0, 9) for payload in payloads], builders.hostile_journey(payloads[0])
    )
    yield {PLAIN: str(plot), HTML: plot._repr_mimebundle_()[HTML]}
    drawn, told = ladder.ladder(messages, clients), ladder.mermaid(messages, clients)
    yield {PLAIN: drawn.text, HTML: drawn.html}
    yield {PLAIN: told.text, MERMAID: told.rich[MERMAID]}


def named(message: Message, port: int) -> Message:
    """The same message from a client of its own."""
    return replace(message, flow=Flow(Endpoint("127.0.0.1", port), builders.SERVER))


def notebook() -> nbformat.NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = v4.new_notebook(metadata={"kernelspec": kernel})
    for number in range(-(-len(hostile.PAYLOADS) // EACH)):
        payloads = tuple(hostile.PAYLOADS[number * EACH : (number + 1) * EACH])
        # HTML of one cell in one output: JupyterLab shows fifty outputs of a cell, and no more.
        parts = list(outputs(payloads))
        whole = "".join(part[HTML] for part in parts if HTML in part)
        texts = "\n".join(part[PLAIN] for part in parts)
        cell = v4.new_code_cell(f"# {number}", execution_count=number + 1, id=f"cell{number}")
        cell.outputs = [v4.new_output("display_data", data={PLAIN: texts, HTML: whole})]
        cell.outputs += [v4.new_output("display_data", data=part) for part in parts if MERMAID in part]
        cell.outputs.append(v4.new_output("stream", text=texts))
        made.cells.append(cell)
    return made


def owned(page: Page) -> object:
    return page.evaluate("window.owned")


def test_stored_in_a_trusted_notebook(chromium, lab):
    made = notebook()
    path = lab.folder / "notebooks" / "hostile.ipynb"
    nbformat.write(made, path)
    # Trusted, as a notebook is that the reader has run: JupyterLab then takes nothing out of its HTML.
    NotebookNotary(data_dir=str(lab.folder / "data")).sign(nbformat.read(path, 4))
    context = chromium.new_context(viewport={"width": 1280, "height": 1400})
    try:
        page = context.new_page()
        page.set_default_timeout(DEADLINE * 1000)
        page.goto(f"{lab.url}lab/tree/notebooks/hostile.ipynb?token={lab.token}")
        page.locator("#jp-main-statusbar").get_by_text(re.compile("ipykernel.*Idle")).wait_for()
        for cell in range(len(made.cells)):
            shown = page.locator(f'.jp-Cell[data-windowed-list-index="{cell}"]')
            shown.scroll_into_view_if_needed()
            picture = shown.locator(".jp-RenderedMermaid figure img")
            expect(picture).to_be_visible()
            # Drawn, with a line for each message: no payload has broken the syntax.
            drawn = unquote(picture.get_attribute("src") or "")
            assert drawn.startswith("data:image/svg+xml") and drawn.count('class="messageText"') == EACH
            assert "message" in (picture.get_attribute("alt") or "")
            details = shown.locator(f'[data-mime-type="{HTML}"] details')
            assert details.count() > EACH
            details.evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
            assert (
                shown.locator(f'[data-mime-type="{HTML}"] :is(script, iframe, object, embed, form)').count()
                == 0
            )
            assert owned(page) is None
    finally:
        context.close()


def test_exported_as_a_page(chromium, tmp_path: Path):
    body, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook())
    file = tmp_path / "hostile.html"
    file.write_text(body, encoding="utf-8")
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.route(re.compile("^https?:"), lambda route: route.abort())
        page.goto(file.as_uri())
        page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        assert page.locator(".lab-message").count() >= 2 * len(hostile.PAYLOADS)
        assert owned(page) is None
    finally:
        context.close()
