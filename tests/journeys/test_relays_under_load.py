"""Relays whose readers stop, and whose provider dies under all of them at once."""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, until
from tests.harness.server import Server
from tests.journeys.v1 import MAPPED, frames, post

LONG = Script(words=20_000, tokens_per_delta=10)
STREAMS = 200


def request(script: Script, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": directive(script)}]
    return {"model": "openai/fake", "stream": True, "messages": messages, **fields}


async def test_a_reader_that_stops_gets_everything_later(scenario: Scenario) -> None:
    body = encoded(request(LONG))
    stopped = [
        await raw_http.request(
            scenario.server.port, "POST", "/v1/chat/completions", MAPPED, body, slow=True
        )
        for _ in range(5)
    ]
    status, _, _ = await post(scenario, "/v1/chat/completions", request(Script(words=3)))
    assert status == 200
    for answer in stopped[1:]:
        answer.close()
    async with stopped[0] as answer:
        received = await answer.body()
    *chunks, last = [event for _, event in frames(received)]
    assert last == "[DONE]"
    words = "".join(choice["delta"].get("content", "") for c in chunks for choice in c["choices"])
    assert len(words.split()) == LONG.words


def encoded(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


@contextmanager
def mortal_provider() -> Generator[FakeProvider]:
    """A provider that is killed, at the end at the latest."""
    running = fake_provider(seed=7, key=PROVIDER_KEY)
    provider = running.__enter__()
    try:
        yield provider
    finally:
        os.kill(provider.pid, signal.SIGKILL)
        with pytest.raises(AssertionError, match="ended with -9"):
            running.__exit__(None, None, None)


@pytest.mark.slow
async def test_a_provider_dies_under_all_streams() -> None:
    with mortal_provider() as mortal, Server(provider_url=mortal.base_url) as server:
        dying = Scenario(server, mortal)
        slow = Script(words=600, between_tokens_s=0.02)
        answers: list[bytes] = [b""] * STREAMS

        async def read(number: int) -> None:
            path = ("/v1/chat/completions", "/v1/messages")[number % 2]
            body = encoded(request(slow, max_tokens=9000))
            async with await raw_http.request(server.port, "POST", path, MAPPED, body) as answer:
                async for piece in answer.chunks():
                    answers[number] += piece

        async with asyncio.TaskGroup() as tasks:
            for number in range(STREAMS):
                tasks.create_task(read(number))
            await until(lambda: all(answer.count(b"data:") > 10 for answer in answers))
            os.kill(mortal.pid, signal.SIGKILL)
        assert all(b'"error"' in answer for answer in answers)
        assert not any(b"[DONE]" in answer or b"message_stop" in answer for answer in answers)
        status, _, _ = await post(dying, "/v1/chat/completions", request(Script(words=3)))
        assert status == 502
        assert not server.unexpected_errors()
