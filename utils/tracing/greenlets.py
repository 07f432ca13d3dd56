"""Greenlets, each told as a thread of its own.

The rule kept here: a system's thread in which greenlets take turns is one
ident to every hook; which greenlet has it is one more fact, noted at each
switch.  So the hooks cost no more than they did, and where there is no
greenlet nothing is noted at all.  Whoever traces switches already is still
told.
"""

from __future__ import annotations

import sys
import weakref
from threading import get_ident
from types import ModuleType
from typing import Any

from utils.tracing.buffer import Buffer, Kind

#: The modules of gevent whose compiled forms tell nothing of their calls.  Their sources are installed
#: beside these, and gevent runs them instead where this variable names them.
VARIABLE = "GEVENT_PURE_PYTHON"
TELLING = "gevent._abstract_linkable,gevent.event,gevent.greenlet,gevent.queue"


class Greenlets:
    """Notes the switches between greenlets, in the threads in which it was installed."""

    def __init__(self, buffer: Buffer) -> None:
        self.recording = False
        self._buffer = buffer
        self._module: Any = None
        self._before: Any = None
        #: ident → the number, name and identity of the greenlet that has it; () stands for the thread's own.
        self._now: dict[int, tuple[Any, ...]] = {}

    def install(self, module: ModuleType) -> None:
        """Follow the switches of the calling thread; ``module`` is greenlet's own."""
        if self._module is None:
            self._module = module
            self._before = self._module.settrace(self._switched)

    def remove(self) -> None:
        """Leave whatever traced before; idempotent.  In other threads it does nothing any more."""
        self.recording = False
        module, self._module = self._module, None
        if module is not None and module.gettrace() == self._switched:
            module.settrace(self._before)

    def start(self) -> None:
        """Note from now on; and first, who runs and who waits just now."""
        self.recording = True
        for ident, facts in list(self._now.items()):
            self._buffer.note(Kind.SWITCH, facts, ident=ident)

    def worker(self) -> Any:
        """Who runs now: the thread's ident, or a reference to the greenlet."""
        module = self._module
        if module is None:
            return get_ident()
        current = module.getcurrent()
        return get_ident() if _is_main(module, current) else weakref.ref(current)

    def _switched(self, event: str, ends: tuple[Any, Any]) -> None:
        """Called by greenlet after each switch, where the new one runs."""
        try:
            module, buffer = self._module, self._buffer
            if module is not None:
                target, ident = ends[1], get_ident()
                facts = () if _is_main(module, target) else buffer.meet_greenlet(target)
                self._now[ident] = facts
                if self.recording:
                    buffer.extend((ident, buffer.clock(), Kind.SWITCH, None, None, 0, facts))
                    if len(buffer.rows) >= buffer.full:
                        buffer.pack()
        except Exception:
            self._buffer.faults += 1
        if self._before is not None:
            self._before(event, ends)


def _is_main(module: Any, greenlet: Any) -> bool:
    """Whether it is the one that a thread begins with, past any property of a subclass."""
    return module.greenlet.parent.__get__(greenlet) is None


def runs(worker: Any) -> bool:
    """Whether a thread or greenlet, as :meth:`Greenlets.worker` names it, runs on."""
    if isinstance(worker, int):
        return worker in sys._current_frames()
    greenlet = worker()
    return greenlet is not None and not greenlet.dead
