"""The words of a command line become an application, or one clear error."""

from __future__ import annotations

import sys

import pytest

from utils.errors import InputError
from utils.redaction import REDACTED
from utils.subject.application import Application, secrets_of, without_secrets


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "chat.py").write_text("")
    (tmp_path / "shop").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "name", "launched"),
    [
        (["python", "-m", "chat", "--debug"], "chat", ("-m", "chat", "--debug")),
        (["-m", "shop.web"], "web", ("-m", "shop.web")),
        (["-m", "shop.__main__"], "shop", ("-m", "shop.__main__")),
        (["chat.py", "-p", "1"], "chat", ("chat.py", "-p", "1")),
        (["python3", "chat.py"], "chat", ("chat.py",)),
        (["shop"], "shop", ("shop",)),
        (["flask", "--app", "chat", "run"], "flask", ("-m", "flask", "--app", "chat", "run")),
        (["chat:app"], "chat", ("--serve", "chat:app", "--serve-port", "7")),
        (
            ["shop.web:create_app('x', y=1)"],
            "web",
            ("--serve", "shop.web:create_app('x', y=1)", "--serve-port", "7"),
        ),
    ],
)
def test_words_and_what_they_mean(words, name, launched):
    found = Application.of_words(words, 7)
    assert (found.name, found.words, found.python) == (name, launched, (sys.executable,))
    assert found.root is None  # the launcher finds it


def test_another_python_and_its_options():
    found = Application.of_words([sys.executable, "-u", "-X", "dev", "-W", "error", "chat.py", "-x"])
    assert found.python == (sys.executable, "-u", "-X", "dev", "-W", "error")
    assert found.words == ("chat.py", "-x")


def test_in_an_active_environment_python_is_that_environment_s(monkeypatch, tmp_path):
    python = tmp_path / "bin" / ("python.exe" if sys.platform == "win32" else "python")
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setenv("PATH", str(python.parent))
    assert Application.of_words(["python", "chat.py"]).python == (str(python),)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "no application"),
        (["nothing.py"], "nothing.py"),
        (["python"], "python alone"),
        (["python", "-m"], "names no module"),
        (["python", "-c", "pass"], "cannot be recorded"),
        (["python99.1", "chat.py"], "no python99.1"),
        (["gunicorn", "chat:app"], "gunicorn"),
        (["python", "-m", "uvicorn", "chat:app"], "uvicorn"),
        (["chat:app", "--debug"], "no arguments"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_to_do(words, why):
    with pytest.raises(InputError, match=why) as caught:
        Application.of_words(words)
    assert caught.value.next_step


def test_secrets_of_a_command_line_are_not_kept():
    words = ["chat.py", "--token", "abc", "--password=def", "--port", "5", "--api-key", "ghi", "-v"]
    assert list(without_secrets(words)) == [
        "chat.py", "--token", REDACTED, f"--password={REDACTED}", "--port", "5", "--api-key", REDACTED, "-v",
    ]  # fmt: skip
    assert Application.of_words(words).shown == tuple(without_secrets(words))
    assert list(secrets_of(words)) == ["abc", "def", "ghi"]
    assert "abc" in Application.of_words(words).words
