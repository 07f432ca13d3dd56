"""What is for sale when the house opens, with the pictures in ``pictures/``."""

from __future__ import annotations

from pathlib import Path

from lab_server.house import NewLot

_PICTURES = Path(__file__).parent / "pictures"

#: How long the house is open after a start, in seconds: a long class.
OPEN_FOR = 4 * 3600


def _lot(title: str, description: str, opening_cents: int, increment_cents: int, picture: str) -> NewLot:
    content = (_PICTURES / picture).read_bytes()
    return NewLot(title, description, opening_cents, increment_cents, OPEN_FOR, content, "image/png")


LOTS = (
    _lot(
        "Brass sextant",
        "Hamburg, around 1890. It never lost a ship.",
        12_000,
        500,
        "sextant.png",
    ),
    _lot(
        "Valve radio",
        "Walnut, six valves, warm sound. It still receives.",
        4_500,
        250,
        "radio.png",
    ),
    _lot(
        "Star globe",
        "Eleven inches, all constellations, one small dent near Orion.",
        8_000,
        400,
        "globe.png",
    ),
)
