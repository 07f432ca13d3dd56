"""Processes that the lab starts, and the channel over which it speaks to them.

The rule kept here: a child never outlives its parent.  It holds the reading
end of a pipe from its parent as standard input; the end of that file means
that the parent is gone, however it went, and the child stops: by itself, or by
force a few seconds later.  It runs in a session of its own, so that
interrupting a notebook's cell does not touch it.

The channel is JSON lines: commands go down, exactly one answer comes up for
each.  The child's first line says that it is ready, or why it never will be.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from _thread import start_new_thread
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import sleep  # and start_new_thread: as they are now, whatever a program puts in their place
from typing import IO, Any

from utils.errors import ProcessError

#: How often a child looks whether its parent is still the same, in seconds.
_PARENT_POLL = 0.5

#: How long a child whose parent is gone may take to end by itself, in seconds.
_GRACE = 5.0

_LOG_LINES = 20

#: Finds our modules from any folder.
_BOOT = Path(__file__).with_name("boot.py")


# ── the parent's side ────────────────────────────────────────────────────────


class Child:
    """A started process.  Use :meth:`start`; :meth:`stop` may be called twice."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, log: Path, *, loud: bool = False) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.name = name
        self.loud = loud
        self.pid = process.pid
        self.log = log
        self.info: dict[str, Any] = {}
        self._process = process
        self._lock = threading.Lock()
        self._ready = False
        self._owed = 0  # commands that were sent and not yet answered
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(
            target=_read_lines,
            args=(process.stdout, self._answers, log),
            name=f"answers of {name}",
            daemon=True,
        )
        self._reader.start()
        # Runs at the latest when the interpreter exits, and never twice.
        self._finalizer = weakref.finalize(self, _end, process, self._reader, 5.0)

    @classmethod
    def start(cls, module: str, arguments: Sequence[str], *, deadline: float = 30.0, **how: Any) -> Child:
        """:meth:`launch`, and wait until it is ready, for ``deadline`` seconds at most.

        Raises ProcessError, with the end of the log, if the child fails, exits,
        or is late.
        """
        child = cls.launch(module, arguments, **how)
        child.wait_until_ready(deadline)
        return child

    @classmethod
    def launch(
        cls,
        module: str,
        arguments: Sequence[str],
        *,
        name: str,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        python: str | Sequence[str] = sys.executable,
        loud: bool = False,
    ) -> Child:
        """Run the ``main()`` of ``module`` in ``folder``, or else here, and do not wait for it.

        ``python`` is the interpreter, or it and its options.  What the child
        says goes into ``log``, or, if it is to be ``loud``, where this process's
        own errors go.
        """
        interpreter = [python] if isinstance(python, str) else python
        own_session: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_session = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*interpreter, str(_BOOT), module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if loud else output,
                env=None if env is None else dict(env),
                cwd=folder,
                **own_session,
            )
        return cls(process, name, log, loud=loud)

    def wait_until_ready(self, deadline: float = 30.0) -> None:
        """Wait until it says that it is ready; once it has, this returns at once.

        Raises ProcessError, with the end of the log, if the child fails, exits,
        or takes longer than ``deadline`` seconds; it is ended then.
        """
        with self._lock:
            if self._ready:
                return
            try:
                first = self._answer(deadline, "become ready", deadline)
                if "ready" not in first:
                    raise self._error("could not start", _why(first))
                self.info = dict(first["ready"])
                self._ready = True
            except BaseException:
                self.stop()
                raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float) -> int | None:
        """Its exit status, as soon as it has ended; None if it runs on after ``timeout`` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def request(self, command: str, *, deadline: float = 30.0, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer.

        Raises ProcessError if the child refuses, is gone, or is late.
        """
        line = json.dumps({"command": command, **fields}).encode() + b"\n"
        stdin = self._process.stdin
        assert stdin is not None
        with self._lock:
            try:
                stdin.write(line)
                stdin.flush()
            except (OSError, ValueError) as error:
                raise self._error(f"could not be told to {command}", "it has ended") from error
            self._owed += 1
            # Answers come in order: those to commands that were given up come first.
            until = time.monotonic() + deadline
            while self._owed:
                answer = self._answer(max(0.0, until - time.monotonic()), command, deadline)
                self._owed -= 1
        if not answer.get("ok"):
            raise self._error(f"refused to {command}", str(answer.get("error", answer)))
        return answer

    def stop(self, *, deadline: float = 5.0) -> None:
        """End it: ask by closing the pipe, then kill its whole session; ``deadline`` in seconds."""
        if self._finalizer.detach():
            _end(self._process, self._reader, deadline)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _answer(self, timeout: float, what: str, deadline: float) -> dict[str, Any]:
        """The next line, within ``timeout`` seconds: what is left of ``deadline``."""
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise self._error(f"did not {what}", f"it said nothing for {deadline:g} seconds") from None
        if answer is None:
            self._answers.put(None)  # for whoever asks next
            raise self._error(f"ended before it could {what}", "")
        return answer

    def _error(self, what: str, why: str) -> ProcessError:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        except OSError:
            lines = []
        said = "\n".join(lines)
        reasons = [why, f"its log ends with:\n{said}" if said else ""]
        return ProcessError(
            f"{self.name} (process {self.pid}) {what}",
            why="; ".join(filter(None, reasons)),
            next_step=f"read {'what it said' if self.loud else self.log}, mend the cause, and start it again",
        )


def _why(first: dict[str, Any]) -> str:
    """What a child says that will never be ready."""
    failed = first.get("failed", first)
    return str(failed.get("error", failed)) if isinstance(failed, dict) else str(failed)


def _read_lines(stream: IO[bytes], answers: queue.SimpleQueue[dict[str, Any] | None], log: Path) -> None:
    for line in stream:
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            answers.put(answer)
        else:  # printed before the child took the channel over
            with log.open("ab") as said:
                said.write(line)
    answers.put(None)


def _end(process: subprocess.Popen[bytes], reader: threading.Thread, deadline: float) -> None:
    """Close the pipe, wait, kill what is left of the session, and reap."""
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(OSError):  # it ended first: the pipe is broken, and that is all right
        process.stdin.close()
    try:
        process.wait(deadline)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if sys.platform != "win32":
        # Whatever the child started and left behind is in its session.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    reader.join(deadline)
    process.stdout.close()


# ── the child's side ─────────────────────────────────────────────────────────


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
