"""Sets the project up, then runs what was asked for: ``python tools/bootstrap.py lab``.

The rule kept here: the standard library only, in words that an old Python can
parse, so that it can say what it lacks.  Whatever goes wrong is one line that
says what to do.  A second call with nothing changed starts at once; a call
that was cut off is made good by the next one.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "socketio-lab.stamp")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")

#: What the environment is made from: it is made anew when one of them changes.
INPUTS = ("pyproject.toml", "constraints.txt", os.path.join("lab_server", "package-lock.json"))

#: A gibibyte and a half: what the environment takes, and some room to unpack it.
ROOM = 3 << 29


class Trouble(Exception):
    """What is wrong, and what to do, in one line."""


def main(arguments):
    """Run one of the commands; returns the exit status."""
    command, extra = (arguments[0] if arguments else "setup"), arguments[1:]
    if command not in COMMANDS:
        print("usage: python tools/bootstrap.py " + "|".join(sorted(COMMANDS)))
        return 2
    try:
        python = fitting_python()
        if python != sys.executable:
            return subprocess.call([python, os.path.abspath(__file__), command] + extra)
        set_up()
        return COMMANDS[command](extra)
    except Trouble as trouble:
        print("socketio-lab: " + str(trouble), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# ── the Python ───────────────────────────────────────────────────────────────


def fitting_python():
    """This Python if it is new enough, or else a newer one from the PATH."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NEWER:
        found = shutil.which(name)
        if found:
            return found
    raise Trouble(
        "this is Python %d.%d, and %d.%d or newer is needed: install one (on Debian: apt install python3), "
        "then call again, or name it: make PYTHON=/path/to/python setup" % (sys.version_info[:2] + OLDEST)
    )


# ── the environment ──────────────────────────────────────────────────────────


def fingerprint():
    """A digest of everything that the environment is made from."""
    digest = hashlib.sha256(sys.version.encode() + ROOT.encode())
    for name in INPUTS:
        with contextlib.suppress(FileNotFoundError), open(os.path.join(ROOT, name), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read())
    digest.update(b"npm" if shutil.which("npm") else b"")
    return digest.hexdigest()


def is_ready():
    try:
        with open(STAMP, encoding="ascii") as file:
            return file.read() == fingerprint()
    except OSError:
        return False


def set_up():
    """Make the environment what pyproject.toml and constraints.txt say, if it is not yet."""
    if is_ready():
        return
    with one_at_a_time():
        if is_ready():  # made meanwhile by the one we waited for
            return
        free = shutil.disk_usage(ROOT).free
        if free < ROOM and not os.path.exists(PYTHON):
            raise Trouble(
                "the disk has %d MiB free, and the set-up needs %d: make room, then call again"
                % (free >> 20, ROOM >> 20)
            )
        print("socketio-lab: setting up .venv (once; a few minutes)", flush=True)
        with contextlib.suppress(FileNotFoundError):
            os.remove(STAMP)
        make_environment()
        install_browser_client()
        with open(STAMP, "w", encoding="ascii") as file:
            file.write(fingerprint())


@contextlib.contextmanager
def one_at_a_time():
    """Two set-ups in the same folder would spoil each other: the second one waits."""
    path = os.path.join(ROOT, ".venv.lock")
    with open(path, "a+b") as file:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_environment():
    uv = shutil.which("uv")
    wanted = ["-c", "constraints.txt", "-e", ".[test]"]
    if uv:
        if not os.path.exists(PYTHON):
            run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], "make the environment")
        run([uv, "pip", "install", "--quiet", "--python", PYTHON] + wanted, "install the packages")
        return
    if not working():
        try:
            import ensurepip  # noqa: F401  # its absence is what is asked
            import venv
        except ImportError:
            raise Trouble(
                "this Python has no venv module: install it (on Debian: apt install python3-venv), then call again"
            )
        try:
            venv.create(VENV, with_pip=True, clear=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Trouble(advice("make the environment", str(error), getattr(error, "errno", None)))
    run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"] + wanted,
        "install the packages",
    )


def working():
    """Whether the environment has a pip that runs: an interrupted set-up may have left half of one."""
    if not os.path.exists(PYTHON):
        return False
    with open(os.devnull, "wb") as nothing:
        return subprocess.call([PYTHON, "-m", "pip", "--version"], stdout=nothing, stderr=nothing) == 0


def install_browser_client():
    """The auction's page uses the real Socket.IO client, from npm; the rest works without it."""
    npm = shutil.which("npm")
    folder = os.path.join(ROOT, "lab_server")
    if not os.path.exists(os.path.join(folder, "package-lock.json")):
        return
    if not npm:
        print(
            "socketio-lab: npm is missing, so the auction's page will have no live bids; "
            "all else works (on Debian: apt install npm, then call again)"
        )
        return
    run([npm, "ci", "--silent", "--no-audit", "--no-fund"], "install the browser client", folder)


def run(command, what, folder=ROOT):
    """Run a step of the set-up; one line of advice if it fails."""
    done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise Trouble(advice(what, done.stderr, None))


def advice(what, said, number):
    """One line for what went wrong in a step."""
    lowered = said.lower()
    if number == errno.ENOSPC or "no space left" in lowered:
        return "could not %s: the disk is full; make room, then call again" % what
    if "ensurepip" in lowered:
        return "could not %s: this Python has no ensurepip (on Debian: apt install python3-venv), then call again" % what
    for sign in ("name resolution", "connection", "network", "timed out", "failed to fetch", "enotfound"):
        if sign in lowered:
            return "could not %s: the package index was not reached; check the network, then call again" % what
    return "could not %s: see the lines above; when it is mended, call again" % what


# ── the commands ─────────────────────────────────────────────────────────────


def call(command, **environment):
    return subprocess.call(command, cwd=ROOT, env=dict(os.environ, **environment))


def lab(extra):
    """Open JupyterLab at the first notebook."""
    return call(
        [
            PYTHON,
            "-m",
            "jupyterlab",
            "--ServerApp.root_dir=.",
            "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
        ]
        + extra,
        JUPYTER_CONFIG_PATH=os.path.join(ROOT, "jupyter"),
    )


def checks(extra):
    """Everything that a machine can check of the code without running it."""
    for step in (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["importlinter.cli", "lint"],
    ):
        module = [PYTHON, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
        command = module if step[0] == "importlinter.cli" else [PYTHON, "-m"] + step
        status = call(command)
        if status:
            return status
    return 0


def tests(extra):
    """The checks, the tests, and every notebook held against its outputs."""
    return (
        checks([])
        or call([PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadscope"] + extra)
        or notebooks(["check"])
        or call(
            [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
            + ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "--nbval-cell-timeout=60", "notebooks"],
            JUPYTER_CONFIG_PATH=os.path.join(ROOT, "jupyter"),
        )
    )


def notebooks(extra):
    """Run every notebook and keep its outputs; with ``check``, only look at them."""
    return call([PYTHON, "tools/notebooks.py"] + (extra or ["run"]))


def marked(mark):
    def chosen(extra):
        return call([PYTHON, "-m", "pytest", "-m", mark, "-s"] + extra)

    return chosen


COMMANDS = {
    "setup": lambda extra: 0,
    "lab": lab,
    "lint": checks,
    "test": tests,
    "notebooks": notebooks,
    "bench": marked("bench"),
    "soak": marked("soak"),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
