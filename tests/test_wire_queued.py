"""Messages of python-socketio's queue: in JSON, as a pickle, or as anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.redis_bytes import CALLING, PICKLED, QUEUED
from utils.wire import queued
from utils.wire.queued import Queued
from utils.wire.tiling import Tiler


def test_what_the_installed_manager_publishes_is_understood():
    import socketio

    published = []

    class Manager(socketio.PubSubManager):
        def _publish(self, data):
            published.append(self.json.dumps(data).encode())

        def _handle_emit(self, message):
            pass

    manager = Manager(write_only=True, json=json)
    manager.emit("bids placed", {"lot": 1}, room="lot 1")
    manager.emit("lot opened", {"lot": 2})
    assert list(map(queued.decode, published)) == [
        Queued("emit", "bids placed", "lot 1", manager.host_id),
        Queued("emit", "lot opened", "", manager.host_id),
    ]
    assert list(map(queued.told, published)) == [
        'emit "bids placed" to lot 1',
        'emit "lot opened" to everybody',
    ]


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b"{", b'{"method":1}', b'{"a":' * 9999, b"{" + b" " * (1 << 20)]
)
def test_what_is_none_of_its_messages(payload):
    assert queued.decode(payload) is None
    assert queued.told(payload).isprintable()


def test_a_client_is_named_by_its_session():
    assert queued.told(b'{"method":"disconnect","sid":"abc"}') == "disconnect to abc"
    assert (
        queued.told(b'{"method":"emit","event":"x","room":"WA7pbCJGLRIVcMw6AAAB"}')
        == 'emit "x" to one client'
    )


def test_secrets_in_other_payloads_are_not_told():
    assert "sesame" not in queued.told(b'say {"password": "sesame"}')


def test_a_pickle_is_told_by_what_it_would_import():
    assert queued.told(CALLING) == "a pickle that imports posix.getpid and calls 1×"
    assert queued.told(PICKLED).endswith("that imports nothing")


@given(st.sampled_from([QUEUED, PICKLED, CALLING, b"text", b"{", b"\x80\x04"]), st.binary(max_size=30))
def test_whatever_is_in_it_is_laid_within_it(begin, more):
    tiler = Tiler()
    queued.lay(tiler, begin + more)
    assert tiler.at <= len(begin + more)
    assert queued.told(begin + more).isprintable()
