"""A person decides on what a tool does that a spoken question needs; then it is answered."""

from typing import Any
from uuid import uuid4

from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.journeys.voice import content, said
from tests.journeys.voice import deepgram as deepgram
from tests.journeys.voice import speaking as speaking

PROCESS, CHAT = "/api/voice/process", "/api/chat/voice"
CALLED = ToolCall(name="calculator", arguments={"expression": "6*7"})
ASKING = {"approval": "always", "agent_override": "supervisor"}


def question() -> str:
    """What is said, whose answer takes a tool."""
    return f"{uuid4().hex} {directive(Script(tool_calls=(CALLED,)), Script(text='Forty-two.'))}"


async def decided(scenario: Scenario, told: dict[str, Any], decision: str) -> None:
    """Decide, and wait for the end of the run."""
    approval = told["approval"]
    path = f"/api/runs/{told['run_id']}/approvals/{approval['approval_id']}"
    body = {"decision": decision, "arguments_hash": approval["arguments_hash"]}
    status, run = await scenario.call("POST", path, body)
    assert status == 200, run

    async def has_ended() -> bool:
        _, found = await scenario.call("GET", f"/api/runs/{told['run_id']}")
        return found["status"] == "completed"

    await eventually(has_ended)


async def test_a_spoken_question_waits_and_is_answered_and_spoken(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    asked = question()
    recording, once = deepgram.recording(asked), {"Idempotency-Key": uuid4().hex}
    fields = {**ASKING, "speak": "true", "format": "wav"}
    status, told = await said(speaking, PROCESS, recording, once, **fields)
    assert status == 202, told
    assert (told["status"], told["transcription"]) == ("waiting", asked)
    assert told["approval"]["arguments"] == {"expression": "6*7"}
    status, again = await said(speaking, PROCESS, recording, once, **fields)
    assert (status, again) == (202, told), "it waits, however often it is asked"
    await decided(speaking, told, "approve")
    status, answer = await said(speaking, PROCESS, recording, once, **fields)
    assert (status, answer["response"]) == (200, "Forty-two."), answer
    assert (answer["run_id"], answer["transcription"]) == (told["run_id"], asked)
    kind, audio = await content(speaking, answer["audio_url"])
    assert (kind, audio[:4]) == ("audio/wav", b"RIFF")
    assert [one.path for one in deepgram.exchanges()] == ["/v1/listen", "/v1/speak"]


async def test_a_spoken_message_waits_too(speaking: Scenario, deepgram: Deepgram) -> None:
    asked = question()
    recording, fields = deepgram.recording(asked), {**ASKING, "client_msg_id": uuid4().hex}
    status, told = await said(speaking, CHAT, recording, **fields)
    assert (status, told.get("transcription")) == (202, asked), told
    await decided(speaking, told, "deny")
    status, answer = await said(speaking, CHAT, recording, **fields)
    assert (status, answer["response"]) == (200, "Forty-two."), answer
    assert answer["conversation_id"] == told["conversation_id"]


async def test_text_that_waits_tells_nothing_heard(speaking: Scenario) -> None:
    body = {"message": question(), "approval": "always"}
    status, told = await speaking.call("POST", "/api/chat", body)
    assert (status, "transcription" in told) == (202, False), told
