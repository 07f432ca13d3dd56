"""The texts of requests: what a workload's clients say, with its blanks filled in.

The rule kept here: a text is made from a template and a number alone, so that
two runs say the same, and each number has eight digits, so that all texts of a
workload are equally long.
"""

from __future__ import annotations

import json
import random
import uuid

from utils.load.values import Workload

#: Numbers count from here: each has eight digits.
FIRST = 10_000_000

#: Cents are this many times the number: what a bid offers more than the one before.
CENTS = 1000

#: What payloads are made of: words as a program's messages have them.
_WORDS = ("lot", "bid", "cents", "auction", "room", "client", "server", "hammer", "clock", "number", "minute")


def event(name: str, argument: str, number: int | None = None) -> bytes:
    """An EVENT in an Engine.IO message; ``number`` asks for an acknowledgement, ``argument`` is JSON."""
    return f"42{'' if number is None else number}[{json.dumps(name)},{argument}]".encode()


def request(workload: Workload, number: int, text: str) -> bytes:
    """The request with that ``number``; ``text`` is its payload."""
    argument = workload.argument
    for blank, value in (
        ("<number>", str(number)),
        ("<cents>", str(number * CENTS)),
        ("<name>", f"Bidder {number}"),
        ("<text>", text),
    ):
        argument = argument.replace(blank, value)
    if "<uuid>" in argument:
        argument = argument.replace("<uuid>", str(uuid.uuid4()))
    return event(workload.event, argument, number)


def payload(size: int, seed: int = 1) -> str:
    """A text of ``size`` bytes: words and numbers, by chance, but the same for the same seed."""
    chance = random.Random(seed)
    words, length = [], 0
    while length < size:
        word = f"{chance.choice(_WORDS)} {chance.randrange(1000)} "
        words.append(word)
        length += len(word)
    return "".join(words)[:size]
