"""A key that has used its tokens of a minute is refused by every API, and other keys are not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import frames, post

MODEL = {"model": "openai/fake"}
TURNS = {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def scenario(provider: FakeProvider) -> Iterator[Scenario]:
    """A server of one worker, which counts everything."""
    with Server(provider_url=provider.base_url) as server:
        yield Scenario(server, provider)


@pytest.fixture
async def spent(scenario: Scenario) -> str:
    """A key that has used the one token that it may use in a minute."""
    user = await new_user(scenario, await new_tenant(scenario))
    key = await new_key(scenario, user, scopes={"tokens_per_minute": 1})
    assert key["scopes"]["tokens_per_minute"] == 1
    body = {**MODEL, "message": scenario.message(Script(words=5))}
    status, _, answered = await post(scenario, "/api/chat", body, **bearer(key["key"]))
    assert status == 200, answered
    return key["key"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("/api/chat", {"message": "Hi"}, "rate_limited"),
        ("/v1/chat/completions", TURNS, "rate_limit_exceeded"),
        ("/v1/chat/completions", {**TURNS, "stream": True}, "rate_limit_exceeded"),
        ("/v1/chat/completions", {**TURNS, "store": True}, "rate_limit_exceeded"),
        ("/v1/responses", {"input": "Hi"}, "rate_limit_exceeded"),
        ("/v1/messages", {**TURNS, "max_tokens": 9}, "rate_limit_error"),
        ("/v1/embeddings", {"input": "Hi"}, "rate_limit_exceeded"),
    ],
    ids=["native", "chat", "stream", "stored", "responses", "messages", "embeddings"],
)
async def test_requests_are_told_when_to_come_back(
    scenario: Scenario, spent: str, path: str, fields: dict[str, Any], code: str
) -> None:
    body = {**MODEL, **fields}
    status, headers, answered = await post(scenario, path, body, **bearer(spent))
    assert status == 429, answered
    assert 60 <= int(headers["retry-after"]) <= 120
    assert code in json.dumps(json.loads(answered))
    status, _, answered = await post(scenario, path, body, **bearer(KEY))
    assert status == 200, answered


async def test_native_streams_and_sockets_end_with_that_error(
    scenario: Scenario, spent: str
) -> None:
    body = {**MODEL, "message": "Hi"}
    _, _, answered = await post(scenario, "/api/chat/stream", body, **bearer(spent))
    ends = [frames(answered)[-1][1]]
    async with opened(scenario.server.port, key=spent) as socket:
        await socket.send(type="chat", **body)
        ends.append((await socket.until_end())[-1])
    for end in ends:
        assert (end["event"], end["data"]["code"]) == ("error", "rate_limited")
        assert 60 <= end["data"]["retry_after"] <= 120


async def test_what_is_stored_can_still_be_read(scenario: Scenario, spent: str) -> None:
    status, _ = await scenario.call("GET", "/api/conversations", X_API_Key=spent)
    assert status == 200
