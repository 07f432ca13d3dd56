"""What all tests share: Chromium, where one is wanted; and in CI, a test that is skipped for want of a part has failed."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from tests.chromium import chromium

__all__ = ["chromium"]

# No deadline: a busy machine is no counter-example.  The same examples in
# every run of CI: a new find belongs to whoever made the change.
settings.register_profile("lab", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("lab")

# What belongs to another Python is no part that could be installed here.
_ONLY_FROM_3_12 = ["test_tracing_monitoring.py"]
_ONLY_ON_3_11 = ["test_tracing_profiling.py", "test_tracing_reach.py"]
collect_ignore = _ONLY_ON_3_11 if sys.version_info >= (3, 12) else _ONLY_FROM_3_12


def _skipping_fails(report):
    """In CI everything is there, so a skip hides something; a test that is expected to fail skips nothing."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"in CI nothing may be skipped. {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    _skipping_fails(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    _skipping_fails(outcome.get_result())


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch):
    """The tests choose the capture's mode; a developer's environment does not."""
    monkeypatch.delenv("SOCKETIO_LAB_MODE", raising=False)
