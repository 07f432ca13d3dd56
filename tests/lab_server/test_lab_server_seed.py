"""The seed: its four lines are there, as the report has them, and do what it says."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable

from bidders import connect, hear
from conftest import Served

from lab_server import seed
from lab_server.lessons import Lesson


def test_the_four_lines_stand_as_in_the_report() -> None:
    source = inspect.getsource(seed)
    for line in (
        "socketio = SocketIO(app",
        "@app.route('/auctions')",
        "@socketio.on('replace old value')",
        "emit('replaced values', message, broadcast=True)",
    ):
        assert line in source
    assert "lab_server" not in {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
    }


def test_whatever_one_client_sends_all_the_others_get(serve: Callable[..., Served]) -> None:
    url = serve(lessons=frozenset({Lesson.SEED})).url
    ada, grace = connect(url), connect(url)
    for message in (1, "<b>", {"price": 5, "nested": [None, 1.5]}, [], b"\x00\xff"):
        ada.emit("replace old value", message)
        assert hear(ada, "replaced values") == message
        assert hear(grace, "replaced values") == message
    ada.disconnect()
    grace.disconnect()


def test_a_message_of_no_one_is_refused_elsewhere_and_trusted_here(serve: Callable[..., Served]) -> None:
    """The lesson itself: NaN is no JSON, and still it goes out to everybody."""
    url = serve(lessons=frozenset({Lesson.SEED})).url
    ada, grace = connect(url), connect(url)
    ada.emit("replace old value", {"price": float("nan")})
    price = hear(grace, "replaced values")["price"]
    assert price != price
    ada.disconnect()
    grace.disconnect()
