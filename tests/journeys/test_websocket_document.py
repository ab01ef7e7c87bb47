"""What is sent over a running server's WebSocket, both ways, is as asyncapi.json describes it."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import Frame, opened

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "frontend-contract" / "asyncapi.json").read_text()
)
SENT = {
    "AuthFrame": {"type": "auth", "api_key": KEY},
    "PingFrame": {"type": "ping"},
    "ChatFrame": {"type": "chat", "model": "openai/fake", "client_msg_id": "one", "client_seq": 1},
    "AckFrame": {"type": "ack", "seq": 1},
    "ApproveFrame": {
        "type": "approve",
        "approval_id": "none",
        "decision": "approve",
        "arguments_hash": "of nothing",
    },
    "CancelFrame": {"type": "cancel"},
    "ResumeFrame": {"type": "resume", "after": 1},
}


def is_a(name: str, frame: Frame) -> bool:
    return validator(name).is_valid(frame)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({**DOCUMENT, "$ref": f"#/components/schemas/{name}"})


def named(operation: str) -> set[str]:
    """The names of the frames that a client sends, or receives."""
    messages = DOCUMENT["operations"][operation]["messages"]
    return {message["$ref"].rpartition("/")[2] for message in messages}


async def test_every_frame_is_as_described(scenario: Scenario) -> None:
    assert set(SENT) == named("send")
    message = scenario.message(Script(words=40, between_tokens_s=0.05))
    sent, received = list[tuple[str, Frame]](), list[Frame]()
    async with opened(scenario.server.port, key=None) as socket:

        async def say(name: str, **more: Any) -> None:
            frame = {**SENT[name], **more}
            sent.append((name, frame))
            await socket.send(**frame)

        await say("AuthFrame")
        await say("PingFrame")
        received.append(await socket.next())
        await say("ChatFrame", message=message, stream=False, nobody_knows="this")
        received += await socket.until(lambda frame: frame.get("event") == "token")
        run = received[-1]["run_id"]
        await say("AckFrame", run_id=run)
        await say("ApproveFrame", run_id=run)
        received += await socket.until(lambda frame: "code" in frame)
        await say("CancelFrame", run_id=run)
        received += await socket.until_end(run)
        await say("ResumeFrame", run_id=run)
        received += await socket.until_end(run)
        await say("ChatFrame", message=scenario.message(Script(words=2)), client_msg_id="two")
        received += await socket.until_end()
    assert [name for name, frame in sent if not is_a(name, frame)] == []
    kinds = [{name for name in named("receive") if is_a(name, frame)} for frame in received]
    assert [frame for frame, found in zip(received, kinds, strict=True) if not found] == []
    assert set().union(*kinds) == named("receive") - {"DrainFrame"}
