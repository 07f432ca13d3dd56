"""The best way to capture is found by trying; a lack of rights leads to the tap, with its reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from utils.capture import rights
from utils.errors import CaptureRightsError, InputError
from utils.records import Endpoint, Flow, Segment

ASK = "from utils.capture.rights import choose_mode as c; m = c({wanted!r}); print(m.name, '|', m.why, '|', m.remedy)"


def without_rights(code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` as somebody who may not read packets: by dropping the right if we have it."""
    command = [sys.executable, "-c", code]
    if os.name == "posix" and os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv (util-linux) is missing")
        command = [setpriv, "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_without_the_right_the_tap_is_chosen_and_says_why_and_what_to_do():
    done = without_rights(ASK.format(wanted=None))
    name, why, remedy = (part.strip() for part in done.stdout.split("|"))
    assert name == "tap"
    assert "refused" in why and remedy


def test_asking_for_live_without_the_right_is_an_error_that_names_the_remedy():
    done = without_rights(ASK.format(wanted="live"))
    assert done.returncode and CaptureRightsError.__name__ in done.stderr and "Next:" in done.stderr


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="for those who may capture: run as root"
)
def test_with_the_right_the_capture_is_live():
    assert rights.choose_mode().name == "live"


@pytest.mark.parametrize("name", ["tap", "replay"])
def test_a_mode_can_be_asked_for(name, monkeypatch):
    assert rights.choose_mode(name).name == name
    monkeypatch.setenv(rights.VARIABLE, name)
    assert rights.choose_mode().name == name


def test_what_is_no_mode_is_refused_with_the_modes_named(monkeypatch):
    monkeypatch.setenv(rights.VARIABLE, "magic")
    with pytest.raises(InputError, match="live, tap, replay"):
        rights.choose_mode()


def test_a_capture_that_holds_a_secret_of_this_machine_is_refused(monkeypatch):
    flow = Flow(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    monkeypatch.setenv("JUPYTER_TOKEN", "0123456789abcdef0123")
    clean = Segment(0, flow, 0, 0, 0, b"GET / HTTP/1.1")
    rights.assert_clean([clean])
    leaking = Segment(0, flow, 0, 0, 0, b"token=0123456789abcdef0123")
    with pytest.raises(InputError, match="secret"):
        rights.assert_clean([clean, leaking])
