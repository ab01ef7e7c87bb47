"""What a server that stops cannot wait for is cut: it says so, and leaves no traceback."""

import asyncio
import json

import pytest
from tests.harness import raw_http
from tests.harness.documents import form
from tests.harness.fake_provider.faults import HangBeforeHeaders
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, until
from tests.harness.server import KEY

SLOW = directive(Script(between_tokens_s=0.5))
TALK = ("talk.wav", sounds.wav(sounds.tone(2.0)))


async def asked(scenario: Scenario, path: str, kind: str, body: bytes) -> raw_http.Answer:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind}
    return await raw_http.request(scenario.server.port, "POST", path, headers, body)


async def test_answers_of_all_kinds_are_cut_and_say_so(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_SERVER_DRAIN_S": "0"})
    text = {"model": "tts-1", "input": f"{SLOW} {'word ' * 500}", "voice": "alloy"}
    speech = await asked(
        scenario, "/v1/audio/speech", "application/json", json.dumps(text).encode()
    )
    relayed = {
        "model": "openai/fake",
        "messages": [
            {"role": "user", "content": scenario.message(Script(words=500, between_tokens_s=0.5))}
        ],
        "stream": True,
    }
    stream = await asked(
        scenario, "/v1/chat/completions", "application/json", json.dumps(relayed).encode()
    )
    hanging = {
        "model": "whisper-1",
        "prompt": directive(Script(faults=(HangBeforeHeaders(),))),
    }
    kind, body = form(("file", *TALK), fields=hanging)
    since = scenario.provider.begun()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(asked(scenario, "/v1/audio/transcriptions", kind, body))
        await until(lambda: scenario.provider.begun() > since)
        stopping = group.create_task(asyncio.to_thread(scenario.server.stop))
        ended = b"".join([piece async for piece in stream.chunks()])
        with pytest.raises(raw_http.Cut):
            await speech.body()
        refused = await waiting
        told = json.loads(await refused.body())
    assert stopping.result() == 0
    assert b'"draining"' in ended
    assert (refused.status, told["error"]["code"]) == (503, "draining")
    log = scenario.server.log_tail(1 << 20)
    [cut] = [line for line in log.splitlines() if "speech_cut" in line]
    assert "draining" in cut
    for trouble in ("Cancel ", "Exception in ASGI", "Traceback"):
        assert trouble not in log
    for answer in (speech, stream, refused):
        answer.close()


async def test_who_waits_for_an_answer_learns_where_it_will_be(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_SERVER_DRAIN_S": "0"})
    body = {"message": scenario.message(Script(words=200, between_tokens_s=0.5))}
    since = scenario.provider.begun()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(scenario.call("POST", "/api/chat", body))
        await until(lambda: scenario.provider.begun() > since)
        stopping = group.create_task(asyncio.to_thread(scenario.server.stop))
    status, told = waiting.result()
    assert (status, told["code"], stopping.result()) == (503, "draining", 0)
    await asyncio.to_thread(scenario.server.restart)
    status, run = await scenario.call("GET", f"/api/runs/{told['details']['run_id']}")
    assert (status, run["conversation_id"]) == (200, told["details"]["conversation_id"])
