"""Keys of providers instead of keys of this server: who they are, and where they go."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fake_provider.timing_faults import Stall
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, OWNER, Server
from tests.harness.websockets import opened
from tests.journeys.v1 import begin, post_json

PROJ = "sk-proj-of-the-same-length-and-beginning-"
OPENAI, ANOTHER = (f"{PROJ}{number}-and-the-same-end" for number in range(2))
CLAUDE = "sk-ant-api03-of-somebody-who-calls"
FACE = "hf_ofSomebodyWhoCallsModelsThere"
UNKNOWN = "sk-proj-that-no-provider-knows-at-all"
SAID = [{"role": "user", "content": "hello"}]
_numbers = count(1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeProvider]:
    """A provider that accepts the server's key and those of the callers."""
    keys = [OPENAI, ANOTHER, CLAUDE, FACE]
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=keys) as running:
        yield running


def settings(upstream: FakeProvider) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": upstream.root_url,
        "ANTHROPIC_API_KEY": "the-servers-key-of-anthropic",
        "HUGGINGFACE_BASE_URL": upstream.base_url,
        "HUGGINGFACE_API_KEY": "the-servers-key-of-huggingface",
    }


@pytest.fixture(scope="module")
def bound(upstream: FakeProvider) -> Iterator[Scenario]:
    """A server on loopback, as it is by default."""
    with Server(provider_url=upstream.base_url, settings=settings(upstream)) as server:
        yield Scenario(server, upstream)


async def ask(
    scenario: Scenario, key: str, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    sent = {"X_API_Key": key} | headers
    return await scenario.call(method, path, body, **sent)


async def paid(scenario: Scenario, key: str, path: str, body: dict[str, Any]) -> list[str]:
    """The keys with which the provider was asked for the answer to a request that succeeds."""
    word = f"beryl-{next(_numbers)}"
    prompt = json.dumps(f"{word} {directive(Script(words=3))}")[1:-1]
    text = json.dumps(body).replace("hello", prompt)
    status, answered = await ask(scenario, key, "POST", path, json.loads(text))
    assert status == 200, (path, answered)
    asked = [one for one in scenario.provider.requests() if word in one.body]
    return [
        (one.header("authorization") or one.header("x-api-key") or "").removeprefix("Bearer ")
        for one in asked
    ]


@pytest.mark.parametrize(
    ("key", "path", "body"),
    [
        (OPENAI, "/api/chat", {"message": "hello", "provider": "openai", "model": "fake"}),
        (OPENAI, "/api/chat", {"message": "hello"}),
        (OPENAI, "/api/code", {"task": "hello", "model": "openai/fake"}),
        (OPENAI, "/v1/chat/completions", {"model": "openai/fake", "messages": SAID}),
        (OPENAI, "/v1/chat/completions", {"model": "openai/fake", "messages": SAID, "store": True}),
        (OPENAI, "/v1/responses", {"model": "openai/fake", "input": "hello"}),
        (OPENAI, "/v1/embeddings", {"model": "openai/fake", "input": "hello"}),
        (FACE, "/api/huggingface/chat", {"message": "hello", "model": "fake"}),
        (CLAUDE, "/v1/messages", {"model": "anthropic/fake", "messages": SAID, "max_tokens": 9}),
        (CLAUDE, "/api/chat", {"message": "hello", "model": "anthropic/fake"}),
    ],
)
async def test_the_callers_key_pays(
    bound: Scenario, key: str, path: str, body: dict[str, Any]
) -> None:
    assert await paid(bound, key, path, body) == [key]


async def test_each_key_is_an_owner_of_its_own(bound: Scenario) -> None:
    body = {"message": "hello", "provider": "openai", "model": "fake"}
    _, mine = await ask(bound, OPENAI, "POST", "/api/chat", body)
    conversation = f"/api/conversations/{mine['conversation_id']}"
    assert (await ask(bound, OPENAI, "GET", conversation))[0] == 200
    bearer = {"Authorization": f"Bearer {OPENAI}"}
    assert (await ask(bound, OPENAI, "GET", conversation, **bearer))[0] == 200
    for other in (ANOTHER, CLAUDE, FACE, KEY):
        assert (await ask(bound, other, "GET", conversation))[0] == 404
    told = [(await ask(bound, key, "GET", "/api/me"))[1] for key in (OPENAI, ANOTHER)]
    owners = {me["owner_id"] for me in told}
    assert len(owners) == 2
    for owner in owners:
        assert owner.startswith("byok:")
        assert not any(part in owner for part in (OPENAI[:12], OPENAI[-12:]))


async def test_a_key_of_another_provider_is_403_and_an_unknown_one_401(bound: Scenario) -> None:
    for path, body in (
        ("/api/chat", {"message": "hello", "provider": "huggingface"}),
        ("/api/huggingface/chat", {"message": "hello"}),
        ("/api/code", {"task": "hello", "model": "anthropic/fake"}),
        ("/v1/chat/completions", {"model": "anthropic/fake", "messages": SAID}),
        ("/v1/responses", {"model": "anthropic/fake", "input": "hello"}),
        ("/v1/messages", {"model": "anthropic/fake", "messages": SAID, "max_tokens": 9}),
        ("/v1/embeddings", {"model": "huggingface/fake", "input": "hello"}),
    ):
        status, refused = await ask(bound, OPENAI, "POST", path, body)
        assert (status, "provider" in json.dumps(refused)) == (403, True), (path, refused)
        status, refused = await ask(bound, UNKNOWN, "POST", path, body)
        assert status == 401, (path, refused)
    for method, path in (("POST", "/api/credentials"), ("GET", "/api/keys")):
        status, refused = await ask(bound, OPENAI, method, path)
        assert (status, refused["code"]) == (403, "scope_operation")


async def test_all_that_is_not_valid_looks_alike(bound: Scenario) -> None:
    told: list[Any] = []
    for key in (UNKNOWN, f"{OPENAI}x", OPENAI[:-1], "sk-", "xx-of-no-provider", f"ck_{OPENAI}"):
        for more in ({}, {"X_Cartrita_Provider": "anthropic"}, {"X_Cartrita_Provider": "nobody"}):
            if key == UNKNOWN and more:
                continue
            status, refused = await ask(bound, key, "GET", "/api/conversations", **more)
            told.append((status, refused["code"], refused["detail"]))
    status, refused = await ask(bound, OPENAI, "GET", "/api/me", X_Cartrita_Provider="anthropic")
    told.append((status, refused["code"], refused["detail"]))
    assert len(set(told)) == 1
    assert told[0][0] == 401


async def test_a_key_goes_to_its_provider_once_and_nowhere_else(bound: Scenario) -> None:
    key = "sk-ant-api03-that-nobody-knows"
    for _ in range(3):
        assert (await ask(bound, key, "GET", "/api/models"))[0] == 401
    shown = [one for one in bound.provider.requests() if key in json.dumps(one.headers)]
    assert [one.path.partition("?")[0].rpartition("/")[2] for one in shown] == ["models"]
    assert shown[0].header("x-api-key") == key


async def test_the_operators_own_key_is_the_local_owner(bound: Scenario) -> None:
    status, me = await ask(bound, PROVIDER_KEY, "GET", "/api/me")
    assert (status, me["owner_id"], me["admin"]) == (200, OWNER, False)
    body = {"message": "hello", "provider": "openai", "model": "fake"}
    _, mine = await ask(bound, PROVIDER_KEY, "POST", "/api/chat", body)
    path = f"/api/conversations/{mine['conversation_id']}"
    assert (await ask(bound, KEY, "GET", path))[0] == 200
    assert (await ask(bound, PROVIDER_KEY, "GET", "/api/admin/users"))[0] == 403


async def test_who_comes_through_a_proxy_brings_none(bound: Scenario) -> None:
    for name in ("X_Forwarded_For", "Forwarded", "Via", "X_Real_IP", "X_Forwarded_Host"):
        for key in (OPENAI, PROVIDER_KEY):
            status, _ = await ask(bound, key, "GET", "/api/me", **{name: "127.0.0.1"})
            assert status == 401, (name, key)


async def test_a_socket_takes_them_in_its_first_frame(bound: Scenario) -> None:
    async with opened(bound.server.port, key=None) as socket:
        await socket.send(type="auth", api_key=OPENAI)
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}
    async with opened(bound.server.port, key=None) as socket:
        await socket.send(type="auth", api_key=OPENAI, provider="anthropic")
        assert (await socket.next())["code"] == "unauthenticated"


async def test_what_waits_for_a_key_that_is_gone_says_so(upstream: FakeProvider) -> None:
    with Server(provider_url=upstream.base_url, settings=settings(upstream)) as server:
        scenario, sent = Scenario(server, upstream), {"Authorization": f"Bearer {OPENAI}"}
        silent = directive(Script(faults=(Stall(),)))
        _, made = await ask(scenario, OPENAI, "POST", "/api/conversations", {})
        body = {"message": silent, "conversation_id": made["id"], "model": "openai/fake"}
        one, two = {**body, "client_msg_id": "one"}, {**body, "client_msg_id": "two"}
        async with (
            await begin(scenario, "/api/chat/stream", one, **sent) as first,
            await begin(scenario, "/api/chat/stream", two, **sent) as second,
        ):
            assert (first.status, second.status) == (200, 200)
            server.kill("everything")
        server.restart()

        async def codes() -> list[str] | None:
            rows = await scenario.fetch("SELECT error_code FROM runs WHERE status = 'failed'")
            return [row["error_code"] for row in rows] if len(rows) == 2 else None

        assert await eventually(codes) == ["provider_key_gone"] * 2
        _, again = await ask(scenario, OPENAI, "POST", "/api/chat", {"message": "hello"})
        assert again["response"]


async def test_byok_can_be_off(upstream: FakeProvider) -> None:
    told = {**settings(upstream), "CARTRITA_BYOK": "off"}
    with Server(provider_url=upstream.base_url, settings=told) as server:
        scenario = Scenario(server, upstream)
        for key in (OPENAI, PROVIDER_KEY):
            assert (await ask(scenario, key, "GET", "/api/me"))[0] == 401


async def test_wrong_keys_of_all_kinds_are_counted_together(upstream: FakeProvider) -> None:
    told = {**settings(upstream), "CARTRITA_INBOUND_LIMITS": "failed=6/minute"}
    with Server(provider_url=upstream.base_url, settings=told) as server:
        scenario = Scenario(server, upstream)
        assert (await ask(scenario, OPENAI, "GET", "/api/me"))[0] == 200
        wrong = {"provider": "openai", "key": UNKNOWN}
        for key, body, expected in (
            (UNKNOWN, None, 401),
            ("ck_of-nobody", None, 401),
            (KEY, wrong, 422),
            (f"{UNKNOWN}2", None, 401),
            (KEY, wrong, 422),
        ):
            assert (await ask(scenario, key, "POST", "/api/credentials", body))[0] == expected
        async with opened(server.port, key=None) as socket:
            await socket.send(type="auth", api_key=UNKNOWN)
            assert (await socket.next())["code"] == "unauthenticated"
        asked = upstream.begun()
        for key, body in ((UNKNOWN, None), (ANOTHER, None), (KEY, wrong)):
            status, refused = await ask(scenario, key, "POST", "/api/credentials", body)
            assert (status, refused["code"]) == (429, "rate_limited")
        assert upstream.begun() == asked
        assert (await ask(scenario, OPENAI, "GET", "/api/me"))[0] == 200


async def test_nothing_of_them_is_kept(bound: Scenario) -> None:
    said = {"model": "openai/fake", "messages": SAID}
    assert (await post_json(bound, "/v1/chat/completions", said, Authorization=f"Bearer {OPENAI}"))[
        0
    ] == 200
    tables = await bound.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = await bound.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" t')
        for row in rows:
            for key in (OPENAI, CLAUDE, FACE):
                assert key not in row["row"], table["tablename"]
                assert key.encode().hex() not in row["row"], table["tablename"]
    log = bound.server.log_tail(10_000_000)
    for key in (OPENAI, CLAUDE, FACE, UNKNOWN):
        assert key not in log
        assert key[-12:] not in log
