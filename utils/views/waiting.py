"""What a notebook shows while one waits: what is being done, and for how long already.

The rule kept here: nothing for what is quick, and nothing is left behind.  The
cell gets an empty output, which is filled while one waits and emptied again at
the end; so a saved notebook and nbval see the same whether it was slow or not.
Outside a notebook nothing is shown at all.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from utils.views import wording
from utils.views.markup import css, element, html
from utils.views.view import HTML, PLAIN

#: After so many seconds there is something to see; and again after so many.
AFTER, EVERY = 2.0, 1.0

#: Publishes an output of the running cell: its data, and whether it is one that is there already.
Publish = Callable[[dict[str, str], bool], None]


@contextmanager
def waiting(doing: str, *, publish: Publish | None = None, after: float = AFTER) -> Iterator[None]:
    """While the block runs, tell what is being ``doing``, if it takes longer than ``after`` seconds."""
    publish = publish or _publisher()
    if publish is None:
        yield
        return
    over = threading.Event()
    # In the cell's own context: what a thread says would land in whichever cell runs.
    teller = threading.Thread(
        target=contextvars.copy_context().run,
        args=(_tell, doing, over, publish, after),
        name="waiting",
        daemon=True,
    )
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(doing: str, over: threading.Event, publish: Publish, after: float) -> None:
    begun = time.monotonic()
    if over.wait(after):
        return
    publish({}, False)
    while True:
        publish(_shown(doing, time.monotonic() - begun), True)
        if over.wait(EVERY):
            break
    publish({}, True)


def _shown(doing: str, seconds: float) -> dict[str, str]:
    words = f"{wording.visible(doing)} … {seconds:.0f} s"
    drawn = element(
        "div",
        element("progress", aria_label=doing, style=css(vertical_align="middle")),
        f" {words}",
        role="status",
        class_="lab-waiting",
    )
    return {PLAIN: words, HTML: html(drawn)}


def _publisher() -> Publish | None:
    """How to publish in this notebook; None where there is none."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        return None
    name = {"display_id": uuid.uuid4().hex}

    def publish(data: dict[str, str], update: bool) -> None:
        shell.display_pub.publish(data=data, metadata={}, transient=name, update=update)

    return publish
