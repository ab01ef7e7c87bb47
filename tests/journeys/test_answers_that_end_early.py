"""POST /api/chat waits: an answer that ends early comes as an error, with what was seen of it."""

import asyncio
from typing import Any

from tests.harness.fake_provider.interruptions import CutOff
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.substitutes import Instead
from tests.harness.story import Story, eventually


async def ask(story: Story, *scripts: Script) -> tuple[int, dict[str, Any]]:
    message = "".join(story.message(script) for script in scripts)
    body = {"message": message, "provider": "openai", "model": "fake"}
    return await story.call("POST", "/api/chat", body)


async def test_a_provider_that_refuses(story: Story) -> None:
    for status, code, expected in (
        (400, "upstream_rejected", 400),
        (401, "upstream_auth", 502),
        (402, "upstream_quota", 502),
    ):
        answered, told = await ask(story, Script(faults=(Instead(status=status),)))
        assert (answered, told["code"]) == (expected, code)
        details = told["details"]
        assert (details["provider"], details["upstream_status"]) == ("openai", status)
        assert details["partial_response"] == ""
        _, run = await story.call("GET", f"/api/runs/{details['run_id']}")
        assert (run["status"], run["error_code"]) == ("failed", code)


async def test_cut_after_words_were_seen(story: Story) -> None:
    cut = Script(words=30, faults=(CutOff(after_tokens=10),), between_tokens_s=0.03)
    answered, told = await ask(story, cut)
    assert (answered, told["code"]) == (503, "upstream_cut")
    details = told["details"]
    assert details["recoverable"] is True
    assert details["partial_response"]
    conversation = f"/api/conversations/{details['conversation_id']}"
    _, kept = await story.call("GET", f"{conversation}/messages/{details['message_id']}")
    assert (kept["content"], kept["status"]) == (details["partial_response"], "partial")
    status, run = await story.call("POST", f"/api/runs/{details['run_id']}/continue")
    assert status == 201
    assert run["id"] != details["run_id"]
    assert (await story.ended(run["id"].removeprefix("run_"))).ended


async def test_cancelled_while_somebody_waits(story: Story) -> None:
    message = story.message(Script(words=400, between_tokens_s=0.05))
    body = {
        "message": message,
        "provider": "openai",
        "model": "fake",
        "client_msg_id": message[:99],
    }
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(story.call("POST", "/api/chat", body))

        async def running() -> str | None:
            rows = await story.fetch("SELECT id FROM runs WHERE client_msg_id = $1", message[:99])
            return rows[0]["id"].hex if rows else None

        run = await eventually(running)
        status, _ = await story.call("POST", f"/api/runs/run_{run}/cancel")
        assert status == 200
    answered, told = waiting.result()
    assert (answered, told["code"]) == (409, "cancelled")
    assert told["details"]["run_id"] == f"run_{run}"


async def test_who_stops_waiting_does_not_stop_the_answer(story: Story) -> None:
    message = story.message(Script(words=20, between_tokens_s=0.02))
    body = {
        "message": message,
        "provider": "openai",
        "model": "fake",
        "client_msg_id": message[:99],
    }
    waiting = asyncio.ensure_future(story.call("POST", "/api/chat", body))

    async def running() -> str | None:
        rows = await story.fetch("SELECT id FROM runs WHERE client_msg_id = $1", message[:99])
        return rows[0]["id"].hex if rows else None

    run = await eventually(running)
    waiting.cancel()
    row = await story.ended(run)
    assert row.status == "completed"
    assert await story.text_of(row.message) == story.said[message]
