"""Generated nonsense: every payload is answered or its sender dismissed; nothing changes, nothing fails.

LAB_SERVER_PAYLOADS says how many; the full run is ``-m soak`` with 10,000.
"""

from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from bidders import DEADLINE, Closed, RawClient, ask, bid, connect, soak
from processes import Process

EVENTS = ["bid", "join", "leave", "lots", "open", "close", "picture", "replace old value", "", "\x00", "<b>"]

#: Values that have broken programs before.
NASTY: list[Any] = [
    None, True, False, 0, -1, -0.0, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63, 2**64, 10**99,
    "", " ", "\x00", "\ud800", "é" * 300, "x" * 5000, "<script>alert(1)</script>", "' OR 1=1 --", "{{7*7}}",
    "../../etc/passwd", "%s%n", "1000", "NaN", [], {}, [[[]]], {"__proto__": {}},
    {"_placeholder": True, "num": 0},
]  # fmt: skip

GOOD = {"id": str(uuid.UUID(int=9)), "lot": 1, "bidder": "Mallory", "cents": 12_000}


def nonsense(chance: random.Random) -> tuple[str, bool]:
    """A packet, and whether it asks for an answer that must come."""
    kind = chance.random()
    event = chance.choice(EVENTS)
    if kind < 0.55:  # a bid with one thing wrong
        message = {**GOOD, "id": str(uuid.UUID(int=chance.getrandbits(128)))}
        field = chance.choice([*GOOD, "more"])
        if chance.random() < 0.2:
            message.pop(field, None)
            message.setdefault("more", 1)
        else:
            message[field] = chance.choice(NASTY)
            if (message[field] == 2**31 and field == "cents") or (
                field == "bidder" and message[field] in ("1000", "NaN")
            ):
                message["more"] = 1  # these would be right
        return "421" + json.dumps(["bid", message]), True
    if kind < 0.8:  # any event with any arguments
        arguments = [chance.choice(NASTY) for _ in range(chance.randrange(4))]
        return "421" + json.dumps([event, *arguments]), True
    packet = "42" + json.dumps([event, chance.choice(NASTY)])
    position = chance.randrange(len(packet))
    if kind < 0.9:  # a packet with a character changed
        return packet[:position] + chance.choice(string.printable) + packet[position + 1 :], False
    if kind < 0.95:  # cut off
        return packet[:position], False
    return "".join(chance.choice(string.printable) for _ in range(chance.randrange(40))), False


def attack(server: Process, count: int) -> None:
    honest = connect(server.url)
    assert ask(honest, "bid", bid(1, "Ada", 12_000))["ok"]
    before = state_of(server)
    chance = random.Random(count)
    client: RawClient | None = None
    answered = dismissed = 0
    for number in range(count):
        if client is None or number % 500 == 0:  # with a fresh allowance
            if client is not None:
                client.close()
            client = RawClient(server.url)
            client.join_namespace()
        packet, asks = nonsense(chance)
        try:
            client.send(packet.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
            # To this there is always an answer, and then the packet before it has been read.
            client.send("40/auctioneer")
            answers = answers_up_to(client, "44/auctioneer")
        except (Closed, OSError):
            dismissed += 1
            client.close()
            client = None
            continue
        if asks and packet[:3] == "421":
            told = [answer for answer in answers if answer.startswith("431")] or [next_answer(client, "431")]
            answer = json.loads(told[0][3:])[0]
            event = json.loads(packet[3:])[0]
            if event not in ("lots", "join", "leave"):
                assert answer["ok"] is False, packet
                assert len(answer["error"]["message"]) < 200
                assert "<" not in answer["error"]["message"]
            answered += 1
        elif packet[:2] != "42":  # it may have left the namespace
            client.close()
            client = None
    if client is not None:
        client.close()
    print(f"{count} payloads: {answered} answered, {dismissed} senders dismissed")
    assert answered > count // 3
    assert state_of(server) == before
    assert ask(honest, "lots")["ok"]  # the honest client has never been disturbed
    honest.disconnect()
    log = server.log.read_text()
    assert "Traceback" not in log
    assert [
        line for line in server.lines() if line["level"] not in ("info", "warning") or "exception" in line
    ] == []


def answers_up_to(client: RawClient, start: str) -> list[str]:
    packets: list[str] = []
    while not packets or not packets[-1].startswith(start):
        packets.append(next_answer(client, ""))
    return packets


def next_answer(client: RawClient, start: str) -> str:
    while True:
        packet = client.receive()
        if packet == "2":
            client.send("3")
        elif packet == "1":
            raise Closed(1000)
        elif isinstance(packet, str) and packet.startswith(start):
            return packet


def state_of(server: Process) -> Any:
    return [
        requests.get(f"{server.url}/lots/{lot}", timeout=DEADLINE).json() | {"now": 0} for lot in (1, 2, 3)
    ] + [requests.get(f"{server.url}/lots", timeout=DEADLINE).json()["lots"]]


def test_a_thousand_bad_payloads_change_nothing(start: Callable[..., Process]) -> None:
    attack(start(), soak("PAYLOADS", 1000))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_ten_thousand_bad_payloads_change_nothing(start: Callable[..., Process]) -> None:
    attack(start(), soak("PAYLOADS", 10_000))
