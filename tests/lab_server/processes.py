"""The auction as a process of its own, for tests that start, stop and kill it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import eventually

READY = re.compile(r"^Process (\d+), instance (\w+), listens on (http://\S+)$", re.MULTILINE)


class Process:
    """``python -m lab_server`` with its output in a file."""

    def __init__(self, folder: Path, *arguments: str, database: str = "", **options: Any) -> None:
        self.log = folder / "server.log"
        database = database or f"sqlite:///{folder / 'auction.sqlite3'}"
        command = [sys.executable, "-m", "lab_server", "--database", database, *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **options)
        ready = eventually(
            lambda: READY.search(self.log.read_text()) or self.process.poll() is not None, "ready"
        )
        assert isinstance(ready, re.Match), self.log.read_text()
        self.pid, self.instance, self.url = int(ready[1]), ready[2], ready[3]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def lines(self) -> list[dict[str, Any]]:
        """The structured part of the log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def kill(self) -> None:
        """End it at once, as a power cut does; a second time, nothing happens."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
