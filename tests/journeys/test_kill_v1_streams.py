"""SIGKILL during stored streams below `/v1`: what was seen is read again, and the talk goes on."""

import asyncio
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Victim
from tests.journeys.v1 import begin, frames, post_json

SLOW = Script(words=200, between_tokens_s=0.02)


class Stream:
    """A stored stream of one API, read until its connection breaks."""

    def __init__(self, scenario: Scenario, path: str) -> None:
        self.scenario = scenario
        self.path = path
        self.prompt = scenario.message(SLOW)
        self.received = b""

    def request(self, prompt: str, **fields: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"model": "openai/fake", "store": True, **fields}
        if self.path == "/v1/responses":
            return {**body, "input": prompt}
        body["messages"] = [{"role": "user", "content": prompt}]
        return {**body, "max_tokens": 1000} if self.path == "/v1/messages" else body

    async def read(self) -> None:
        body = self.request(self.prompt, stream=True)
        async with await begin(self.scenario, self.path, body) as answer:
            try:
                async for piece in answer.chunks():
                    self.received += piece
            except raw_http.Cut:
                return

    @property
    def events(self) -> list[Any]:
        whole, _, _ = self.received.rpartition(b"\n\n")
        return [event for _, event in frames(whole)]

    @property
    def text(self) -> str:
        return "".join(map(_piece_of, self.events))

    async def goes_on(self) -> bool:
        """Whether what is stored can be continued, and tells what was seen."""
        first = self.events[0]
        if self.path == "/v1/responses":
            identity = first["response"]["id"]
            _, kept = await self.scenario.call("GET", f"/v1/responses/{identity}")
            items = kept["output"]
            where = {"previous_response_id": identity}
        else:
            holder = first.get("message", first)
            identity = holder["conversation_id"]
            _, page = await self.scenario.call("GET", f"/v1/conversations/{identity}/items")
            items = [item for item in page["data"] if item["role"] == "assistant"]
            where = {"conversation_id": identity}
        said = "".join(part["text"] for item in items for part in item["content"])
        assert [item["status"] for item in items] == ["incomplete"]
        assert said.startswith(self.text)
        assert self.scenario.answers[self.prompt].startswith(said)
        body = self.request(self.scenario.message(Script(words=3)), **where)
        return (await post_json(self.scenario, self.path, body))[0] == 200


def _piece_of(event: Any) -> str:
    if "choices" in event:
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    if event["type"] == "content_block_delta":
        return event["delta"].get("text", "")
    return event["delta"] if event["type"] == "response.output_text.delta" else ""


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "everything"])
async def test_what_was_seen_is_kept(killable: Scenario, victim: Victim) -> None:
    server = killable.server
    paths = ("/v1/chat/completions", "/v1/messages", "/v1/responses")
    streams = [Stream(killable, path) for path in paths]
    async with asyncio.TaskGroup() as tasks:
        for stream in streams:
            tasks.create_task(stream.read())

        async def all_speak() -> bool:
            return all(len(stream.text) > 50 for stream in streams)

        await eventually(all_speak)
        await asyncio.to_thread(server.kill, victim)
        if victim == "everything":
            await asyncio.to_thread(server.restart)

    async def settled() -> bool:
        return not await killable.fetch("SELECT 1 FROM runs WHERE status IN ('running', 'queued')")

    await eventually(settled)
    for stream in streams:
        await eventually(stream.goes_on)
    assert not server.unexpected_errors()
