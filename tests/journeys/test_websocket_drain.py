"""SIGTERM with open WebSockets: each is told when to come back, and finds its runs."""

import asyncio
import signal

from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.websockets import opened, text_of

SLOW = Script(words=40, between_tokens_s=0.1)


async def test_sigterm(serve: Serve) -> None:
    scenario = serve(workers=2, lease_s=15.0)
    port = scenario.server.port
    message = scenario.message(SLOW)
    async with opened(port) as busy, opened(port) as idle, opened(port, key=None) as unknown:
        await busy.send(type="chat", message=message, model="openai/fake")
        before = await busy.until(lambda frame: frame.get("event") == "token")
        await idle.send(type="ping")
        assert await idle.next() == {"type": "pong"}
        stopping = asyncio.to_thread(scenario.server.stop, signal.SIGTERM)
        (rest, *others), stopped = await asyncio.gather(
            asyncio.gather(busy.closed(), idle.closed(), unknown.closed()), stopping
        )
    assert stopped == 0
    for frames, code in (rest, *others):
        assert code == 1001
        assert frames[-1]["type"] == "drain"
        assert 1 <= frames[-1]["retry_after"] <= 3
    assert [frames for frames, _ in others] == [[frames[-1]] for frames, _ in others]
    before += [frame for frame in rest[0] if "event" in frame]
    await asyncio.to_thread(scenario.server.restart)
    run = before[-1]["run_id"]
    async with opened(port) as again:
        await again.send(type="resume", run_id=run, after=before[-1]["seq"])
        after = await again.until_end(run)
    received = text_of([*before, *after])
    assert after[-1]["data"]["code"] == "interrupted"
    assert scenario.answers[message].startswith(received)
    assert received == await scenario.text_of(before[0]["data"]["message_id"])
    assert scenario.server.unexpected_errors() == []
