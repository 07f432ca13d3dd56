"""The report's four lines alone are served, and trust whoever speaks."""

from __future__ import annotations

import threading

import socketio

from utils.processes.child import Child


def test_what_one_client_sends_all_the_others_get(tmp_path):
    arguments = ["-m", "lab_server.report"]
    with Child.start(
        "utils.tracing.launcher", arguments, name="report", log=tmp_path / "log", deadline=60
    ) as child:
        heard = []
        clients = [socketio.Client(reconnection=False) for _ in range(2)]
        try:
            for client in clients:
                event = threading.Event()
                client.on(
                    "replaced values", lambda message, event=event: (heard.append(message), event.set())
                )
                client.connect(f"http://127.0.0.1:{child.info['port']}", wait_timeout=30)
                client.heard = event
            clients[0].emit("replace old value", {"cents": 1})
            assert all(client.heard.wait(30) for client in clients)
        finally:
            for client in clients:
                client.disconnect()
    assert heard == [{"cents": 1}] * 2
