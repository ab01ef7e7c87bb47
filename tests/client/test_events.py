"""Every event of the union comes from real runs, through both clients and over both transports."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient, ChatEvent, UnknownEvent
from cartrita_client.events import parse_event
from cartrita_client.generated.models import EVENTS, ApprovalRequiredFrame, QueuedFrame

LAST = 9_000_000
"""A cursor beyond the end of any log: what is there comes as a snapshot."""


def blocking(client: CartritaApiClient) -> Iterator[ChatEvent]:
    """Events of runs that together have one of each kind."""
    everything = client.stream_chat(message="Do everything.")
    yield from everything
    yield from client.stream_chat(message="Please fail.")
    yield from client.get_run_events(everything.run_id, after=LAST)
    with client.stream_chat(message="Please calculate.", approval="always") as asking:
        yield next(event for event in asking if isinstance(event, ApprovalRequiredFrame))
    client.cancel_run(asking.run_id)
    conversation = client.create_conversation().id
    with client.stream_chat(message="Go slowly.", conversation_id=conversation) as slow:
        next(slow)
        with client.stream_chat(
            message="And then?", conversation_id=conversation, busy="enqueue"
        ) as waiting:
            yield next(event for event in waiting if isinstance(event, QueuedFrame))
    client.cancel_run(slow.run_id)


async def asynchronous(client: AsyncCartritaApiClient) -> AsyncIterator[ChatEvent]:
    """The same, without blocking."""
    everything = client.stream_chat(message="Do everything.")
    async for event in everything:
        yield event
    async for event in client.stream_chat(message="Please fail."):
        yield event
    async for event in client.get_run_events(everything.run_id, after=LAST):
        yield event
    async with client.stream_chat(message="Please calculate.", approval="always") as asking:
        yield await anext(e async for e in asking if isinstance(e, ApprovalRequiredFrame))
    await client.cancel_run(asking.run_id)
    conversation = (await client.create_conversation()).id
    async with client.stream_chat(message="Go slowly.", conversation_id=conversation) as slow:
        await anext(slow)
        async with client.stream_chat(
            message="And then?", conversation_id=conversation, busy="enqueue"
        ) as waiting:
            yield await anext(e async for e in waiting if isinstance(e, QueuedFrame))
    await client.cancel_run(slow.run_id)


async def live(client: AsyncCartritaApiClient) -> AsyncIterator[ChatEvent]:
    """The same over a WebSocket."""
    async with client.live() as session:
        everything = await session.chat("Do everything.")
        async for event in everything:
            yield event
        async for event in await session.chat("Please fail."):
            yield event
        async for event in await session.follow(everything.run_id, after=LAST):
            yield event
        asking = await session.chat("Please calculate.", approval="always")
        yield await anext(e async for e in asking if isinstance(e, ApprovalRequiredFrame))
        await asking.cancel()
        conversation = (await client.create_conversation()).id
        slow = await session.chat("Go slowly.", conversation_id=conversation)
        await anext(slow)
        waiting = await session.chat("And?", conversation_id=conversation, busy="enqueue")
        yield await anext(e async for e in waiting if isinstance(e, QueuedFrame))
        await slow.cancel()


def assert_all(found: list[ChatEvent]) -> None:
    """One of each kind is there, read as what it is."""
    assert {each.event for each in found} == set(EVENTS)
    for each in found:
        assert type(each).__name__ == EVENTS[each.event]
        required = {name for name, one in type(each.data).model_fields.items() if one.is_required()}
        assert required <= each.data.model_fields_set


def test_the_blocking_client_reads_every_event(client: CartritaApiClient) -> None:
    assert_all(list(blocking(client)))


async def test_the_asynchronous_client_reads_every_event(
    async_client: AsyncCartritaApiClient,
) -> None:
    assert_all([event async for event in asynchronous(async_client)])


async def test_a_live_session_reads_every_event(async_client: AsyncCartritaApiClient) -> None:
    assert_all([event async for event in live(async_client)])


def test_an_event_of_a_newer_server_is_told_from_those_that_are_known() -> None:
    event = parse_event('{"event":"hologram","data":{"x":1}}', "run_1.7")
    assert isinstance(event, UnknownEvent)
    assert (event.event, event.data, event.id) == ("hologram", {"x": 1}, "run_1.7")


def test_what_an_older_server_does_not_send_is_none() -> None:
    event = parse_event('{"event":"token","data":{"delta":"Hello"}}', "run_1.7")
    assert event.event == "token"
    assert (event.data.delta, event.data.position) == ("Hello", None)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"event": 1}', "nothing", '{"event":"token","data":4}']
)
def test_what_is_no_event(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_event(text)
