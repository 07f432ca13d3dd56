"""The facts about libraries are the installed packages' own, and a name without a path leads back to its file."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import queue
import sys
from pathlib import Path

import flask_socketio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import libraries
from utils.libraries import installations
from utils.records import Code

#: Those of this very environment, as a recording that was made here states them.
VERSIONS = dict(installations.here().versions())


class TestPlace:
    def test_a_package_file_belongs_to_its_distribution(self):
        where = libraries.place(flask_socketio.__file__)
        assert where.library.name == importlib.metadata.metadata("flask-socketio")["Name"]
        assert where.library.version == importlib.metadata.version("flask-socketio")
        assert where.path == "flask_socketio/__init__.py"

    def test_a_standard_module_belongs_to_the_running_python(self):
        where = libraries.place(queue.__file__)
        assert (where.library.name, where.library.version) == ("CPython", platform.python_version())
        assert where.path == "queue.py"

    def test_any_other_file_is_an_applications(self, tmp_path):
        package = tmp_path / "shop"
        package.mkdir()
        (package / "__init__.py").touch()
        file = package / "till.py"
        file.touch()
        where = libraries.place(str(file))
        assert (where.library.name, where.path) == ("shop", "shop/till.py")
        assert where.library.home is None

    @pytest.mark.parametrize("filename", ["<string>", "<frozen importlib._bootstrap>"])
    def test_what_is_no_file_belongs_nowhere(self, filename):
        assert libraries.place(filename) is None

    @pytest.mark.parametrize("module", [queue, flask_socketio])
    def test_a_portable_name_holds_no_path_of_this_machine_and_leads_back(self, module):
        portable = libraries.place(module.__file__).portable(VERSIONS)
        assert str(Path.home()) not in portable and sys.prefix not in portable
        assert Path(libraries.locate(portable)).samefile(module.__file__)

    def test_a_package_that_is_installed_editable_is_found_by_its_finder(self, tmp_path, monkeypatch):
        package = tmp_path / "shop_nearby"
        package.mkdir()
        for name in ("__init__.py", "till.py"):
            (package / name).write_text("raise RuntimeError('imported')")

        class Finder:
            def find_spec(self, name, path=None, target=None):
                where = package / "__init__.py"
                return importlib.util.spec_from_file_location(name, where) if name == package.name else None

        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
        assert libraries.locate("shop_nearby:shop_nearby/till.py") == str(package / "till.py")

    @pytest.mark.parametrize("name", ["__main__", "no_such_package", "not a name"])
    def test_what_is_no_package_is_not_looked_for(self, name):
        assert libraries.locate(f"{name}:{name}/x.py") == f"{name}:{name}/x.py"

    def test_where_a_recording_states_another_version_a_file_is_named_by_its_own(self):
        where = libraries.place(flask_socketio.__file__)
        named = where.portable({**VERSIONS, "Flask-SocketIO": "1.0"})
        assert named == f"Flask-SocketIO=={where.library.version}:flask_socketio/__init__.py"
        assert Path(libraries.locate(named, {"Flask-SocketIO": "1.0"})).samefile(flask_socketio.__file__)

    def test_a_file_of_another_version_is_not_looked_for_here(self):
        """Its lines are others."""
        located = libraries.locate("Flask-SocketIO:flask_socketio/__init__.py", {"Flask-SocketIO": "1.0"})
        assert located == "Flask-SocketIO==1.0:flask_socketio/__init__.py"
        where = libraries.place(located)
        assert (where.library.name, where.library.version) == ("Flask-SocketIO", "1.0")
        assert where.portable({"Flask-SocketIO": "1.0"}) == "Flask-SocketIO:flask_socketio/__init__.py"
        assert libraries.excerpt(Code(located, "emit", 877), 900) is None
        assert libraries.link(located, 7).url.endswith("/v1.0/src/flask_socketio/__init__.py#L7")

    @given(st.text())
    def test_an_unknown_portable_name_comes_back_as_it_is(self, name):
        located = libraries.locate(name)
        assert located == name or Path(located).is_file()
