"""What an HTTP server answers is put together, and never too early."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.errors import ProcessError
from utils.load import polling


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5), st.integers(0, 100))
def test_a_chunked_body_is_put_together_and_never_too_early(parts, cut):
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body
    assert polling.response(bytearray(whole)) == (b"".join(parts), len(whole), True)
    if 0 < cut < len(body):
        assert polling.response(bytearray(whole[:-cut])) is None


def test_a_gzipped_body_is_unpacked():
    packed = zlib.compress(b"4" * 2000, wbits=31)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Encoding: gzip\r\n\r\n" % len(packed)
    assert polling.response(bytearray(head + packed)) == (b"4" * 2000, len(head + packed), False)


def test_a_server_that_says_no_is_named():
    with pytest.raises(ProcessError, match="does not let itself be measured"):
        polling.response(bytearray(b"HTTP/1.1 400 BAD REQUEST\r\n\r\n"))
