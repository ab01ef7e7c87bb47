"""Two tenants flood one provider: both are served in turn, and see their place."""

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import frames, post

FLOOD, OTHERS = 12, 4
SHORT = Script(words=2)
HOUR = 3600


@pytest.fixture
def paced(provider: FakeProvider) -> Iterator[Scenario]:
    """A server that calls its provider four times in a second, one at a time."""
    settings = {
        "CARTRITA_PROVIDER_LIMITS": "openai=4/second",
        "CARTRITA_LIMITS_PROVIDER_BURST": "0.01",
        "CARTRITA_LIMITS_PROVIDER_POSITION_S": "0.5",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


@pytest.fixture(scope="module")
def spent(provider: FakeProvider) -> Iterator[Scenario]:
    """A server that may call its provider once in an hour, and shares what it has of that."""
    settings = {"CARTRITA_PROVIDER_LIMITS": "openai=1/hour"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


async def streamed(scenario: Scenario, key: str, message: str) -> list[dict[str, Any]]:
    """The events of a native stream."""
    body = {"message": message, "provider": "openai", "model": "fake"}
    status, _, answered = await post(
        scenario, "/api/chat/stream", body, Authorization=f"Bearer {key}"
    )
    assert status == 200, answered
    return [data for _, data in frames(answered)]


async def key_of_new_tenant(scenario: Scenario) -> str:
    user = await new_user(scenario, await new_tenant(scenario))
    return (await new_key(scenario, user))["key"]


async def test_two_that_flood_are_served_in_turn_and_see_their_place(paced: Scenario) -> None:
    other = await key_of_new_tenant(paced)
    flood = [paced.message(SHORT) for _ in range(FLOOD)]
    others = [paced.message(SHORT) for _ in range(OTHERS)]
    told = await asyncio.gather(
        *(streamed(paced, KEY, message) for message in flood),
        *(streamed(paced, other, message) for message in others),
    )
    assert all(events[-1]["event"] == "done" for events in told)
    prompts = [call.prompt for call in await paced.calls() if call.prompt in {*flood, *others}]
    assert len(prompts) == FLOOD + OTHERS
    last = max(prompts.index(message) for message in others)
    assert last < FLOOD  # in one line with the others it would be the very last
    places = [
        [event["data"]["position"] for event in events if event["event"] == "queued"]
        for events in told
    ]
    assert max(max(one, default=0) for one in places) > FLOOD // 2
    assert all(before != after for one in places for before, after in pairwise(one))


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("/api/chat", {"message": "Hi", "provider": "openai", "model": "fake"}, "rate_limited"),
        ("/v1/chat/completions", {"messages": True}, "rate_limit_exceeded"),
        ("/v1/responses", {"input": "Hi"}, "rate_limit_exceeded"),
        ("/v1/messages", {"messages": True, "max_tokens": 9}, "rate_limit_error"),
        ("/v1/embeddings", {"input": "Hi"}, "rate_limit_exceeded"),
    ],
    ids=["native", "chat", "responses", "messages", "embeddings"],
)
async def test_whole_requests_are_told_when_to_come_back(
    spent: Scenario, path: str, fields: dict[str, Any], code: str
) -> None:
    await streamed(spent, KEY, spent.message(SHORT))
    body = {"model": "openai/fake", **fields}
    if "messages" in body:
        body["messages"] = [{"role": "user", "content": "Hi"}]
    status, headers, answered = await post(spent, path, body)
    assert status == 429, answered
    assert HOUR - 60 < int(headers["retry-after"]) <= HOUR
    assert code in json.dumps(json.loads(answered))


async def test_a_stream_that_would_wait_too_long_ends_with_that_error(spent: Scenario) -> None:
    await streamed(spent, KEY, spent.message(SHORT))
    last = (await streamed(spent, KEY, spent.message(SHORT)))[-1]
    assert (last["event"], last["data"]["code"]) == ("error", "rate_limited")
    assert HOUR - 60 < last["data"]["retry_after"] <= HOUR


async def test_who_leaves_the_queue_calls_nobody(paced: Scenario) -> None:
    messages = [paced.message(SHORT) for _ in range(8)]
    clients = [paced.client(paced.plan(message=one, cancel_after=1)) for one in messages[4:]]
    await asyncio.gather(
        *(streamed(paced, KEY, message) for message in messages[:4]),
        *(client.run() for client in clients),
    )
    await paced.check()
    asked = [call.prompt for call in await paced.calls()]
    assert set(messages[:4]) <= set(asked)
