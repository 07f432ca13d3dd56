"""An application as somebody names it on a command line: what to run, with which Python.

The rule kept here: the words are understood as a shell and Python would
understand them; what cannot be run under a tracer is refused with what to type
instead.  Nothing of the application is imported here.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.errors import InputError
from utils.redaction import REDACTED, is_secret, scrub

#: A command that is Python itself: python, python3.12, pythonw.exe, py.
_PYTHON = re.compile(r"(?:python[\d.]*w?|py)(?:\.exe)?", re.IGNORECASE)

#: An object of a module: ``chat:app``, ``shop.web:create_app()``; a drive's letter alone is no module.
_OBJECT = re.compile(r"(?P<module>[^\W\d][\w.]+):(?P<object>[^\W\d][^/\\]*)")

#: Python's own options that take a word after them.
_WITH_A_WORD = ("-W", "-X", "--check-hash-based-pycs")

#: Set where an environment is active: then its programs come first.
_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")

#: Servers whose workers are processes of their own.
_FORKING = frozenset({"gunicorn", "uwsgi", "uvicorn", "hypercorn", "daphne"})


@dataclass(frozen=True, slots=True)
class Application:
    """What is to be run: the ``words`` that the launcher takes, and the ``python`` that runs it.

    ``name`` is what its recordings are called; ``root`` the folder below which
    its own code stands (None: the launcher finds it); ``shown`` are the words
    as they may be kept, without secrets.
    """

    name: str
    words: tuple[str, ...]
    python: tuple[str, ...] = (sys.executable,)
    root: Path | None = None
    shown: tuple[str, ...] = ()

    @classmethod
    def of_module(cls, module: str, arguments: Sequence[str] = (), root: Path | None = None) -> Application:
        """``python -m module arguments``."""
        return cls(module, ("-m", module, *arguments), root=root, shown=(module, *arguments))

    @classmethod
    def of_words(cls, words: Sequence[str], serve_port: int = 0) -> Application:
        """From the words of a command line.

        These are ``python -m MODULE ...``, ``python SCRIPT ...``, ``-m MODULE
        ...``, ``SCRIPT ...``, ``flask run ...`` or ``module:object``; the last is
        served on ``serve_port`` (0: any that is free).  Raises InputError for
        what cannot be run under the tracer.
        """
        if not words:
            raise InputError(
                "there is no application to run",
                next_step="name it after two dashes: -- python -m chat, -- chat.py or -- chat:app",
            )
        python, rest = _python_of(words)
        _refuse(rest)
        if rest[:1] == ["flask"]:
            rest = ["-m", *rest]
        shown = tuple(without_secrets(words))
        if rest[0] == "-m":
            if len(rest) == 1:
                raise InputError("-m names no module", next_step="name one: python -m chat")
            return cls(_last_part(rest[1]), tuple(rest), python, None, shown)
        if (found := _OBJECT.fullmatch(rest[0])) is not None and not Path(rest[0]).exists():
            if rest[1:]:
                raise InputError(
                    f"{rest[0]} takes no arguments", next_step="give a factory its own: 'chat:create_app(3)'"
                )
            serve = ("--serve", rest[0], "--serve-port", str(serve_port))
            return cls(_last_part(found["module"]), serve, python, None, shown)
        script = Path(rest[0])
        if not script.exists():
            raise InputError(
                f"there is no application {rest[0]!r}",
                why="it is neither a file or folder here, nor module:object, nor python -m MODULE",
                next_step="name it as you would start it: -- python -m chat, -- chat.py or -- chat:app",
            )
        name = script.resolve().name if script.is_dir() else script.stem
        return cls(name, tuple(rest), python, None, shown)


def without_secrets(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line as they may be kept: the values of secret options are not."""
    for word, value in _with_secrets(words):
        yield word if value is None else word.removesuffix(value) + REDACTED


def secrets_of(words: Sequence[str]) -> Iterator[str]:
    """The values of a command line's secret options."""
    yield from (value for _, value in _with_secrets(words) if value is not None)


def _with_secrets(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each word, and the secret at its end, if there is one."""
    secret = False
    for word in words:
        name, equals, value = word.partition("=")
        if secret and not word.startswith("-"):
            yield word, word
        elif equals and is_secret(name):
            yield word, value
        else:
            yield scrub(word), None
        secret = word.startswith("-") and not equals and is_secret(word)


def _python_of(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The interpreter with its own options, and the words that are left for it."""
    if _PYTHON.fullmatch(Path(words[0]).name) is None:
        return (sys.executable,), list(words)
    python = [_interpreter(words[0])]
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        option = rest.pop(0)
        if option == "-c":
            raise InputError(
                "python -c cannot be recorded", why="its lines stand in no file", next_step="write a script"
            )
        python.append(option)
        if option in _WITH_A_WORD and rest:
            python.append(rest.pop(0))
    if not rest:
        raise InputError("python alone is no application", next_step="name a module or a script after it")
    return tuple(python), rest


def _interpreter(word: str) -> str:
    """The Python that ``word`` means: without an active environment, a bare one is this one."""
    if word in ("python", "python3", "py") and not any(name in os.environ for name in _ENVIRONMENTS):
        return sys.executable
    found = shutil.which(word)
    if found is None:
        raise InputError(f"there is no {word} here", next_step="name a Python that is there")
    return found


def _refuse(rest: Sequence[str]) -> None:
    """Raise InputError for a server that would run the application where it cannot be traced."""
    name = rest[1] if rest[0] == "-m" and len(rest) > 1 else Path(rest[0]).stem
    if name in _FORKING:
        raise InputError(
            f"{name} cannot be recorded",
            why="its workers are processes of their own, or it is for asyncio",
            next_step="name the application itself, module:app: it is served by gevent or by threads",
        )


def _last_part(module: str) -> str:
    """What an application of that module is called: ``shop.web`` is called web, ``shop.__main__`` shop."""
    return module.removesuffix(".__main__").rpartition(".")[2]
