"""One conversation on all surfaces: begun natively, gone on with elsewhere, resumed natively."""

import json
from typing import Any

from tests.harness import raw_http
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.v1 import begin, exchange_with, frames, post_json

MODEL = "openai/fake"


async def events(scenario: Scenario, run: str, after: str | None = None) -> list[tuple[str, Any]]:
    """The frames of a run by the native API, each with its id."""
    headers = {"Authorization": f"Bearer {KEY}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    path = f"/api/runs/{run}/events"
    async with await raw_http.request(scenario.server.port, "GET", path, headers) as answer:
        assert answer.status == 200
        body = (await answer.body()).decode()
    found: list[tuple[str, Any]] = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[:7])
        if "id" in fields and "data" in fields:
            found.append((fields["id"], json.loads(fields["data"])))
    return found


def text_of(told: list[tuple[str, Any]]) -> str:
    return "".join(frame["data"]["delta"] for _, frame in told if frame["event"] == "token")


async def test_it_goes_on_everywhere(scenario: Scenario) -> None:
    first = await scenario.chat(Script(text="natively"))
    conversation = first["conversation_id"]

    asked = scenario.message(Script(text="as a completion"))
    turn: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": asked}]}
    status, completion = await post_json(
        scenario, "/v1/chat/completions", {**turn, "conversation_id": conversation}
    )
    assert (status, completion["choices"][0]["message"]["content"]) == (200, "as a completion")

    asked = scenario.message(Script(text="as a message"))
    turn = {"model": MODEL, "max_tokens": 99, "messages": [{"role": "user", "content": asked}]}
    status, message = await post_json(
        scenario, "/v1/messages", {**turn, "conversation_id": conversation}
    )
    assert (status, message["content"][0]["text"]) == (200, "as a message")

    words = "one two three four five six seven eight"
    asked = scenario.message(Script(text=words, between_tokens_s=0.02))
    body = {"model": MODEL, "input": asked, "conversation": conversation, "stream": True}
    async with await begin(scenario, "/v1/responses", body) as answer:
        assert answer.status == 200
        start = b""
        async for piece in answer.chunks():
            start += piece
            if b"response.output_text.delta" in start:
                break
    run = frames(start[: start.rindex(b"\n\n") + 2])[0][1]["response"]["id"]
    run = run.replace("resp_", "run_")

    whole = await events(scenario, run)
    assert (text_of(whole), whole[-1][1]["event"]) == (words, "done")
    middle = len(whole) // 2
    assert await events(scenario, run, whole[middle][0]) == whole[middle + 1 :]

    sent = json.loads(exchange_with(scenario, asked.partition(" [[")[0]).body)
    told = [each for each in sent["messages"] if each["role"] != "system"]
    assert [each["role"] for each in told] == ["user", "assistant"] * 3 + ["user"]
    said = [each["content"] for each in told if each["role"] == "assistant"]
    assert said == ["natively", "as a completion", "as a message"]
    _, page = await scenario.call("GET", f"/api/conversations/{conversation}/messages")
    assert [each["role"] for each in page["items"]] == ["user", "assistant"] * 4
    _, items = await scenario.call("GET", f"/v1/conversations/{conversation}/items?order=asc")
    assert [each["role"] for each in items["data"]] == ["user", "assistant"] * 4
