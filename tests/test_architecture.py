"""The house keeps its plan: imports go down, every module has its test and opens with its rule."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    path
    for package in ("utils", "lab_server", "tools")
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts
)


def test_the_layers_contract_holds():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_with_a_docstring_and_is_one_idea_long(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "it opens with no docstring"
    assert len(text.splitlines()) <= 450, "it holds more than one idea"


def test_nothing_committed_names_this_machine():
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    home = re.escape(str(Path.home()))
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".gz", ".pcapng", ".ico"} or not path.is_file():
            continue
        found = re.search(rf"{home}/\S*", path.read_text(errors="replace")) if len(home) > 3 else None
        assert not found, f"{name} names {found}"
