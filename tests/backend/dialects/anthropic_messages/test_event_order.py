"""A relayed message whose events clients do not expect where they come is a bad answer."""

import json
from typing import Any

import pytest
from tests.backend.dialects.anthropic_messages.events import (
    STOP,
    closed,
    ending,
    event,
    opened,
    piece,
    start,
    text_block,
)
from tests.backend.dialects.anthropic_messages.test_relay import frames

from cartrita.dialects.anthropic_messages.relay import Monitor
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit import sse

TEXT: Any = {"type": "text", "text": ""}


@pytest.mark.parametrize(
    "bad",
    [
        [opened(0, **TEXT)],
        [piece(0, "text_delta", text="Hi")],
        [ending()],
        [STOP],
        [event("message_start", message={"model": "m"})],
        [start(), start()],
        [start(), piece(0, "text_delta", text="Hi")],
        [start(), closed(0)],
        [start(), opened(1, **TEXT)],
        [start(), opened(0, type=5)],
        [start(), *text_block(0, "Hi"), opened(2, **TEXT)],
        [start(), *text_block(0, "Hi"), piece(1, "text_delta", text="Hi")],
        [start(), *text_block(0, "Hi"), piece(-1, "text_delta", text="Hi")],
        [start(), opened(0, type="text"), piece(0, "text_delta", text="Hi")],
        [start(), opened(0, type="thinking"), piece(0, "thinking_delta", thinking="Hi")],
    ],
)
def test_events_that_clients_do_not_expect(bad: list[str]) -> None:
    *before, last = bad
    monitor = Monitor("fake")
    for each in before:
        assert monitor.feed(frames(each)) == frames(each)
    with pytest.raises(UpstreamMalformed) as failure:
        monitor.feed(frames(last))
    assert failure.value.retryable


def test_what_nobody_knows_is_left_out_before_the_beginning() -> None:
    monitor, ping = Monitor("fake"), frames(event("ping"))
    assert monitor.feed(frames(event("vendor.novelty")) + ping + frames(start())) == ping + frames(
        start()
    )
    assert monitor.ignored == 1


def test_an_event_has_the_name_of_its_type() -> None:
    monitor = Monitor("fake")
    events = [start(), *text_block(0, "Hi"), piece(0, "text_delta", text="\ud83d"), ending(), STOP]
    nameless = b"".join(sse.frame(each) for each in events)
    misnamed = b"".join(sse.frame(each, event="ping") for each in events)
    for stream in (nameless, misnamed):
        monitor = Monitor("fake")
        told = [(one.event, one.data) for one in sse.Parser().feed(monitor.feed(stream))]
        assert told == [(json.loads(each)["type"], each) for each in events]
