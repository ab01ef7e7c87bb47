"""Two tenants flood one provider: both are served in turn, and see their place."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.harness.websockets import Frame, opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import frames, post

FLOOD, OTHERS = 16, 4
SHORT = Script(words=2)
HOUR = 3600
AskAll: TypeAlias = Callable[[Scenario, str, list[str]], Coroutine[Any, Any, list[list[Frame]]]]


@pytest.fixture(scope="module")
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


async def member_of_new_tenant(scenario: Scenario) -> tuple[str, str]:
    """The id of a user, and its key."""
    user = await new_user(scenario, await new_tenant(scenario))
    return user, (await new_key(scenario, user))["key"]


async def over_streams(scenario: Scenario, key: str, messages: list[str]) -> list[list[Frame]]:
    """The events of a native stream for each message, all at once."""
    return await asyncio.gather(*(streamed(scenario, key, message) for message in messages))


async def over_one_socket(scenario: Scenario, key: str, messages: list[str]) -> list[list[Frame]]:
    """The frames of runs that are begun one after the other on one WebSocket, by run."""
    told: dict[str, list[Frame]] = {}
    async with opened(scenario.server.port, key=key) as socket:
        for message in messages:
            await socket.send(type="chat", message=message, provider="openai", model="fake")
        for _ in messages:
            for frame in await socket.until_end():
                told.setdefault(frame["run_id"], []).append(frame)
    return list(told.values())


def places_in(events: list[dict[str, Any]]) -> list[int]:
    """The places that one client was told, each with a time and with who is waited for."""
    told = [event["data"] for event in events if event["event"] == "queued"]
    assert not told or told[0]["eta_seconds"] > 0
    assert {one["provider"] for one in told} <= {"openai"}
    return [one["position"] for one in told]


async def all_begun(scenario: Scenario, user: str, runs: int) -> None:
    """Wait until so many runs of a user have been started."""

    async def look() -> bool:
        query = "SELECT count(started_at) AS begun FROM runs WHERE owner_id = $1"
        rows = await scenario.fetch(query, user)
        return rows[0]["begun"] == runs

    await eventually(look)


@pytest.mark.parametrize(
    ("flood_over", "others_over"),
    [(over_streams, over_one_socket), (over_one_socket, over_streams)],
    ids=["streams", "socket"],
)
async def test_two_tenants_that_flood_are_served_in_turn_and_see_their_place(
    paced: Scenario, flood_over: AskAll, others_over: AskAll
) -> None:
    user, key = await member_of_new_tenant(paced)
    _, other = await member_of_new_tenant(paced)
    flood = [paced.message(SHORT) for _ in range(FLOOD)]
    others = [paced.message(SHORT) for _ in range(OTHERS)]
    flooding = asyncio.get_running_loop().create_task(flood_over(paced, key, flood))
    await all_begun(paced, user, FLOOD)
    of_others = await others_over(paced, other, others)
    of_flood = await flooding
    told = [*of_flood, *of_others]
    assert [events[-1]["event"] for events in told] == ["done"] * (FLOOD + OTHERS)
    prompts = [call.prompt for call in await paced.calls() if call.prompt in {*flood, *others}]
    assert len(prompts) == FLOOD + OTHERS
    assert prompts[-1] in flood  # in one line with them the others would be the last
    turns = [index for index, prompt in enumerate(prompts) if prompt in others]
    assert max(after - before for before, after in pairwise(turns)) <= 3  # 2, where none is late
    places = [places_in(events) for events in told]
    assert all(before != after for one in places for before, after in pairwise(one))
    assert max(max(one, default=0) for one in places) > FLOOD // 2
    assert any(places_in(events) for events in of_others)


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
