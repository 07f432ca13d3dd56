"""What is played with the applications of this folder: everything that each of them has a handler for.

Each function is a scenario; its application stands in ``APPLICATIONS``, as
``socketio-lab record`` takes it.
"""

from __future__ import annotations

#: How long an answer may take, in seconds: a slow machine is no error.
PATIENCE = 30


def chat(session):
    """Two chat in a room; one is an admin, too."""
    session.get("/")
    ann = session.connect("ann", namespace="/chat", auth={"name": "Ann"})
    ben = session.connect("ben", namespace="/chat", auth={"name": "Ben"})
    ann.receive(timeout=PATIENCE)  # that Ben has joined
    session.get("/people")
    for one in (ann, ben):
        one.emit("enter", "garden")
        one.receive(timeout=PATIENCE)
    assert ann.call("say", "hello", timeout=PATIENCE) == 5
    ben.emit("message", "whisper")
    admin = session.connect("admin", namespace="/admin", auth={"token": "let me in"})
    assert admin.call("say", "closing soon", timeout=PATIENCE) == "told"
    ben.emit("leave", "garden")
    assert ben.call("say", "bye", timeout=PATIENCE) == 3


def quiz(session):
    """One plays, and finishes."""
    session.get("/")
    session.get("/api/questions")
    session.get("/api/questions/1")
    session.post("/api/questions", json={"question": "3 + 4"})
    ann = session.connect("ann")
    assert "players" in ann.call("play", "Ann", timeout=PATIENCE)
    assert ann.call("answer", (0, 4), timeout=PATIENCE) is True
    ann.emit("finish")
    while ann.receive(timeout=PATIENCE)[0] != "finished":
        pass


def whiteboard(session):
    """Two draw on one board."""
    ann, ben = session.connect("ann", in_order=True), session.connect("ben", in_order=True)
    for one in (ann, ben):
        one.receive(timeout=PATIENCE)  # which boards there are
        one.call("open", {"board": "garden"}, timeout=PATIENCE)
    ann.emit("stroke", ({"board": "garden"}, bytes(range(64))))
    for one in (ann, ben):
        assert one.receive(timeout=PATIENCE)[1]["points"] == bytes(range(64))
    ben.emit("thumbnail", {"board": "garden"})
    while ben.receive(timeout=PATIENCE)[0] != "seen":
        pass
    assert session.get("/boards/garden.bin").content == bytes(range(64))


def ticker(session):
    """Two watch a price, one orders."""
    session.get("/prices")
    ann, ben = session.connect("ann", in_order=True), session.connect("ben", in_order=True)
    for one in (ann, ben):
        assert one.call("watch", "ACME", timeout=PATIENCE) == 100
    assert ann.call("order", ("ACME", 5), timeout=PATIENCE) == "ok"
    ann.emit("chart", bytes(range(32)))
    for one, wanted in ((ann, {"filled", "price", "tick", "chart"}), (ben, {"price", "tick", "chart"})):
        while wanted:
            wanted.discard(one.receive(timeout=PATIENCE)[0])


def news(session):
    """One subscribes, another process publishes, a reader flashes."""
    import subprocess
    import sys

    session.get("/")
    ann = session.connect("ann", in_order=True)
    ann.emit("subscribe", "politics")
    ann.receive(timeout=PATIENCE)
    subprocess.run([sys.executable, "-m", "tests.apps.news", "publish", "elections"], check=True, timeout=60)
    assert ann.receive(timeout=PATIENCE) == ["news", {"text": "elections"}]
    ann.emit("flash", "rain")
    assert ann.receive(timeout=PATIENCE)[1]["from"] == "a reader"


def bare(session):
    """Greeted, and adding up in another namespace."""
    session.get("/about")
    ann = session.connect("ann", in_order=True)
    assert ann.call("greet", "Ann", timeout=PATIENCE) == "greeted"
    ann.emit("no such event", 1)
    while ann.receive(timeout=PATIENCE)[0] != "unknown":
        pass
    ben = session.connect("ben", namespace="/math")
    assert ben.call("add", (2, 3), timeout=PATIENCE) == 5
