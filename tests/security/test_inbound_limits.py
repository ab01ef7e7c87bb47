"""Callers beyond a limit are refused in the words of the API that they use, and nobody else is."""

import asyncio
import json
import re
from functools import partial
from typing import Any

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario, until
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.routes import ask

CHAT = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
MESSAGES = {**CHAT, "max_tokens": 10}
LONG = Script(words=12_000, tokens_per_delta=8)
FEW = (
    "openai=2/hour;anthropic=2/hour;list_conversations=2/hour;runs=1/hour;stream_chat=1/hour;"
    "stream_chat_from_query=1/hour;create_response=1/hour;failed=5/hour;anonymous=50/hour"
)
"""Limits of one server, where each test has a user or an address of its own."""
GUESSING, ROTATING, PROXY = "127.0.0.2", "127.0.0.3", "127.0.0.4"
PROXIED = {
    "CARTRITA_INBOUND_LIMITS": "anonymous=50/hour",
    "CARTRITA_TRUSTED_PROXIES": f"{PROXY}, 10.0.0.0/8",
}
TWO_STREAMS = {"CARTRITA_LIMITS_STREAMS_MAX": "2", "CARTRITA_INBOUND_LIMITS": "off"}
_AT_ONCE = 20
ITEM = re.compile(r'"[a-z_]+"(;[qwrt]=[0-9]+){2}')


def limited(limits: str) -> dict[str, Any]:
    return {"settings": {"CARTRITA_INBOUND_LIMITS": limits}}


async def beyond(scenario: Scenario, times: int, *request: Any) -> tuple[dict[str, str], bytes]:
    """The 429 that follows on so many answers."""
    for _ in range(times):
        status, headers, told = await ask(scenario.server.port, *request)
        assert status != 429, told
        assert "ratelimit" in headers, (status, headers, told)
        assert ITEM.fullmatch(headers["ratelimit"].split(", ")[0])
        assert "x-ratelimit-limit" not in headers
    status, headers, body = await ask(scenario.server.port, *request)
    assert status == 429
    assert 1 <= int(headers["retry-after"]) <= 3600
    assert re.fullmatch(r'"[a-z_]+";r=0;t=[0-9]+', headers["ratelimit"])
    assert re.fullmatch(r'"[a-z_]+";q=[0-9]+;w=[0-9]+', headers["ratelimit-policy"])
    return headers, body


async def key_of_new_user(scenario: Scenario, **fields: Any) -> dict[str, str]:
    """What a user says who has asked for nothing yet."""
    owner = await new_user(scenario, await new_tenant(scenario))
    return {"X-API-Key": (await new_key(scenario, owner, **fields))["key"]}


async def test_each_api_in_its_own_words(shared: Serve) -> None:
    scenario = shared(**limited(FEW))
    mine = await key_of_new_user(scenario)
    _, body = await beyond(scenario, 2, "POST", "/v1/chat/completions", mine, CHAT)
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    _, body = await beyond(scenario, 2, "POST", "/v1/messages", mine, MESSAGES)
    assert json.loads(body)["error"]["type"] == "rate_limit_error"
    _, body = await beyond(scenario, 2, "GET", "/api/conversations", mine)
    told = json.loads(body)
    assert (told["code"], told["details"]) == ("rate_limited", {"limit": "list_conversations"})
    await beyond(scenario, 1, "GET", "/api/runs/none/events", mine)
    status, *_ = await ask(scenario.server.port, "GET", "/api/search?q=x", mine)
    assert status == 200


async def test_streams_are_refused_before_they_begin(shared: Serve) -> None:
    scenario = shared(**limited(FEW))
    mine = await key_of_new_user(scenario)
    await beyond(scenario, 1, "POST", "/api/chat/stream", mine, {"message": "hello"})
    await beyond(scenario, 1, "GET", "/api/chat/stream?message=hello", mine)
    streamed = {"model": "openai/fake", "input": "hello", "stream": True}
    await beyond(scenario, 1, "POST", "/v1/responses", mine, streamed)


async def test_each_user_has_a_limit_of_its_own(shared: Serve) -> None:
    scenario = shared(**limited(FEW))
    tenant = await new_tenant(scenario)
    users = [await new_user(scenario, tenant) for _ in range(2)]
    first, again, other = [
        {"X-API-Key": (await new_key(scenario, owner))["key"]}
        for owner in (users[0], users[0], users[1])
    ]
    for key in (first, again):
        assert (await ask(scenario.server.port, "GET", "/api/conversations", key))[0] == 200
    for key in (first, again):
        await beyond(scenario, 0, "GET", "/api/conversations", key)
    assert (await ask(scenario.server.port, "GET", "/api/conversations", other))[0] == 200


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/api/chat", {"message": "hello"})]
)
async def test_a_key_with_a_limit_of_its_own(shared: Serve, path: str, body: Any) -> None:
    scenario = shared(settings=TWO_STREAMS)
    owner = await new_user(scenario, await new_tenant(scenario))
    scopes = {"requests_per_minute": 2}
    slow = {"X-API-Key": (await new_key(scenario, owner, scopes=scopes))["key"]}
    free = {"Authorization": f"Bearer {(await new_key(scenario, owner))['key']}"}
    headers, _ = await beyond(scenario, 2, "POST", path, slow, body)
    assert headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert (await ask(scenario.server.port, "GET", "/api/models", slow))[0] == 429
    assert (await ask(scenario.server.port, "POST", path, free, body))[0] == 200


async def test_streams_of_a_key_are_capped(shared: Serve) -> None:
    scenario = shared(settings=TWO_STREAMS)
    mine = await key_of_new_user(scenario)
    key = mine["X-API-Key"]
    slow = [scenario.plan(LONG, slow_read_s=3600.0, api_key=key) for _ in range(2)]
    async with asyncio.TaskGroup() as tasks:
        clients = [scenario.client(plan) for plan in slow]
        held = [tasks.create_task(client.run()) for client in clients]
        await until(
            lambda: all(c.record.connections and c.record.connections[0].status for c in clients)
        )
        for path, body in (("/api/chat", {"message": "x"}), ("/v1/chat/completions", CHAT)):
            status, headers, told = await ask(scenario.server.port, "POST", path, mine, body)
            assert (status, b"receiving 2 answers already" in told) == (429, True)
            assert headers["ratelimit"] == '"streams";r=0'
            assert headers["ratelimit-policy"] == '"streams";q=2;qu="concurrent-requests"'
        before = await scenario.call("GET", "/api/conversations", X_API_Key=key)
        assert len(before[1]["items"]) == 2  # nothing was begun
        for task in held:
            task.cancel()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/chat", {"message": "hello"}),
        ("/api/chat/stream", {"message": "hello"}),
        ("/v1/chat/completions", CHAT),
    ],
)
async def test_answers_tell_how_many_more_may_be_received(
    shared: Serve, path: str, body: Any
) -> None:
    scenario = shared(settings=TWO_STREAMS)
    mine = await key_of_new_user(scenario)
    status, headers, _ = await ask(scenario.server.port, "POST", path, mine, body)
    assert (status, headers["ratelimit"]) == (200, '"streams";r=1')


async def test_invalid_keys_are_limited_by_address(shared: Serve) -> None:
    scenario = shared(**limited(FEW))
    ask_from = partial(ask, scenario.server.port, address=GUESSING)
    owner = await new_user(scenario, await new_tenant(scenario))
    known, unseen = [(await new_key(scenario, owner))["key"] for _ in range(2)]
    assert (await ask_from("GET", "/api/models", {"X-API-Key": known}))[0] == 200
    attempts = [
        ("GET", "/api/models", {"X-API-Key": "ck_guess"}, None),
        ("POST", "/v1/messages", {"X-API-Key": "guess"}, MESSAGES),
        ("POST", "/v1/chat/completions", {"Authorization": "Bearer guess"}, CHAT),
        ("GET", "/api/chat/stream?message=x&ticket=guess", {}, None),
        ("POST", "/api/session", {}, {"code": "guess"}),
    ]
    statuses = [(await ask_from(*attempt))[0] for attempt in attempts]
    assert statuses == [401] * 5
    refused = [(await ask_from(*attempt))[0] for attempt in attempts]
    assert refused == [429] * 5
    for key, status in ((known, 200), (KEY, 200), (unseen, 429)):
        assert (await ask_from("GET", "/api/models", {"X-API-Key": key}))[0] == status
    assert (await ask_from("GET", "/health"))[0] == 200


@pytest.mark.parametrize("settings", [limited(FEW)["settings"], PROXIED], ids=["none", "others"])
async def test_forwarded_addresses_of_strangers_are_not_believed(
    shared: Serve, settings: dict[str, str]
) -> None:
    scenario = shared(settings=settings)
    assert await _rotated(scenario, 60, ROTATING) == [401] * 50 + [429] * 10


async def test_the_address_that_a_trusted_proxy_saw_counts(shared: Serve) -> None:
    scenario = shared(settings=PROXIED)
    assert await _rotated(scenario, 60, PROXY) == [401] * 60
    behind = "198.51.100.7, 10.0.0.3"
    assert await _rotated(scenario, 60, PROXY, behind) == [401] * 50 + [429] * 10
    assert await _rotated(scenario, 10, PROXY, "not an address") == [401] * 10


@pytest.mark.slow
async def test_ten_thousand_forwarded_addresses_are_one_caller(serve: Serve) -> None:
    scenario = serve(**limited("anonymous=1000/hour"))
    statuses = await _rotated(scenario, 10_000, HOST)
    assert statuses == [401] * 1000 + [429] * 9000


async def _rotated(scenario: Scenario, times: int, address: str, behind: str = "") -> list[int]:
    """The statuses, sorted, of anonymous requests whose forwarded address changes with each."""
    ask_from = partial(ask, scenario.server.port, address=address)

    async def one(number: int) -> int:
        said = f"192.0.{number // 250 % 250}.{number % 250}"
        headers = {"X-Forwarded-For": f"{said}, {behind}" if behind else said}
        return (await ask_from("GET", "/api/models", headers))[0]

    statuses: list[int] = []
    for first in range(0, times, _AT_ONCE):
        some = range(first, min(first + _AT_ONCE, times))
        statuses += await asyncio.gather(*map(one, some))
    return sorted(statuses)


async def test_a_limit_that_nothing_has_refuses_to_start(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="chatt, which nothing here is called"):
        serve(**limited("chatt=1/minute"))
