"""Cancelling over another connection ends the run, keeps its text and closes the model call."""

import asyncio

from tests.harness.clients import cancel
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario, eventually, until

LONG = Script(words=400, between_tokens_s=0.05)


async def test_cancel_mid_answer(scenario: Scenario) -> None:
    plans = [scenario.plan(LONG, cancel_after=count) for count in (1, 2, 5, 9)]
    records = await scenario.run_clients(*plans)
    read = await scenario.check()
    for record in records:
        run = read.runs[record.run]
        assert run.status == "cancelled"
        last = list(record.frames())[-1].payload
        assert (last["event"], last["data"]["code"]) == ("error", "cancelled")
        assert (
            record.text() == "".join(part["text"] for part in read.messages[run.message].parts)
            if run.message in read.messages
            else record.text() == ""
        )

    async def hung_up() -> bool:
        calls = [call for plan in plans for call in await scenario.calls_for(plan.message)]
        return all(call.outcome == "disconnected" for call in calls)

    await eventually(hung_up)


async def test_cancel_while_queued(scenario: Scenario) -> None:
    _, conversation = await scenario.call("POST", "/api/conversations", {"title": "Busy"})
    first = scenario.client(scenario.plan(LONG, conversation=conversation["id"]))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await scenario.received(first.record, 2)
        second = scenario.client(scenario.plan(LONG, conversation=conversation["id"]))
        tasks.create_task(second.run())
        await until(lambda: bool(second.record.run))
        for client in (second, first):
            plan = client.record.plan
            done = await cancel(scenario.server.port, plan, client.record.run)
            assert done is not None
            again = await cancel(scenario.server.port, plan, client.record.run)
            assert again is not None
    read = await scenario.check()
    assert {run.status for run in read.runs.values()} == {"cancelled"}
    assert await scenario.calls_for(second.record.plan.message) == []


async def test_cancel_after_the_end_changes_nothing(scenario: Scenario) -> None:
    response = await scenario.chat()
    status, run = await scenario.call("POST", f"/api/runs/{response['run_id']}/cancel")
    assert (status, run["status"]) == (200, "completed")
    status, response = await scenario.call("POST", f"/api/runs/run_{'0' * 32}/cancel")
    assert status == 404
