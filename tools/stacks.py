"""The same journey on two sets of versions: ``python tools/stacks.py`` records both anew.

The rule kept here: whatever is compared was seen.  The report's versions are
installed into an environment of their own, with the Python that runs this; the
application and its client, both traced, are run in it and in this one; each
recording keeps its sources, so that nothing needs the environment afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "stacks" / "report.txt"
ENVIRONMENT = ROOT / "build" / "stacks" / "report"

#: Seconds that anything may take: a slow machine is no error.
PATIENCE = 30

#: The recordings' names: of the report's versions, and of those installed here.
THEN, NOW = "report_then", "report_now"


def environment() -> Path:
    """The Python of the report's versions; made, or brought to what the pins say."""
    folder = "Scripts" if os.name == "nt" else "bin"
    python = ENVIRONMENT / folder / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(PINS)], check=True)
    return python


def record(name: str, folder: Path) -> None:
    """Record one visit with the versions that this Python has, and keep it in ``folder``."""
    import requests
    import socketio

    from utils import recording
    from utils.capture.rights import choose_mode
    from utils.recording import sources
    from utils.subject import clients
    from utils.subject.server import Server
    from utils.subject.session import Session, record_live

    def connected(session: Session, name: str) -> tuple[socketio.Client, threading.Event]:
        """A client that polls first and upgrades, as a page does; and whether it has heard the news."""
        direct, heard = requests.Session(), threading.Event()
        direct.trust_env = False  # a proxy must not stand between two local processes
        client = socketio.Client(
            http_session=direct, websocket_extra_options={"http_no_proxy": ["127.0.0.1"]}, reconnection=False
        )
        client.on("replaced values", lambda message: heard.set())
        with session.connecting(name):
            direct.get(f"{session.server.url}/auctions", timeout=PATIENCE).raise_for_status()
            client.connect(session.server.url, wait_timeout=PATIENCE)
        return client, heard

    def visit(session: Session) -> None:
        """Two pages; the one sends a message, and both hear of it."""
        pages = [connected(session, name) for name in ("ann", "ben")]
        pages[0][0].emit("replace old value", {"lot": 1, "cents": 12_500})
        for _, heard in pages:
            if not heard.wait(PATIENCE):
                raise TimeoutError(f"nothing came back within {PATIENCE} s")
        for client, _ in pages:
            clients.take_leave(client, PATIENCE)

    server = Server.start("lab_server.report", (), choose_mode("tap"), from_start=True)
    try:
        made = record_live(visit, server, name)
    finally:
        server.stop()
    made = replace(made, sources=sources.collect(made, whole=["Flask", "Flask-SocketIO"]))
    print(recording.save(made, folder / name))


def main() -> None:
    if sys.argv[1:2] == ["record"]:
        record(sys.argv[2], Path(sys.argv[3]))
        return
    for python, name in ((environment(), THEN), (sys.executable, NOW)):
        command = [str(python), str(Path(__file__).resolve()), "record", name, str(ROOT / "captures")]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    main()
