"""A reader opens each notebook in JupyterLab and chooses Run All: nothing complains, and nobody abroad is asked."""

from __future__ import annotations

import pytest

from tests.browser.jupyter import opened
from tools import notebooks

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", [path.name for path in notebooks.paths()])
def test_run_all_goes_through(chromium, lab, name):
    with opened(chromium, lab, f"notebooks/{name}") as page:
        page.run_all()
        page.wait_until_run()
        assert page.complaints == []
        assert page.abroad == []
        assert page.errors == []
