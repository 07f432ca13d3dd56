"""The facts about libraries are the installed packages' own, and the links hold."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import queue
import subprocess
import sys
import tarfile
from pathlib import Path

import flask_socketio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import libraries
from utils.records import Code, Link


def code_of(function) -> Code:
    raw = function.__code__
    return Code(raw.co_filename, raw.co_qualname, raw.co_firstlineno)


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
        portable = libraries.place(module.__file__).portable
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

    @given(st.text())
    def test_an_unknown_portable_name_comes_back_as_it_is(self, name):
        located = libraries.locate(name)
        assert located == name or Path(located).is_file()


class TestExcerpt:
    def test_it_shows_the_signature_and_the_current_line(self):
        code = code_of(flask_socketio.emit)
        last = libraries.function_lines(code)[1]
        shown = libraries.excerpt(code, last)
        numbers = [line[0] for line in shown.lines if line]
        assert code.first_line in numbers and last in numbers

    @pytest.mark.parametrize(
        "function",
        [flask_socketio.emit, flask_socketio.SocketIO.on, flask_socketio.SocketIO.__init__, queue.Queue.put],
    )
    def test_every_line_can_be_current_within_the_bound_and_says_what_the_file_says(self, function):
        code = code_of(function)
        text = Path(code.filename).read_text().splitlines()
        first, last = libraries.function_lines(code)
        for line in range(first, last + 1):
            shown = libraries.excerpt(code, line)
            pairs = [pair for pair in shown.lines if pair]
            assert len(pairs) <= libraries.EXCERPT_LINES + 2  # the empty lines between statements
            assert line in [number for number, _ in pairs]
            assert all(text[number - 1].rstrip() == content for number, content in pairs)
            assert [number for number, _ in pairs] == sorted({number for number, _ in pairs})

    def test_a_jump_between_lines_is_marked_as_a_gap(self):
        shown = libraries.excerpt(code_of(flask_socketio.SocketIO.on))
        for before, after in zip(shown.lines, shown.lines[1:], strict=False):
            if before and after:
                assert after[0] == before[0] + 1

    def test_an_unreadable_file_has_no_excerpt(self):
        assert libraries.excerpt(Code("/nowhere/at/all.py", "f", 1), 1) is None


class TestLink:
    def test_the_forge_is_the_one_that_the_metadata_names(self):
        for name in libraries.LAYOUTS:
            home = libraries.distribution(name).home
            facts = importlib.metadata.metadata(name)
            named = [*(facts.get_all("Project-URL") or ()), facts.get("Home-page") or ""]
            assert any(home in entry for entry in named)

    def test_github_and_forgejo_are_addressed_in_their_own_way(self):
        import flask

        on_github = libraries.link(flask.__file__, 3, 5).url
        assert on_github.startswith("https://github.com/pallets/flask/blob/")
        assert on_github.endswith("/src/flask/__init__.py#L3-L5")
        elsewhere = libraries.link(flask_socketio.__file__, 7).url
        forgejo = not libraries.distribution("flask-socketio").home.startswith("https://github.com/")
        assert ("/src/tag/v" in elsewhere) == forgejo
        assert elsewhere.endswith("/src/flask_socketio/__init__.py#L7")

    def test_what_cannot_be_proved_is_not_linked(self):
        import bidict

        assert libraries.link(bidict.__file__, 1) == Link(None, False)
        assert libraries.link(__file__, 1) == Link(None, False)


@pytest.mark.network
@pytest.mark.parametrize("name", sorted(libraries.LAYOUTS))
def test_the_linked_path_holds_the_installed_file(name, tmp_path):
    """Each installed file stands, byte for byte, at the linked path of the source distribution."""
    version = importlib.metadata.version(name)
    got = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        + ["--no-binary", ":all:", "--dest", str(tmp_path), f"{name}=={version}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    archives = list(tmp_path.glob("*.tar.gz"))
    if not archives:
        pytest.skip(f"the source distribution cannot be fetched here: {got.stderr.strip()[-300:]}")
    with tarfile.open(archives[0]) as archive:
        root = archive.getnames()[0].split("/")[0]
        compared = 0
        for file in importlib.metadata.files(name) or ():
            if file.suffix != ".py" or file.parts[0] == "..":
                continue
            # Written by the build, from the version: no file of the repository.
            if file.name == "_version.py":
                continue
            member = archive.extractfile(f"{root}/{libraries.LAYOUTS[name].folder}{file}")
            assert member is not None
            assert member.read() == file.locate().read_bytes(), file
            compared += 1
    assert compared
