"""What can be done with the project: ``python tools/tasks.py lab``, ``test``, ``lint`` and so on.

The rule kept here: every command runs in the environment of the Python that
reads this file, be it the one that tools/bootstrap.py made or conda's; and
everything is checked, whatever failed before, so that one call tells all.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

#: Where this environment's programs are.
PROGRAMS = Path(sysconfig.get_path("scripts"))

#: Seconds that one of the long tests may take.
LONGEST = 7200

START = "notebooks/00_start_here.ipynb"


def environment() -> dict[str, str]:
    """The environment variables in which everything is run.

    The project's kernel and settings come first, whatever kernels and settings
    this user has elsewhere; and a terminal opened in JupyterLab finds the same
    Python as the notebooks.  Text is UTF-8, on Windows too.
    """
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", os.defpath)]),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter"),
        "PYTHONUTF8": "1",
        # For the links that open a file in this JupyterLab; see utils/libraries/opening.py.
        "SOCKETIO_LAB_ROOT": str(ROOT),
    }


def call(*command: str) -> int:
    """Run a module or a program of this environment; returns its exit status."""
    return subprocess.call(command, cwd=ROOT, env=environment())


def python(*arguments: str) -> int:
    return call(sys.executable, *arguments)


def worst(statuses: Sequence[int]) -> int:
    """The first status that is not 0: what came after it may be its consequence."""
    return next((status for status in statuses if status), 0)


def lab(extra: Sequence[str]) -> int:
    """Open JupyterLab at the first notebook."""
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        "--ServerApp.root_dir=.",
        f"--LabApp.default_url=/lab/tree/{START}",
        # Root may read packets, which is a reason to be root; Jupyter wants to hear that it is meant.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        *private_network(),
        *extra,
    ]
    become(command)


def private_network() -> list[str]:
    """What JupyterLab needs for the kernel in which an ordinary user sees packets live, if it is of use here.

    Every kernel then speaks over Unix sockets, which changes nothing else for it.
    """
    if sys.platform != "linux" or os.geteuid() == 0:
        return []
    from jupyter_core.paths import jupyter_runtime_dir

    from utils.capture import private, rights

    if (
        rights.refusal() is None
        or private.available()
        or not private.holds_sockets(Path(jupyter_runtime_dir()))
    ):
        return []
    try:
        private.install()
    except OSError:  # the environment is somebody else's: without that kernel, then
        return []
    return ["--KernelManager.transport=ipc"]


def become(command: list[str]) -> NoReturn:
    """Go on as ``command``: Ctrl-C reaches it alone, so that it can ask and shut down in order."""
    os.chdir(ROOT)
    if os.name != "nt":
        os.execve(command[0], command, environment())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command, env=environment()))


def lint(extra: Sequence[str]) -> int:
    """Everything that can be said of the code without running it."""
    return worst(
        [
            python("-m", "ruff", "check", "."),
            python("-m", "ruff", "format", "--check", "."),
            # The oldest Python, and one that has sys.monitoring: each sees code that the other passes over.
            python("-m", "mypy"),
            python("-m", "mypy", "--python-version", "3.13"),
            call(str(PROGRAMS / "lint-imports")),
            notebooks(["check"]),
        ]
    )


def test(extra: Sequence[str]) -> int:
    """The lint, then every test, then every notebook held against its outputs, in each way to see packets.

    With options of pytest's, only the tests that they choose.
    """
    return worst(
        [
            lint([]),
            python("-m", "pytest", "-n", "2", "--dist", "loadscope", *(extra or ["tests"])),
            *([] if extra else [validate([])]),
        ]
    )


def validate(extra: Sequence[str]) -> int:
    """Every notebook, or those that are named, held against its outputs, in each way to see packets."""
    return python("-m", "tools.validation", *extra)


def notebooks(extra: Sequence[str]) -> int:
    """Run every notebook and keep its outputs; with ``check``, only look at them."""
    return python("-m", "tools.notebooks", *(extra or ["run"]))


def student(extra: Sequence[str]) -> int:
    """Write the student's copies of the notebooks, without solutions, into student/ or the folder named."""
    return notebooks(["student", *extra])


def handout(kind: str) -> Callable[[Sequence[str]], int]:
    """A command that makes the notebooks into slides, or into a book, below build/."""
    return lambda extra: call(sys.executable, "-m", "handouts", kind, *extra)


def stacks(extra: Sequence[str]) -> int:
    """Record the report's application anew, on the versions of its day and on these."""
    return python("tools/stacks.py", *extra)


def captures(extra: Sequence[str]) -> int:
    """Make the reference recordings anew, or those that are named."""
    return call(sys.executable, "-m", "tools.captures", *extra)


def measured(extra: Sequence[str]) -> int:
    """Measure what the notebooks replay of the latency lab anew, or those comparisons that are named."""
    return call(sys.executable, "-m", "tools.measured", *extra)


def marked(mark: str) -> Callable[[Sequence[str]], int]:
    """A command that runs only the tests that carry ``mark``, one at a time, and shows what they print."""

    def command(extra: Sequence[str]) -> int:
        return python("-m", "pytest", "-m", mark, "-s", f"--timeout={LONGEST}", *extra)

    return command


def fuzz(extra: Sequence[str]) -> int:
    """Fuzz what parses, guided by coverage; counted, and gone on with at the next call (tests/fuzz)."""
    if importlib.util.find_spec("atheris") is None:
        print(
            "fuzzing needs atheris: pip install '.[fuzz]' (there is none for every system)", file=sys.stderr
        )
        return 1
    return python("-m", "tests.fuzz", *(extra or ["--runs", "1000000"]))


def coverage(extra: Sequence[str]) -> int:
    """The tests of what parses, and whether they go through every branch of it."""
    return worst(
        [
            python("-m", "coverage", "run", "-m", "pytest", "-q", *(extra or parsing_tests())),
            python("-m", "coverage", "report"),
        ]
    )


def parsing_tests() -> list[str]:
    """The test files of what parses, by their names."""
    kinds = (
        "bulk",
        "capture_",
        "captures_",
        "dissection",
        "overview",
        "payloads",
        "ports",
        "reassembly",
        "redaction",
        "runs",
        "segments",
        "windows",
        "wire_",
    )
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        if path.stem.removeprefix("test_").startswith(kinds)
    ]


TASKS: dict[str, Callable[[Sequence[str]], int]] = {
    "lab": lab,
    "test": test,
    "lint": lint,
    "validate": validate,
    "notebooks": notebooks,
    "student": student,
    "slides": handout("slides"),
    "book": handout("book"),
    "captures": captures,
    "measured": measured,
    "stacks": stacks,
    "bench": marked("bench"),
    "soak": marked("soak"),
    "fuzz": fuzz,
    "coverage": coverage,
}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] not in TASKS:
        print(f"usage: python tools/tasks.py {'|'.join(TASKS)} [arguments]", file=sys.stderr)
        return 2
    return TASKS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
