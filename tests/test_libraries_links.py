"""The links hold: each leads to the file that is installed, or there is none."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
from pathlib import Path

import flask_socketio
import pytest

from utils import libraries
from utils.load.subjects import gevent_python
from utils.records import Link


def distribution(name) -> importlib.metadata.Distribution:
    """The installed distribution; gevent's is in an environment of its own."""
    if name != "gevent":
        return importlib.metadata.distribution(name)
    code = "import gevent; print(gevent.__path__[0])"
    done = subprocess.run(
        [gevent_python(), "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    (found,) = importlib.metadata.distributions(name=name, path=[str(Path(done.stdout.strip()).parent)])
    return found


def named_home(name, home) -> bool:
    """Whether the distribution's own metadata names that address."""
    facts = distribution(name).metadata
    return any(
        home in entry for entry in [*(facts.get_all("Project-URL") or ()), facts.get("Home-page") or ""]
    )


def test_the_forge_is_the_one_that_the_metadata_names():
    for name, layout in libraries.LAYOUTS.items():
        if layout.home is None:
            assert named_home(name, libraries.distribution(name).home)


@pytest.mark.network
def test_the_table_names_the_forge_of_what_need_not_be_installed_here():
    homes = {name: layout.home for name, layout in libraries.LAYOUTS.items() if layout.home is not None}
    assert homes and all(named_home(name, home) for name, home in homes.items())


def test_what_is_not_installed_here_is_linked_all_the_same_if_its_layout_is_proved():
    link = libraries.link("gevent==26.9.0:gevent/pywsgi.py", 12)
    assert link.url == "https://github.com/gevent/gevent/blob/26.9.0/src/gevent/pywsgi.py#L12"


def test_github_and_forgejo_are_addressed_in_their_own_way():
    import flask

    on_github = libraries.link(flask.__file__, 3, 5).url
    assert on_github.startswith("https://github.com/pallets/flask/blob/")
    assert on_github.endswith("/src/flask/__init__.py#L3-L5")
    elsewhere = libraries.link(flask_socketio.__file__, 7).url
    forgejo = not libraries.distribution("flask-socketio").home.startswith("https://github.com/")
    assert ("/src/tag/v" in elsewhere) == forgejo
    assert elsewhere.endswith("/src/flask_socketio/__init__.py#L7")


def test_what_cannot_be_proved_is_not_linked():
    import bidict

    assert libraries.link(bidict.__file__, 1) == Link(None, False)
    assert libraries.link(__file__, 1) == Link(None, False)


@pytest.mark.network
@pytest.mark.parametrize("name", sorted(libraries.LAYOUTS))
def test_the_linked_path_holds_the_installed_file(name, tmp_path):
    """Each installed file stands, byte for byte, at the linked path of the source distribution."""
    installed = distribution(name)
    version = installed.version
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
        for file in installed.files or ():
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
