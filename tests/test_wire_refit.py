"""Compressed data with another text, in exactly as many bytes as before."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.wire.deflate import Inflater
from utils.wire.refit import Refitter, gzipped

TEXTS = st.lists(
    st.binary(max_size=200) | st.text('ab{}:,"12', max_size=300).map(str.encode), min_size=1, max_size=6
)


def deflated(texts, takeover):
    packer = zlib.compressobj(6, wbits=-15)
    for text in texts:
        yield (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        if not takeover:
            packer = zlib.compressobj(6, wbits=-15)


@given(TEXTS, st.booleans())
def test_what_fits_inflates_to_the_new_text_and_so_does_what_follows(texts, takeover):
    """Each text is replaced by stars of the same length; the stream goes on from there."""
    refitter, inflater = Refitter(takeover=takeover), Inflater(takeover=takeover)
    for text, data in zip(texts, deflated(texts, takeover), strict=True):
        wanted = b"*" * len(text)
        made = refitter.fit(wanted, len(data))
        if made is None:
            continue  # the stream is as it was
        assert len(made) == len(data)
        assert inflater.inflate(made) == wanted


@pytest.mark.parametrize("gap", [*range(40), 1000])
def test_nearly_every_gap_can_be_filled(gap):
    text = b'42["say",{"token":"**********","text":"hello, hello"}]'
    size = len(next(deflated([text], True)))
    refitter = Refitter(takeover=True)
    made = refitter.fit(text, size + gap)
    if made is None:  # then fewer stars will do
        made, text = refitter.blank(len(text), size + gap), None
    assert made is not None and len(made) == size + gap
    said = Inflater(takeover=True).inflate(made)
    assert said == text if text is not None else set(said) <= {ord("*")}
    if gap not in (1, 2, 3, 8):
        assert text is not None


@pytest.mark.parametrize("size", range(1, 30))
def test_what_is_blank_says_stars_or_nothing(size):
    refitter, inflater = Refitter(takeover=True), Inflater(takeover=True)
    made = refitter.blank(40, size)
    assert len(made) == size
    said = inflater.inflate(made)
    assert said is None or set(said) <= {ord("*")}


def test_what_its_sender_deflated_is_kept_as_long_as_it_says_the_same():
    text = b"the same words, and the same words again"
    first, second = deflated([text, text], True)
    refitter = Refitter(takeover=True)
    assert refitter.keeps(text, first) and refitter.keeps(text, second)
    other = Refitter(takeover=True)
    other.follow(b"*" * len(text))
    assert not other.keeps(text, second)
    assert not other.keeps(text, b"\xff\xff")


def test_what_does_not_fit_is_not_squeezed_and_nothing_has_happened():
    refitter, inflater = Refitter(takeover=True), Inflater(takeover=True)
    assert refitter.fit(bytes(range(200)), 20) is None
    made = refitter.fit(b"a", 60)
    assert inflater.inflate(made) == b"a"


def test_later_messages_may_refer_to_what_was_followed():
    text = b"0123456789abcdef" * 4
    refitter, inflater = Refitter(takeover=True), Inflater(takeover=True)
    first, second = deflated([text, text], True)
    inflater.inflate(first)
    refitter.follow(text)
    made = refitter.fit(text, len(second))
    assert made is not None and inflater.inflate(made) == text


@given(st.binary(max_size=500), st.integers(0, 300))
def test_a_gzip_file_fits_to_the_byte(text, more):
    smallest = len(gzip.compress(text, 9))
    made = gzipped(text, smallest + more)
    if made is None:
        assert gzipped(text, smallest + more + 16) is not None
        return
    assert len(made) == smallest + more
    assert gzip.decompress(made) == text


def test_a_gzip_file_that_does_not_fit_is_none():
    assert gzipped(bytes(range(256)), 100) is None
