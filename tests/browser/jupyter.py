"""JupyterLab as ``make lab`` opens it, and a page of it in Chromium.

The rule kept here: JupyterLab runs on a copy of the notebooks, with settings
and data folders of its own: what it saves changes neither the project nor the
developer's home.  Nothing waits for a length of time, only for what the page
shows, with a deadline.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

ROOT = Path(__file__).resolve().parent.parent.parent

#: Seconds, for whatever a slow machine may take long over.
DEADLINE = 90

#: Whether no code cell that is drawn has a number.
_NONE_HAS_RUN = """() => {
  const numbers = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")];
  return numbers.length > 0 && numbers.every((number) => number.textContent === "[ ]:");
}"""

#: Whether each code cell that shows a number has that of its turn, and the last one has run.
_ALL_HAVE_RUN = """() => {
    const cells = [...document.querySelectorAll(".jp-CodeCell")];
    const turn = (cell) => cell.querySelector(".jp-InputArea-prompt")?.textContent.trim();
    const last = cells.at(-1);
    return (
        cells.every((cell, at) => [undefined, `[${at + 1}]:`].includes(turn(cell))) &&
        (turn(last) || last.querySelector(".jp-OutputArea-output"))
    );
}"""

expect.set_options(timeout=DEADLINE * 1000)


class JupyterLab:
    """A JupyterLab that serves ``folder``."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.folder = folder
        self.url = url
        self.token = token


@contextmanager
def jupyterlab(folder: Path) -> Iterator[JupyterLab]:
    """Run ``tools/tasks.py lab`` on a copy of the project's notebooks in ``folder``."""
    for name in ("jupyter", "notebooks", "scenarios", "tools"):
        shutil.copytree(ROOT / name, folder / name)
    runtime = folder / "runtime"
    environment = {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    command = [sys.executable, "tools/tasks.py", "lab", "--no-browser", "--ServerApp.port=0"]
    log = folder / "jupyter.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        facts = _server_facts(process, runtime, log)
        yield JupyterLab(folder, f"http://127.0.0.1:{facts['port']}/", facts["token"])
    finally:
        process.terminate()  # it ends its kernels, and these what they started
        try:
            process.wait(DEADLINE)
        finally:
            process.kill()


def _server_facts(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, Any]:
    """What the server writes about itself once it listens."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        for path in runtime.glob("jpserver-*.json"):
            if text := path.read_text():
                return json.loads(text)
        time.sleep(0.05)
    raise AssertionError(f"JupyterLab did not come up:\n{log.read_text(errors='replace')}")


class NotebookPage:
    """One notebook, open in JupyterLab: the one with which it opens, or ``name``."""

    def __init__(self, page: Page, lab: JupyterLab, name: str = "") -> None:
        self.page = page
        #: Requests to any other machine.  There must be none: the walkthrough works offline.
        self.abroad: list[str] = []
        #: What went wrong in the page's own scripts.
        self.errors: list[str] = []
        page.on("request", self._note_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(DEADLINE * 1000)
        path = f"lab/tree/{name}" if name else ""  # "/" leads to where `make lab` opens
        page.goto(f"{lab.url}{path}?token={lab.token}&reset")  # no tab of another test
        self.wait_until_idle()

    def _note_request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.hostname not in {"127.0.0.1", "localhost"}:
            self.abroad.append(request.url)

    def wait_until_idle(self) -> None:
        """Wait for the kernel; anything before it would open a dialog that asks for one."""
        self.page.locator("#jp-main-statusbar").get_by_text(re.compile("ipykernel.*Idle")).wait_for()

    def choose(self, menu: str, command: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.locator(f'[data-command="{command}"]').click()

    def run_all(self) -> float:
        """Clear the outputs, so that what is seen from now on is new; then choose Run > Run All Cells.

        Returns when that was chosen, by time.monotonic().
        """
        self.choose("Edit", "editmenu:clear-all")
        self.page.wait_for_function(_NONE_HAS_RUN)  # cells may still be drawn meanwhile
        began = time.monotonic()
        self.choose("Run", "runmenu:run-all")
        return began

    def output(self, code: str) -> Locator:
        """The output of the cell whose source contains ``code``."""
        return self.page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea-output")

    def wait_until_run(self) -> None:
        """Wait until every code cell has the number of its turn: 1, 2, 3, ...

        A folded cell shows no number; of the last one, its output tells that it has run.
        """
        try:
            self.page.wait_for_function(_ALL_HAVE_RUN)
        except TimeoutError:
            numbers = self.page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
            complaints = "\n".join(self.complaints) or "none"
            raise AssertionError(f"not all cells have run: {numbers}; complaints: {complaints}") from None
        self.wait_until_idle()

    @property
    def complaints(self) -> list[str]:
        """The outputs that are errors, or came over stderr."""
        kinds = [f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("error", "stderr")]
        return self.page.locator(", ".join(kinds)).all_inner_texts()

    @property
    def stepper(self) -> Stepper:
        return Stepper(self.page.locator(".lab-stepper"))


class Stepper:
    """The widget, as a reader uses it."""

    def __init__(self, root: Locator) -> None:
        self.root = root

    def click(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def press(self, key: str) -> None:
        self.root.press(key)

    def expect_at(self, position: int) -> None:
        expect(self.root.locator(".lab-position b")).to_have_text(str(position))

    @property
    def count(self) -> int:
        """How many steps there are at the level that is chosen."""
        return int(self.root.get_by_role("slider").get_attribute("max") or 0)

    @property
    def said(self) -> str:
        """What a screen reader hears: the step's place and its sentence."""
        return self.root.locator("[role=status][aria-live]").inner_text()

    @property
    def title(self) -> str:
        """The function that is called."""
        return self.root.locator(".lab-title").inner_text()

    @property
    def link(self) -> str:
        """Where the link of the source excerpt leads."""
        return self.root.locator(".lab-source a").first.get_attribute("href") or ""

    @property
    def current_line(self) -> tuple[int, str]:
        """The number and the text of the line that is marked in the source excerpt."""
        line = self.root.locator(".lab-source [aria-current=true]")
        number = re.sub(r"\D", "", line.locator(".lab-number").inner_text())
        return int(number), line.locator("code").inner_text()


@contextmanager
def opened(browser: Browser, lab: JupyterLab, name: str = "") -> Iterator[NotebookPage]:
    """JupyterLab's first page, at the notebook with which it opens, or at ``name``."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    try:
        yield NotebookPage(context.new_page(), lab, name)
    finally:
        context.close()
