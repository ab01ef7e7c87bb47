"""The WebSocket of the older browser client: its frames, and what it reads of the answers."""

import json
from typing import Any

from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import SocketClient, opened

MODEL = {"model": "openai/fake"}


async def read(socket: SocketClient) -> tuple[str | None, dict[str, Any]]:
    """What the client makes of the frames: the first error, or the frame that ends the answer."""
    while True:
        frame = await socket.next()
        if frame.get("error"):
            assert isinstance(frame["error"], str)
            return frame["error"], frame
        if frame.get("response") and frame.get("done"):
            return None, frame


async def test_a_chat_right_after_the_key(older: Scenario) -> None:
    message = older.message(Script(words=7))
    async with opened(older.server.port, key=None) as socket:
        await socket.send(type="auth", api_key=KEY)
        await socket.send(type="chat", message=message, context={"page": "chat"}, **MODEL)
        error, end = await read(socket)
    assert (error, end["response"], end["done"]) == (None, older.answers[message], True)
    assert end["conversation_id"] == end["data"]["conversation_id"]
    assert end["agent_type"] == "supervisor"
    assert end["processing_time"] >= 0


async def test_a_message_without_a_type(older: Scenario) -> None:
    first, second = older.message(Script(words=3)), older.message(Script(words=3))
    async with opened(older.server.port) as socket:
        await socket.send(message=first, **MODEL)
        _, end = await read(socket)
        await socket.send(message=second, conversationId=end["conversation_id"], **MODEL)
        _, again = await read(socket)
    assert (end["response"], again["response"]) == (older.answers[first], older.answers[second])
    assert again["conversation_id"] == end["conversation_id"]


async def test_errors_are_flat(older: Scenario) -> None:
    message = older.message(Script(faults=(ReplacedResponse(status=400),)))
    async with opened(older.server.port) as socket:
        await socket.send(message=message, **MODEL)
        error, frame = await read(socket)
        assert error == frame["data"]["error"]
        await socket.send(type="chat", message="")
        error, frame = await read(socket)
        assert frame["code"] == "validation_error"
        await socket.connection.send("{")
        error, frame = await read(socket)
        assert frame["code"] == "malformed_request"


async def test_a_key_in_the_query(older: Scenario) -> None:
    message = older.message(Script(words=3))
    target = f"/ws/chat?api_key={KEY}"
    async with opened(older.server.port, key=None, target=target) as socket:
        await socket.connection.send(json.dumps({"type": "auth"}))
        await socket.send(message=message, **MODEL)
        assert (await read(socket))[1]["response"] == older.answers[message]
    assert KEY not in older.server.log_path.read_text()


async def test_no_key_is_no_key(older: Scenario) -> None:
    async with opened(older.server.port, key=None) as socket:
        await socket.send(type="auth", api_key="undefined")
        await socket.send(message="Hello")
        frames, code = await socket.closed()
    assert (code, frames[0]["code"]) == (1008, "unauthenticated")
