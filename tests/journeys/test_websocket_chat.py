"""Chats over a WebSocket: authenticated, answered, resumed on any transport, cancelled."""

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import opened, seqs_of, text_of

SLOW = Script(words=40, between_tokens_s=0.05)


async def test_a_chat(scenario: Scenario) -> None:
    message = scenario.message(Script(words=20))
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=message, model="openai/fake")
        frames = await socket.until_end()
    assert frames[0]["event"] == "stream_start"
    assert seqs_of(frames) == sorted(set(seqs_of(frames)))
    done = frames[-1]
    assert text_of(frames) == scenario.answers[message] == done["data"]["final_response"]
    assert done["response"] == scenario.answers[message]
    assert done["done"] is True
    assert done["conversation_id"] == frames[0]["data"]["conversation_id"]
    assert (done["agent_type"], done["processing_time"]) == (
        done["data"]["agent_type"],
        done["data"]["processing_time"],
    )
    assert {frame["run_id"] for frame in frames} == {done["data"]["run_id"]}


@pytest.mark.parametrize("after_end", [False, True])
async def test_a_resume_on_another_socket(scenario: Scenario, after_end: bool) -> None:
    message = scenario.message(SLOW)
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=message, model="openai/fake")
        before = await socket.until(lambda frame: frame.get("event") == "token")
    run = before[-1]["run_id"]
    if after_end:
        await scenario.ended(run.removeprefix("run_"))
    async with opened(scenario.server.port) as socket:
        await socket.send(type="resume", run_id=run, after=before[-1]["seq"])
        rest = await socket.until_end(run)
        assert text_of([*before, *rest]) == scenario.answers[message]
        assert min(seqs_of(rest)) > max(seqs_of(before))
        await socket.send(type="resume", run_id=run, after=rest[-1]["seq"])
        assert await socket.next() == rest[-1]


async def test_cancel(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=scenario.message(SLOW), model="openai/fake")
        begun = await socket.until(lambda frame: frame.get("event") == "token")
        await socket.send(type="cancel", run_id=begun[-1]["run_id"])
        ended = await socket.until_end()
    assert (ended[-1]["event"], ended[-1]["data"]["code"]) == ("error", "cancelled")


async def test_ping_and_a_key_in_a_header(scenario: Scenario) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with opened(scenario.server.port, key=None, headers=headers) as socket:
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}
        await socket.send(type="auth", api_key=KEY)
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}
