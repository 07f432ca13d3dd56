"""Code in the hand-outs, coloured as the stepper colours it.

The rule kept here: the colours are the palette's, so each reaches the contrast
that the palette promises; weight and slant tell the kinds apart in grey.
"""

from __future__ import annotations

from typing import ClassVar

from pygments import token
from pygments.formatters import HtmlFormatter
from pygments.style import Style

from utils.views import palette


class LabStyle(Style):
    """The palette's light tones."""

    name = "socketio-lab"
    background_color = palette.GROUND.light
    styles: ClassVar = {
        token.Token: palette.TEXT.light,
        token.Keyword: f"bold {palette.PURPLE.light}",
        token.Operator.Word: f"bold {palette.PURPLE.light}",
        token.String: palette.GREEN.light,
        token.Number: palette.ORANGE.light,
        token.Name.Function: f"bold {palette.BLUE.light}",
        token.Name.Class: f"bold {palette.BLUE.light}",
        token.Name.Builtin: palette.VERMILLION.light,
        token.Comment: f"italic {palette.GREY.light}",
        token.Generic.Prompt: palette.GREY.light,
    }


def style_sheet() -> str:
    return str(HtmlFormatter(style=LabStyle).get_style_defs(".highlight"))
