"""Relayed bodies without words: JSON objects, of which the input tokens are read."""

import pytest

from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage


def test_a_body_passes_as_it_is() -> None:
    monitor = CountMonitor("p")
    body = b'{"data":[],"usage":{"prompt_tokens":7,"total_tokens":7}}'
    assert monitor.feed(body) == body
    monitor.end()
    assert monitor.usage == Usage(input_tokens=7)
    assert (monitor.visible, monitor.complete, monitor.overlong) == (True, True, False)
    assert monitor.deltas() == []
    assert monitor.finish_reason is None


def test_a_body_tells_the_name_that_was_asked_for() -> None:
    monitor = CountMonitor("p", (), ModelNames("p/m", "m"))
    body = b'{"data":[{"model":"m"}],"model": "m"}'
    assert monitor.feed(body) == b'{"data":[{"model":"m"}],"model": "p/m"}'


@pytest.mark.parametrize("body", [b"{}", b'{"usage":null}', b'{"usage":{"prompt_tokens":null}}'])
def test_a_body_that_counts_nothing(body: bytes) -> None:
    monitor = CountMonitor("p")
    monitor.feed(body)
    assert monitor.usage is None


@pytest.mark.parametrize("count", [-7, 10**25])
def test_a_count_that_cannot_be_true_is_none(count: int) -> None:
    monitor = CountMonitor("p")
    monitor.feed(b'{"usage":{"prompt_tokens":%d}}' % count)
    assert monitor.usage == Usage()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"usage":"\xff"}'])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed, match="p sent"):
        CountMonitor("p").feed(body)


def test_no_body() -> None:
    with pytest.raises(UpstreamCut):
        CountMonitor("p").end()
