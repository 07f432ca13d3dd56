"""The notebook's side of a live capture: the sniffer's process, and what it takes.

The rule kept here: when :meth:`LiveCapture.start` returns, no packet is missed
any more; and what the kernel had to drop is told with what it gave.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from utils.errors import CaptureRightsError, ProcessError
from utils.processes.child import Child


@dataclass(frozen=True, slots=True)
class Counts:
    """How many packets a capture file holds, and how many are missing from it.

    ``dropped`` counts those that the kernel had no room for; it is 0 where the
    system does not say.
    """

    packets: int
    dropped: int


class LiveCapture:
    """Captures some ports at a time.  Every method may be called twice, and in any order.

    A sniffer that did not do its part is ended; the next :meth:`start` begins with a new one.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int | None:
        """The sniffer's process, if there is one."""
        return self._child.pid if self._child is not None else None

    def stand_by(self) -> None:
        """Start the sniffer's process, if none runs, and do not wait for it."""
        if self._child is not None and self._child.alive:
            return
        self.close()
        self._folder = tempfile.TemporaryDirectory(prefix="socketio-lab-")
        log = Path(self._folder.name) / "sniffer.log"
        self._child = Child.launch("utils.capture.sniffer", [], name="the sniffer", log=log)

    def start(self, *ports: int) -> None:
        """Capture the TCP packets of ``ports`` from here on.

        Raises CaptureRightsError if packets may not be read.
        """
        self.stand_by()
        assert self._child is not None
        try:
            self._child.wait_until_ready()
            self._child.request("capture", ports=ports)
        except ProcessError as error:
            self.close()
            raise CaptureRightsError(
                "packets cannot be captured", why=error.why or error.what, next_step=error.next_step
            ) from error

    def collect(self, path: Path) -> Counts:
        """All that has arrived since :meth:`start`, or since the last time, as a pcapng file.

        Raises ProcessError if nothing is being captured.
        """
        if self._child is None:
            raise ProcessError("nothing is being captured", next_step="start the capture first")
        try:
            answer = self._child.request("collect", out=str(path))
        except ProcessError:
            self.close()
            raise
        return Counts(int(answer["packets"]), int(answer["dropped"] or 0))

    def stop(self) -> None:
        """End the capture; the process stands by for the next one."""
        if self._child is not None and self._child.alive:
            self._child.request("end")

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
