"""A process that the lab starts, as whoever started it holds it.

The rule kept here: a child never outlives its parent.  It holds the reading
end of a pipe from its parent as standard input; the end of that file means
that the parent is gone, however it went.  It runs in a session of its own, so
that interrupting a notebook's cell does not touch it, and what is left of that
session goes with it.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from utils.errors import ProcessError

_LOG_LINES = 20

#: Finds our modules from any folder.
_BOOT = Path(__file__).with_name("boot.py")


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
