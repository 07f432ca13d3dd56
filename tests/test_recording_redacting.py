"""Planted secrets are in no file of a recording; every offset, size and time stays, and it reads as before."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace

import pytest

from tests.test_redaction import FLOW, SAID, SECRET, C, S, deflated
from tests.wire_bytes import UPGRADE, framed, switching
from utils import lab, recording
from utils.recording.redacting import KEPT, LEFT_OUT, NOTE, kept, redacted
from utils.records import Flag, Meta, Recording, Segment, Sources
from utils.redaction import REDACTED
from utils.run import Run

META = Meta("planted", "live", "a test", "", "3.11", "Linux", {}, FLOW.destination.port)


def recorded(pieces, **more):
    """A recording of one connection whose sides said ``pieces``, each in two segments."""
    at = {C: 1000, S: 5000}
    segments = [
        Segment(1, FLOW, 1000, 0, Flag.SYN, b""),
        Segment(2, FLOW.reverse, 5000, 1001, Flag.SYN | Flag.ACK, b""),
    ]
    for side, data in pieces:
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            flow = FLOW if side is C else FLOW.reverse
            segments.append(Segment(10 + len(segments), flow, at[side] + 1, 0, Flag.PSH, part))
            at[side] += len(part)
    return Recording(META, tuple(segments), (), **more)


def opened(pieces):
    if pieces[0][1][0] in (0x01, 0x81, 0xC1):
        return [(C, UPGRADE), (S, switching("permessage-deflate")), *pieces]
    return pieces


def everything(made, folder):
    """All bytes of all files of the recording, unpacked, and its payloads as the layer above reads them."""
    recording.save(made, folder)
    found = b""
    for path in folder.iterdir():
        data = path.read_bytes()
        found += gzip.decompress(data) if path.suffix == ".gz" else data
    return found + b"".join(message.unit.payload for message in Run(made).messages)


@pytest.mark.parametrize("name", SAID)
def test_it_is_in_no_file_and_the_messages_are_the_same_but_for_it(name, tmp_path):
    before = recorded(opened(SAID[name]))
    after = redacted(before, {})
    found = everything(after, tmp_path / "r")
    assert SECRET.encode() not in found and SECRET.encode() not in everything_unmasked(after)
    assert [len(one.payload) for one in after.segments] == [len(one.payload) for one in before.segments]
    assert [replace(one, payload=b"") for one in after.segments] == [
        replace(one, payload=b"") for one in before.segments
    ]
    old, new = Run(before).messages, Run(after).messages
    assert [(m.start, m.end, m.unit.layer) for m in old] == [(m.start, m.end, m.unit.layer) for m in new]
    for one, other in zip(old, new, strict=True):
        if SECRET.encode() not in one.unit.raw + one.unit.payload and "compressed" not in name:
            assert one == other or b"Cookie" in one.unit.raw or "auth" in name or name == "argument"


def everything_unmasked(made):
    from utils.recording.redacting import _readable

    return b"".join(_readable(message.unit) for message in Run(made).messages)


def test_what_is_no_secret_is_as_it_was():
    before = recorded(
        opened(
            [
                (C, framed('42["say",{"text":"hello","author":"ann","key_count":12}]')),
                (S, framed('42["x",1]', client=False)),
            ]
        )
    )
    assert redacted(before, {}).segments == before.segments


def test_json_stays_json_and_events_stay_events():
    text = '42["login",{"user":"ann","password":"hush3f9a1","pin_token":123456,"ok_token":true}]'
    after = redacted(recorded(opened([(C, framed(text))])), {})
    (message,) = Run(after).events("login")
    ((event, form),) = [packet.socketio.data for packet in message.unit.packets]
    assert (event, form["user"], form["password"], form["pin_token"]) == ("login", "ann", "*" * 9, 111111)


def test_a_value_that_was_named_once_is_found_wherever_it_stands():
    """In an argument without a name, in a path, in binary, in a log line, in a call's arguments and results."""
    pieces = opened(
        [
            (C, framed(f'42["login",{{"token":"{SECRET}"}}]')),
            (C, framed(f'42["say","my token is {SECRET}, keep it"]')),
            (C, framed('451-["file",{"_placeholder":true,"num":0}]')),
            (C, framed(b"\x00\xff" + SECRET.encode() + b"\x00", opcode=2)),
            (S, framed(f'42["echo","{SECRET}"]', client=False)),
        ]
    )
    one_bid = lab.replay("one_bid").recording
    call = one_bid.traces[0].calls[0]
    trace = replace(
        one_bid.traces[0],
        calls=(replace(call, parent=None, arguments={"text": f"'{SECRET}!'"}, result=f"['{SECRET}']"),),
        transfers=(), handoffs=(),
    )  # fmt: skip
    before = replace(
        recorded(pieces), traces=(trace,), meta=replace(META, extra={"application": ["chat.py", SECRET]})
    )
    after = redacted(before, {})
    assert after.traces[0].calls[0].arguments == {"text": f"'{REDACTED}!'"}
    assert after.traces[0].calls[0].result == f"['{REDACTED}']"
    assert after.meta.extra == {"application": ["chat.py", REDACTED], NOTE: LEFT_OUT}
    assert SECRET.encode() not in everything_unmasked(after)


def test_the_secrets_of_the_environment_are_found_by_their_values():
    pieces = opened([(C, framed('42["say","hunter2hunter2"]'))])
    after = redacted(recorded(pieces), {"DATABASE_PASSWORD": "hunter2hunter2", "HOME": "say"})
    assert b"hunter2" not in everything_unmasked(after) and b'"say"' in everything_unmasked(after)


def test_a_stream_that_is_compressed_goes_on_after_the_secret():
    """What comes later refers to what was said before: it still says what it said."""
    said = [f'42["say",{{"n":{n},"text":"{"hello " * n}"}}]' for n in range(6)]
    said.insert(2, f'42["login",{{"token":"{SECRET}{SECRET}","text":"hello hello"}}]')
    packer = zlib.compressobj(6, wbits=-15)
    pieces = []
    for text in said:
        data = (packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        pieces.append((C, framed(data, opcode=1, rsv=4)))
    before = recorded(opened(pieces))
    after = redacted(before, {})
    texts = [m.unit.payload.decode() for m in Run(after).messages if m.unit.payload.startswith(b"42")]
    assert texts == [text.replace(SECRET, "*" * len(SECRET)) for text in said]
    assert Run(after).messages[2] == Run(before).messages[2]  # what came before is as it was


def test_messages_that_are_compressed_each_for_itself():
    packed = [deflated(f'42["login",{{"token":"{SECRET}","text":"{"hello " * n}"}}]') for n in range(3)]
    head = switching("permessage-deflate; client_no_context_takeover")
    pieces = [(C, UPGRADE), (S, head), *((C, framed(data, opcode=1, rsv=4)) for data in packed)]
    after = redacted(recorded(pieces), {})
    texts = [
        json.loads(m.unit.payload[2:])[1]["token"] for m in Run(after).messages if m.unit.payload[:2] == b"42"
    ]
    assert texts == ["*" * len(SECRET)] * 3


def test_what_cannot_be_made_to_fit_is_blank_and_no_secret():
    packer = zlib.compressobj(9, wbits=-15)
    text = f'42["t",{{"token":"{SECRET}"}}]'.encode()
    first = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    again = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]  # a few bytes, by reference
    after = redacted(
        recorded(opened([(C, framed(first, opcode=1, rsv=4)), (C, framed(again, opcode=1, rsv=4))])), {}
    )
    assert SECRET.encode() not in b"".join(m.unit.payload + m.unit.raw for m in Run(after).messages)


def test_a_retransmitted_segment_is_redacted_too():
    before = recorded([(C, f"GET / HTTP/1.1\r\nCookie: io={SECRET}\r\n\r\n".encode())])
    again = replace(before, segments=(*before.segments, *before.segments[2:]))
    after = redacted(again, {})
    assert SECRET.encode() not in b"".join(one.payload for one in after.segments)


def test_the_application_s_own_lines_are_kept_without_their_literals():
    lines = {
        "chat:chat.py": {1: "app.config['SECRET_KEY'] = 'hush3f9a1'", 2: 'login(user="ann", password="hunter22")', 3: "token = make()"},
        "Flask:flask/app.py": {1: 'secret_key = "dev-example"'},
    }  # fmt: skip
    from utils.records import Library

    sources = Sources({"Flask": Library("Flask", "3.1", "BSD", None)}, {}, {}, lines, {})
    after = redacted(recorded([(C, b"GET /?x=hunter22 HTTP/1.1\r\n\r\n")], sources=sources), {})
    assert after.sources.lines["chat:chat.py"] == {
        1: f"app.config['SECRET_KEY'] = '{REDACTED}'",
        2: f'login(user="ann", password="{REDACTED}")',
        3: "token = make()",
    }
    assert after.sources.lines["Flask:flask/app.py"] == lines["Flask:flask/app.py"]
    assert b"hunter22" not in everything_unmasked(after)


def test_who_keeps_secrets_is_told_so():
    assert kept(recorded([(C, b"GET / HTTP/1.1\r\n\r\n")])).meta.extra == {NOTE: KEPT}


def test_what_a_run_saves_is_without_secrets_unless_they_are_asked_for(tmp_path):
    made = Run(recorded([(C, b"GET / HTTP/1.1\r\nCookie: session=hunter22\r\n\r\n")]))
    saved = lab.load(made.save(tmp_path / "saved"))
    asked = lab.load(made.save(tmp_path / "asked", keep_secrets=True))
    assert saved.recording.meta.extra == {NOTE: LEFT_OUT} and asked.recording.meta.extra == {NOTE: KEPT}
    assert b"hunter22" not in saved.messages[0].unit.raw and b"hunter22" in asked.messages[0].unit.raw
    assert len(saved.messages[0].unit.raw) == len(made.messages[0].unit.raw)
    # What has lost them stays as it is; what has kept them may still lose them.
    assert lab.load(saved.save(tmp_path / "again")).recording == saved.recording
    assert lab.load(asked.save(tmp_path / "later")).recording == saved.recording


def test_a_real_recording_stays_whole():
    before = lab.replay("auction").recording
    after = redacted(before, {})
    assert Run(after).check().whole and Run(after).journeys == Run(before).journeys
    assert len(after.segments) == len(before.segments)
