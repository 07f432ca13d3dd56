"""Agreement with the parsers that browsers run, on thousands of packets, sound and broken.

Every difference is listed here with its reason, and for the users in
docs/differences.md; any other fails the test.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from utils.wire import engineio, socketio
from utils.wire.attachments import whole_packets
from utils.wire.units import EnginePacket, EngineType, Layer, Side, Unit

HERE = Path(__file__).parent
MODULES = HERE.parent / "lab_server" / "node_modules"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (MODULES / "socket.io-parser").exists(),
    reason="needs node, and `npm ci` in lab_server",
)

WORDS = ["bid", "disconnect", "é€", "", "a b", "\\", '"', "\x1e", "😀", "/", "1"]
NOISE = '0123456789-/,[]{}":. eE+\\\n\tbtrufalsn?\u0661'


def ask(which: str, texts: list[Any]) -> list[dict[str, Any]]:
    command = ["node", str(HERE / "javascript" / "parsers.cjs"), str(MODULES), which]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 3 else 6)
    if kind < 6:
        plain = [None, True, chance.randint(-(2**53), 2**53), chance.random() * 1e6, chance.choice(WORDS), 0]
        return plain[kind]
    inner = [value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return inner if kind == 6 else {chance.choice(WORDS): item for item in inner}


def packet(chance: random.Random) -> str:
    """A packet as a library would send it; every other one with a few characters changed."""
    kind = chance.randrange(7)
    namespace = chance.choice([*["", "", "/admin,", "/a/b,"] * 10, "/q?token=1,"])
    number = chance.choice(["", "", "0", "7", "123456789"])
    attachments = f"{chance.randint(1, 3)}-" if kind in (5, 6) else ""
    data = {
        0: {"token": value(chance)},
        4: chance.choice([{"message": "no"}, "no"]),
    }.get(kind, [chance.choice(WORDS), value(chance)])
    separators = chance.choice([(",", ":"), (", ", ": ")])
    body = (
        "" if kind in (0, 1) else json.dumps(data, ensure_ascii=chance.random() < 0.5, separators=separators)
    )
    text = f"{kind}{attachments}{namespace}{number}{body}"
    if chance.random() < 0.5:
        return text
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(NOISE) * chance.randint(0, 2) + text[at + chance.randint(0, 1) :]
    return text


#: Where the two may differ, and why: the text's shape, as a function of it.
ARGUED = {
    "JavaScript lets an event or an acknowledgement stand without its array; the protocol does not": (
        lambda text: re.fullmatch(r"(?:[23]|[56][0-9]+-)(?:/[^,]*(?:,|\Z))?[0-9]*", text)
    ),
    "JavaScript takes white space, or nothing, for the type 0": lambda text: re.match(r"\s|\Z", text),
    "JavaScript refuses events of reserved names; here that is a finding of the conformance lens": (
        lambda text: re.search(
            r'\["(?:connect|connect_error|disconnect|disconnecting|newListener|removeListener)"', text
        )
    ),
    "JavaScript takes white space for the digits of an id (Number(' ') is 0)": (
        lambda text: re.match(r"(?:[0-4]|[56][^-]*-)(?:/[^,]*,)?[0-9\s]*\s", text)
    ),
    "JavaScript takes any numeral for the number of attachments (1e1, 0x1, 1.0, +1, 01)": (
        lambda text: re.match(r"[56](?![0-9]{1,10}-)[\s0-9.eE+-]*-", text)
    ),
    "JavaScript keeps a namespace's query; the servers take it off": (
        lambda text: re.match(r"[0-6](?:[0-9]+-)?/[^,]*\?", text)
    ),
    "JavaScript rounds an id above 2^53": lambda text: re.search(r"[0-9]{16,}[\[{\"]?", text),
    "a number too large for a double is Infinity in JavaScript, which it cannot write as JSON": (
        lambda text: re.search(r"[0-9][eE]\+?[0-9]{3}", text)
    ),
}


RETYPED = (
    "JavaScript gives a packet that has all its attachments the type of a plain one (2 for 5, 3 for 6); "
    "here it keeps its own"
)


def test_the_list_for_the_users_is_this_one():
    told = (HERE.parent / "docs" / "differences.md").read_text(encoding="utf-8")
    section = told.split("## socket.io-parser (JavaScript)")[1].split("##")[0]
    assert [line.removeprefix("- ") for line in section.splitlines() if line.startswith("- ")] == [
        *ARGUED,
        RETYPED,
    ]


def argued(text: str) -> str | None:
    return next((reason for reason, applies in ARGUED.items() if applies(text)), None)


def test_socketio_packets():
    chance = random.Random(20260101)
    texts = [packet(chance) for _ in range(6000)]
    seen: Counter[str] = Counter()
    for text, theirs in zip(texts, ask("socket", texts), strict=True):
        mine = socketio.decode(text)
        told = {"refused": True}
        if mine.packet is not None and not mine.faults:
            told = {
                "packet": {
                    "type": int(mine.packet.type),
                    "nsp": mine.packet.namespace,
                    "id": mine.packet.id,
                    "data": mine.packet.data,
                    "attachments": mine.packet.attachments,
                }
            }
        same = told == theirs if "packet" in theirs else "refused" in told
        if same:
            seen["refused by both" if "refused" in theirs else "read the same by both"] += 1
            continue
        reason = argued(text)
        assert reason is not None, (text, told, mine.faults, theirs)
        seen[reason] += 1
    assert seen["read the same by both"] > 2500 and seen["refused by both"] > 1000
    assert sum(seen.values()) - seen["read the same by both"] - seen["refused by both"] < 600


def test_engineio_payloads():
    chance = random.Random(20260102)
    parts = ["2", "3probe", "6", "1", '0{"sid":"x"}', "bAQID", "b", "4é€", '42["a"]', "", "9", "4"]
    texts = ["\x1e".join(chance.choices(parts, k=chance.randint(1, 5))) for _ in range(2000)]
    names = {kind: kind.name.lower() for kind in EngineType}
    for text, theirs in zip(texts, ask("engine", texts), strict=True):
        mine: list[Any] = []
        for found in engineio.decode_payload(text.encode()).packets:
            data = {"hex": found.data.hex()} if isinstance(found.data, bytes) else found.data
            mine.append([names[found.type], data])
        # JavaScript stops at the first packet that it cannot read; here the others are shown too.
        sound = [packet for packet in theirs["packet"] if packet[0] != "error"]
        assert mine[: len(sound)] == sound
        if len(sound) == len(theirs["packet"]):
            assert mine == sound


def test_binary_packets_with_their_attachments():
    """Of what the servers send: as many attachments as were announced, or fewer, or more."""
    chance = random.Random(20260103)
    asked = []
    for _ in range(1500):
        count = chance.randint(1, 3)
        placeholders = [{"_placeholder": True, "num": place} for place in range(count)]
        chance.shuffle(placeholders)
        data = ["f", value(chance), {"deep": [placeholders[0]]}, *placeholders[1:]]
        head = chance.choice([f"5{count}-", f"5{count}-/admin,", f"5{count}-7", f"6{count}-/a/b,12"])
        attachments = [
            chance.randbytes(chance.randrange(20)) for _ in range(chance.choice((count, count, count - 1)))
        ]
        asked.append([head + json.dumps(data), *(attachment.hex() for attachment in attachments)])
    whole = 0
    for (text, *attachments), theirs in zip(asked, ask("whole", asked), strict=True):
        packets = [socketio.decode(text).packet]
        unit = Unit(
            Side.SERVER, Layer.WEBSOCKET, 0, b"", b"", (EnginePacket(EngineType.MESSAGE, text, packets[0]),)
        )
        units = [unit] + [
            Unit(
                Side.SERVER,
                Layer.WEBSOCKET,
                0,
                b"",
                b"",
                (EnginePacket(EngineType.MESSAGE, bytes.fromhex(one), None, True),),
            )
            for one in attachments
        ]
        found = [one.packet for one in whole_packets(units)]
        if not found:
            assert theirs["packet"] == {"waits": True}
            continue
        whole += 1
        told = {
            "type": int(found[0].type) - 3,  # RETYPED
            "nsp": found[0].namespace,
            "id": found[0].id,
            "data": _plain(found[0].data),
        }
        assert theirs["packet"] == told
    assert 900 < whole < 1100


def _plain(data: Any) -> Any:
    if isinstance(data, bytes):
        return {"hex": data.hex()}
    if isinstance(data, list):
        return [_plain(item) for item in data]
    return {name: _plain(item) for name, item in data.items()} if isinstance(data, dict) else data
