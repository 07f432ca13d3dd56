"""How packets may be captured here, and why that way.

The rule kept here: the best way that this user on this machine may take is
found by trying it, not by guessing from names or numbers; and there is always
a way, so that every notebook runs to its end.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from utils.capture import private
from utils.errors import CaptureRightsError, InputError
from utils.records import Segment

#: Names a mode to use instead of the best one.
VARIABLE = "SOCKETIO_LAB_MODE"

MODES = ("live", "tap", "replay")

_REMEDY = {
    "linux": "run JupyterLab as a user with the capability CAP_NET_RAW (or as root)",
    "darwin": "give yourself read access to /dev/bpf* (Wireshark's ChmodBPF does that)",
    "win32": "install Npcap, and start JupyterLab as an administrator",
}


@dataclass(frozen=True, slots=True)
class Mode:
    """How packets are captured: ``name`` is one of MODES, ``remedy`` leads to a better one."""

    name: str
    why: str
    remedy: str = ""


def choose_mode(wanted: str | None = None) -> Mode:
    """The mode ``wanted``, or named by SOCKETIO_LAB_MODE, or else the best one here.

    Raises InputError for a name that is no mode, and CaptureRightsError if
    "live" was asked for and packets may not be read.
    """
    named = wanted or os.environ.get(VARIABLE)
    if named is not None and named not in MODES:
        raise InputError(
            f"{named!r} is no way to capture packets",
            why=f"the ways are {', '.join(MODES)}",
            next_step=f"choose one of them, or leave {VARIABLE} unset",
        )
    if named == "replay":
        return Mode("replay", "a recording was asked for")
    if named == "tap":
        return Mode("tap", "the tap was asked for")
    refused = refusal()
    if refused is None:
        return Mode("live", private.INSIDE if private.inside() else "this user may read packets")
    if named == "live":
        raise CaptureRightsError("packets cannot be captured live", why=refused, next_step=_remedy())
    return Mode("tap", refused, _remedy())


def _remedy() -> str:
    """What leads to live packets here."""
    rights = _REMEDY.get(sys.platform, "run JupyterLab as a user who may read packets")
    # The kernel is there only if it was found to work; to look again would cost a process.
    if private.place().is_file():
        return f"choose the kernel “{private.TITLE}” (Kernel > Change Kernel), or {rights}"
    return rights


def refusal() -> str | None:
    """Why packets may not be read here; None if they may."""
    if sys.platform == "linux":
        try:
            # Protocol 0 receives nothing: this only asks for the right.
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        except OSError as error:
            return f"a packet socket was refused ({error.strerror})"
        return None
    try:
        from scapy.config import conf

        conf.L2listen(iface=conf.loopback_name).close()
    except Exception as error:  # each platform's sockets fail in their own way
        return f"a packet socket was refused ({error})"
    return None


def assert_clean(segments: Iterable[Segment]) -> None:
    """Raise InputError if a secret of this machine stands in the packets.

    A capture holds the server's port only; but an application could send
    anything, and recordings are meant to be shared.
    """
    secrets = {
        value.encode()
        for name, value in os.environ.items()
        if len(value) >= 16 and any(word in name.upper() for word in ("TOKEN", "SECRET", "PASSWORD"))
    }
    for segment in segments:
        if any(secret in segment.payload for secret in secrets):
            raise InputError(
                "the recording holds a secret of this machine",
                why="the value of an environment variable that names itself a secret went over the wire",
                next_step="find out why the application sends it; the recording is dropped",
            )
