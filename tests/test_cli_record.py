"""Any application, unchanged, under ``socketio-lab record``: whole, none of its handlers missed, however it ends."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import requests

from tests.chains import chain
from utils import lab
from utils.records import TransferKind
from utils.subject import clients

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "tests" / "apps"
PLAYS = APPS / "plays.py"

#: How long anything may take, in seconds: a slow machine is no error.
PATIENCE = 120


def environment(**more):
    hidden = ("VIRTUAL_ENV", "CONDA_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in hidden} | {
        "PYTHONPATH": str(ROOT),
        **more,
    }


def command(*words):
    return [
        sys.executable,
        str(ROOT / "utils" / "processes" / "boot.py"),
        "utils.cli.main",
        "record",
        *map(str, words),
    ]


def record(folder, *words, status=0, **options):
    """Run it to its end; what it says by --json."""
    done = subprocess.run(
        command("--json", *words),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **{"env": environment(), **options},
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout), done.stderr


@contextlib.contextmanager
def recording(folder, *words, until="Recording "):
    """Start it, and give the process and its address."""
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            command(*words), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=said, text=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while until not in (text := (folder / "said.txt").read_text()):
            assert process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.02)
        yield process, text.partition(until)[2].split()[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def eventually(url):
    deadline = time.monotonic() + PATIENCE
    with requests.Session() as direct:
        direct.trust_env = False
        while True:
            try:
                return direct.get(url, timeout=5)
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)


def registered(application):
    done = subprocess.run(
        [sys.executable, "-m", "tests.apps.registered", application],
        cwd=ROOT, env=environment(REDIS_URL="redis://127.0.0.1:1"), capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return {tuple(each) for each in json.loads(done.stdout)}


def ran(run):
    """The functions that the server's trace holds calls of, as :func:`registered` names them."""
    return {
        (Path(call.code.filename.rpartition(":")[2]).name, call.code.name)
        for call in run.recording.trace("server").calls
    }


# ── applications in different styles ─────────────────────────────────────────

STYLES = {
    "chat": (["python", "-m", "tests.apps.chat"], "tests.apps.chat:app"),
    "quiz": (["python", "-m", "tests.apps.quiz"], "tests.apps.quiz:create_app()"),
    "whiteboard": ([str(APPS / "whiteboard.py")], "tests.apps.whiteboard:app"),
    "bare": (["tests.apps.bare:app"], "tests.apps.bare:app"),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Each application is recorded once."""
    folder = tmp_path_factory.mktemp("styles")

    @functools.cache
    def once(style):
        found, said = record(folder, "--scenario", f"{PLAYS}:{style}", *STYLES[style][0])
        return lab.load(folder / found["recording"]), found, said

    return once


@pytest.mark.parametrize("style", STYLES)
def test_no_handler_is_missed_and_every_byte_has_its_line(recorded, style):
    run, _, said = recorded(style)
    wanted = registered(STYLES[style][1])
    assert wanted and wanted <= ran(run)
    report = run.check()
    assert report.whole, report
    assert all(trace.faults == trace.lost == 0 for trace in run.recording.traces)
    assert "Traceback" not in said


def test_what_another_process_emits_through_redis_is_followed_to_the_client(tmp_path):
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    redis = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"redis://127.0.0.1:{port}/0"
        _listens(port)
        found, _ = record(
            tmp_path, "--scenario", f"{PLAYS}:news", "-m", "tests.apps.news", env=environment(REDIS_URL=url)
        )
    finally:
        redis.kill()
        redis.wait()
    run = lab.load(tmp_path / found["recording"])
    assert registered("tests.apps.news:app") <= ran(run)
    assert run.check().whole
    assert run.received("news")["ann"] == [[{"text": "elections"}], [{"text": "rain", "from": "a reader"}]]
    # What passed between the application and Redis is its own affair: no packet of it is kept.
    ends = {end.port for segment in run.recording.segments for end in segment.flow}
    assert port not in ends and found["port"] in ends


def _listens(port):
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_reloader_is_switched_off_and_that_is_said(recorded):
    assert "the reloader is off" in recorded("quiz")[2]


def test_each_event_and_page_is_a_journey_from_the_client_to_the_handler_and_back(recorded):
    run, found, _ = recorded("chat")
    assert {"GET /", "GET /people", "enter", "say", "message", "leave", "said", "entered", "joined"} <= set(
        found["journeys"]
    )
    titles = [step.title for step in run.journey("say").steps]
    assert titles.index("SimpleClient.call") < titles.index("Chat.on_say")
    assert chain(run.journey("say"))


# ── several ways to name it ──────────────────────────────────────────────────

SMALL = """
    from flask import Flask
    from flask_socketio import SocketIO

    app = Flask(__name__)
    socketio = SocketIO(app)

    @app.get("/")
    def index():
        return "here"

    if __name__ == "__main__":
        socketio.run(app, port=0)
"""

VISIT = """
    def scenario(session):
        assert session.get("/").text == "here"
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.py").write_text(textwrap.dedent(SMALL))
    (tmp_path / "visit.py").write_text(textwrap.dedent(VISIT))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["--", "python", "-m", "small"],
        ["--", sys.executable, "-u", "small.py"],
        ["--mode", "tap", "small:socketio"],
        ["--", "flask", "--app", "small", "run", "--port", "0"],
    ],
    ids=lambda words: " ".join(Path(word).name for word in words if word != "--"),
)
def test_it_is_named_as_it_would_be_started(small, words):
    found, _ = record(small, "--scenario", "visit.py", *words)
    assert found["recording"] == str(Path("recordings") / ("flask" if "flask" in words else "small"))
    run = lab.load(small / found["recording"])
    assert ("small.py", "index") in ran(run)
    assert run.check().whole


def test_a_folder_with_packages_of_our_names_is_no_trouble(small):
    """The application's ``utils`` is its own; ours is found all the same."""
    for package in ("utils", "lab_server"):
        (small / package).mkdir()
        (small / package / "__init__.py").write_text("answer = 'here'\n")
    text = textwrap.dedent(SMALL).replace('return "here"', "return utils.answer")
    (small / "small.py").write_text(f"import utils, lab_server\n{text}")
    for words in (["--", "python", "-m", "small"], ["small:app"]):
        found, _ = record(small, "--scenario", "visit.py", *words)
        assert ("small.py", "index") in ran(lab.load(small / found["recording"]))


def test_a_second_recording_gets_a_name_of_its_own_and_nothing_else_is_overwritten(small):
    (small / "recordings" / "small").mkdir(parents=True)
    found, _ = record(small, "--scenario", "visit.py", "small:app")
    assert Path(found["recording"]) == Path("recordings") / "small-2"
    done = subprocess.run(
        command("-o", ".", "small:app"), cwd=small, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 3 and "left alone" in done.stderr
    assert (small / "small.py").exists()


# ── however it ends ──────────────────────────────────────────────────────────


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize("number", ["SIGINT", "SIGHUP"])
def test_a_signal_leaves_a_whole_recording(small, number):
    with recording(small, "small:app") as (process, url):
        assert eventually(url).text == "here"
        process.send_signal(getattr(signal, number))
        path, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (small / "said.txt").read_text()
    run = lab.load(small / path.strip())
    assert "GET /" in run.journeys
    assert ("small.py", "index") in ran(run)
    assert run.recording.meta.bytes_lost == 0


def test_after_its_time_it_ends(small):
    found, said = record(small, "--until", "0.2s", "small:app")
    assert lab.load(small / found["recording"]).recording.meta.name == "small"
    assert "Ctrl-C or 0.2 s ends it." in said and "Ended: 0.2 s are over." in said


@pytest.mark.parametrize("mode", ["tap", "live"])
def test_it_ends_with_an_event_and_holds_what_the_event_set_off(tmp_path, mode):
    """The one that speaks is nobody of the recorder's: a page in a browser, say."""
    words = [
        "--mode",
        mode,
        "--until",
        "whispered",
        "--until",
        "say",
        "--",
        "python",
        "-m",
        "tests.apps.chat",
    ]
    with recording(tmp_path, "--json", *words) as (process, url):
        said = (tmp_path / "said.txt").read_text()
        assert "Ctrl-C, the event 'say' or the event 'whispered' ends it." in said
        with chatting(url) as ann:
            ann.emit("enter", "garden")
            ann.receive(timeout=PATIENCE)
            assert process.poll() is None  # this event is not the one
            ann.emit("say", "hello")
            out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert "Ended: the event 'say' was seen." in (tmp_path / "said.txt").read_text()
    run = lab.load(tmp_path / json.loads(out)["recording"])
    assert {"enter", "say", "said"} <= set(run.journeys)
    assert ("chat.py", "Chat.on_say") in ran(run)


@contextlib.contextmanager
def chatting(url):
    """Somebody in the chat, as soon as it listens; her connection is broken off in the end."""
    eventually(url)
    with clients.http() as http:
        ann = clients.make(http, in_order=True)
        ann.connect(url, namespace="/chat", auth={"name": "Ann"}, wait_timeout=PATIENCE)
        try:
            yield ann
        finally:
            clients.leave(ann, PATIENCE)


def test_a_scenario_has_its_own_end(small):
    done = subprocess.run(
        command("--scenario", "visit.py", "--until", "5s", "small:app"), cwd=small, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 2 and "--until is for a recording without --scenario" in done.stderr


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit(0)", 0), ("1 / 0", 5), ("os.kill(os.getpid(), 15)", 5)],
)
def test_the_application_s_own_end_leaves_a_whole_recording(tmp_path, ending, status):
    (tmp_path / "short.py").write_text(
        textwrap.dedent(f"""
            import os, socket, sys
            def answer(one):
                one.recv(1000)
                one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
            with socket.create_server(("127.0.0.1", 0)) as server:
                one, _ = server.accept()
                answer(one)
                one.close()
            {ending}
        """)
    )
    with recording(tmp_path, "--json", "short.py") as (process, url):
        assert eventually(url).text == "hi"
        out, _ = process.communicate(timeout=PATIENCE)
    said = (tmp_path / "said.txt").read_text()
    assert process.returncode == status, said
    run = lab.load(tmp_path / json.loads(out)["recording"])
    assert ("short.py", "answer") in ran(run)
    report = run.check()  # nobody traced the visitor: of each byte it knows the one side
    assert report.sent_once + report.received_once == report.data_bytes > 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_an_application_that_is_killed_leaves_its_packets_and_that_is_said(tmp_path):
    (tmp_path / "short.py").write_text(
        textwrap.dedent("""
            import os, socket
            with socket.create_server(("127.0.0.1", 0)) as server:
                one, _ = server.accept()
                one.recv(1000)
                one.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
                one.recv(1000)
                os.kill(os.getpid(), 9)
        """)
    )
    with recording(tmp_path, "--json", "--mode", "live", "short.py") as (process, url):
        eventually(url)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 5
    found = json.loads(out)
    assert found["messages"] >= 2 and "server" not in found["calls"]


def test_an_application_that_fails_before_it_listens_is_one_clear_error(tmp_path):
    (tmp_path / "broken.py").write_text("raise ValueError('no luck')\n")
    done = subprocess.run(
        command("broken.py"), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 5
    assert "Error: broken" in done.stderr and "no luck" in done.stderr
    assert "utils" not in done.stderr.partition("Error: broken")[0]  # the traceback is the application's own
    assert not (tmp_path / "recordings").exists()


def test_a_scenario_that_fails_is_told_after_the_recording_is_safe(small):
    (small / "visit.py").write_text(
        "def scenario(session):\n    session.get('/')\n    raise RuntimeError('enough')\n"
    )
    done = subprocess.run(
        command("--scenario", "visit.py", "small:app"), cwd=small, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 5 and "enough" in done.stderr
    assert "GET /" in lab.load(small / "recordings" / "small").journeys


# ── its port ─────────────────────────────────────────────────────────────────


def test_several_ports_are_named_and_one_of_them_can_be_chosen(tmp_path):
    (tmp_path / "two.py").write_text(
        textwrap.dedent("""
            import socket, threading
            from werkzeug.serving import make_server
            def app(environ, start_response):
                start_response("200 OK", [])
                return [b"main"]
            admin = socket.create_server(("127.0.0.1", 0))
            server = make_server("127.0.0.1", int(__import__("sys").argv[1]), app)
            server.serve_forever()
        """)
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found, _ = record(tmp_path, "--until", "1", "two.py", str(port))
    assert found["port"] != port and found["other_ports"] == [port]
    found, _ = record(tmp_path, "--port", str(port), "--until", "1", "two.py", str(port))
    assert found["port"] == port and len(found["other_ports"]) == 1


def test_no_packet_is_missed_though_a_client_knocks_before_it_listens(small):
    """A page that is open in a browser connects as soon as it can: the capture stands before that."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    knocking = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import socket, time
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", {port})) as one:
                        one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                        while one.recv(1000): pass
                    break
                except ConnectionError:
                    pass
        """)]
    )  # fmt: skip
    with recording(small, "--port", str(port), "small:app") as (process, _):
        assert knocking.wait(PATIENCE) == 0
        process.send_signal(signal.SIGINT if sys.platform != "win32" else signal.CTRL_C_EVENT)
        path, _ = process.communicate(timeout=PATIENCE)
    run = lab.load(small / path.strip())
    assert run.messages[0].unit.summary.startswith("GET /")
    accepted = [one for one in run.recording.trace("server").transfers if one.kind is TransferKind.ACCEPT]
    assert len(accepted) == 1 and run.recording.meta.bytes_lost == 0
