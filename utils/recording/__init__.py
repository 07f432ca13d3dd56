"""A recording of one run: a folder of packets, calls and sources, and what it knows.

The rule kept here: from here on nothing is needed but the folder: no server, no
rights, no network; and nothing in it is trusted, obeyed, or secret.

    folder       one run's folder: :func:`save` and :func:`load`
    description  what a recording says of itself, checked
    sources      what it keeps of the sources that ran
    redacting    it without its secrets, to the byte as long as before
    facts        what it knows, as values: its messages, its journeys, its deeds
"""

from utils.recording.folder import (
    META_FILE,
    PACKETS_FILE,
    SOURCES_FILE,
    TRACE_SUFFIX,
    from_capture,
    load,
    replaceable,
    save,
    stale,
)

__all__ = [
    "META_FILE",
    "PACKETS_FILE",
    "SOURCES_FILE",
    "TRACE_SUFFIX",
    "from_capture",
    "load",
    "replaceable",
    "save",
    "stale",
]
