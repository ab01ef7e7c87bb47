"""A key that ends, ends at every process of every replica, and with it what streams to its user."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually, until
from tests.harness.websockets import opened
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.v1 import begin, exchange_with, frames, post_json

from cartrita.domain.principals import LOCAL_TENANT
from cartrita.kit import clock

LONG = Script(words=2000, between_tokens_s=0.05)
SLOW = Script(words=100, between_tokens_s=0.05)
LATE = Script(text="late", before_headers_s=60)
WATCHDOG_S = 10.0
"""Ten times as long as it may take."""
SECONDS = 3.0
ENDS = ("revoked", "rotated", "narrowed", "expired", "user", "tenant", "by hand")


@pytest.fixture(scope="module")
def replicas(shared: Serve) -> tuple[Scenario, Scenario]:
    """Two servers on one database, the first with two workers."""
    first = shared(workers=2, settings={"OPENAI_COMPAT_MODEL_NAME": "x"})
    return first, shared(database_url=first.server.dsn)


class Streams:
    """What streams to the holder of one key, at both replicas."""

    def __init__(self, key: dict[str, Any]) -> None:
        self.key = key
        self.readers: list[asyncio.Task[bytes]] = []
        self.relayed: list[tuple[Scenario, str]] = []
        self.run = ""

    async def begin(self, stack: AsyncExitStack, at: Scenario, number: int) -> None:
        """Start a run, a relayed stream, and one more reader of the run, at a replica."""
        word = f"chrysoberyl-{self.key['id']}-{number}"
        prompt = f"{word} {directive(LONG)}"
        sent = {"X_API_Key": self.key["key"], "Authorization": f"Bearer {self.key['key']}"}
        if not self.run:
            chat = {"message": prompt, "provider": "openai", "model": "fake"}
            run = await stack.enter_async_context(await begin(at, "/api/chat/stream", chat, **sent))
            first = await self._read(run)
            self.run = first.split(b"id: ")[1].split(b".")[0].decode()
        relay = f"relayed-{word}"
        body = {
            "model": "openai/fake",
            "messages": [{"role": "user", "content": f"relayed-{prompt}"}],
            "stream": True,
        }
        answer = await stack.enter_async_context(
            await begin(at, "/v1/chat/completions", body, **sent)
        )
        self.relayed.append((at, relay))
        await self._read(answer)
        path = f"/api/runs/{self.run}/events"
        head = {"X-API-Key": self.key["key"]}
        events = await raw_http.request(at.server.port, "GET", path, head)
        await stack.enter_async_context(events)
        await self._read(events)

    async def _read(self, answer: raw_http.Answer) -> bytes:
        """Have an answer read to its end; its first bytes."""
        assert answer.status == 200, answer.status
        chunks = answer.chunks()
        first = await anext(chunks)
        self.readers.append(asyncio.create_task(_rest(first, chunks)))
        return first


async def _rest(first: bytes, chunks: AsyncIterator[bytes]) -> bytes:
    return first + b"".join([piece async for piece in chunks])


async def end(scenario: Scenario, how: str, key: dict[str, Any], user: str, tenant: str) -> None:
    path = f"/api/admin/keys/{key['id']}"
    match how:
        case "revoked":
            await made(scenario, "POST", f"{path}/revoke")
        case "rotated":
            await made(scenario, "POST", f"{path}/rotate", {"overlap_seconds": 0})
        case "narrowed":
            await made(scenario, "PATCH", path, {"scopes": {"providers": ["anthropic"]}})
        case "expired":
            soon = clock.now() + timedelta(seconds=SECONDS)
            await made(scenario, "PATCH", path, {"expires_at": soon.isoformat()})
        case "user":
            await made(scenario, "PATCH", f"/api/admin/users/{user}", {"disabled": True})
        case "tenant":
            await made(scenario, "PATCH", f"/api/admin/tenants/{tenant}", {"disabled": True})
        case _:
            await scenario.fetch("UPDATE api_keys SET revoked_at = now() WHERE id = $1", key["id"])


@pytest.fixture
async def stack() -> AsyncGenerator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def test_a_key_that_ends_is_cut_everywhere(
    replicas: tuple[Scenario, Scenario], stack: AsyncExitStack
) -> None:
    first, second = replicas
    for how in ENDS:
        tenant = await new_tenant(first)
        user = await new_user(first, tenant)
        key = await new_key(first, user)
        streams, others = Streams(key), Streams(await new_key(first, await new_user(first, tenant)))
        for number, at in enumerate((first, first, second)):
            await streams.begin(stack, at, number)
        if how != "tenant":
            await others.begin(stack, second, 0)
        await end(first, how, key, user, tenant)
        async with asyncio.timeout(WATCHDOG_S):
            answers = await asyncio.gather(*streams.readers)
        for answer in answers:
            assert b'"event":"done"' not in answer
            assert b"[DONE]" not in answer
        told = [frames(answer)[-1][1] for answer in answers if b"chat.completion.chunk" in answer]
        assert [one["error"]["code"] for one in told] == ["key_ended"] * 3
        for at, word in streams.relayed:
            await until(lambda at=at, word=word: exchange_with(at, word).outcome == "disconnected")
        assert not any(reader.done() for reader in others.readers), how
        await assert_ended(replicas, key, how)
        # The run itself is its owner's, and goes on.
        [row] = await first.fetch(
            "SELECT status FROM runs WHERE id = $1::text::uuid", streams.run.removeprefix("run_")
        )
        assert row["status"] == "running", how
        for reader in others.readers:
            reader.cancel()


async def assert_ended(replicas: tuple[Scenario, Scenario], key: dict[str, Any], how: str) -> None:
    """No process lets the key in; a narrowed one may do what is left."""
    for at in (*replicas[:1] * 8, *replicas[1:] * 4):
        status, told = await at.call("GET", "/api/me", X_API_Key=key["key"])
        if how != "narrowed":
            assert (status, told["code"]) == (401, "unauthenticated"), how
            continue
        assert told["scopes"]["providers"] == ["anthropic"]
        chat = {"message": "x", "provider": "openai"}
        status, told = await at.call("POST", "/api/chat", chat, X_API_Key=key["key"])
        assert (status, told["code"]) == (403, "scope_provider")


async def test_sockets_of_a_key_that_ends_are_cut_everywhere(
    replicas: tuple[Scenario, Scenario], stack: AsyncExitStack
) -> None:
    """At both workers of one server and at another, while silent and while it follows a run."""
    first, second = replicas
    user = await new_user(first, LOCAL_TENANT)
    ending, staying = [await new_key(first, user) for _ in range(2)]
    cut = [
        await stack.enter_async_context(opened(at.server.port, key=ending["key"]))
        for at in (first, first, first, first, second)
    ]
    kept = await stack.enter_async_context(opened(second.server.port, key=staying["key"]))
    for socket in (*cut, kept):
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}
    await cut[0].send(type="chat", message=first.message(SLOW), model="openai/fake")
    assert (await cut[0].next())["event"] == "stream_start"
    await made(first, "POST", f"/api/admin/keys/{ending['id']}/revoke")
    async with asyncio.timeout(WATCHDOG_S):
        ended = await asyncio.gather(*(socket.closed() for socket in cut))
    for told, code in ended:
        assert (told[-1]["code"], code) == ("key_ended", 1008)
    await kept.send(type="ping")
    assert await kept.next() == {"type": "pong"}
    async with opened(first.server.port, key=ending["key"]) as refused:
        told, code = await refused.closed()
        assert (told[-1]["code"], code) == ("unauthenticated", 1008)


async def test_a_queued_run_of_a_key_that_ended_is_not_begun(
    replicas: tuple[Scenario, Scenario], stack: AsyncExitStack
) -> None:
    first, _ = replicas
    user = await new_user(first, await new_tenant(first))
    streams = Streams(await new_key(first, user))
    await streams.begin(stack, first, 0)
    _, run = await first.call("GET", f"/api/runs/{streams.run}", X_API_Key=streams.key["key"])
    lost = await new_key(first, user)
    chat = {"message": "after", "conversation_id": run["conversation_id"], "stream": True}
    path = "/api/chat/stream"
    queued = await stack.enter_async_context(
        await begin(first, path, chat, Authorization=f"Bearer {lost['key']}")
    )
    assert queued.status == 200
    await made(first, "POST", f"/api/admin/keys/{lost['id']}/revoke")
    secret = streams.key["key"]
    await made(first, "POST", f"/api/runs/{streams.run}/cancel", X_API_Key=secret)

    async def failed() -> bool:
        rows = await first.fetch("SELECT error_code FROM runs WHERE owner_id = $1", user)
        return any(row["error_code"] == "key_ended" for row in rows)

    await eventually(failed)
    for reader in streams.readers:
        reader.cancel()


async def test_who_waits_for_a_whole_answer_is_told(scenario: Scenario) -> None:
    user = await new_user(scenario, await new_tenant(scenario))
    for path, body in (
        ("/api/chat", {"message": directive(LATE)}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": directive(LATE)}]}),
        ("/api/code", {"task": directive(LATE)}),
    ):
        key = await new_key(scenario, user)
        asked = {"model": "openai/fake", **body}
        sent = {"Authorization": f"Bearer {key['key']}"}
        begun = scenario.provider.begun()
        waiting = asyncio.create_task(post_json(scenario, path, asked, **sent))
        await until(lambda begun=begun: scenario.provider.begun() > begun)
        await made(scenario, "POST", f"/api/admin/keys/{key['id']}/revoke")
        async with asyncio.timeout(WATCHDOG_S):
            status, told = await waiting
        assert (status, told.get("code") or told["error"]["code"]) == (401, "key_ended")
        if path == "/api/chat":  # with another key of the same owner the answer is found
            other = (await new_key(scenario, user))["key"]
            run = f"/api/runs/{told['details']['run_id']}"
            status, found = await scenario.call("POST", f"{run}/cancel", X_API_Key=other)
            assert (status, found["id"]) == (200, told["details"]["run_id"])
            assert found["conversation_id"] == told["details"]["conversation_id"]


async def test_what_a_greater_key_asked_a_lesser_one_does_not_ask_again(scenario: Scenario) -> None:
    user = await new_user(scenario, await new_tenant(scenario))
    great = await new_key(scenario, user)
    limited = await new_key(scenario, user, scopes={"models": ["anthropic/*"]})
    chat = {"message": "hello", "provider": "openai", "model": "fake"}
    answer = await made(scenario, "POST", "/api/chat", chat, X_API_Key=great["key"])
    at = f"/api/conversations/{answer['conversation_id']}/messages"
    asked = scenario.provider.begun()
    for path, body in (
        (f"{at}/{answer['message_id']}/retry", {}),
        (f"{at}/{answer['message']['parent_id']}", {"content": "hello again"}),
    ):
        method = "POST" if path.endswith("retry") else "PATCH"
        status, told = await scenario.call(method, path, body, X_API_Key=limited["key"])
        assert (status, told["code"]) == (403, "scope_model"), told
    assert scenario.provider.begun() == asked


async def test_rotation_overlaps(scenario: Scenario) -> None:
    user = await new_user(scenario, await new_tenant(scenario))
    key = await new_key(scenario, user, scopes={"operations": ["keys", "chat"]})
    path = f"/api/keys/{key['id']}/rotate"
    successor = await made(scenario, "POST", path, {}, X_API_Key=key["key"])
    assert successor["scopes"]["operations"] == ["keys", "chat"]
    for secret in (key["key"], successor["key"]):
        me = await made(scenario, "GET", "/api/me", X_API_Key=secret)
        assert me["owner_id"] == user
    old = await made(scenario, "GET", f"/api/keys/{key['id']}", X_API_Key=successor["key"])
    assert (old["replaced_by"], old["active"]) == (successor["id"], True)
    status, told = await scenario.call("POST", path, {}, X_API_Key=key["key"])
    assert (status, told["code"]) == (409, "key_not_rotatable")


async def test_scopes_at_every_door(scenario: Scenario) -> None:
    """A provider that is not in the scopes is reached by no surface, name, route or agent."""
    user = await new_user(scenario, await new_tenant(scenario))
    key = await new_key(scenario, user, scopes={"models": ["anthropic/*"]})
    sent = {"X_API_Key": key["key"], "Authorization": f"Bearer {key['key']}"}
    asked = scenario.provider.begun()
    messages = [{"role": "user", "content": "x"}]
    for path, body in (
        ("/api/chat", {"message": "x"}),
        ("/api/chat", {"message": "x", "provider": "openai", "model": "fake"}),
        ("/api/chat/stream", {"message": "x", "model": "openai/fake"}),
        ("/api/code", {"task": "x", "model": "openai/fake"}),
        ("/v1/chat/completions", {"model": "openai/fake", "messages": messages}),
        ("/v1/chat/completions", {"model": "cartrita", "messages": messages}),
        ("/v1/chat/completions", {"model": "openai/fake", "messages": messages, "n": 2}),
        ("/v1/chat/completions", {"model": "openai/fake", "messages": messages, "store": True}),
        ("/v1/responses", {"model": "openai/fake", "input": "x"}),
        ("/v1/responses", {"model": "openai/fake", "input": "x", "store": False}),
        ("/v1/embeddings", {"model": "openai/fake", "input": "x"}),
        ("/v1/messages", {"model": "openai/fake", "max_tokens": 9, "messages": messages}),
        ("/v1/messages/count_tokens", {"model": "openai/fake", "messages": messages}),
    ):
        status, told = await post_json(scenario, path, body, **sent)
        assert status == 403, (path, body, status, told)
        assert "anthropic/*" in json.dumps(told)
    assert scenario.provider.begun() == asked
    listed = await made(scenario, "GET", "/api/models", X_API_Key=key["key"])
    assert all(name.startswith("anthropic/") for name in listed["models"])
    listed = await made(scenario, "GET", "/v1/models", X_API_Key=key["key"])
    assert not any(model["id"].startswith(("openai/", "cartrita")) for model in listed["data"])
    for path in ("/v1/models/openai/fake", "/api/conversations"):
        status, _ = await scenario.call("GET", path, X_API_Key=key["key"])
        assert status == (403 if "models" in path else 200)
