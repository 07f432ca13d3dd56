"""Sets a profile function in threads that already run, on Python 3.11.

The rule kept here: what Python 3.12 offers as
``threading.setprofile_all_threads`` is done by the same function of the
interpreter, ``_PyEval_SetProfile``, for each of its thread states, while the
GIL is held.  Whatever is not found exactly as Python 3.11 lays it out is left
alone: then only the calling thread and those started later are reached.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

_WORD = ctypes.sizeof(ctypes.c_void_p)
# PyThreadState is larger; the wanted members stand near its beginning.
_WORDS = 32


class _Layout(NamedTuple):
    """Where a thread state keeps its profile function, and the C function that calls it."""

    object: int  # offset of c_profileobj, in bytes
    trampoline: int  # address of sysmodule.c's profile_trampoline


def set_everywhere(hook: Callable[..., Any]) -> None:
    """Make ``hook`` the profile function of every thread that has none."""
    layout = _layout()
    if layout is None:
        sys.setprofile(hook)
        return
    for state in _thread_states():
        if not _word(state + layout.object):
            _set(state, layout.trampoline, hook)


def remove_everywhere(hook: Callable[..., Any]) -> None:
    """Take ``hook`` off every thread that has it."""
    layout = _layout()
    if layout is None:
        if sys.getprofile() is hook:
            sys.setprofile(None)
        return
    for state in _thread_states():
        if _word(state + layout.object) == id(hook):
            _set(state, None, None)


@cache
def _layout() -> _Layout | None:
    """Read off the running thread's own state; None where this cannot be done."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 11):
        return None
    try:
        current = _function("PyThreadState_Get", ctypes.c_void_p)()
        _function("_PyEval_SetProfile", ctypes.c_int)
    except AttributeError:
        return None

    def probe(frame: Any, event: str, argument: Any) -> None:
        """Never does anything; its address is what is looked for."""

    before = sys.getprofile()
    sys.setprofile(probe)
    try:
        words = [_word(current + index * _WORD) for index in range(_WORDS)]
    finally:
        sys.setprofile(before)
    # c_profilefunc, c_tracefunc, c_profileobj, c_traceobj
    if words.count(id(probe)) != 1:
        return None
    index = words.index(id(probe))
    trampoline = words[index - 2]
    sys.setprofile(None)
    try:
        cleared = not _word(current + index * _WORD) and not _word(current + (index - 2) * _WORD)
    finally:
        sys.setprofile(before)
    return _Layout(index * _WORD, trampoline) if trampoline and cleared else None


def _thread_states() -> Iterator[int]:
    interpreter = _function("PyInterpreterState_Get", ctypes.c_void_p)()
    state = _function("PyInterpreterState_ThreadHead", ctypes.c_void_p, ctypes.c_void_p)(interpreter)
    following = _function("PyThreadState_Next", ctypes.c_void_p, ctypes.c_void_p)
    while state:
        yield state
        state = following(state)


def _set(state: int, trampoline: int | None, hook: Callable[..., Any] | None) -> None:
    argument = None if hook is None else id(hook)
    setter = _function("_PyEval_SetProfile", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    setter(state, trampoline, argument)


def _function(name: str, result: Any, *arguments: Any) -> Any:
    # A prototype of our own: ctypes.pythonapi's is shared by all of the process.
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


def _word(address: int) -> int:
    return ctypes.c_size_t.from_address(address).value
