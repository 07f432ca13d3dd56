"""A process's own end of the channel to whoever started it.

The rule kept here: exactly one answer goes up for each command, and nothing
that the program prints gets between them; when the parent is gone, the process
ends: by itself, or by force a few seconds later.  Each thread here is the
system's own, whatever a program puts in the place of Python's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from _thread import start_new_thread
from collections.abc import Callable, Mapping
from time import sleep  # and start_new_thread: as they are now, whatever a program puts in their place
from typing import IO, Any

#: How often a child looks whether its parent is still the same, in seconds.
_PARENT_POLL = 0.5

#: How long a child whose parent is gone may take to end by itself, in seconds.
_GRACE = 5.0


class Control:
    """The child's end of the channel."""

    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands = commands
        self._answers = answers
        self._typist: int | None = None
        self._parent = os.getppid()
        self._lock = threading.Lock()

    @classmethod
    def take_over(cls, *, terminal: bool = False) -> Control:
        """Take the two pipes for the channel, and give the program others.

        From here on the program reads an empty standard input, and what it
        prints goes where its errors go: into the log.  With ``terminal`` its
        standard input is a terminal at which nobody types, where the system has
        such: as if it had been started by hand.
        """
        commands = os.fdopen(os.dup(0), "rb")
        answers = os.fdopen(os.dup(1), "wb")
        # Windows takes its null device for a terminal.
        typist, nothing = os.openpty() if terminal and hasattr(os, "openpty") else (None, None)
        if nothing is None:
            nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout.flush()  # what was printed before is the program's too: into the log
        control = cls(commands, answers)
        control._typist = typist  # open as long as this is: its end would end the input
        return control

    def ready(self, **info: Any) -> None:
        """Say that the child does its work now."""
        self._say(_line({"ready": info}))

    def failed(self, error: str, **fields: Any) -> None:
        """Say that the child never will."""
        self._say(_line({"failed": {"error": error, **fields}}))

    def serve(
        self,
        handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]],
        *,
        on_parent_gone: Callable[[], None],
    ) -> None:
        """Answer commands in a thread of their own, until the parent is gone.

        Then ``on_parent_gone`` is called, once, and should end the program; a
        program that has not ended five seconds later is killed, and with it
        what it started in its session.
        """
        gone = threading.Event()
        first = threading.Lock()  # taken by whoever notices first, and never given back

        def leave() -> None:
            if not first.acquire(blocking=False):
                return
            gone.set()
            start_new_thread(_end_by_force, ())
            on_parent_gone()

        def answer_commands() -> None:
            for line in self._commands:
                self._say(_handle(line, handlers))
            leave()

        def watch_parent() -> None:
            # A process that the parent forked may hold the pipe open after it.
            while not gone.is_set() and os.getppid() == self._parent:
                sleep(_PARENT_POLL)
            leave()

        # No Thread objects: they may end when the program has put others in their place.
        start_new_thread(answer_commands, ())
        if hasattr(os, "fork"):
            start_new_thread(watch_parent, ())

    def _say(self, line: bytes) -> None:
        with self._lock:
            try:
                self._answers.write(line)
                self._answers.flush()
            except OSError:  # nobody listens any more; the end of the commands will tell
                pass


def _handle(line: bytes, handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> bytes:
    try:
        words = json.loads(line)
        handler = handlers[words["command"]]
    except (ValueError, KeyError, TypeError) as error:
        return _line({"ok": False, "error": f"not a command: {line[:200]!r} ({type(error).__name__})"})
    try:
        return _line({"ok": True, **handler(words)})
    except Exception as error:  # whatever goes wrong in a command is the answer to it
        return _line({"ok": False, "error": f"{type(error).__name__}: {error}"})


def _line(words: dict[str, Any]) -> bytes:
    return json.dumps(words).encode() + b"\n"


def _end_by_force() -> None:
    sleep(_GRACE)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
