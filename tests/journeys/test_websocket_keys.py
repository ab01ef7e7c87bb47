"""A WebSocket does what its key may, and is closed when that ends."""

import asyncio
from contextlib import AsyncExitStack

from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.websockets import opened
from tests.journeys.accounts import made, new_key, new_user

from cartrita.domain.principals import LOCAL_TENANT

WATCHDOG_S = 10.0
"""Ten times as long as it may take."""
SLOW = Script(words=100, between_tokens_s=0.05)


async def test_a_key_that_ends_is_cut_everywhere(serve: Serve) -> None:
    """At both workers of one server and at another, while silent and while it follows a run."""
    first = serve(workers=2)
    second = serve(database_url=first.server.dsn)
    user = await new_user(first, LOCAL_TENANT)
    ending, staying = [await new_key(first, user) for _ in range(2)]
    async with AsyncExitStack() as stack:
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
        for frames, code in ended:
            assert (frames[-1]["code"], code) == ("key_ended", 1008)
        await kept.send(type="ping")
        assert await kept.next() == {"type": "pong"}
        async with opened(first.server.port, key=ending["key"]) as refused:
            frames, code = await refused.closed()
            assert (frames[-1]["code"], code) == ("unauthenticated", 1008)


async def test_a_key_that_may_not_chat(scenario: Scenario) -> None:
    user = await new_user(scenario, LOCAL_TENANT)
    key = await new_key(scenario, user, scopes={"operations": ["embeddings"]})
    async with opened(scenario.server.port, key=key["key"]) as socket:
        frames, code = await socket.closed()
    assert (frames[-1]["code"], code) == ("scope_operation", 1008)


async def test_a_key_for_one_provider(scenario: Scenario) -> None:
    user = await new_user(scenario, LOCAL_TENANT)
    key = await new_key(scenario, user, scopes={"providers": ["openai"]})
    async with opened(scenario.server.port, key=key["key"]) as socket:
        await socket.send(type="chat", message="Hi", model="anthropic/fake", client_msg_id="no")
        refused = await socket.next()
        assert (refused["code"], refused["client_msg_id"]) == ("scope_provider", "no")
        message = scenario.message(Script(words=3))
        await socket.send(type="chat", message=message, model="openai/fake")
        assert (await socket.until_end())[-1]["response"] == scenario.answers[message]
