"""A short run of the fuzzer, the same inputs every time; the guided one is ``python -m tests.fuzz``."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import scripts
from tests.fuzz.seeds import mutated, seeds
from tests.fuzz.targets import BEGINNINGS, TARGETS
from tests.wire_bytes import CONVERSATION
from utils.wire.units import Side

#: Inputs of each target, in the short run; a capture file is read slower.
RUNS = {"connection": 1500, "redis": 3000, "decoders": 6000, "capture": 600, "segments": 300}


def hold(name: str, data: bytes) -> None:
    try:
        TARGETS[name](data)
    except Exception as error:  # the input is what the reader needs
        pytest.fail(f"{type(error).__name__}: {error}\ninput of {name}: {data.hex()}")


@pytest.mark.parametrize("name", TARGETS)
def test_the_laws_hold_on_the_seeds(name):
    for seed in seeds()[name]:
        hold(name, seed)


@pytest.mark.parametrize("name", TARGETS)
def test_the_laws_hold_on_what_is_near_the_seeds(name):
    chance, begin = random.Random(name), seeds()[name]
    for _ in range(RUNS[name]):
        hold(name, mutated(chance.choice(begin), chance))


def test_a_script_is_read_as_it_was_written():
    pieces = [*CONVERSATION, (Side.SERVER, 300), (Side.CLIENT, bytes(70_000))]
    feeds = list(scripts.read(scripts.write(0, pieces)))
    assert [feed for feed in feeds if feed.data is None] == [scripts.Feed(Side.SERVER, 300, None)]
    for side in Side:
        told = b"".join(feed.data for feed in feeds if feed.side is side and feed.data is not None)
        assert told == b"".join(piece for said, piece in pieces if said is side and isinstance(piece, bytes))


def test_the_command_knows_every_target():
    from tests.fuzz import __main__ as command

    assert tuple(TARGETS) == command.TARGETS


def test_every_beginning_is_in_a_seed():
    assert {seed[0] for seed in seeds()["connection"]} == set(range(len(BEGINNINGS)))


@pytest.mark.soak
def test_the_laws_hold_on_a_hundred_thousand_more():
    chance, begin = random.Random(), seeds()["connection"]
    for _ in range(100_000):
        hold("connection", mutated(chance.choice(begin), chance))
