"""An agent finds what was said in earlier conversations of the same person, and of nobody else."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.harness.campaign import second_owner
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario
from tests.harness.websockets import opened


async def test_an_earlier_conversation_is_found_and_cited(scenario: Scenario) -> None:
    word = f"heliotrope{uuid4().hex}"
    stranger = await asyncio.to_thread(second_owner, scenario.server)
    told = f"My {word} is blue. {directive(Script(words=3))}"
    earlier = await scenario.chat(message=told)
    for title, headers in (("Mine", {}), ("Not mine", {"X_API_Key": stranger.api_key})):
        status, made = await scenario.call(
            "POST", "/api/conversations", {"title": f"{title} {word}"}, **headers
        )
        assert status == 201, made
    look = ToolCall(name="search_conversations", arguments={"query": word})
    scripts = (
        Script(text="I look.", tool_calls=(look,), insist=True),
        Script(text="It is blue [1]."),
    )
    found = await _events(scenario, f"What of my {word}? {directive(*scripts)}")
    (result,) = found["tool_result"]
    assert result["success"]
    assert "3 found; these are 1 to 3." in result["result"]
    assert earlier["conversation_id"] in result["result"]
    assert "Not mine" not in str(found)
    assert len(found["source"]) == 3, "two titles and a message"
    for source in found["source"]:
        status, read = await scenario.call("GET", source["url"])
        assert status == 200, read
        assert word in str(read)


async def _events(scenario: Scenario, message: str) -> dict[str, list[Any]]:
    """The data of each kind of event of an answer by the supervisor."""
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=message)
        frames = await socket.until_end()
    found: dict[str, list[Any]] = {}
    for frame in frames:
        found.setdefault(frame["event"], []).append(frame["data"])
    assert "done" in found, found
    return found
