"""The object that a command line names; that it is served is seen in test_cli_record.py."""

from __future__ import annotations

import pytest

from tests.apps import bare
from utils.tracing import serving
from utils.tracing.program import NoProgramError


def test_a_name_a_path_and_a_factory():
    assert serving.load("tests.apps.bare:app") is bare.app
    assert serving.load("tests.apps.bare:app.engineio_app") is bare.sio
    made = serving.load("tests.apps.quiz:create_app(['1 + 1'])")
    assert made.config["QUESTIONS"] == ["1 + 1"]
    assert serving.load("tests.apps.quiz:create_app(questions=['2 + 2'])").config["QUESTIONS"] == ["2 + 2"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("tests.apps.bare:nothing", "has no 'nothing'"),
        ("tests.apps.nowhere:app", "No module named tests.apps.nowhere"),
        ("tests.apps.bare:app[0]", "neither a name nor a call"),
        ("tests.apps.bare:a b", "names no object"),
        ("tests.apps.quiz:create_app(open('x'))", "literals"),
        ("tests.apps.quiz:__import__('os').system('x')", "neither a name nor a call"),
    ],
)
def test_what_is_not_there_is_said(words, why):
    with pytest.raises(NoProgramError, match=why.replace("(", r"\(")):
        serving.load(words)


def test_a_module_that_fails_fails_with_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        serving.load("needs_more:app")


def test_what_is_for_asyncio_or_is_no_application_is_refused():
    with pytest.raises(NoProgramError, match="asyncio"):
        serving.serve("tests.test_tracing_serving:asyncio_application", 0)
    with pytest.raises(NoProgramError, match="no application"):
        serving.serve("tests.test_tracing_serving:no_application", 0)


class _Asyncio:
    async_mode = "asgi"

    def __call__(self, scope, receive, send): ...


asyncio_application = _Asyncio()
no_application = object()
