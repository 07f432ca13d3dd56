"""A pytest plugin: nbval speaks to its kernels over Unix sockets, as the private network needs it.

The rule kept here: nothing but the transport is changed.  JupyterLab takes it
from an option (see tools/tasks.py); nbval has none.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import nbval.kernel
from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_runtime_dir


class OverUnixSockets(KernelManager):
    """Keeps its sockets beside its connection file: without one they would lie in whatever folder it is."""

    def __init__(self, **options: Any) -> None:
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"kernel-{uuid.uuid4().hex}.json"
        super().__init__(transport="ipc", connection_file=str(path), **options)


nbval.kernel.KernelManager = OverUnixSockets
