"""The lessons: faults that the study server is cured of, each by its name.

``python -m lab_server --lesson nagle`` brings one back, to be seen on the
wire.  Without the option the server behaves.
"""

from __future__ import annotations

from enum import StrEnum


class Lesson(StrEnum):
    """A behaviour that a class may want to see; off unless it is asked for."""

    SEED = "seed"
    LEFTOVER_FRAMES = "leftover-frames"
    NAGLE = "nagle"
    ABRUPT_STOP = "abrupt-stop"
    EARLY_EMIT = "early-emit"
    UNGUARDED = "unguarded"


#: What one sees with the lesson on.
SHOWS = {
    Lesson.SEED: "'replace old value' is sent on to everybody, whatever it holds",
    Lesson.LEFTOVER_FRAMES: "after a WebSocket ends, its last frames are read as HTTP requests",
    Lesson.NAGLE: "small packets wait for the acknowledgement of the one before (no TCP_NODELAY)",
    Lesson.ABRUPT_STOP: "a server that stops does not tell its clients",
    Lesson.EARLY_EMIT: "what a connect handler emits arrives before the connection is confirmed",
    Lesson.UNGUARDED: "no limits: oversized POSTs hang, seventeen packets are lost, bad ones meet silence",
}
