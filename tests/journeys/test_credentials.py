"""Keys of providers that callers bring: who pays for what, and what ends a credential."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, until
from tests.harness.server import KEY, Server
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.v1 import begin, exchange_with, frames, post_json

KEYS = tuple(f"sk-proj-of-the-same-length-and-beginning-{number}-and-end" for number in range(6))
OWN, NEWER, SHARED, OTHER, NEW_SHARED, LAST = KEYS
LONG = Script(words=2000, between_tokens_s=0.05)
WATCHDOG_S = 10.0
_numbers = count(1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeProvider]:
    """A provider that accepts the server's key and all those of the callers."""
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=KEYS) as running:
        yield running


@pytest.fixture(scope="module")
def replicas(upstream: FakeProvider) -> Iterator[tuple[Scenario, Scenario]]:
    """Two servers on one database."""
    settings = {"ANTHROPIC_BASE_URL": upstream.root_url, "ANTHROPIC_API_KEY": PROVIDER_KEY}
    with (
        Server(provider_url=upstream.base_url, workers=2, settings=settings) as first,
        Server(provider_url=upstream.base_url, database_url=first.dsn, settings=settings) as second,
    ):
        yield Scenario(first, upstream), Scenario(second, upstream)


class Caller:
    """A user of a tenant, with a key of the server."""

    def __init__(self, scenario: Scenario, secret: str) -> None:
        self.scenario = scenario
        self.sent = {"X_API_Key": secret, "Authorization": f"Bearer {secret}"}

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        sent = {"X_API_Key": self.sent["X_API_Key"]}
        return await self.scenario.call(method, path, body, **sent)

    async def made(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, answered = await self.call(method, path, body)
        assert status in (200, 201), answered
        return answered

    async def exchange(self, key: str, **fields: Any) -> dict[str, Any]:
        return await self.made(
            "POST", "/api/credentials", {"provider": "openai", "key": key, **fields}
        )

    async def relay(self, script: Script | None = None) -> tuple[int, dict[str, Any], str]:
        """A relayed request; its status, its answer, and the key that the provider got."""
        word = f"spinel-{next(_numbers)}-{self.scenario.server.port}"
        prompt = f"{word} {directive(script or Script(words=3))}"
        body = {"model": "openai/fake", "messages": [{"role": "user", "content": prompt}]}
        status, answered = await post_json(self.scenario, "/v1/chat/completions", body, **self.sent)
        return status, answered, _bearer(self.scenario, word)

    async def paid(self) -> set[str]:
        """The keys that pay for two answers to this caller: one relayed, one of a run."""
        status, answered, key = await self.relay()
        assert status == 200, answered
        word = f"garnet-{next(_numbers)}-{self.scenario.server.port}"
        prompt = f"{word} {directive(Script(words=3))}"
        chat = {"message": prompt, "provider": "openai", "model": "fake"}
        await self.made("POST", "/api/chat", chat)
        return {key, _bearer(self.scenario, word)}

    async def comes_to_pay(self, key: str) -> None:
        """Wait until `key` pays: each worker of a server learns of a change by itself."""
        async with asyncio.timeout(WATCHDOG_S):
            while await self.paid() != {key}:
                pass


def _bearer(scenario: Scenario, word: str) -> str:
    return (exchange_with(scenario, word).header("authorization") or "").removeprefix("Bearer ")


async def caller(scenario: Scenario, tenant: str, role: str = "member", **fields: Any) -> Caller:
    key = await new_key(scenario, await new_user(scenario, tenant, role), **fields)
    return Caller(scenario, key["key"])


async def test_the_own_key_pays_then_the_tenants_then_the_servers(
    replicas: tuple[Scenario, Scenario],
) -> None:
    first, second = replicas
    tenant = await new_tenant(first)
    ann, bob = await caller(first, tenant), await caller(second, tenant)
    admin = await caller(first, tenant, "admin")
    stranger = await caller(second, await new_tenant(first))
    assert [await one.paid() for one in (ann, bob, stranger)] == [{PROVIDER_KEY}] * 3
    shared = await admin.exchange(SHARED, shared=True)
    own = await ann.exchange(OWN)
    elsewhere = Caller(second, ann.sent["X_API_Key"])
    await elsewhere.comes_to_pay(OWN)
    await bob.comes_to_pay(SHARED)
    await ann.comes_to_pay(OWN)
    await admin.comes_to_pay(SHARED)
    assert await stranger.paid() == {PROVIDER_KEY}
    await ann.made("DELETE", f"/api/credentials/{own['credential']['id']}")
    await ann.comes_to_pay(SHARED)
    await admin.made("DELETE", f"/api/credentials/{shared['credential']['id']}")
    await ann.comes_to_pay(PROVIDER_KEY)


async def test_an_exchanged_key_uses_its_provider_only(
    replicas: tuple[Scenario, Scenario],
) -> None:
    ann = await caller(replicas[0], await new_tenant(replicas[0]))
    exchanged = await ann.exchange(OWN)
    credential, issued = exchanged["credential"], exchanged["api_key"]
    assert (credential["hint"], credential["state"], credential["shared"]) == (
        OWN[-4:],
        "active",
        False,
    )
    assert issued["scopes"]["providers"] == ["openai"]
    exchanged_key = Caller(replicas[0], issued["key"])
    await exchanged_key.comes_to_pay(OWN)
    unknown = Caller(replicas[0], issued["key"][:-9] + "_00000000")
    said = [{"role": "user", "content": "hello"}]
    for path, body in (
        ("/api/chat", {"message": "hello", "provider": "anthropic"}),
        ("/api/huggingface/chat", {"message": "hello"}),
        ("/api/code", {"task": "hello", "model": "anthropic/claude-fake"}),
        ("/v1/chat/completions", {"model": "anthropic/fake", "messages": said}),
        ("/v1/responses", {"model": "anthropic/fake", "input": "hello"}),
        ("/v1/messages", {"model": "anthropic/fake", "messages": said, "max_tokens": 9}),
        ("/v1/embeddings", {"model": "anthropic/fake", "input": "hello"}),
    ):
        status, refused = await exchanged_key.call("POST", path, body)
        assert status == 403, (path, refused)
        assert "provider" in json.dumps(refused)
        assert (await unknown.call("POST", path, body))[0] == 401, path
    body = {"provider": "openai", "key": NEWER}
    status, refused = await exchanged_key.call("POST", "/api/credentials", body)
    assert (status, refused["code"]) == (403, "scope_operation")
    again = await ann.exchange(OWN)
    assert again["credential"] == credential
    assert again["api_key"]["id"] != issued["id"]
    listed = await ann.made("GET", "/api/credentials")
    assert [one["id"] for one in listed["items"]] == [credential["id"]]


async def test_wrong_keys_look_alike(
    replicas: tuple[Scenario, Scenario],
) -> None:
    ann = await caller(replicas[1], await new_tenant(replicas[0]))
    answers: list[tuple[int, Any]] = []
    for wrong in ("sk-unknown-to-the-provider", f"{OWN} ", f"{OWN[:-1]}", "é" * 20, "a b c d e f"):
        body = {"provider": "openai", "key": wrong}
        status, answered = await ann.call("POST", "/api/credentials", body)
        answers.append((status, answered.get("errors")))
    good = answers.pop(1)
    assert good[0] == 201  # spaces around a key are none of it
    assert answers == [(422, {"key": ["openai does not accept this key"]})] * 4


async def test_others_credentials_are_not_there(replicas: tuple[Scenario, Scenario]) -> None:
    first, _ = replicas
    tenant = await new_tenant(first)
    ann, bob = await caller(first, tenant), await caller(first, tenant)
    admin = await caller(first, tenant, "admin")
    stranger = await caller(first, await new_tenant(first), "admin")
    own = (await ann.exchange(OTHER))["credential"]["id"]
    shared = (await admin.exchange(SHARED, shared=True))["credential"]["id"]
    paths = (("GET", ""), ("DELETE", ""), ("POST", "/rotate"))
    for method, rest in paths:
        for other, identity in ((bob, own), (admin, own), (stranger, own), (stranger, shared)):
            body = {"key": OTHER} if rest else None
            path = f"/api/credentials/{identity}{rest}"
            status, refused = await other.call(method, path, body)
            assert (status, refused["code"]) == (404, "credential_not_found")
    for method, rest in paths[1:]:
        body = {"key": OTHER} if rest else None
        path = f"/api/credentials/{shared}{rest}"
        assert (await bob.call(method, path, body))[0] == 403
    body = {"provider": "openai", "key": OTHER, "shared": True}
    assert (await bob.call("POST", "/api/credentials", body))[0] == 403
    assert (await bob.made("GET", f"/api/credentials/{shared}"))["shared"] is True
    await bob.comes_to_pay(SHARED)
    assert await stranger.paid() == {PROVIDER_KEY}


async def test_an_own_credential_that_is_refused_is_the_callers_matter(
    replicas: tuple[Scenario, Scenario],
) -> None:
    first, _ = replicas
    tenant = await new_tenant(first)
    ann, bob = await caller(first, tenant), await caller(first, tenant)
    await ann.exchange(OWN)
    await ann.comes_to_pay(OWN)
    for status, code in ((401, "upstream_auth"), (402, "insufficient_quota")):
        fault = Script(faults=(ReplacedResponse(status=status),))
        for _ in range(6):
            answered, body, key = await ann.relay(fault)
            assert (answered, body["error"]["code"], key) == (status, code, OWN)
        chat = {"message": directive(fault), "provider": "openai", "model": "fake"}
        assert (await ann.call("POST", "/api/chat", chat))[0] == status
        health = await made(first, "GET", "/api/providers")
        assert "exhausted" not in json.dumps(health)
        assert await bob.paid() == {PROVIDER_KEY}
    answered, body, key = await bob.relay(Script(faults=(ReplacedResponse(status=401),)))
    assert (answered, body["error"]["code"], key) == (502, "upstream_auth", PROVIDER_KEY)
    await ann.comes_to_pay(OWN)


@pytest.mark.parametrize("how", ["revoked", "rotated"])
async def test_what_a_credential_pays_is_cut_when_it_is_revoked_and_not_when_it_retires(
    replicas: tuple[Scenario, Scenario], how: str
) -> None:
    first, second = replicas
    tenant = await new_tenant(first)
    admin, ann = await caller(first, tenant, "admin"), await caller(second, tenant)
    shared = (await admin.exchange(SHARED, shared=True))["credential"]["id"]
    await ann.comes_to_pay(SHARED)
    word = f"beryl-{next(_numbers)}"
    body = {
        "model": "openai/fake",
        "messages": [{"role": "user", "content": f"{word} {directive(LONG)}"}],
        "stream": True,
    }
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(
            await begin(second, "/v1/chat/completions", body, **ann.sent)
        )
        chunks = answer.chunks()
        read = await anext(chunks)
        if how == "rotated":
            path = f"/api/credentials/{shared}/rotate"
            rotated = await admin.made("POST", path, {"key": NEW_SHARED})
            assert (rotated["version"], rotated["state"]) == (2, "active")
            retired = await admin.made("GET", f"/api/credentials/{shared}")
            assert retired["state"] == "retiring"
            await ann.comes_to_pay(NEW_SHARED)
            assert exchange_with(second, word).outcome == "open"
            status, refused = await admin.call("POST", path, {"key": LAST})
            assert (status, refused["code"]) == (409, "credential_not_current")
        await admin.made("DELETE", f"/api/credentials/{shared}")
        async with asyncio.timeout(WATCHDOG_S):
            read += b"".join([piece async for piece in chunks])
        assert frames(read)[-1][1]["error"]["code"] == "credential_ended"
        await until(lambda: exchange_with(second, word).outcome == "disconnected")
    [row] = await first.fetch("SELECT ciphertext FROM credentials WHERE id = $1", shared)
    assert row["ciphertext"] == b""


async def test_a_run_is_cut_as_well(replicas: tuple[Scenario, Scenario]) -> None:
    first, _ = replicas
    ann = await caller(first, await new_tenant(first))
    own = (await ann.exchange(OWN))["credential"]["id"]
    word = f"topaz-{next(_numbers)}"
    chat = {"message": f"{word} {directive(LONG)}", "provider": "openai", "model": "fake"}
    async with await begin(first, "/api/chat/stream", chat, **ann.sent) as answer:
        chunks = answer.chunks()
        read = b""
        while b'"text_delta"' not in read and b'"token"' not in read:
            read += await anext(chunks)
        await ann.made("DELETE", f"/api/credentials/{own}")
        async with asyncio.timeout(WATCHDOG_S):
            read += b"".join([piece async for piece in chunks])
    last = frames(read)[-1][1]
    assert (last["event"], last["data"]["code"]) == ("error", "credential_ended")


async def test_keys_are_stored_nowhere_in_the_clear(replicas: tuple[Scenario, Scenario]) -> None:
    first, _ = replicas
    ann = await caller(first, await new_tenant(first))
    await ann.exchange(LAST)
    await ann.comes_to_pay(LAST)
    for status in (400, 401, 402, 403, 429, 500):  # a provider that repeats what it was sent
        body = json.dumps({"error": {"message": f"No: {LAST}", "code": LAST, "type": LAST}})
        fault = ReplacedResponse(status=status, body=body)
        first.provider.script(Script(faults=(fault,)), default=True, path="/v1/chat/completions")
        for path in ("/v1/chat/completions", "/api/chat"):
            said = [{"role": "user", "content": "hello"}]
            asked = {"model": "fake", "messages": said, "message": "hello", "provider": "openai"}
            asked |= {"model": "openai/fake"} if path.startswith("/v1") else {}
            answered, told = await ann.call("POST", path, asked)
            assert answered >= 400
            assert LAST not in json.dumps(told), (status, path)
    first.provider.reset()
    tables = await first.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = await first.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" t')
        for row in rows:
            for form in (LAST, LAST.encode().hex()):
                assert form not in row["row"], table["tablename"]
    for replica in replicas:
        assert LAST not in replica.server.log_tail(10_000_000)


def test_the_wrapping_key_can_be_changed(upstream: FakeProvider) -> None:
    with Server(provider_url=upstream.base_url) as server:
        scenario = Scenario(server, upstream)
        local = Caller(scenario, KEY)
        asyncio.run(_exchanged(local))
        for number in (1, 2):
            secret = f"{number} of at least 32 characters......"
            server.change({"CARTRITA_CREDENTIALS_SECRET": secret})
            server.stop()
            server.restart()
            asyncio.run(local.comes_to_pay(OWN))
            server.change({"CARTRITA_CREDENTIALS_PREVIOUS_SECRET": secret})


async def _exchanged(caller: Caller) -> None:
    await caller.exchange(OWN)
