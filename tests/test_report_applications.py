"""Applications in different styles, recorded unchanged: the report misses none of their handlers."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.markup_reader import Reader
from tests.test_cli_record import APPS, PATIENCE, PLAYS, ROOT, STYLES, command, environment
from utils import lab
from utils.deeds.finding import Kind
from utils.libraries import licences
from utils.load.subjects import gevent_python
from utils.report import markdown, prose, write

APPLICATIONS = STYLES | {
    "news": (["python", "-m", "tests.apps.news"], "tests.apps.news:app"),
    "ticker": (["python", "-m", "tests.apps.ticker"], "tests.apps.ticker:app"),
}

#: They run on gevent, in an environment of their own: the others would take it, too, if they found it.
ON_GEVENT = frozenset({"ticker"})

#: What the secrets of the applications and of their clients are.
SECRETS = ("chat's own key", "quiz's own key", "ticker's own key", "let me in")


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    """A Redis of its own."""
    folder = tmp_path_factory.mktemp("redis")
    program = shutil.which("redis-server", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.fail("redis-server is not installed") if os.environ.get("CI") else pytest.skip(
            "no redis-server"
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, request):
    """Each application is recorded once, with everything played that it has a handler for, or only opened."""
    folder = tmp_path_factory.mktemp("styles")
    (folder / "nothing.py").write_text("def scenario(session):\n    session.connect('ann')\n")

    @functools.cache
    def once(style, *, played=True):
        words, named = APPLICATIONS[style]
        python = str(gevent_python()) if style in ON_GEVENT else sys.executable
        more = {"REDIS_URL": request.getfixturevalue("queue")} if style == "news" else {}
        scenario = f"{PLAYS}:{style}" if played else str(folder / "nothing.py")
        done = subprocess.run(
            command("--json", "--scenario", scenario, *(python if word == "python" else word for word in words)),
            cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        wanted = subprocess.run(
            [python, "-m", "tests.apps.registered", named],
            cwd=ROOT, env=environment(**more), capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        run = lab.load(folder / json.loads(done.stdout)["recording"])
        return run, {tuple(each) for each in json.loads(wanted.stdout)}

    return once


def told(run):
    """The application's functions that have a chapter, as the application itself would name them."""
    return {
        (Path(function.filename.rpartition(":")[2]).name, function.name)
        for deed in run.deeds.told
        for function in deed.functions
    }


@pytest.mark.parametrize("style", APPLICATIONS)
def test_every_registered_function_has_its_chapter(recorded, style):
    run, wanted = recorded(style)
    assert wanted and wanted <= told(run)
    text = Reader("".join(write.pieces(run, "html"))).text
    for deed in run.deeds.told:
        assert prose.title(deed) in text
        for function in deed.functions:
            assert function.name in text
    assert not run.deeds.left_out


@pytest.mark.parametrize("style", APPLICATIONS)
def test_every_chapter_leads_through_the_applications_own_function(recorded, style):
    run, _ = recorded(style)
    for deed in run.deeds.told:
        steps = run.told(deed).steps
        assert steps
        if deed.call is not None:
            assert any((one.process, one.call) == (deed.call.process, deed.call.id) for one in steps), (
                deed.name
            )


@pytest.mark.parametrize("style", APPLICATIONS)
def test_everything_that_was_registered_is_known_to_have_been_called(recorded, style):
    run, _ = recorded(style)
    deeds = run.deeds
    assert deeds.registered.seen and deeds.registered.handlers
    assert [one for one in deeds.registered.handlers if not deeds.handled(one)] == []
    assert set(deeds.registered.routes) == deeds.asked
    assert all(one.function and one.site is not None for one in deeds.registered.handlers)
    assert "Nothing: every handler and every route was called" in "".join(write.pieces(run, "md"))


@pytest.mark.parametrize("style", ["chat", "quiz", "bare", "ticker"])
def test_what_nobody_called_is_named_as_such(recorded, style):
    run, wanted = recorded(style, played=False)
    deeds = run.deeds
    lonely = {one.function for one in deeds.registered.handlers if not deeds.handled(one)}
    short = {name.rpartition("<locals>.")[2] for _, name in wanted}
    # Every registered function was called, or is named as one that was not; a route's by its rule.
    views = {route.endpoint.rpartition(".")[2] for route in deeds.registered.routes}
    called = {name.rpartition("<locals>.")[2] for _, name in told(run)}
    assert short <= lonely | called | views
    assert lonely
    text = "".join(write.pieces(run, "md"))
    for one in deeds.registered.handlers:
        if not deeds.handled(one):
            assert f"the handler for {markdown.code(one.event)}" in text


@pytest.mark.parametrize("style", ["chat", "quiz", "ticker"])
def test_no_secret_is_in_any_report(recorded, style):
    run, _ = recorded(style)
    for form in write.FORMS:
        text = "".join(write.pieces(run, form, deep=True))
        for secret in (*SECRETS, run.recording.meta.name + "-session="):
            assert secret not in text, secret
    assert "session=" not in "".join(write.pieces(run, "md", deep=True)).replace("session=<redacted>", "")


def test_what_another_process_sent_is_told_as_sent_elsewhere(recorded):
    run, _ = recorded("news")
    (deed,) = [deed for deed in run.deeds.told if deed.kind is Kind.EMIT and "elsewhere" in deed.name]
    assert (deed.event, deed.functions) == ("news", ())
    assert any("_thread" in step.thread or "_listen" in step.title for step in run.told(deed).steps)


def test_gevents_own_lines_are_linked_and_its_licence_is_told(recorded):
    run, _ = recorded("ticker")
    links = {
        step.link.url
        for deed in run.deeds.told
        for step in run.told(deed).steps
        if step.library is not None and step.library.name == "gevent"
    }
    (licence,) = [one for one in licences.used(run.recording) if one.library.name == "gevent"]
    tag = f"https://github.com/gevent/gevent/blob/{licence.library.version}/src/gevent/"
    assert {url.removeprefix(tag).partition("#")[0] for url in links} >= {
        "pywsgi.py",
        "queue.py",
        "greenlet.py",
    }
    assert licence.expression == "MIT" and licence.texts
    text = "".join(write.pieces(run, "md"))
    assert tag in text and "gevent (" not in text.partition("Which lines have no link?")[2]


def test_the_applications_are_those_of_the_folder():
    styles = {path.stem for path in APPS.iterdir() if path.stem in APPLICATIONS}
    assert styles == set(APPLICATIONS)
