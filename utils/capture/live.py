"""The notebook's side of a live capture: start the sniffer, flush it, stop it.

The rule kept here: when :meth:`LiveCapture.start` returns, the next packet is
in the file; when :meth:`LiveCapture.stop` returns, the file is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.errors import CaptureRightsError, ProcessError
from utils.supervision import Child


@dataclass(frozen=True, slots=True)
class Counts:
    """What a capture took, and what the kernel had to drop for want of room."""

    packets: int = 0
    dropped: int = 0


class LiveCapture:
    """A running capture of one port.  :meth:`stop` may be called twice."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self.counts = Counts()
        self.path = Path()

    def start(self, port: int, path: Path) -> None:
        """Capture the TCP packets of ``port`` into ``path`` (pcapng).

        Raises CaptureRightsError if packets may not be read.
        """
        try:
            self._child = Child.start(
                "utils.capture.sniffer",
                ["--port", str(port), "--out", str(path)],
                name="the sniffer",
                log=path.with_suffix(".log"),
            )
        except ProcessError as error:
            raise CaptureRightsError(
                "packets cannot be captured", why=error.why or error.what, next_step=error.next_step
            ) from error
        self.path = path

    def flush(self) -> Counts:
        """Everything that has arrived is in the file; how much it is."""
        if self._child is not None:
            answer = self._child.request("flush")
            self.counts = Counts(int(answer["packets"]), int(answer["dropped"]))
        return self.counts

    def stop(self) -> Counts:
        """End the capture."""
        if self._child is not None:
            if self._child.alive:
                self.flush()
            self._child.stop()
            self._child = None
        return self.counts
