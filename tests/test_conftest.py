"""In CI no test may be skipped for want of a part; elsewhere it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = {
    "in the test": "import pytest\ndef test(): pytest.skip('no part')",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='no part')\ndef test(): pass",
    "in a fixture": "import pytest\n@pytest.fixture\ndef part(): pytest.skip('no part')\ndef test(part): 1",
    "the whole file": "import pytest\npytest.skip('no part', allow_module_level=True)",
}


def run(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    (folder / "test_it.py").write_text(source)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("source", SKIPPING.values(), ids=SKIPPING)
def test_a_skip_fails_in_ci_and_says_why(tmp_path, source):
    done = run(tmp_path, source, ci="true")
    assert done.returncode and "in CI nothing may be skipped. " in done.stdout and "no part" in done.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path):
    done = run(tmp_path, SKIPPING["in the test"] + "\ndef test_that_runs(): pass", ci="")
    assert done.returncode == 0 and "1 passed, 1 skipped" in done.stdout


def test_what_is_expected_to_fail_may_fail_in_ci(tmp_path):
    done = run(tmp_path, "import pytest\n@pytest.mark.xfail\ndef test(): assert 0", ci="true")
    assert done.returncode == 0 and "1 xfailed" in done.stdout
