"""Runs over a WebSocket: several at once, on other transports, to slow readers, after a kill."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.raw_http import request
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import Frame, narrow_socket, opened, seqs_of, text_of

from cartrita.kit.sse import Parser

SLOW = Script(words=40, between_tokens_s=0.05)
PACED = Script(words=60, between_tokens_s=0.05)


async def sse(scenario: Scenario, run: str, after: int, most: int | None = None) -> list[Frame]:
    """The events of a run from its event stream, with their place; `most` leaves it early."""
    target = f"/api/runs/{run}/events?after={after}"
    return await stream(scenario, "GET", target, most=most)


async def stream(
    scenario: Scenario, method: str, target: str, body: Any = None, most: int | None = None
) -> list[Frame]:
    """The events of any event stream, likewise."""
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    octets = b"" if body is None else json.dumps(body).encode()
    parser, frames = Parser(), list[Frame]()
    async with await request(scenario.server.port, method, target, headers, octets) as answer:
        async for piece in answer.chunks():
            for frame in parser.feed(piece):
                if frame.data:
                    run, _, seq = frame.id.rpartition(".")
                    frames.append({"run_id": run, "seq": int(seq), **json.loads(frame.data)})
            if most is not None and len(frames) >= most:
                break
    return frames


def plain(frames: list[Frame]) -> list[Frame]:
    """Frames without what only the last one of a WebSocket has."""
    return [{name: frame[name] for name in ("run_id", "seq", "event", "data")} for frame in frames]


async def test_two_transports_send_the_same(scenario: Scenario) -> None:
    message = scenario.message(SLOW)
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=message, model="openai/fake")
        first = await socket.until(lambda frame: frame.get("event") == "token")
    run = first[0]["run_id"]
    second = await sse(scenario, run, first[-1]["seq"], most=2)
    async with opened(scenario.server.port) as socket:
        await socket.send(type="resume", run_id=run, after=second[-1]["seq"])
        third = await socket.until_end()
    mixed = plain([*first, *second, *third])
    assert text_of(mixed) == scenario.answers[message]
    assert mixed == await sse(scenario, run, 0)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_begun_as_a_stream(scenario: Scenario, method: str) -> None:
    message = scenario.message(SLOW)
    fields = {"message": message, "model": "openai/fake"}
    target = "/api/chat/stream"
    body = fields if method == "POST" else None
    if body is None:
        target = f"{target}?{urlencode(fields)}"
    first = await stream(scenario, method, target, body, most=3)
    run = first[0]["run_id"]
    async with opened(scenario.server.port) as socket:
        await socket.send(type="resume", run_id=run, after=first[-1]["seq"])
        second = await socket.until(lambda frame: frame.get("event") == "token")
    third = await sse(scenario, run, second[-1]["seq"])
    mixed = plain([*first, *second, *third])
    assert text_of(mixed) == scenario.answers[message] == third[-1]["data"]["final_response"]
    assert mixed == await sse(scenario, run, 0)


async def test_several_runs_on_one_socket(scenario: Scenario) -> None:
    messages = [scenario.message(SLOW) for _ in range(5)]
    async with opened(scenario.server.port) as socket:
        for message in messages:
            await socket.send(
                type="chat", message=message, model="openai/fake", client_msg_id=message[:12]
            )
        frames: list[Frame] = []
        while sum(frame.get("event") == "done" for frame in frames) < len(messages):
            frames.append(await socket.next())
    accepted = [frame for frame in frames if frame.get("type") == "accepted"]
    assert [frame["client_msg_id"] for frame in accepted] == [m[:12] for m in messages]
    for frame, message in zip(accepted, messages, strict=True):
        mine = [f for f in frames if f["run_id"] == frame["run_id"] and "event" in f]
        assert text_of(mine) == scenario.answers[message]
        assert seqs_of(mine) == sorted(set(seqs_of(mine)))


async def test_a_slow_reader_slows_nobody(scenario: Scenario) -> None:
    """A client that reads nothing, while its run writes more than fits between them."""
    message = scenario.message(Script(words=20_000, tokens_per_delta=20))
    narrow = await narrow_socket(scenario.server.port)
    async with (
        opened(scenario.server.port, sock=narrow) as stuck,
        opened(scenario.server.port) as quick,
    ):
        stuck.connection.transport.pause_reading()
        for socket in (stuck, quick):
            await socket.send(
                type="chat", message=message, model="openai/fake", client_msg_id="of-both"
            )
        frames = await quick.until_end()
        assert text_of(frames) == scenario.answers[message]
        stuck.connection.transport.resume_reading()
        assert text_of(await stuck.until_end()) == scenario.answers[message]


async def test_kill_and_resume(serve: Serve) -> None:
    scenario = serve()
    message = scenario.message(PACED)
    async with opened(scenario.server.port) as socket:
        await socket.send(
            type="chat", message=message, model="openai/fake", client_msg_id="before-the-kill"
        )
        before = await socket.until(lambda frame: frame.get("event") == "token")
        scenario.server.kill("everything")
        socket.connection.transport.abort()
    await asyncio.to_thread(scenario.server.restart)
    run = before[-1]["run_id"]
    await scenario.ended(run.removeprefix("run_"))
    async with opened(scenario.server.port) as socket:
        await socket.send(type="resume", run_id=run, after=before[-1]["seq"])
        rest = await socket.until_end()
        assert (rest[-1]["event"], rest[-1]["data"]["code"]) == ("error", "interrupted")
        received = text_of([*before, *rest])
        assert scenario.answers[message].startswith(received)
        assert received == await scenario.text_of(before[0 + 1]["data"]["message_id"])
        await socket.send(
            type="chat", message=message, model="openai/fake", client_msg_id="before-the-kill"
        )
        assert await socket.next() == {
            "type": "accepted",
            "client_msg_id": "before-the-kill",
            "run_id": run,
            "created": False,
        }
