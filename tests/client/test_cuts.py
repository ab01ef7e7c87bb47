"""A stream is cut at every event, and within every event: both clients end with all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tests.client.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.client.scenes import ANSWER
from tests.harness.server import KEY, Server

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient, ChatEvent

_MIDDLE = 40
"""In bytes: within every event."""


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.port) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Whole:
    """A stream that was read without a fault, and what asks for the same run again."""

    events: list[ChatEvent]
    given: dict[str, Any]

    @property
    def cuts(self) -> list[Fault]:
        """A cut before and within each of its events."""
        return [
            Fault(events=number, more=more)
            for number in range(len(self.events))
            for more in (0, _MIDDLE)
        ]


@pytest.fixture
def whole(client: CartritaApiClient) -> Whole:
    key = f"cuts-{uuid4().hex}"
    events = list(client.stream_chat(message="Hello.", idempotency_key=key))
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    return Whole(events, {"message": "Hello.", "idempotency_key": key})


def test_the_blocking_client_ends_with_the_servers_text(proxy: FaultyProxy, whole: Whole) -> None:
    for fault in whole.cuts:
        proxy.fault = fault
        with CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
            stream = cut_off.stream_chat(**whole.given)
            assert list(stream) == whole.events
        assert fault.times == 0, "it was not cut"
        assert stream.answer == stream.final().final_response == ANSWER


async def test_the_asynchronous_client_ends_with_the_servers_text(
    proxy: FaultyProxy, whole: Whole
) -> None:
    for fault in whole.cuts:
        proxy.fault = fault
        async with AsyncCartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
            stream = cut_off.stream_chat(**whole.given)
            assert [event async for event in stream] == whole.events
        assert fault.times == 0, "it was not cut"
        assert stream.answer == (await stream.final()).final_response == ANSWER


def test_an_answer_that_is_being_written_is_cut_anywhere(
    proxy: FaultyProxy, client: CartritaApiClient, whole: Whole
) -> None:
    """Each cut is of a run of its own, so that what comes behind it is still to be said.

    How many events a run has depends on how much of its text is written in one. Whether one is cut
    behind its last event, nobody sees.
    """
    for fault in whole.cuts:
        proxy.fault = fault
        with CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
            stream = cut_off.stream_chat(message="Hello.")
            events = list(stream)
        if fault.events != len(events):
            reached = fault.events is not None and fault.events < len(events)
            assert fault.times == (0 if reached else 1), "it was not cut where it could be"
        assert events == list(client.get_run_events(stream.run_id))
        assert [each.seq for each in events] == list(range(1, len(events) + 1))
        assert stream.answer == stream.final().final_response == ANSWER


def test_a_run_that_is_followed_is_cut(proxy: FaultyProxy, whole: Whole) -> None:
    run = whole.events[0].id.rpartition(".")[0] if whole.events[0].id else ""
    for fault in whole.cuts:
        proxy.fault = fault
        with CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
            assert list(cut_off.get_run_events(run)) == whole.events
        assert fault.times == 0, "it was not cut"


def test_what_is_cut_before_anything_came_is_asked_for_with_the_same_key(
    proxy: FaultyProxy,
) -> None:
    proxy.fault = Fault(events=0)
    with CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
        stream = cut_off.stream_chat(message="Hello.")
        stream.final()
    asked = [each for each in proxy.fault.requests if each.startswith(b"POST")]
    keys = [line for each in asked for line in each.lower().splitlines() if b"idempotency" in line]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_text_comes_once_however_often_it_is_cut(proxy: FaultyProxy) -> None:
    proxy.fault = Fault(events=1, times=4)
    with CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off:
        stream = cut_off.stream_chat(message="In four parts.")
        assert "".join(stream.text()) == stream.final().final_response
    proxy.fault = Fault(events=1, times=4)
    async with AsyncCartritaApiClient(proxy.base, KEY, retry_delay=0.02) as other:
        parts = other.stream_chat(message="In four parts.")
        text = "".join([piece async for piece in parts.text()])
        assert text == (await parts.final()).final_response


def test_whoever_reads_the_end_again_is_told_the_end_again(
    client: CartritaApiClient, whole: Whole
) -> None:
    end = whole.events[-1]
    assert end.id
    run, seq = end.id.rpartition(".")[0], end.seq
    assert list(client.get_run_events(run, after=seq)) == [end]
    assert list(client.get_run_events(run, after=2)) == whole.events[2:]


def test_a_cursor_beyond_the_end_is_answered_with_all_there_is(
    client: CartritaApiClient, whole: Whole
) -> None:
    assert whole.events[0].id
    run = whole.events[0].id.rpartition(".")[0]
    stream = client.get_run_events(run, after=len(whole.events) + 50)
    assert "".join(stream.text()) == stream.answer == stream.final().final_response == ANSWER
