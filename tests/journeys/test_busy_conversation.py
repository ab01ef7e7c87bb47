"""One run at a time per conversation: the next message is queued, rejected, or interrupts."""

import asyncio

from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario, until

SCRIPT = Script(words=12, between_tokens_s=0.03)
LONG = Script(words=400, between_tokens_s=0.05)


async def _conversation(scenario: Scenario) -> str:
    _, response = await scenario.call("POST", "/api/conversations", {"title": "One at a time"})
    return str(response["id"])


async def test_queue_is_first_in_first_out(scenario: Scenario) -> None:
    conversation = await _conversation(scenario)
    clients = [scenario.client(scenario.plan(SCRIPT, conversation=conversation)) for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
            await until(lambda client=client: bool(client.record.run))  # one after the other
    read = await scenario.check()
    runs = [read.runs[client.record.run] for client in clients]
    assert [run.status for run in runs] == ["completed"] * 4
    assert runs == sorted(runs, key=lambda run: run.started_at or 0)
    events = [frame.event for client in clients[1:] for frame in client.record.frames()]
    assert "queued" in events
    _, page = await scenario.call("GET", f"/api/conversations/{conversation}/messages")
    asked = [item["content"] for item in page["items"] if item["role"] == "user"]
    assert asked == [client.record.plan.message for client in clients]
    assert [item["role"] for item in page["items"]] == ["user", "assistant"] * 4


async def test_reject(scenario: Scenario) -> None:
    conversation = await _conversation(scenario)
    first = scenario.client(scenario.plan(SCRIPT, conversation=conversation))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await scenario.received(first.record, 1)
        refused = {"message": "Now!", "conversation_id": conversation, "busy": "reject"}
        status, response = await scenario.call("POST", "/api/chat", refused)
        assert (status, response["code"]) == (409, "conversation_busy")
    read = await scenario.check()
    assert len(read.runs) == 1


async def test_interrupt(scenario: Scenario) -> None:
    conversation = await _conversation(scenario)
    first = scenario.client(scenario.plan(LONG, conversation=conversation))
    second = scenario.client(scenario.plan(SCRIPT, conversation=conversation, busy="interrupt"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await scenario.received(first.record, 3)
        tasks.create_task(second.run())
    read = await scenario.check()
    assert read.runs[first.record.run].status == "cancelled"
    assert read.runs[second.record.run].status == "completed"
    assert second.record.text() == scenario.answers[second.record.plan.message]


async def test_what_is_not_answered_yet_can_be_found(scenario: Scenario) -> None:
    conversation = await _conversation(scenario)
    first = scenario.client(scenario.plan(LONG, conversation=conversation))
    second = scenario.client(scenario.plan(SCRIPT, conversation=conversation))
    path = f"/api/conversations/{conversation}/runs"
    async with asyncio.TaskGroup() as tasks:
        for client in (first, second):
            tasks.create_task(client.run())
            await until(lambda client=client: bool(client.record.run))
        status, found = await scenario.call("GET", path)
        assert (status, found["total"]) == (200, 2)
        expected = [(f"run_{first.record.run}", "running"), (f"run_{second.record.run}", "queued")]
        assert [(run["id"], run["status"]) for run in found["items"]] == expected
        await scenario.call("POST", f"/api/runs/{first.record.run}/cancel")
    assert await scenario.call("GET", path) == (200, {"items": [], "total": 0})
