"""Every colour, shape and hatch that a view uses, in one place.

The rule kept here: nothing is told by colour alone, and every text reaches a
contrast of 4.5 to 1 (WCAG 2.2, 1.4.3) on JupyterLab's light and dark grounds.
The hues are Okabe and Ito's, which the colour-blind can tell apart
(https://jfly.uni-koeln.de/color/); they are darkened for a light ground and
lightened for a dark one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from utils.wire.units import Layer

#: The ink on every tinted ground.
DARK_INK = "#1a1a1a"
LIGHT_INK = "#f4f4f4"


@dataclass(frozen=True, slots=True)
class Tone:
    """One hue, for a light ground and for a dark one, as ``#rrggbb``."""

    name: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Mark:
    """How a process is told apart: by hue, by shape and by hatch."""

    ink: Tone
    shape: str  # "circle", "square", "diamond", "triangle": the stepper draws these
    glyph: str  # the same shape as one character
    hatch: str  # matplotlib's


@dataclass(frozen=True, slots=True)
class Fill:
    """How a layer's bytes are told apart: by tint and by pattern.

    ``pattern`` is a CSS ``background-image``, faint enough to read through.
    """

    tint: Tone
    pattern: str


BLUE = Tone("blue", "#0072b2", "#56b4e9")
VERMILLION = Tone("vermillion", "#b34a00", "#ff9147")
GREEN = Tone("green", "#00755a", "#2fc49a")
PURPLE = Tone("purple", "#a0457a", "#e69ac3")
ORANGE = Tone("orange", "#8a5c00", "#e69f00")
GREY = Tone("grey", "#5c5c5c", "#b5b5b5")

#: What the stepper's page is made of, where JupyterLab's theme does not say.
GROUND = Tone("ground", "#ffffff", "#111111")
PANEL = Tone("panel", "#ffffff", "#1b1b1d")
SOFT = Tone("soft", "#f1f2f4", "#2b2c30")
BORDER = Tone("border", "#d3d6da", "#45474d")
TEXT = Tone("text", "#1a1a1a", "#f0f0f0")
GROUNDS = (GROUND, PANEL, SOFT)

INKS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, GREY)

#: What is well, and what needs a hand.
GOOD = GREEN
BAD = VERMILLION

WIRE_MARK = Mark(GREEN, "diamond", "◆", "")
_SERVER_MARKS = (Mark(VERMILLION, "square", "■", "//"), Mark(ORANGE, "square", "■", "\\\\"))
_CLIENT_MARKS = (Mark(BLUE, "circle", "●", ".."), Mark(PURPLE, "triangle", "▲", "xx"))

_LINE = "rgba(128,128,128,.28)"


def _stripes(angle: int, step: int) -> str:
    return f"repeating-linear-gradient({angle}deg,transparent 0 {step - 1}px,{_LINE} {step - 1}px {step}px)"


FILLS: dict[Layer, Fill] = {
    Layer.HTTP: Fill(
        Tone("tint-http", "#d6ecfa", "#12384f"), f"linear-gradient(0deg,{_LINE} 2px,transparent 2px)"
    ),
    Layer.WEBSOCKET: Fill(Tone("tint-websocket", "#fce4b6", "#4d3600"), _stripes(45, 6)),
    Layer.ENGINEIO: Fill(Tone("tint-engineio", "#c9ecdf", "#0c4232"), _stripes(90, 5)),
    Layer.SOCKETIO: Fill(Tone("tint-socketio", "#f4d9e8", "#51263e"), _stripes(135, 6)),
    Layer.PAYLOAD: Fill(Tone("tint-payload", "#f8f4b4", "#45400b"), "none"),
    Layer.REDIS: Fill(Tone("tint-redis", "#f9d3cb", "#5a2118"), _stripes(0, 5)),
    Layer.UNKNOWN: Fill(Tone("tint-unknown", "#dedede", "#3d3d3d"), f"{_stripes(45, 5)},{_stripes(135, 5)}"),
}


def marks(processes: Iterable[str]) -> dict[str, Mark]:
    """A mark for each process, in the order given; servers and clients never share one hue.

    More processes than marks: the marks begin anew.
    """
    found: dict[str, Mark] = {}
    servers = clients = 0
    for process in processes:
        if process in found:
            continue
        if process == "wire":
            found[process] = WIRE_MARK
        elif process.startswith("server"):
            found[process] = _SERVER_MARKS[servers % len(_SERVER_MARKS)]
            servers += 1
        else:
            found[process] = _CLIENT_MARKS[clients % len(_CLIENT_MARKS)]
            clients += 1
    return found


def slug(layer: Layer) -> str:
    """A layer's name as CSS spells it."""
    return layer.name.lower()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def css_variables(root: str) -> str:
    """The palette as CSS custom properties of ``root``, for light and for dark pages.

    Dark is what JupyterLab's theme says, or, on a page that is not
    JupyterLab's, what the reader's system asks for.
    """
    tones = (
        *GROUNDS,
        BORDER,
        TEXT,
        *INKS,
        Tone("on-tint", DARK_INK, LIGHT_INK),
        *(fill.tint for fill in FILLS.values()),
    )
    light = "".join(f"--lab-{tone.name}:{tone.light};" for tone in tones)
    dark = "".join(f"--lab-{tone.name}:{tone.dark};" for tone in tones)
    patterns = "".join(f"--lab-pattern-{slug(layer)}:{fill.pattern};" for layer, fill in FILLS.items())
    return (
        f"{root}{{{light}{patterns}}}\n"
        f"[data-jp-theme-light=false] {root}{{{dark}}}\n"
        f"@media (prefers-color-scheme:dark){{body:not([data-jp-theme-light]) {root}{{{dark}}}}}\n"
    )
