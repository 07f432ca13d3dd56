"""What is secret, told by its name; and texts without the values of such names.

The rule kept here: what may open a door (a password, a token, a cookie) is not
shown, printed or stored, whoever sent it; that something stood there is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

#: Stands where a secret stood.
REDACTED = "<redacted>"

_SECRET_WORDS = frozenset(
    {
        "apikey",
        "auth",
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "secret",
        "secrets",
        "token",
        "tokens",
    }
)

#: Before "key", these make it a secret: a WebSocket's handshake key is none.
_KEY_OWNERS = frozenset({"access", "api", "encryption", "private", "secret", "signing"})

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_HEADER = r"(?:set-)?cookie2?|(?:proxy-)?authorization|x-[\w-]*(?:token|api-?key)"
_NAMED = r"[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api_?key|cookie|authorization)[\w-]*"

#: Secrets inside texts: header lines, query strings, and members of JSON.
_IN_TEXT = (
    (re.compile(rf"(?im)^((?:{_HEADER})[ \t]*:[ \t]*)[^\r\n]+"), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)((?:^|[?&;])(?:{_NAMED}|auth)=)[^&;#\s]+"), rf"\1{REDACTED}"),
    (
        re.compile(rf'(?i)((\\?")(?:{_NAMED}|auth)\2\s*:\s*\2)(?:(?!\2)(?:\\.|[^\\]))*(?:\2|$)'),
        rf"\1{REDACTED}\2",
    ),
    (re.compile(rf'(?i)(\\?"(?:{_NAMED}|auth)\\?"\s*:\s*)-?[0-9][0-9.eE+-]*'), rf"\1{REDACTED}"),
    # Of what is nested the end is not sought: nothing behind it is shown.
    (re.compile(rf'(?is)(\\?"(?:{_NAMED}|auth)\\?"\s*:\s*)[\[{{].*'), rf"\1{REDACTED}"),
)


#: A literal of Python's that holds a text, on one line.
_LITERAL = re.compile(
    r"""[A-Za-z]{0,2}(?P<quote>"{3}|'{3}|["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P<end>(?P=quote)|$)"""
)

_NAME = re.compile(r"[^\W\d]\w*")


def is_secret(name: str) -> bool:
    """Whether what goes by ``name`` (an argument, a key, a header) is kept out.

    ``HTTP_COOKIE``, ``set-cookie``, ``authToken`` and ``api_key`` are;
    ``author`` and ``Sec-WebSocket-Key`` are not.  ``key`` alone is.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not _SECRET_WORDS.isdisjoint(words) or words == ["key"]:
        return True
    return any(after == "key" and before in _KEY_OWNERS for before, after in itertools.pairwise(words))


def places(text: str) -> Iterator[tuple[int, int]]:
    """Where in ``text`` the values of secrets stand, from start to end; one may be told twice."""
    if _suspect(text):
        for pattern, _ in _IN_TEXT:
            for match in pattern.finditer(text):
                yield match.end(1), match.end()


def _suspect(text: str) -> bool:
    """Whether a secret's name may be in it: most texts hold none, and each pattern looks at all of it."""
    low = text.lower()
    return (
        "auth" in low or "key" in low or "token" in low or "pass" in low or "secret" in low or "cookie" in low
    )


def scrub(text: str) -> str:
    """``text`` without the values of secrets that stand in it by name."""
    if not _suspect(text):
        return text
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def scrub_code(line: str) -> str:
    """A line of Python in which a secret is named, without its texts: any of them may be the secret.

    A text that is itself such a name stays: ``config["SECRET_KEY"] = <redacted>``.
    """
    if not _suspect(line):
        return line
    code = _LITERAL.sub(" ", line)
    texts = [found["text"] for found in _LITERAL.finditer(line)]
    if not any(map(is_secret, (*_NAME.findall(code), *texts))):
        return line
    return _LITERAL.sub(lambda found: found[0] if _may_stay(found["text"]) else REDACTED, line)


def _may_stay(text: str) -> bool:
    return not text or (is_secret(text) and _NAME.fullmatch(text) is not None)
