"""Sets the project up, then runs what was asked for: ``python tools/bootstrap.py lab``.

The rule kept here: the standard library only, in words that even an old Python
can parse, so that it can say what is lacking.  Whatever goes wrong is one line
that says what to do.  A second call with nothing changed starts at once; a
call that was cut off, even by a power cut, is made good by the next one.

Nothing outside the project's folder is changed.  What the commands do stands in
tools/tasks.py, which runs in the environment that is made here.
"""

from __future__ import print_function

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys

#: What tools/tasks.py can do, and "setup", which only sets up.
COMMANDS = (
    "setup",
    "lab",
    "test",
    "lint",
    "validate",
    "notebooks",
    "student",
    "slides",
    "book",
    "captures",
    "measured",
    "stacks",
    "bench",
    "soak",
    "fuzz",
    "coverage",
)

OLDEST = (3, 11)

#: Where a newer Python may be found, the ones tested first; "py" is the launcher on Windows.
NEWER = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "py")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "socketio-lab.stamp")
LOCK = os.path.join(ROOT, ".venv.lock")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
SERVER = os.path.join(ROOT, "lab_server")

#: npm writes it when all else is in its place.
BROWSER_CLIENT = os.path.join(SERVER, "node_modules", ".package-lock.json")

#: What the environment is made from: it is brought up to date when one of them changes.
INPUTS = ("pyproject.toml", "constraints.txt", os.path.join("lab_server", "package-lock.json"))

#: A gibibyte and a half: what the environment takes, and some room to unpack it.
ROOM = 3 << 29

UNREACHED = "the packages could not be fetched"

#: What pip, uv and npm say, in small letters, when the network is at fault.
OFFLINE = re.compile(
    r"name resolution|name or service not known|nodename nor servname|getaddrinfo failed|dns error"
    r"|connection (refused|reset|aborted)|newconnectionerror|network is unreachable|timed out"
    r"|failed to fetch|error sending request|enotfound|econnrefused|econnreset|eai_again|etimedout"
)


class Trouble(Exception):
    """What is wrong, and what to do about it, in one line."""


class Offline(Trouble):
    """The packages could not be fetched; so none was installed or removed."""


def main(arguments):
    """Set up, then run one of the commands.  Returns the exit status."""
    command = arguments[0] if arguments else "setup"
    if command not in COMMANDS:
        print("usage: python tools/bootstrap.py [%s] [arguments]" % "|".join(COMMANDS), file=sys.stderr)
        return 2
    try:
        python = fitting_python()
        if python != sys.executable:
            return hand_over([python, os.path.abspath(__file__)] + arguments)
        set_up(thoroughly=command == "setup")
    except Trouble as trouble:
        print("socketio-lab: %s" % trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsocketio-lab: interrupted; the next call makes it good", file=sys.stderr)
        return 130
    if command == "setup":
        return 0
    return hand_over([PYTHON, os.path.join(ROOT, "tools", "tasks.py")] + arguments)


def hand_over(command):
    """Go on as ``command``; Ctrl-C and the exit status are from now on its own."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    # Windows has no exec: the shell would not wait for the one that takes over.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(command)


# ---- the Python --------------------------------------------------------------


def fitting_python():
    """The Python to set up with: this one if it is new enough, or a newer one from the PATH."""
    if sys.version_info < OLDEST:
        return newer_python()
    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        # The environment cannot make itself anew while it runs: the Python below it can.
        return sys._base_executable
    return sys.executable


def newer_python():
    ask = "import sys; sys.exit(sys.version_info < (%d, %d) or print(sys.executable))" % OLDEST
    for name in NEWER:
        try:
            # Being found is not enough: version managers put in place holders that refuse to run.
            answer = subprocess.Popen([name, "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError:
            continue
        found = answer.communicate()[0].decode("utf-8", "replace").strip()
        if answer.returncode == 0 and found:
            print("socketio-lab: this is Python %d.%d; going on with %s" % (sys.version_info[:2] + (found,)))
            return found
    raise Trouble(
        "this is Python %d.%d, and %d.%d or newer is needed: install one (on Debian: apt install python3 "
        "python3-venv), then call again, or name it: make setup PYTHON=/path/to/python3"
        % (sys.version_info[:2] + OLDEST)
    )


# ---- the environment ---------------------------------------------------------


def set_up(thoroughly):
    """Make the environment what INPUTS say, if it is not yet.

    ``thoroughly``: also try again what only some need, and could not be had before.
    """
    if is_current() and not (thoroughly and browser_client_is_missing()):
        return
    try:
        with one_at_a_time():
            bring_up_to_date()
    except OSError as error:
        cause, remedy = diagnosis(str(error), error.errno)
        raise Trouble(
            "could not set up: %s; %s" % (cause or error, remedy or "when it is mended, call again")
        )


def fingerprint():
    """A digest of everything that the environment is made from."""
    digest = hashlib.sha256(repr((sys.version, ROOT, bool(shutil.which("npm")))).encode())
    for name in INPUTS:
        with contextlib.suppress(FileNotFoundError), open(os.path.join(ROOT, name), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read())
    return digest.hexdigest()


def stamp():
    """The fingerprint that the environment was made from, or None where none was finished."""
    try:
        with open(STAMP) as file:
            return file.read()
    except OSError:
        return None


def is_current():
    return stamp() == fingerprint() and os.path.exists(PYTHON)


def bring_up_to_date():
    before = stamp()
    if not is_current():  # else it was made meanwhile by the one we waited for
        # While there is no stamp, whatever lies in the folder counts as half made:
        # pip takes a package for installed of which only some files were written.
        with contextlib.suppress(FileNotFoundError):
            os.remove(STAMP)
        fresh = before is None or not runs_this_python()
        try:
            make_environment(fresh)
        except Offline:
            if not fresh:
                write_stamp(before)
            raise
    if browser_client_is_missing() or stamp() is None:
        install_browser_client()
    write_stamp(fingerprint())


def write_stamp(text):
    with open(STAMP, "w") as file:
        file.write(text)


@contextlib.contextmanager
def one_at_a_time():
    """Two set-ups in the same folder would spoil each other: the second one waits."""
    with open(LOCK, "a+b") as file:
        if not locked(file, wait=False):
            say("another set-up is at work in this folder; waiting for it")
            locked(file, wait=True)
        # pip and npm hold the lock too: should this process be killed, they may still be writing.
        os.set_inheritable(file.fileno(), True)
        yield


def locked(file, wait):
    """Take the lock; False if another holds it and we are not to wait."""
    if os.name == "nt":
        import msvcrt

        while True:
            file.seek(0)
            with contextlib.suppress(OSError):
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            if not wait:
                return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def runs_this_python():
    """Whether the environment's Python runs, and is the one that we were called with."""
    if not os.path.exists(PYTHON):
        return False
    ask = [PYTHON, "-c", "import sys; print(sys.version)"]
    done = subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode == 0 and done.stdout.strip() == sys.version


def make_environment(fresh):
    """Install what the project needs into .venv; a ``fresh`` one takes the place of what is there."""
    uv = shutil.which("uv")
    if fresh:
        free = shutil.disk_usage(ROOT).free
        if free < ROOM:
            raise Trouble(
                "the disk has %d MiB free, and the set-up needs %d: make room, then call again"
                % (free >> 20, ROOM >> 20)
            )
        say("making .venv with Python %s" % sys.version.split()[0])
        if uv:
            run([uv, "venv", "--quiet", "--python", sys.executable, VENV], "make .venv")
        else:
            make_with_pip()
    if uv:
        installer = [uv, "pip", "install", "--quiet", "--python", PYTHON]
    else:
        installer = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    say("installing the packages with %s (once; it can take a few minutes)" % ("uv" if uv else "pip"))
    run(installer + ["-c", "constraints.txt", "-e", ".[test]"], "install the packages")


def make_with_pip():
    try:
        import ensurepip  # noqa: F401  # Debian ships venv without it
        import venv  # noqa: F401
    except ImportError:
        raise Trouble(
            "this Python has no venv module: install it (on Debian: apt install python3-venv), or uv; "
            "then call again"
        )
    run([sys.executable, "-m", "venv", "--clear", VENV], "make .venv")


def browser_client_is_missing():
    wanted = os.path.exists(os.path.join(SERVER, "package-lock.json"))
    return wanted and not os.path.exists(BROWSER_CLIENT)


def install_browser_client():
    """The auction's page uses the real Socket.IO client, from npm; all else works without it."""
    if not os.path.exists(os.path.join(SERVER, "package-lock.json")):
        return
    npm = shutil.which("npm")
    if not npm:
        say(
            "no npm, so the auction's page has no live bids; all else works (on Debian: apt install npm, "
            "then make setup)"
        )
        return
    say("installing the browser client with npm")
    try:
        run([npm, "ci", "--loglevel=error", "--no-audit", "--no-fund"], "install the browser client", SERVER)
    except Trouble as trouble:
        say("%s (make setup); until then the auction's page has no live bids, and all else works" % trouble)


# ---- what is said ------------------------------------------------------------


def say(line):
    print("socketio-lab: " + line, flush=True)


def run(command, what, folder=ROOT):
    """Run one step of the set-up; raises Trouble, or Offline, if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        # A fresh environment takes the old one's place; early versions of uv knew no option for it.
        env=dict(os.environ, UV_VENV_CLEAR="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
    )
    if done.returncode == 0:
        return
    cause, remedy = diagnosis(done.stdout)
    if not cause:
        sys.stderr.write(done.stdout.rstrip() + "\n")
        cause, remedy = "the lines above say why", "when it is mended, call again"
    kind = Offline if cause == UNREACHED else Trouble
    raise kind("could not %s: %s; %s" % (what, cause, remedy))


def diagnosis(said, number=None):
    """Why a step failed, and what to do, from its words or from an error's number; else None twice."""
    lowered = said.lower()
    if number in (errno.ENOSPC, errno.EDQUOT) or "no space left" in lowered or "disk quota" in lowered:
        return "the disk is full", "make room, then call again"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "permission denied" in lowered:
        return "this user may not write in %s" % ROOT, "make the folder yours, or take a copy that is"
    if "ensurepip" in lowered:
        return (
            "this Python has no ensurepip",
            "install it (on Debian: apt install python3-venv), then call again",
        )
    if OFFLINE.search(lowered):
        return UNREACHED, "check the network, then call again"
    return None, None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
