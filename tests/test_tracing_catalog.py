"""The lists of what is followed name files and functions that exist."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

import pytest

from utils.load.subjects import gevent_python
from utils.tracing import catalog


@cache
def _gevent():
    """Where gevent is installed: in an environment of its own."""
    code = "import gevent; print(gevent.__path__[0])"
    done = subprocess.run(
        [gevent_python(), "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return Path(done.stdout.strip())


def source_of(path):
    """The installed file that the lists call ``path``."""
    package, _, rest = path.partition("/")
    if path in catalog.STANDARD_LIBRARY or package not in catalog.STACK:
        return Path(sysconfig.get_path("stdlib")) / path
    if package == "gevent":
        return _gevent() / rest
    found = importlib.util.find_spec(package)
    return Path(next(iter(found.submodule_search_locations))) / rest


@cache
def names_in(file):
    """The qualified names of all functions and classes of a file."""
    names = set()

    def visit(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names.add(prefix + child.name)
                visit(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                names.add(prefix + child.name)
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(ast.parse(file.read_text(encoding="utf-8")), "")
    return names


@pytest.mark.parametrize("package", catalog.STACK)
def test_each_package_is_installed(package):
    if package == "gevent":  # but not in this environment: python-socketio would take it
        assert (_gevent() / "pywsgi.py").is_file()
        return
    assert importlib.util.find_spec(package) is not None


@pytest.mark.parametrize("path", [*catalog.FILES, *catalog.STANDARD_LIBRARY])
def test_each_file_exists(path):
    assert source_of(path).exists(), path


@pytest.mark.parametrize(("path", "name"), catalog.FUNCTIONS)
def test_each_function_exists(path, name):
    assert name in names_in(source_of(path))


def test_each_servant_serves_somewhere():
    files = [file for package in catalog.STACK for file in source_of(package + "/").rglob("*.py")]
    files += [source_of(path) for path in catalog.STANDARD_LIBRARY]
    found = {name.rpartition(".")[2] for file in files for name in names_in(file)}
    assert found >= catalog.SERVANTS
