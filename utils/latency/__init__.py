"""Where the time of one journey goes: its hops, and what they cost when nobody looks.

The rule kept here: the times of a traced run include the tracer's own cost, and
are never shown without saying so; :mod:`.hops` are those times,
:mod:`.attribution` holds them against round trips that nobody traced.  Those
are measured in :mod:`utils.load`.
"""
