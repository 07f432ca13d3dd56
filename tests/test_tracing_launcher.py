"""Any application, unchanged, under the launcher: ready, traced on command, and never an orphan."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
import requests
import socketio

from tests.apps import echo_server
from tests.waiting import eventually
from utils.errors import ProcessError
from utils.processes.child import Child
from utils.records import TransferKind
from utils.tracing import store

MODULE = ["-m", "tests.apps.echo_server"]
SCRIPT = [echo_server.__file__]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def launched(tmp_path):
    """Starts applications under the launcher, and ends them."""
    with contextlib.ExitStack() as stack:

        def launch(*arguments):
            child = Child.start(
                "utils.tracing.launcher", arguments, name="application", log=tmp_path / "log", deadline=60
            )
            return stack.enter_context(child)

        yield launch


def write(folder, text):
    script = folder / "application.py"
    script.write_text(textwrap.dedent(text))
    return str(script)


@contextlib.contextmanager
def client(port, **options):
    heard = []
    one = socketio.Client(reconnection=False)
    one.on("bid", heard.append)
    one.connect(f"http://127.0.0.1:{port}", **options)
    try:
        yield one, heard
    finally:
        one.disconnect()


def saved(child, path):
    answer = child.request("trace_save", path=str(path))
    trace = store.load(path)
    assert answer["calls"] == len(trace.calls)
    assert answer["transfers"] == len(trace.transfers)
    assert answer["handoffs"] == len(trace.handoffs)
    assert trace.faults == answer["faults"] == 0
    return trace


@pytest.mark.parametrize("how", [MODULE, SCRIPT], ids=["module", "script"])
def test_a_traced_bid(launched, tmp_path, how):
    child = launched("--process", "server", "--trace", "--tap", *how)
    port = child.info["port"]
    assert child.info["pid"] == child.pid
    assert child.info["python"] == sys.version.split()[0]
    with client(port) as (one, heard):
        assert one.call("bid", 1, timeout=30) == "accepted"
        child.request("trace_clear")
        child.request("trace_start")
        assert one.call("bid", 2, timeout=30) == "accepted"
        eventually(lambda: 2 in heard)
        child.request("trace_stop")
        assert one.call("bid", 3, timeout=30) == "accepted"
        trace = saved(child, tmp_path / "bid.gz")
    assert (trace.process, trace.pid) == ("server", child.pid)
    (handler,) = [call for call in trace.calls if call.code.name == "build.<locals>.on_bid"]
    assert handler.arguments == {"amount": "2"}
    assert {handoff.kind.value for handoff in trace.handoffs} == {"queue", "event", "thread"}
    sent = [moved for moved in trace.transfers if moved.kind is TransferKind.SEND]
    # Its stream began before the recording, and is counted from the recording's beginning, as the packets are.
    assert sent[0].offset == 0 and sent[1].offset == sent[0].end
    assert b'42["bid",2]' in b"".join(moved.data for moved in sent)


def test_from_the_first_line_on(launched, tmp_path):
    child = launched("--start", *SCRIPT)
    with client(child.info["port"]):
        pass
    trace = saved(child, tmp_path / "start.gz")
    names = [call.code.name for call in trace.calls]
    for name in (
        "<module>",
        "build",
        "SocketIO.__init__",
        "App.add_url_rule",
        "make_server",
        "BaseWSGIServer.serve_forever",
    ):
        assert name in names, name
    kinds = {moved.kind for moved in trace.transfers}
    assert {TransferKind.LISTEN, TransferKind.ACCEPT, TransferKind.SEND, TransferKind.RECV} <= kinds
    (listening,) = [moved for moved in trace.transfers if moved.kind is TransferKind.LISTEN]
    assert listening.flow.source.port == child.info["port"]
    filenames = {call.code.filename for call in trace.calls}
    assert echo_server.__file__ in filenames
    assert not [name for name in filenames if Path(name).is_relative_to(ROOT / "utils")]


def test_without_a_tracer_the_commands_are_refused(launched):
    child = launched(*MODULE)
    with pytest.raises(ProcessError, match="--trace"):
        child.request("trace_start")
    with pytest.raises(ProcessError, match="not a command"):
        child.request("dance")
    assert child.alive


def test_a_path_that_cannot_be_written_is_an_answer(launched, tmp_path):
    child = launched("--trace", *MODULE)
    with pytest.raises(ProcessError, match="refused"):
        child.request("trace_save", path=str(tmp_path / "no" / "such" / "folder.gz"))
    saved(child, tmp_path / "good.gz")


# ── it is the same program ───────────────────────────────────────────────────

REPORT = """
    import json, sys, threading, socket, time
    facts = {
        "argv": sys.argv,
        "path0": sys.path[0],
        "name": __name__,
        "file": __file__,
        "main": sys.modules["__main__"].__dict__ is globals(),
        "thread": threading.current_thread() is threading.main_thread(),
        "stdin": sys.stdin.read(),
        "launcher": sorted(name for name in sys.modules if name.split(".")[0] in ("flask", "socketio", "engineio")),
    }
    print("REPORT " + json.dumps(facts), flush=True)
    with socket.create_server(("127.0.0.1", 0)):
        time.sleep(60)
"""


def report(log):
    lines = [line for line in log.read_text().splitlines() if line.startswith("REPORT ")]
    return json.loads(lines[-1].removeprefix("REPORT "))


def test_a_script_cannot_tell_the_difference(launched, tmp_path):
    script = write(tmp_path, REPORT)
    child = launched("--trace", script, "--port", "5", "-m", "x")
    facts = report(child.log)
    assert facts == {
        "argv": [script, "--port", "5", "-m", "x"],
        "path0": str(tmp_path),
        "name": "__main__",
        "file": script,
        "main": True,
        "thread": True,
        "stdin": "",
        "launcher": [],  # nothing of the stack is imported before the application does
    }


def test_a_module_cannot_tell_the_difference(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(textwrap.dedent(REPORT))
    monkeypatch.chdir(tmp_path)
    arguments = ["--trace", "-m", "package", "--port", "5"]
    with Child.start("utils.tracing.launcher", arguments, name="application", log=tmp_path / "log") as child:
        facts = report(child.log)
    assert facts["argv"] == [str(tmp_path / "package" / "__main__.py"), "--port", "5"]
    assert facts["path0"] == str(tmp_path)
    assert facts["name"] == "__main__"
    assert facts["main"]


# ── how it ends ──────────────────────────────────────────────────────────────


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_socket_that_is_not_pythons_own_is_found_too(launched, tmp_path):
    script = write(
        tmp_path,
        """
        import _socket, time
        listener = _socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print("listens at", listener.getsockname()[1], flush=True)
        time.sleep(60)
        """,
    )
    child = launched(script)
    assert f"listens at {child.info['port']}\n" in child.log.read_text()


def test_it_stops_when_it_is_told_to(launched):
    child = launched("--trace", *MODULE)
    assert child.request("stop") == {"ok": True}
    assert child._process.wait(30) == 0


def test_it_stops_when_its_parent_is_gone(tmp_path):
    """The parent is killed; its pipe ends; the application does not stay behind."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from utils.processes.child import Child;"
            "child = Child.start('utils.tracing.launcher', ['--trace', '-m', 'tests.apps.echo_server'],"
            f"name='orphan', log=Path({str(tmp_path / 'log')!r}));"
            "print(child.pid, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    try:
        pid = int(parent.stdout.readline())
    finally:
        parent.kill()
        parent.wait(30)
        parent.stdout.close()
    eventually(lambda: gone(pid))


def test_what_ignores_interrupts_is_ended_by_force(launched, tmp_path):
    script = write(
        tmp_path,
        """
        import signal, socket, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with socket.create_server(("127.0.0.1", 0)):
            while True:
                time.sleep(1)
        """,
    )
    child = launched(script)
    child.request("stop")
    assert child._process.wait(30) != 0


@pytest.mark.parametrize(
    ("ending", "status", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('a message')", 1, "a message"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("pass", 0, ""),
    ],
)
def test_the_applications_end_is_the_processs_end(launched, tmp_path, ending, status, said):
    script = write(
        tmp_path,
        f"""
        import socket, sys, time
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.accept()
        {ending}
        """,
    )
    child = launched("--trace", script)
    socket.create_connection(("127.0.0.1", child.info["port"])).close()
    assert child._process.wait(30) == status
    assert said in child.log.read_text()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise ValueError('no luck')", "no luck"),
        ("import sys; sys.exit(4)", "status 4"),
        ("this is no Python", "SyntaxError"),
        ("import nonsense_of_no_package", "nonsense_of_no_package"),
    ],
)
def test_what_fails_before_it_listens_says_why(launched, tmp_path, text, why):
    with pytest.raises(ProcessError, match=why):
        launched("--trace", write(tmp_path, text))


def test_what_ends_before_it_listens_is_an_error_too(launched, tmp_path):
    with pytest.raises(ProcessError, match="ended before"):
        launched(write(tmp_path, "pass"))


def test_a_script_that_is_not_there(launched, tmp_path):
    with pytest.raises(ProcessError, match="nowhere"):
        launched(str(tmp_path / "nowhere.py"))


def test_no_application_is_a_usage_error(launched):
    with pytest.raises(ProcessError, match="name a module or a script"):
        launched("--trace")


if hasattr(os, "fork"):

    def test_a_forked_child_does_not_break_and_is_not_traced(launched, tmp_path):
        script = write(
            tmp_path,
            """
            import os, socket, sys, time
            def work():
                return sum(range(10))
            with socket.create_server(("127.0.0.1", 0)) as server:
                pid = os.fork()
                if pid == 0:
                    work()
                    with socket.create_connection(server.getsockname()) as one:
                        one.sendall(b"from the child")
                    clean = "send" not in socket.socket.__dict__ and sys.getprofile() is None
                    os._exit(0 if clean and work() == 45 else 1)
                work()
                one, _ = server.accept()
                with one:
                    print("HEARD", one.recv(100), os.waitpid(pid, 0)[1], flush=True)
                time.sleep(60)
            """,
        )
        child = launched("--start", "--tap", script)
        eventually(lambda: "HEARD" in child.log.read_text())
        assert "HEARD b'from the child' 0" in child.log.read_text()
        trace = saved(child, tmp_path / "fork.gz")
        assert [call.code.name for call in trace.calls].count("work") == 1


def test_threads_of_the_lab_do_not_show_as_the_applications_work(launched, tmp_path):
    child = launched("--trace", *MODULE)
    child.request("trace_start")
    with client(child.info["port"]):
        pass
    trace = saved(child, tmp_path / "threads.gz")
    own = {"supervision", "supervision of the parent", "readiness"}
    busy = {trace.threads[call.thread] for call in trace.calls if call.depth > 0}
    assert not own & busy


# ── secrets ──────────────────────────────────────────────────────────────────


def test_no_planted_secret_is_in_any_file(launched, tmp_path):
    """Cookies, keys, tokens and auth payloads, on their way in and out, in arguments, results and data."""
    planted = {name: f"planted-{number}-{name}" for number, name in enumerate(PLANTED)}
    script = write(
        tmp_path,
        f"""
        from flask import Flask, request, session
        from flask_socketio import SocketIO, emit
        app = Flask(__name__)
        app.config["SECRET_KEY"] = {planted["secret_key"]!r}
        socketio = SocketIO(app, async_mode="threading")
        def check(password, api_key=None, **credentials):
            return {{"token": credentials["token"]}}
        @socketio.on("connect")
        def connected(auth):
            check(auth["password"], api_key={planted["api_key"]!r}, token=auth["token"])
        @socketio.on("login")
        def login(form):
            emit("welcome", {{"token": form["token"], "secret": {planted["answer"]!r}}})
            return "ok"
        @app.route("/page")
        def page():
            session["who"] = "ann"
            check(request.args["token"], token=request.cookies["session_token"])
            return "hello", {{"Set-Cookie": "auth_token={planted["set_cookie"]}; Path=/"}}
        socketio.run(app, host="127.0.0.1", port=0, allow_unsafe_werkzeug=True)
        """,
    )
    child = launched("--start", "--detail", "full", script)
    url = f"http://127.0.0.1:{child.info['port']}"
    direct = requests.Session()
    direct.trust_env = False
    direct.get(
        f"{url}/page?token={planted['query']}",
        headers={
            "Authorization": f"Bearer {planted['bearer']}",
            "Cookie": f"session_token={planted['cookie']}",
            "X-Api-Key": planted["header_key"],
        },
    ).raise_for_status()
    one = socketio.Client(reconnection=False)
    auth = {"password": planted["password"], "token": planted["auth_token"]}
    one.connect(url, auth=auth, headers={"Cookie": f"session={planted['client_cookie']}"}, wait_timeout=30)
    try:
        assert one.call("login", {"token": planted["form_token"]}, timeout=30) == "ok"
    finally:
        one.disconnect()
    path = tmp_path / "secrets.gz"
    trace = saved(child, path)
    assert any(call.code.name == "check" for call in trace.calls)
    text = gzip.decompress(path.read_bytes()).decode()
    assert "hello" in text  # what is no secret is there
    assert {name: secret for name, secret in planted.items() if secret in text} == {}


PLANTED = (
    "secret_key",
    "api_key",
    "answer",
    "set_cookie",
    "query",
    "bearer",
    "cookie",
    "header_key",
    "password",
    "auth_token",
    "client_cookie",
    "form_token",
)
