"""What the browser tests share: JupyterLab as ``make lab`` opens it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.jupyter import JupyterLab, jupyterlab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    with jupyterlab(tmp_path_factory.mktemp("jupyter") / "project") as running:
        yield running
