"""Which lines ran: every call of the stack, every byte through a socket, every hand-off.

Three stages, kept apart: the *engines* (:mod:`.monitoring`, :mod:`.profiling`)
and the *boundary* (:mod:`.sockets`) note flat facts into one bounded buffer;
the *assembly* turns the facts into calls, transfers and hand-offs afterwards;
the *store* keeps them in a file.  :class:`.collector.Collector` is the one to
use inside a process, :mod:`.launcher` runs a whole application under it.
"""
