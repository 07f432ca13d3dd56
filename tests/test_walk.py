"""The way of a message: the same messages, whether one asks for them or for every step between."""

from __future__ import annotations

import pytest

from tests.test_journey import ALICE, a_bid, message
from utils import lab
from utils.errors import InputError
from utils.journeys.journey import Journeys
from utils.records import StepKind


def test_it_goes_from_cause_to_effect_and_to_each_client_by_the_order_of_the_queues():
    world, messages = a_bid()
    journeys = Journeys(world, messages, {})
    assert journeys.carried(messages[0]) == messages
    threads = [(part.turn.process, part.turn.thread) for part in journeys.walk(messages[2])]
    assert threads == [
        ("client", 1),  # emits
        ("client", 2),  # sends
        ("server", 11),  # reads, and broadcasts
        ("server", 12),  # writes to Alice
        ("client", 3),  # Alice's reader
        ("server", 13),  # writes to Bob
        ("client", 4),  # Bob's reader
    ]


def test_each_part_knows_the_bytes_that_led_to_it():
    world, messages = a_bid()
    incoming = [part.incoming for part in Journeys(world, messages, {}).walk(messages[0])]
    assert [None if one is None else str(one.flow) for one in incoming] == [
        None,
        None,
        str(messages[0].flow),
        str(messages[0].flow),
        str(messages[1].flow),
        str(messages[0].flow),
        str(messages[2].flow),
    ]


def test_whoever_asks_for_the_messages_alone_gets_those_of_the_journeys_steps():
    run = lab.replay("one_bid")
    journeys, asked = Journeys(run.recording, run.messages, run.clients), 0
    for one in run.messages:
        try:
            told = journeys.of(one)
        except InputError:
            continue
        steps = [step.message for step in told.steps if step.kind is StepKind.WIRE]
        assert journeys.carried(one) == steps
        asked += 1
    assert asked > 10


def test_a_message_that_nobody_traced_sent_is_refused_with_its_name():
    world, messages = a_bid()
    stranger = message(ALICE, 100, b"?", 1, "a stranger")
    with pytest.raises(InputError, match="a stranger"):
        Journeys(world, [*messages, stranger], {}).carried(stranger)
