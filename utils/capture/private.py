"""A kernel in a network namespace of its own, in which an ordinary user may read packets.

The rule kept here: whether the system allows it is found by doing it, and
nobody is given a right that reaches outside: the user is root of a network
that holds nothing but a loopback interface, and the kernel's own servers.

From outside no address in it can be reached: JupyterLab speaks to the kernel
over Unix sockets (``--KernelManager.transport=ipc``).
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

NAME = "socketio-lab-private"
TITLE = "Python 3 (private network)"

#: What is said of packets that are seen in it.
INSIDE = "this kernel has a private network, in which it may read packets"

#: Tells what runs in the namespace that it does.
_VARIABLE = "SOCKETIO_LAB_PRIVATE"

#: Root of a new user namespace (-U, -r) and of the network namespace (-n) that belongs to it.
#: Without a fork: Jupyter's child is the kernel itself, so nothing is left when it ends.
_UNSHARE = ("unshare", "-Urn", "--")

#: linux/sockios.h and linux/if.h; Python has no names for them.
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def available() -> str | None:
    """None if this system lets this user do it; else why not, in one clause."""
    if sys.platform != "linux":
        return "network namespaces are a part of Linux"
    refused = "this system does not let a user make a network namespace"
    try:
        done = subprocess.run(_command("--try"), capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{refused} ({error})"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return f"{refused} ({lines[-1]})"


def inside() -> bool:
    """Whether this process runs in such a namespace."""
    return _VARIABLE in os.environ


def holds_sockets(folder: Path) -> bool:
    """Whether kernels can have their Unix sockets in ``folder``: its file system may know none.

    A socket's path is short: 107 bytes.  The one tried here is a byte longer than a kernel's.
    """
    path = folder / f"kernel-{uuid.uuid4()}-ipc-10"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
        path.unlink()
    except OSError:
        return False
    return True


def kernelspec() -> dict[str, Any]:
    """What Jupyter reads to start the kernel."""
    return {
        "argv": _command("-f", "{connection_file}"),
        "display_name": TITLE,
        "language": "python",
        # The kernel interrupts itself: a signal from outside need not be allowed to reach it.
        "interrupt_mode": "message",
        "env": {},
    }


def place(prefix: Path | None = None) -> Path:
    """Where the kernelspec is, below ``prefix`` or else this environment, if it is installed."""
    return Path(prefix or sys.prefix) / "share" / "jupyter" / "kernels" / NAME / "kernel.json"


def install(prefix: Path | None = None) -> Path:
    """Write the kernelspec, unless it is there already; returns its file."""
    path, text = place(prefix), json.dumps(kernelspec(), indent=1) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def _command(*arguments: str) -> list[str]:
    # -P: a folder "utils" beside somebody's notebook is not ours.
    return [*_UNSHARE, sys.executable, "-P", "-m", "utils.capture.private", *arguments]


def _raise_loopback() -> None:
    """Set ``lo`` up: in a new namespace it is down."""
    import fcntl  # Windows has none, and reads this file too

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = fcntl.ioctl(handle, _SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        (flags,) = struct.unpack_from("h", request, 16)
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def main(arguments: list[str]) -> int:
    """Make the namespace that this process is in usable, and go on as the kernel in it."""
    _raise_loopback()
    if arguments == ["--try"]:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        return 0
    if json.loads(Path(arguments[-1]).read_bytes())["transport"] != "ipc":
        # Said at once, in Jupyter's log, instead of a kernel that never answers.
        print(f"{TITLE}: start JupyterLab with --KernelManager.transport=ipc", file=sys.stderr)
        return 1
    os.environ[_VARIABLE] = "1"
    os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *arguments])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
