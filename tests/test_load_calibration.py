"""What tracing costs is measured on the libraries' own calls, and leaves nothing behind."""

from __future__ import annotations

import sys

from utils.load.calibration import calibrate


def test_a_call_costs_something_and_far_less_than_a_millisecond():
    before = sys.getprofile()
    assert 0 <= calibrate() < 1_000_000
    assert sys.getprofile() is before
