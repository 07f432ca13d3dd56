"""What all tests share: in CI, a test that is skipped for want of a part has failed."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# No deadline: a busy machine is no counter-example.  The same examples in
# every run of CI: a new find belongs to whoever made the change.
settings.register_profile("lab", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("lab")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr}"


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch):
    """The tests choose the capture's mode; a developer's environment does not."""
    monkeypatch.delenv("SOCKETIO_LAB_MODE", raising=False)
