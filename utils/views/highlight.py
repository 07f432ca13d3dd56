"""Source lines split into the few kinds of token that a reader's eye wants apart.

The rule kept here: the pieces of a line, joined, are the line; colouring may
fail to see what an excerpt leaves out, and never changes a character.
"""

from __future__ import annotations

from collections.abc import Sequence

from pygments.lexers import PythonLexer
from pygments.token import Token, _TokenType

#: A piece of a line: its kind ("" for plain text), and its text.
Piece = tuple[str, str]

_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Token.Comment, "comment"),
    (Token.Literal.String, "string"),
    (Token.Literal.Number, "number"),
    (Token.Keyword, "keyword"),
    (Token.Operator.Word, "keyword"),
    (Token.Name.Function, "function"),
    (Token.Name.Class, "function"),
    (Token.Name.Decorator, "function"),
    (Token.Name.Builtin, "builtin"),
)

_LEXER = PythonLexer(stripnl=False, ensurenl=False)


def highlight(lines: Sequence[str]) -> list[list[Piece]]:
    """The pieces of each of ``lines``, which hold no line breaks."""
    split: list[list[Piece]] = [[]]
    for token, text in _LEXER.get_tokens("\n".join(lines)):
        kind = next((name for of, name in _KINDS if token in of), "")
        for index, part in enumerate(text.split("\n")):
            if index:
                split.append([])
            if not part:
                continue
            if split[-1] and split[-1][-1][0] == kind:
                split[-1][-1] = (kind, split[-1][-1][1] + part)
            else:
                split[-1].append((kind, part))
    # A lexer that normalises what it reads must not change what is shown.
    if ["".join(text for _, text in line) for line in split] != list(lines):
        return [[("", line)] for line in lines]
    return split
