"""Our own modules are found from any folder, and the program's path is what it would have been."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BOOT = Path(__file__).resolve().parent.parent / "utils" / "processes" / "boot.py"


@pytest.mark.parametrize("options", [[], ["-P"], ["-I"]])
def test_it_finds_the_module_beside_it_whatever_the_folder_holds(tmp_path, options):
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    script = "import json, sys; print(json.dumps([sys.path[0], sys.argv]))"
    (tmp_path / "print_path.py").write_text(script)
    done = subprocess.run(
        [sys.executable, *options, str(BOOT), "utils.cli.main", "--help"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: socketio-lab"), done.stderr


def test_the_path_begins_with_the_current_folder_as_with_dash_m(tmp_path):
    (tmp_path / "shows.py").write_text(
        "import json, sys\ndef main(): print(json.dumps([sys.path, sys.argv[1:]]))\n"
    )
    plain = subprocess.run(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(BOOT), "shows", "a", "--b"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    path, arguments = json.loads(done.stdout)
    assert path == [str(tmp_path), *json.loads(plain.stdout)]
    assert arguments == ["a", "--b"]


def test_a_python_that_is_too_old_says_so_to_whoever_started_it():
    script = f"""
import runpy, sys
sys.version_info, sys.argv = (3, 9, 18, "final", 0), [{str(BOOT)!r}, "utils.tracing.launcher"]
runpy.run_path({str(BOOT)!r}, run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and done.stderr == ""
    assert json.loads(done.stdout) == {"failed": {"error": "it is Python 3.9.18; 3.11 or newer is needed"}}
