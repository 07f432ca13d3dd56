"""axe-core, Deque's accessibility checker, in the page that a test has open.

The rule kept here: all of its rules, those of good practice too; a test may
narrow down where it looks, not what it looks for.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from handouts import assets

#: Gives, for each violation, its rule and the elements that break it.
_RUN = """async (within) => {
  const found = await axe.run(within ? { include: within } : document, { resultTypes: ["violations"], iframes: false, preload: false });
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\\n  ${html.slice(0, 300)}\\n  ${failureSummary}`));
}"""


@cache
def _script() -> str:
    return (assets.packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, *within: str) -> list[str]:
    """What axe-core has against the page, or against those parts of it that the selectors ``within`` choose."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(_script())
    selectors: Any = [[selector] for selector in within] or None
    found: list[str] = page.evaluate(_RUN, selectors)
    return found
